"""`foveal resource`: what it prints, keeps and refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import insert
from tests.support.cli import Run, runner

from foveal.resources.accounts import Accounts, open_accounts
from foveal.store.database import open_database
from foveal.store.object_blobs import open_blobs
from foveal.store.tables import documents, video_indexes
from foveal.video.library import frame_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path))
    return runner(monkeypatch, capsys, "resource")


def accounts(folder: Path) -> Accounts:
    database = open_database(folder)
    try:
        return open_accounts(database, operator_key=None, engine="echo", strict=False)[0]
    finally:
        database.dispose()


def keys_in(text: str) -> list[str]:
    return re.findall(r"\b[0-9a-f]{32}\b", text)


def test_a_fresh_directory_tells_the_key_of_its_first_resource(run: Run, tmp_path: Path) -> None:
    listed = run("list", "--json")
    assert (listed.code, json.loads(listed.out)) == (
        0,
        [
            {
                "name": "local",
                "kind": "AIServices",
                "region": "swedencentral",
                "tier": "S0",
                "identity": False,
            }
        ],
    )
    (key,) = keys_in(listed.err)
    assert accounts(tmp_path).check(key) is not None
    assert keys_in(run("list").out) == []


def test_add_and_remove(run: Run, tmp_path: Path) -> None:
    run("list")
    added = run("add", "my-vision", "--region", "westus")
    assert added.code == 0
    assert "ComputerVision resource my-vision (westus, S1)" in added.out
    first, second = keys_in(added.out)
    found = accounts(tmp_path)
    assert [found.check(key) is not None for key in (first, second)] == [True, True]
    assert run("remove", "my-vision").code == 0
    assert accounts(tmp_path).check(second) is None


def test_add_as_json(run: Run, tmp_path: Path) -> None:
    run("list")
    made = json.loads(run("add", "chat", "--kind", "OpenAI", "--json").out)
    assert (made["name"], made["kind"], made["tier"]) == ("chat", "OpenAI", "S0")
    assert accounts(tmp_path).check(made["key2"]) is not None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "x"), "2 to 64"),
        (("add", "local"), "already"),
        (("add", "ok", "--tier", "S9"), "no tier S9"),
        (("add", "ok", "--region", "mars"), "no known region"),
        (("add", "ok", "--kind", "Face"), "Face"),
        (("remove", "nobody"), "no resource 'nobody'"),
        (("remove", "local"), "only resource"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    run: Run, arguments: tuple[str, ...], says: str
) -> None:
    run("list")
    done = run(*arguments)
    assert done.code == 2
    assert says in done.err
    assert "Traceback" not in done.err


def an_index_with_a_document(folder: Path, resource: str) -> str:
    """Written as ingestions write it; returns the path of its one frame."""
    database = open_database(folder)
    with database.begin() as connection:
        index = connection.execute(
            insert(video_indexes).values(
                resource=resource,
                name="cameras",
                features=[{"name": "vision", "modelVersion": "2023-05-31", "domain": "generic"}],
                user_data={},
                etag="e",
                created_at=1,
                modified_at=1,
            )
        ).inserted_primary_key
        assert index is not None
        numbers = {"duration": 1.0, "frames": 1, "segments": 0, "bytes": 1, "created_at": 1, "modified_at": 1}
        document = connection.execute(
            insert(documents).values(
                index_key=index[0],
                document_id="film",
                published=True,
                url="https://a.example/film",
                metadata={},
                user_data={},
                **numbers,
            )
        ).inserted_primary_key
        assert document is not None
    database.dispose()
    path = frame_path(document[0], 0)
    open_blobs(folder / "blobs").put(path, b"a frame")
    return path


def test_a_removed_resource_takes_its_videos_and_files_along(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("add", "going")
    media = runner(monkeypatch, capsys, "media")
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"moving pictures")
    for resource in ("local", "going"):
        assert media("upload", str(clip), "--resource", resource).code == 0
    stays, goes = (an_index_with_a_document(tmp_path, resource) for resource in ("local", "going"))
    assert run("remove", "going").code == 0
    held = [blob.path for blob in open_blobs(tmp_path / "blobs").list("")]
    assert stays in held
    assert goes not in held
    assert len([path for path in held if path.endswith("clip.mp4")]) == 1
    assert json.loads(media("list", "--json").out)[0]["name"] == "clip.mp4"
