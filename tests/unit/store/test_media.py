"""The key, the names and the signatures of uploaded media."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from azure.storage.blob import BlobSasPermissions, generate_blob_sas

from foveal.errors import Conflict, InvalidRequest, SetupError
from foveal.store.media import KEY_FILE, MediaNotFound, MediaStore, open_media
from foveal.store.object_blobs import open_blobs
from foveal.store.sas import read_time, sign, signed_query

KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def opened(data: Path) -> MediaStore:
    return open_media(open_blobs(data / "blobs"), data)


def query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    url = opened(tmp_path).url("http://a", "film.mp4")
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    opened(tmp_path).check("film.mp4", query(url))
    other = opened(tmp_path / "other").url("http://a", "film.mp4")
    assert not opened(tmp_path).is_signed("film.mp4", query(other))


def test_two_processes_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    begin = threading.Barrier(8)

    def start(_: int) -> MediaStore:
        begin.wait(10)
        return opened(tmp_path)

    with ThreadPoolExecutor(8) as threads:
        stores = list(threads.map(start, range(8)))
    given = query(stores[0].url("http://a", "x"))
    assert all(store.is_signed("x", given) for store in stores)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs", KEY_FILE]


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe", b"not base64 at all, is it?"])
def test_a_damaged_key_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(SetupError, match=KEY_FILE):
        opened(tmp_path)


def test_what_a_killed_process_was_receiving_is_forgotten_after_a_day(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with store.spooled("film.mp4") as (_, path):
        old, new = path.parent / "old", path.parent / "new"
    for one in (old, new):
        one.write_bytes(b"half")
    yesterday = time.time() - 90_000
    os.utime(old, (yesterday, yesterday))
    opened(tmp_path)
    assert list(new.parent.iterdir()) == [new]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\nb", "a\0b", "film#1", "x" * 201])
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    store = opened(tmp_path)
    (tmp_path / "film").write_bytes(b"x")
    with pytest.raises(InvalidRequest):
        store.add(name, tmp_path / "film")
    for work in (store.find, store.read, store.remove):
        with pytest.raises(MediaNotFound):
            work(name)
    assert store.all() == []


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    store = opened(tmp_path)
    (tmp_path / "one").write_bytes(b"one")
    (tmp_path / "two").write_bytes(b"two!")
    first = store.add("film", tmp_path / "one")
    with pytest.raises(Conflict, match="already"):
        store.add("film", tmp_path / "two")
    assert b"".join(store.read("film")) == b"one"
    second = store.add("film", tmp_path / "two", replace=True)
    assert (first.size, second.size) == (3, 4)
    assert first.etag != second.etag
    store.remove("film")
    assert store.all() == []


@pytest.mark.parametrize("blob", ["film.mp4", "below/길 거리 1+2&3=%41.mp4"])
def test_the_signature_is_azures(blob: str) -> None:
    """Azure's SDK, given the same fields, signs the same."""
    until = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    theirs = dict(
        parse_qsl(
            generate_blob_sas(
                "account",
                "films",
                blob,
                account_key=KEY,
                permission=BlobSasPermissions(read=True),
                expiry=until,
                start=until - timedelta(days=1),
                protocol="https",
            )
        )
    )
    assert sign(KEY, theirs, "account", "films", blob) == theirs["sig"]
    ours = dict(parse_qsl(signed_query(KEY, "account", "films", blob, until=until, https=True)))
    assert (ours["se"], ours["sp"], ours["spr"]) == (theirs["se"], "r", "https")


def test_times_of_signatures() -> None:
    assert read_time("2024-05-01") == datetime(2024, 5, 1, tzinfo=UTC)
    assert read_time("2024-05-01T10:00Z") == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert read_time("2024-05-01T12:00:00+02:00") == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert read_time("soon") is None
