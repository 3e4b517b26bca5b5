"""Videos in a real storage account (Azurite): SAS of Azure's own SDK, and managed identity."""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.support.azurite import ACCOUNT, KEY, Azurite

from foveal.errors import VideoUnreachable
from foveal.resources.accounts import open_accounts
from foveal.resources.identity import (
    StorageAccess,
    add_storage_account,
    assign_role,
    remove_role,
    remove_storage_account,
    set_identity,
)
from foveal.resources.register import add_resource
from foveal.store.database import open_database
from foveal.video.fetch.fetching import FetchLimits, MediaVideoFetcher
from foveal.video.work import Source

DATA = os.urandom(300_000)
NAME = "길 거리/film 1+2&3=%41.mp4"
READER = "Storage Blob Data Reader"


@dataclass(frozen=True)
class Container:
    """A container with one video in it; `url` has no signature."""

    storage: Azurite
    name: str
    url: str

    def sas(self, permission: str = "r", lasts: timedelta = timedelta(hours=1), key: str = KEY) -> str:
        query = self.storage.sas(self.name, NAME, permission=permission, lasts=lasts, key=key)
        return f"{self.url}?{query}"


@pytest.fixture
def container(storage: Azurite) -> Container:
    name = uuid.uuid4().hex
    storage.container(name)
    return Container(storage, name, storage.upload(name, NAME, DATA))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "data")
    open_accounts(engine, operator_key=None, engine="echo", strict=False)
    add_resource(engine, "other", "AIServices")
    yield engine
    engine.dispose()


def by_sas(container: Container, url: str, to: Path) -> bytes:
    host = container.storage.url.removeprefix("http://")
    fetcher = MediaVideoFetcher(allow_hosts=(host,), limits=FetchLimits(pause=0.01))
    return fetched(fetcher, Source(url, "local"), to)


def fetched(fetcher: MediaVideoFetcher, source: Source, to: Path) -> bytes:
    fetcher.check(source)
    fetcher.fetch(source, to / "film.mp4", lambda _: None)
    return (to / "film.mp4").read_bytes()


def refusal(container: Container, url: str, to: Path) -> tuple[str | None, str]:
    with pytest.raises(VideoUnreachable) as told:
        by_sas(container, url, to)
    assert not told.value.again
    return told.value.code, told.value.message


def test_a_sas_of_the_sdk_is_taken_as_it_is(container: Container, tmp_path: Path) -> None:
    assert by_sas(container, container.sas(), tmp_path) == DATA
    assert by_sas(container, "[" + container.sas(), tmp_path) == DATA


@pytest.mark.parametrize("minutes", [-300, -5])
def test_an_expired_sas(container: Container, tmp_path: Path, minutes: int) -> None:
    """Long expired: told without asking. A moment ago, by our clock: the storage is asked."""
    code, message = refusal(container, container.sas(lasts=timedelta(minutes=minutes)), tmp_path)
    assert code == "VideoAccessDenied"
    assert "expired" in message
    assert ("403" in message) == (minutes == -5)


def test_a_sas_signed_with_another_key(container: Container, tmp_path: Path) -> None:
    other = base64.b64encode(os.urandom(64)).decode()
    code, message = refusal(container, container.sas(key=other), tmp_path)
    assert code == "VideoAccessDenied"
    assert "The storage refused the address (403, Auth" in message
    assert "signed with another key" in message


def test_a_sas_for_another_blob(container: Container, tmp_path: Path) -> None:
    second = container.storage.upload(container.name, "second.mp4", b"other")
    code, message = refusal(container, second + "?" + container.sas().partition("?")[2], tmp_path)
    assert (code, "403" in message) == ("VideoAccessDenied", True)


def test_a_sas_without_read_permission(container: Container, tmp_path: Path) -> None:
    code, message = refusal(container, container.sas(permission="w"), tmp_path)
    assert (code, "lacks the read permission" in message) == ("VideoAccessDenied", True)


def test_a_blob_without_a_sas(container: Container, tmp_path: Path) -> None:
    code, message = refusal(container, container.url, tmp_path)
    assert code in ("VideoAccessDenied", "VideoNotFound")  # Azure: 404; Azurite: 403
    assert "SAS" in message


def test_a_blob_that_is_not_there(container: Container, tmp_path: Path) -> None:
    query = container.storage.sas(container.name, "none.mp4")
    url = f"{container.storage.endpoint}/{container.name}/none.mp4?{query}"
    code, message = refusal(container, url, tmp_path)
    assert (code, message) == ("VideoNotFound", "The storage has no such video (404, BlobNotFound).")


