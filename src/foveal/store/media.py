"""Uploaded media: files that Foveal itself serves at addresses with an expiring signature.

Each resource has a container of its own. The signature is a shared access signature of Azure's own form
(`foveal.store.sas`) for the blob NAME of that container of an account `storage`: the address
`…/storage/RESOURCE/NAME?…` reads like one of a storage account, and Azure's SDK takes it. It permits reading
that one file, as long as that very resource is there. The key is made once for a data directory.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, cast
from urllib.parse import quote

from sqlalchemy import Engine

from foveal.errors import Conflict, FovealError, InvalidRequest, NotFound, SetupError
from foveal.store.blobs import Blob, BlobNotFound, BlobStore
from foveal.store.containers import FOLDER, Container, Containers
from foveal.store.sas import READ, VERSION, is_key, read_time, sign, signed_query

ROUTE = "/storage/"  # and the resource, a slash and the name, quoted
KEY_FILE = "storage.key"
LASTS = timedelta(days=7)
_ACCOUNT = "storage"
# Before there was a container for each resource: the key, and where the blobs stood.
OLD_KEY_FILE, OLD_FOLDER = "media.key", "media/"
_MAX_NAME = 200
_FORGOTTEN = 86_400.0  # seconds after which an unfinished upload is nobody's


class AuthenticationFailed(FovealError):
    """The signature of an address is missing, wrong, over, or is not for this; `detail` says which."""

    status = 403
    code = "AuthenticationFailed"

    def __init__(self, detail: str) -> None:
        super().__init__(
            "Server failed to authenticate the request. Make sure the value of Authorization header is "
            "formed correctly including the signature."
        )
        self.detail = detail


class ContainerNotFound(NotFound):
    """There is no such resource, or it is another's: nobody learns which."""

    code = "ContainerNotFound"

    def __init__(self) -> None:
        super().__init__("The specified container does not exist.")


class MediaNotFound(NotFound):
    code = "BlobNotFound"

    def __init__(self, name: str) -> None:
        super().__init__("The specified blob does not exist.")
        self.name = name


@dataclass(frozen=True, slots=True)
class Media:
    """One uploaded file; `modified` in seconds since 1970."""

    name: str
    size: int
    modified: float

    @property
    def etag(self) -> str:
        return f'"0x{round(self.modified * 1e6):X}{self.size:X}"'


class MediaBlobs(BlobStore, Protocol):
    def put(self, path: str, data: bytes | Path, told: Callable[[int], None] | None = None) -> None:
        """`told` hears the bytes of a file as they are read."""
        ...

    def move(self, path: str, to: str) -> None:
        """What is at `to` is replaced. Raises `BlobNotFound`."""
        ...


