"""What `BlobStore` promises, over a folder and over Azure Blob Storage (Azurite)."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.azurite import ACCOUNT, KEY, Azurite

from foveal.errors import SetupError
from foveal.store.blobs import BlobNotFound, BlobStore, BlobStoreError
from foveal.store.object_blobs import DELETES, ObjectBlobStore, open_blobs

MIB = 1024 * 1024


@pytest.fixture(params=["folder", "azure"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectBlobStore:
    if request.param == "folder":
        return open_blobs(tmp_path / "blobs")
    storage: Azurite = request.getfixturevalue("storage")
    container = uuid.uuid4().hex
    storage.container(container)
    # the environment that operators set for Azure's own tools
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", storage.endpoint)
    monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")
    return open_blobs(f"az://{container}/below")


def test_what_is_put_is_read_back_and_replaced(blobs: BlobStore) -> None:
    blobs.put("documents/7/record.bin", b"first")
    blobs.put("documents/7/record.bin", b"second")
    assert blobs.get("documents/7/record.bin") == b"second"
    found = blobs.head("documents/7/record.bin")
    assert (found.path, found.size) == ("documents/7/record.bin", 6)
    assert found.modified > 1_600_000_000


def test_what_is_moved_is_there_and_not_here(blobs: ObjectBlobStore) -> None:
    blobs.put("media/길 거리 1+2&3=%41.mp4", b"new")
    blobs.put("containers/a-1/film", b"old")
    blobs.move("media/길 거리 1+2&3=%41.mp4", "containers/a-1/film")
    assert [blob.path for blob in blobs.list("")] == ["containers/a-1/film"]
    assert blobs.get("containers/a-1/film") == b"new"
    with pytest.raises(BlobNotFound):
        blobs.move("media/길 거리 1+2&3=%41.mp4", "containers/a-1/film")
    assert blobs.get("containers/a-1/film") == b"new"


@pytest.mark.parametrize("size", [0, 1, 9 * MIB + 1])
def test_files_of_any_size(blobs: BlobStore, tmp_path: Path, size: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(os.urandom(size))
    blobs.put("media/film", file)
    assert blobs.head("media/film").size == size
    assert b"".join(blobs.stream("media/film")) == file.read_bytes()


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, None, b"0123456789"),
        (3, None, b"3456789"),
        (3, 5, b"34"),
        (8, 100, b"89"),
        (5, 5, b""),
        (10, None, b""),
        (12, 14, b""),
    ],
)
def test_ranges(blobs: BlobStore, start: int, end: int | None, expected: bytes) -> None:
    blobs.put("media/digits", b"0123456789")
    assert b"".join(blobs.stream("media/digits", start, end)) == expected


@pytest.mark.parametrize(
    "read",
    [
        lambda blobs: blobs.get("media/none"),
        lambda blobs: blobs.head("media/none"),
        lambda blobs: blobs.stream("media/none"),
        lambda blobs: blobs.stream("media/none", 5),
        lambda blobs: blobs.stream("media/none", 5, 5),
    ],
)
def test_what_is_not_there_is_said_at_once(blobs: BlobStore, read: Callable[[BlobStore], object]) -> None:
    with pytest.raises(BlobNotFound):
        read(blobs)


def test_listing_is_ordered_and_keeps_to_whole_names(blobs: BlobStore) -> None:
    for name in ("a/2", "a/1/x", "ab/1", "a/10"):
        blobs.put(name, name.encode())
    assert [blob.path for blob in blobs.list("a")] == ["a/1/x", "a/10", "a/2"]
    assert [blob.path for blob in blobs.list("a/")] == ["a/1/x", "a/10", "a/2"]
    assert [blob.path for blob in blobs.list("")] == ["a/1/x", "a/10", "a/2", "ab/1"]
    assert blobs.list("none") == []


def test_removing_takes_a_blob_or_a_folder_and_nothing_beside(blobs: BlobStore) -> None:
    for name in ("a/1", "a/2", "ab", "b/1", "b/10"):
        blobs.put(name, b"x")
    blobs.remove("a")
    blobs.remove("b/1")
    blobs.remove("none/at/all")
    assert [blob.path for blob in blobs.list("")] == ["ab", "b/10"]


def test_removing_many(blobs: BlobStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: blobs.put(f"many/{number:04d}", b"x"), range(DELETES + 10)))
    blobs.remove("many")
    assert blobs.list("many") == []


def test_names_in_any_language_and_with_any_sign(blobs: BlobStore) -> None:
    for name in ("영상/길 거리.mp4", "a b&c=d?e%20f+g,h;i'j(k).mp4", "%2e%2e/x"):
        blobs.put(name, name.encode())
        assert blobs.get(name) == name.encode()
        assert blobs.head(name).path == name
    assert len(blobs.list("")) == 3


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "./a",
        "a//b",
        "a/",
        "a\\..\\b",
        "a\nb",
        "a\0b",
    ],
)
def test_no_path_leads_out(blobs: BlobStore, tmp_path: Path, path: str) -> None:
    for work in (
        lambda: blobs.put(path, b"x"),
        lambda: blobs.get(path),
        lambda: blobs.head(path),
        lambda: blobs.stream(path),
    ):
        with pytest.raises(ValueError, match="no path of a blob"):
            work()
    if not path.endswith("/") or path == "/":  # what to remove may be said with a slash at its end
        with pytest.raises(ValueError, match="no path of a blob"):
            blobs.remove(path)
    assert blobs.list("") == []


def test_a_file_half_read_by_one_while_another_replaces_it(blobs: BlobStore) -> None:
    """Readers see the old or the new, never a mixture that is neither."""
    wanted = {bytes([number]) * 200_000 for number in range(8)}
    blobs.put("shared", bytes(200_000))
    stop = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(blobs.get("shared"))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda data: blobs.put("shared", data), wanted))
    finally:
        stop.set()
        reader.join(30)
    assert seen
    assert seen <= wanted


def test_what_a_killed_process_left_goes_with_its_folder(tmp_path: Path) -> None:
    blobs = open_blobs(str(tmp_path / "made" / "blobs"))
    blobs.put("documents/7/frames/1.jpg", b"x")
    (tmp_path / "made/blobs/documents/7/frames/2.jpg#1").write_bytes(b"half")
    assert [blob.path for blob in blobs.list("documents")] == ["documents/7/frames/1.jpg"]
    blobs.remove("documents/7")
    assert list((tmp_path / "made/blobs/documents").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path / "blobs")
    blobs.put("a", b"a file where a folder has to be")
    with pytest.raises(BlobStoreError, match="cannot be written") as told:
        blobs.put("a/b", b"x")
    assert str(tmp_path) not in told.value.message
    with pytest.raises(SetupError, match="cannot be made"):
        open_blobs(tmp_path / "blobs" / "a" / "below")


@pytest.mark.parametrize("address", ["ftp://host/blobs", "http://127.0.0.1/x", "memory:///"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(SetupError, match="no address for blobs"):
        open_blobs(address)
