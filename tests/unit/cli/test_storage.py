"""`foveal storage`, `foveal role`, `foveal resource identity`: what they print, keep and refuse."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from tests.support.cli import Run, runner

from foveal.errors import VideoUnreachable
from foveal.resources.identity import StorageAccess
from foveal.store.database import open_database

KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
READER = "Storage Blob Data Reader"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path / "data"))
    (tmp_path / "key.txt").write_text(KEY + "\n")
    call = runner(monkeypatch, capsys)
    call("resource", "list")
    return call


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    return str(tmp_path / "key.txt")


def address(tmp_path: Path, url: str, resource: str = "local") -> str:
    """What an identity may read, or the code of why it may not."""
    database = open_database(tmp_path / "data")
    try:
        return StorageAccess(database).address(resource, url).url
    except VideoUnreachable as refused:
        return str(refused.code)
    finally:
        database.dispose()


def test_from_nothing_to_a_signed_address(run: Run, tmp_path: Path, key_file: str) -> None:
    url = "https://myvideos.blob.core.windows.net/films/a%20b.mp4?old=1"
    assert address(tmp_path, url) == "ManagedIdentityNotEnabled"
    on = run("resource", "identity", "local", "on")
    assert (on.code, "no role on any storage account" in on.out) == (0, True)
    assert address(tmp_path, url) == "StorageAccountUnknown"
    added = run("storage", "add", "myvideos", "--key-file", key_file)
    assert (added.code, added.out) == (0, "myvideos: https://myvideos.blob.core.windows.net\n")
    assert address(tmp_path, url) == "RoleAssignmentMissing"
    assert run("role", "assign", "local", READER.lower(), "--account", "myvideos").code == 0
    signed = address(tmp_path, url)
    assert signed.startswith("https://myvideos.blob.core.windows.net/films/a%20b.mp4?sp=r&se=")
    assert "spr=https" in signed
    assert "old" not in signed
    assert address(tmp_path, url.replace("https", "http")).startswith("https://")
    assert address(tmp_path, url.replace("myvideos", "other")) == "StorageAccountUnknown"
    assert address(tmp_path, url.replace("net/", "net:8443/")) == "StorageAccountUnknown"
    assert address(tmp_path, "https://myvideos.blob.core.windows.net.evil.example/films/a.mp4") == (
        "StorageAccountUnknown"
    )
    assert "It has a role on: myvideos" in run("resource", "identity", "local", "on").out
    listed = json.loads(run("role", "list", "--json").out)
    assert listed == [{"resource": "local", "role": READER, "account": "myvideos"}]
    assert run("role", "remove", "local", READER, "--account", "myvideos").code == 0
    assert address(tmp_path, url) == "RoleAssignmentMissing"
    assert run("storage", "remove", "myvideos").code == 0
    assert address(tmp_path, url) == "StorageAccountUnknown"
    assert run("resource", "identity", "local", "off").code == 0
    assert address(tmp_path, url) == "ManagedIdentityNotEnabled"


def test_an_account_whose_name_stands_in_the_path(run: Run, tmp_path: Path, key_file: str) -> None:
    endpoint = "http://127.0.0.1:10000/devstoreaccount1"
    run("resource", "identity", "local", "on")
    run("storage", "add", "devstoreaccount1", "--endpoint", endpoint + "/", "--key-file", key_file)
    run("role", "assign", "local", READER, "--account", "devstoreaccount1")
    assert address(tmp_path, f"{endpoint}/films/a.mp4").startswith(f"{endpoint}/films/a.mp4?sp=r&")
    assert "spr" not in address(tmp_path, f"{endpoint}/films/a.mp4")
    for other in ("http://127.0.0.1:10000/other/films/a.mp4", "http://127.0.0.1:10001/devstoreaccount1/f/a"):
        assert address(tmp_path, other) == "StorageAccountUnknown"


def test_keys_are_read_and_never_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key_file: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f" {KEY}\n"))
    shown = [run("storage", "add", "piped"), run("storage", "list"), run("storage", "list", "--json")]
    assert [one.code for one in shown] == [0, 0, 0]
    assert not any(KEY[:20] in one.out + one.err for one in shown)
    assert json.loads(shown[2].out) == [{"name": "piped", "endpoint": "https://piped.blob.core.windows.net"}]
    again = run("storage", "add", "piped", "--key-file", key_file)
    assert (again.code, "--replace" in again.err) == (2, True)
    replaced = run(
        "storage", "add", "piped", "--replace", "--endpoint", "https://p.example", "--key-file", key_file
    )
    assert (replaced.code, replaced.out) == (0, "piped: https://p.example\n")
    assert (tmp_path / "data/foveal.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("resource identity none on", "there is no resource 'none'"),
        ("resource identity local maybe", "'maybe' is not one of"),
        ("storage add Bad_Name --key-file KEY", "is not a name for a storage account"),
        ("storage add good --key-file /nowhere", "does not exist"),
        ("storage add good --key-file KEY --endpoint ftp://x", "the endpoint neither http nor https"),
        ("storage add good --key-file KEY --endpoint https://x/?sv=1", "has a query"),
        ("storage add good --key-file BAD", "the key is none of a storage account"),
        ("storage remove none", "there is no storage account 'none'"),
        ("role assign local Owner --account none", "is no role that reads blobs"),
        ("role assign none READER --account none", "there is no resource 'none'"),
        ("role assign local READER --account none", "add it with `foveal storage add`"),
        ("role remove local READER --account none", "has no role"),
        ("role assign local READER", "Missing option '--account'"),
    ],
)
def test_what_is_wrong_is_said(run: Run, tmp_path: Path, key_file: str, command: str, said: str) -> None:
    (tmp_path / "bad.txt").write_text("not a key")
    words = {"KEY": key_file, "BAD": str(tmp_path / "bad.txt"), "READER": READER}
    ended = run(*(words.get(word, word) for word in command.split()))
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
