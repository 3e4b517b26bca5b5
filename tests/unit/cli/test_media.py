"""`foveal media`: files kept, addresses printed, mistakes told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.support.cli import Run, runner

from foveal.store.database import open_database
from foveal.store.media import open_media
from foveal.store.object_blobs import open_blobs
from foveal.store.sas import read_time


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path / "data"))
    (tmp_path / "clip.mp4").write_bytes(b"moving pictures")
    (tmp_path / "길 거리.mp4").write_bytes(b"a street")
    return runner(monkeypatch, capsys, "media")


def lasts(url: str, data: Path) -> timedelta:
    """For how long the server of this data directory answers an address."""
    parts = urlsplit(url)
    fields = dict(parse_qsl(parts.query))
    database = open_database(data)
    open_media(open_blobs(data / "blobs"), data, database).check("local", "clip.mp4", fields)
    database.dispose()
    until = read_time(fields["se"])
    assert until is not None
    return until - datetime.now(UTC)


def test_upload_url_list_remove(run: Run, tmp_path: Path) -> None:
    made = run("upload", str(tmp_path / "clip.mp4"))
    assert made.code == 0
    assert made.out.startswith("http://127.0.0.1:8450/storage/local/clip.mp4?")
    assert timedelta(days=6.9) < lasts(made.out.strip(), tmp_path / "data") <= timedelta(days=7)
    again = run("url", "clip.mp4", "--expires", "30m", "--base", "https://foveal.example/").out.strip()
    assert again.startswith("https://foveal.example/storage/local/clip.mp4?")
    assert timedelta(minutes=29) < lasts(again, tmp_path / "data") <= timedelta(minutes=30)
    (one,) = json.loads(run("list", "--json").out)
    assert (one["name"], one["size"]) == ("clip.mp4", 15)
    assert "clip.mp4" in run("list").out
    assert run("remove", "clip.mp4").code == 0
    assert json.loads(run("list", "--json").out) == []


def test_several_files_and_their_names(run: Run, tmp_path: Path) -> None:
    files = [str(tmp_path / "clip.mp4"), str(tmp_path / "길 거리.mp4")]
    rows = json.loads(run("upload", *files, "--json").out)
    assert [row["name"] for row in rows] == ["clip.mp4", "길 거리.mp4"]
    assert "/storage/local/%EA%B8%B8%20" in rows[1]["url"]
    taken = run("upload", *files)
    assert (taken.code, "--replace" in taken.err) == (2, True)
    (tmp_path / "clip.mp4").write_bytes(b"another")
    assert run("upload", files[0], "--replace").code == 0
    assert run("upload", files[0], "--name", "third.mp4").code == 0
    sizes = {row["name"]: row["size"] for row in json.loads(run("list", "--json").out)}
    assert sizes == {"clip.mp4": 7, "third.mp4": 7, "길 거리.mp4": 8}


@pytest.mark.parametrize(
    ("environment", "begins"),
    [
        ({"FOVEAL_PORT": "9000"}, "http://127.0.0.1:9000/"),
        ({"FOVEAL_HOST": "0.0.0.0"}, "http://127.0.0.1:8450/"),
        ({"FOVEAL_HOST": "::1"}, "http://[::1]:8450/"),
        ({"FOVEAL_BASE_URL": "https://a.example"}, "https://a.example/"),
    ],
)
def test_what_addresses_begin_with(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    begins: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = run("upload", str(tmp_path / "clip.mp4"))
    assert made.out.startswith(f"{begins}storage/local/clip.mp4?")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("upload /nowhere.mp4", "does not exist"),
        ("upload CLIP CLIP --name one", "--name is for one file"),
        ("upload CLIP --name a/b", "cannot be the name of a file"),
        ("upload CLIP --expires soon", "is no time; examples"),
        ("upload CLIP --expires 0d", "is no time; examples"),
        ("upload CLIP --base foveal.example", "is no address"),
        ("upload", "Missing argument"),
        ("url none.mp4", "there is no uploaded file 'none.mp4'"),
        ("remove none.mp4", "there is no uploaded file 'none.mp4'"),
    ],
)
def test_what_is_wrong_is_said(run: Run, tmp_path: Path, command: str, said: str) -> None:
    ended = run(*(str(tmp_path / "clip.mp4") if word == "CLIP" else word for word in command.split()))
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_a_file_above_the_limit(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOVEAL_MAX_VIDEO", "1024")
    (tmp_path / "clip.mp4").write_bytes(bytes(1025))
    ended = run("upload", str(tmp_path / "clip.mp4"))
    assert (ended.code, "FOVEAL_MAX_VIDEO" in ended.err) == (2, True)
    assert json.loads(run("list", "--json").out) == []


def test_each_resource_has_files_of_its_own(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner(monkeypatch, capsys, "resource")("add", "My-Vision").code == 0
    for resource, content in (("local", b"one"), ("my-vision", b"three")):
        (tmp_path / "clip.mp4").write_bytes(content)
        assert run("upload", str(tmp_path / "clip.mp4"), "--resource", resource).code == 0
    assert [one["size"] for one in json.loads(run("list", "--json").out)] == [3]
    assert [one["size"] for one in json.loads(run("list", "--json", "--resource", "my-vision").out)] == [5]
    assert "/storage/My-Vision/clip.mp4?" in run("url", "clip.mp4", "--resource", "MY-VISION").out
    assert run("remove", "clip.mp4", "--resource", "my-vision").code == 0
    assert run("url", "clip.mp4", "--resource", "my-vision").code == 2
    assert run("url", "clip.mp4").code == 0
    nobody = run("list", "--resource", "nobody")
    assert (nobody.code, "local, My-Vision" in nobody.err) == (2, True)
