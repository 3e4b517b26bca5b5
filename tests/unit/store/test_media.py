"""The key, the containers, the names and the signatures of uploaded media."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from azure.storage.blob import BlobSasPermissions, generate_blob_sas
from sqlalchemy import Engine, update

from foveal.errors import Conflict, InvalidRequest, SetupError
from foveal.resources.accounts import open_accounts
from foveal.resources.register import add_resource, remove_resource
from foveal.store.containers import Containers
from foveal.store.database import open_database
from foveal.store.media import (
    KEY_FILE,
    OLD_FOLDER,
    OLD_KEY_FILE,
    AuthenticationFailed,
    ContainerNotFound,
    MediaNotFound,
    MediaStore,
    open_media,
)
from foveal.store.object_blobs import open_blobs
from foveal.store.sas import read_time, sign, signed_query
from foveal.store.tables import resources

Open = Callable[[Path], MediaStore]
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    made = open_database(tmp_path / "sql")
    open_accounts(made, operator_key=None, engine="echo", strict=False)
    add_resource(made, "Other", "AIServices")
    yield made
    made.dispose()


@pytest.fixture
def opened(database: Engine) -> Callable[[Path], MediaStore]:
    return lambda data: open_media(open_blobs(data / "blobs"), data, database)


def made_of(store: MediaStore, resource: str, name: str = "film") -> bytes:
    return b"".join(store.read(resource, name))


def query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path, opened: Open) -> None:
    url = opened(tmp_path).url("http://a", "local", "film.mp4")
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    opened(tmp_path).check("local", "film.mp4", query(url))
    other = opened(tmp_path / "other").url("http://a", "local", "film.mp4")
    assert not opened(tmp_path).is_signed("local", "film.mp4", query(other))


def test_two_processes_that_begin_at_once_have_one_key(tmp_path: Path, opened: Open) -> None:
    begin = threading.Barrier(8)

    def start(_: int) -> MediaStore:
        begin.wait(10)
        return opened(tmp_path)

    with ThreadPoolExecutor(8) as threads:
        stores = list(threads.map(start, range(8)))
    given = query(stores[0].url("http://a", "local", "x"))
    assert all(store.is_signed("local", "x", given) for store in stores)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs", "sql", KEY_FILE]


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe", b"not base64 at all, is it?"])
def test_a_damaged_key_is_told(tmp_path: Path, opened: Open, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(SetupError, match=KEY_FILE):
        opened(tmp_path)


def test_what_a_killed_process_was_receiving_is_forgotten_after_a_day(tmp_path: Path, opened: Open) -> None:
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
def test_names_that_cannot_be(tmp_path: Path, opened: Open, name: str) -> None:
    store = opened(tmp_path)
    (tmp_path / "film").write_bytes(b"x")
    with pytest.raises(InvalidRequest):
        store.add("local", name, tmp_path / "film")
    for work in (store.find, store.read, store.remove):
        with pytest.raises(MediaNotFound):
            work("local", name)
    assert store.all("local") == []


def test_a_name_is_taken_once(tmp_path: Path, opened: Open) -> None:
    store = opened(tmp_path)
    (tmp_path / "one").write_bytes(b"one")
    (tmp_path / "two").write_bytes(b"two!")
    first = store.add("local", "film", tmp_path / "one")
    with pytest.raises(Conflict, match="already"):
        store.add("local", "film", tmp_path / "two")
    assert b"".join(store.read("local", "film")) == b"one"
    second = store.add("local", "film", tmp_path / "two", replace=True)
    assert (first.size, second.size) == (3, 4)
    assert first.etag != second.etag
    store.remove("local", "film")
    assert store.all("local") == []


def test_each_resource_has_files_of_its_own(tmp_path: Path, opened: Open) -> None:
    store = opened(tmp_path)
    for resource in ("local", "Other"):
        (tmp_path / "file").write_bytes(resource.encode())
        store.add(resource, "film", tmp_path / "file")
    assert (made_of(store, "LOCAL"), made_of(store, "other")) == (b"local", b"Other")
    url = store.url("http://a", "other", "film")
    assert url.startswith("http://a/storage/Other/film?")
    for same in ("Other", "other", "OTHER"):
        store.check(same, "film", query(url))
    for foreign in ("local", "nobody", "", "..", "storage"):
        with pytest.raises(AuthenticationFailed):
            store.check(foreign, "film", query(url))
    store.remove("other", "film")
    assert (store.all("other"), [one.name for one in store.all("local")]) == ([], ["film"])


def test_a_resource_that_is_not_there_has_no_files(tmp_path: Path, opened: Open) -> None:
    store = opened(tmp_path)
    (tmp_path / "file").write_bytes(b"x")
    for work in (
        lambda: store.add("nobody", "film", tmp_path / "file"),
        lambda: store.all("nobody"),
        lambda: store.url("http://a", "nobody", "film"),
    ):
        with pytest.raises(ContainerNotFound):
            work()
    with pytest.raises(MediaNotFound):
        store.find("nobody", "film")


def test_another_resource_of_the_same_name_has_nothing_of_the_one_that_was_removed(
    tmp_path: Path, opened: Open, database: Engine
) -> None:
    store = opened(tmp_path)
    (tmp_path / "file").write_bytes(b"a film")
    store.add("other", "film", tmp_path / "file")
    url = store.url("http://a", "other", "film")
    with database.begin() as connection:
        connection.execute(update(resources).where(resources.c.name == "Other").values(created_at=1))
    assert not store.is_signed("other", "film", query(url))
    assert store.all("other") == []
    remove_resource(database, "Other")
    assert not store.is_signed("other", "film", query(url))


def test_the_files_of_a_removed_resource_are_freed_and_no_others(
    tmp_path: Path, opened: Open, database: Engine
) -> None:
    store = opened(tmp_path)
    (tmp_path / "file").write_bytes(b"a film")
    add_resource(database, "Othe", "AIServices")
    for resource in ("local", "Other", "Othe"):
        store.add(resource, "film", tmp_path / "file")
    remove_resource(database, "Othe")
    store.sweep()
    held = sorted(str(path) for path in (tmp_path / "blobs").rglob("film"))
    assert len(held) == 2
    assert (made_of(store, "local"), made_of(store, "other")) == (b"a film", b"a film")


def test_files_of_before_there_were_containers_are_of_the_first_resource(
    tmp_path: Path, opened: Open, database: Engine
) -> None:
    blobs = open_blobs(tmp_path / "blobs")
    for name in ("film", "길 거리.mp4"):
        blobs.put(OLD_FOLDER + name, name.encode())
    (tmp_path / OLD_KEY_FILE).write_text(KEY)
    # A process was killed when it had moved one of them.
    first = Containers(database).all()[0]
    blobs.move(OLD_FOLDER + "film", f"{first.folder}/film")
    store = opened(tmp_path)
    assert [one.name for one in store.all("local")] == ["film", "길 거리.mp4"]
    assert made_of(store, "local", "길 거리.mp4") == "길 거리.mp4".encode()
    assert blobs.list(OLD_FOLDER) == []
    assert (tmp_path / KEY_FILE).read_text() == KEY
    assert not (tmp_path / OLD_KEY_FILE).exists()
    opened(tmp_path).check("local", "film", query(store.url("http://a", "local", "film")))


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