def test_a_broken_download_goes_on_with_a_range(container: Container, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(fraction: float) -> None:
        if fraction > 0.4:
            raise Stopped

    host = container.storage.url.removeprefix("http://")
    fetcher = MediaVideoFetcher(allow_hosts=(host,))
    source, to = Source(container.sas(), "local"), tmp_path / "film.mp4"
    with pytest.raises(Stopped):
        fetcher.fetch(source, to, stop)
    begun = bytearray((tmp_path / "film.mp4.part").read_bytes())
    assert 100_000 < len(begun) < len(DATA)
    begun[0] ^= 1  # a mark: these bytes are not asked for again
    (tmp_path / "film.mp4.part").write_bytes(begun)
    fetcher.fetch(source, to, lambda _: None)
    assert to.read_bytes() == bytes([DATA[0] ^ 1]) + DATA[1:]
    # and another file of the same name is another file
    with pytest.raises(Stopped):
        fetcher.fetch(source, to, stop)
    container.storage.upload(container.name, NAME, DATA[::-1])
    MediaVideoFetcher(allow_hosts=(host,), limits=FetchLimits(pause=0.01)).fetch(source, to, lambda _: None)
    assert to.read_bytes() == DATA[::-1]


def test_managed_identity_reads_what_its_role_allows(
    container: Container, database: Engine, tmp_path: Path
) -> None:
    """Each missing piece has its own error; every change counts at once. No host is allowed by a setting."""
    fetcher = MediaVideoFetcher(storage=StorageAccess(database))
    source = Source(container.url, "local", managed_identity=True)

    def code() -> str | None:
        with pytest.raises(VideoUnreachable) as told:
            fetched(fetcher, source, tmp_path)
        with pytest.raises(VideoUnreachable) as at_once:
            fetcher.check(source)
        assert at_once.value.code == told.value.code
        return told.value.code

    assert code() == "ManagedIdentityNotEnabled"
    set_identity(database, "local", True)
    assert code() == "StorageAccountUnknown"
    add_storage_account(database, ACCOUNT, KEY, endpoint=container.storage.endpoint)
    assert code() == "RoleAssignmentMissing"
    assign_role(database, "other", READER, ACCOUNT)
    assert code() == "RoleAssignmentMissing"
    assign_role(database, "local", READER, ACCOUNT)
    assert fetched(fetcher, source, tmp_path) == DATA
    # what signed the address before does not count
    old = Source(container.sas(lasts=timedelta(days=-1)), "local", managed_identity=True)
    assert fetched(fetcher, old, tmp_path) == DATA
    remove_role(database, "local", READER, ACCOUNT)
    assert code() == "RoleAssignmentMissing"
    assign_role(database, "local", READER, ACCOUNT)
    set_identity(database, "local", False)
    assert code() == "ManagedIdentityNotEnabled"
    set_identity(database, "local", True)
    remove_storage_account(database, ACCOUNT)
    assert code() == "StorageAccountUnknown"


def test_managed_identity_and_what_is_not_there(
    container: Container, database: Engine, tmp_path: Path
) -> None:
    set_identity(database, "local", True)
    add_storage_account(database, ACCOUNT, KEY, endpoint=container.storage.endpoint)
    assign_role(database, "local", READER, ACCOUNT)
    fetcher = MediaVideoFetcher(storage=StorageAccess(database))

    def refused(below: str) -> tuple[str | None, str]:
        with pytest.raises(VideoUnreachable) as told:
            fetched(fetcher, Source(f"{container.storage.endpoint}{below}", "local", True), tmp_path)
        return told.value.code, told.value.message

    assert refused(f"/{container.name}/none.mp4") == (
        "VideoNotFound",
        "The storage has no such video (404, BlobNotFound).",
    )
    assert "names no blob" in refused(f"/{container.name}")[1]
    assert refused("x/container/film.mp4")[0] == "StorageAccountUnknown"
    # without the identity the account's address is as closed as any other
    with pytest.raises(VideoUnreachable, match="FOVEAL_ALLOW_HOSTS"):
        fetched(fetcher, Source(container.sas(), "local"), tmp_path)


def test_a_key_that_the_account_no_longer_has(container: Container, database: Engine, tmp_path: Path) -> None:
    set_identity(database, "local", True)
    old = base64.b64encode(os.urandom(64)).decode()
    add_storage_account(database, ACCOUNT, old, endpoint=container.storage.endpoint)
    assign_role(database, "local", READER, ACCOUNT)
    fetcher = MediaVideoFetcher(storage=StorageAccess(database))
    with pytest.raises(VideoUnreachable, match="403") as told:
        fetched(fetcher, Source(container.url, "local", True), tmp_path)
    assert old not in told.value.message
    add_storage_account(database, ACCOUNT, KEY, endpoint=container.storage.endpoint, replace=True)
    assert fetched(fetcher, Source(container.url, "local", True), tmp_path) == DATA