class MediaStore:
    """All calls block. `key` signs the addresses (base64); `spool` is a folder for what is being uploaded, at
    most `max_bytes` each. Names of resources are taken in any letter case.
    """

    def __init__(
        self,
        blobs: MediaBlobs,
        key: str,
        containers: Containers,
        *,
        spool: Path,
        max_bytes: int = 8192 * 1024 * 1024,
    ) -> None:
        self._blobs = blobs
        self._key = key
        self._containers = containers
        self._spool = spool
        self.max_bytes = max_bytes

    @contextmanager
    def spooled(self, name: str) -> Iterator[tuple[BinaryIO, Path]]:
        """A file to write an upload to before `add`; it is gone afterwards. Raises `InvalidRequest`."""
        _check(name)
        self._spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=self._spool) as file:
            yield cast(BinaryIO, file), Path(file.name)

    def add(
        self,
        resource: str,
        name: str,
        file: Path,
        *,
        replace: bool = False,
        told: Callable[[int], None] | None = None,
    ) -> Media:
        """Keep a file of a resource under this name; `told` hears the bytes as they are read.

        Raises `ContainerNotFound`, `InvalidRequest` for the name, `Conflict` when it is taken and not to be
        replaced.
        """
        path = f"{self._container(resource).folder}/{_check(name)}"
        if not replace:
            with suppress(BlobNotFound):
                self._blobs.head(path)
                raise Conflict(f"there is a file '{name}' already", code="BlobAlreadyExists")
        self._blobs.put(path, file, told)
        return _media(self._blobs.head(path))

    def find(self, resource: str, name: str) -> Media:
        """Raises `MediaNotFound`."""
        with _not_found(name):
            return _media(self._blobs.head(self._path(resource, name)))

    def read(self, resource: str, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `end`. Raises `MediaNotFound`."""
        with _not_found(name):
            return self._blobs.stream(self._path(resource, name), start, end)

    def all(self, resource: str) -> list[Media]:
        """Those of a resource, ordered by name. Raises `ContainerNotFound`."""
        return [_media(blob) for blob in self._blobs.list(f"{self._container(resource).folder}/")]

    def remove(self, resource: str, name: str) -> None:
        """Raises `MediaNotFound`."""
        with _not_found(name):
            path = self._path(resource, name)
            self._blobs.head(path)
            self._blobs.remove(path)

    def sweep(self) -> None:
        """Free the media of resources that are gone."""
        folders = {"/".join(blob.path.split("/")[:2]) for blob in self._blobs.list(f"{FOLDER}/")}
        for folder in self._containers.gone(folders):
            self._blobs.remove(folder)

    def url(self, base: str, resource: str, name: str, lasts: timedelta = LASTS) -> str:
        """The address under which a server at `base` lets anybody read the file for so long. Raises
        `ContainerNotFound`.
        """
        container = self._container(resource)
        until = datetime.now(UTC) + lasts
        query = signed_query(self._key, _ACCOUNT, container.id, name, until=until)
        return f"{base.rstrip('/')}{ROUTE}{container.name}/{quote(name, safe='')}?{query}"

    def check(self, resource: str, name: str, query: Mapping[str, str]) -> None:
        """Whether the query of an address permits reading the file. Raises `AuthenticationFailed`."""
        if not self.is_signed(resource, name, query):
            raise AuthenticationFailed("Signature did not match.")
        now = datetime.now(UTC)
        until, since = read_time(query.get("se", "")), read_time(query.get("st", ""))
        if until is None or until <= now or (query.get("st") and (since is None or since > now)):
            frame = f"Start [{query.get('st', '')}] - Expiry [{query.get('se', '')}] - Current [{now:%FT%TZ}]"
            raise AuthenticationFailed(f"Signature not valid in the specified time frame: {frame}")
        if READ not in query.get("sp", "") or query.get("sr") != "b":
            raise AuthenticationFailed("The signature does not permit reading this blob.")

    def is_signed(self, resource: str, name: str, query: Mapping[str, str]) -> bool:
        """Whether this server's key signed the query for this name in this container, whatever it permits."""
        # A field that is not among those that are signed here makes the signature another one.
        if query.get("sv") != VERSION or any(query.get(field) for field in ("si", "sip", "spr")):
            return False
        container = self._containers.find(resource)
        if container is None:
            return False
        wanted = sign(self._key, query, _ACCOUNT, container.id, name)
        given = query.get("sig", "").encode("utf-8", "surrogatepass")
        return hmac.compare_digest(wanted.encode("ascii"), given)

    def _container(self, resource: str) -> Container:
        found = self._containers.find(resource)
        if found is None:
            raise ContainerNotFound
        return found

    def _path(self, resource: str, name: str) -> str:
        """The blob of a name. Raises `ContainerNotFound`, `InvalidRequest`."""
        return f"{self._container(resource).folder}/{_check(name)}"


def open_media(
    blobs: MediaBlobs, data: Path, database: Engine, *, max_bytes: int = 8192 * 1024 * 1024
) -> MediaStore:
    """The media of a data directory; its key is made when there is none. Raises `SetupError`.

    What a killed process was receiving is removed when it is a day old.
    """
    path, containers = data / KEY_FILE, Containers(database)
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (data / OLD_KEY_FILE).exists():
            _divide(blobs, data, containers)
        if not path.exists():
            _make_key(path)
        key = path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no text"
        raise SetupError(f"the key {path} of uploaded media cannot be used: {reason}") from None
    if not is_key(key):
        raise SetupError(f"{path} holds no key; remove it to have a new one (old addresses end with it)")
    spool = data / "uploads"
    _sweep(spool)
    return MediaStore(blobs, key, containers, spool=spool, max_bytes=max_bytes)


def _divide(blobs: MediaBlobs, data: Path, containers: Containers) -> None:
    """Give the media of a data directory that knew no containers to its first resource. The key gets its new
    name last, which tells that it is done: a process that is killed before is followed by one that goes on.
    """
    every = containers.all()
    if not every:
        return
    for blob in blobs.list(OLD_FOLDER):
        with suppress(BlobNotFound):  # another process is at it too
            blobs.move(blob.path, f"{every[0].folder}/{blob.path.removeprefix(OLD_FOLDER)}")
    with suppress(FileNotFoundError):
        (data / OLD_KEY_FILE).replace(data / KEY_FILE)


def _sweep(spool: Path) -> None:
    before = datetime.now(UTC).timestamp() - _FORGOTTEN
    with suppress(OSError):
        for path in spool.iterdir():
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)


def _make_key(path: Path) -> None:
    """Written beside and linked: of two processes that begin at once, one wins and both read its key."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".media-key-")  # 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(base64.b64encode(secrets.token_bytes(64)).decode("ascii") + "\n")
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()


def _media(blob: Blob) -> Media:
    return Media(blob.path.rsplit("/", 1)[1], blob.size, blob.modified)


@contextmanager
def _not_found(name: str) -> Iterator[None]:
    try:
        yield
    except (BlobNotFound, ContainerNotFound, InvalidRequest):
        raise MediaNotFound(name) from None


def _check(name: str) -> str:
    """The name itself. Raises `InvalidRequest` for what cannot be a name of a file."""
    if (
        not name
        or len(name) > _MAX_NAME
        or name in (".", "..")
        or any(sign in name for sign in "/\\#")
        or any(unicodedata.category(character)[0] == "C" for character in name)
    ):
        raise InvalidRequest(
            f"{name[:80]!r} cannot be the name of a file here: at most {_MAX_NAME} signs, none of / \\ #",
            param="name",
        )
    return name
