"""Blobs in a folder, or in an object store: S3, Azure Blob Storage, Google Cloud Storage.

`obstore` speaks to all of them. A folder holds one file for each blob, of the same path; object stores take
their credentials from the environment, by the names that their own tools use (`AWS_ACCESS_KEY_ID`,
`AZURE_STORAGE_ACCOUNT_NAME`, `GOOGLE_APPLICATION_CREDENTIALS` and so on).
"""

from __future__ import annotations

import errno
import io
import logging
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from foveal.errors import SetupError
from foveal.store.blobs import Blob, BlobNotFound, BlobStoreError

log = logging.getLogger(__name__)

SCHEMES = ("s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss")
CHUNK = 4 * 1024 * 1024  # bytes a stream hands out at once, about
UPLOADS = 4  # parts of one file that are in memory and on their way at once, 5 MiB each
DELETES = 256  # blobs in one request; what Azure's batches take
_MAX_PATH = 800
# A file of this ending is one that obstore is still writing; it would never be listed.
_UNFINISHED = re.compile(r"#\d+$")


class ObjectBlobStore:
    """`BlobStore` over an obstore store. `folder` is its root when it is a folder of this machine."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    def put(self, path: str, data: bytes | Path, told: Callable[[int], None] | None = None) -> None:
        """As the Protocol says; `told` hears the bytes of a file as they are read."""
        with _failures(path, "written"):
            if told is None or isinstance(data, bytes):
                obstore.put(self._store, _checked(path), data, max_concurrency=UPLOADS)
                return
            with _Told(data, told) as file:
                obstore.put(self._store, _checked(path), file, max_concurrency=UPLOADS)

    def get(self, path: str) -> bytes:
        with _failures(path, "read"):
            return bytes(obstore.get(self._store, _checked(path)).bytes())

    def stream(self, path: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """As the Protocol says; a range past the end is empty. Raises `BlobNotFound` at the call itself."""
        _checked(path)
        if start < 0 or (end is not None and end < 0):
            raise ValueError("a range of a blob starts and ends at 0 or later")
        if end is not None and end <= start:
            self.head(path)
            return iter(())
        return self._stream(path, start, end)

    def _stream(self, path: str, start: int, end: int | None) -> Iterator[bytes]:
        try:
            with _failures(path, "read"):
                if start == 0 and end is None:
                    found = obstore.get(self._store, path)
                elif end is None:
                    found = obstore.get(self._store, path, options={"range": {"offset": start}})
                else:
                    found = obstore.get(self._store, path, options={"range": (start, end)})
                pieces = found.stream(min_chunk_size=CHUNK)
        except BlobStoreError:
            if start >= self.head(path).size:  # each store has its own error for a range past the end
                return iter(())
            raise
        return self._pieces(path, pieces)

    def _pieces(self, path: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        with _failures(path, "read"):
            for piece in pieces:
                yield bytes(piece)

    def head(self, path: str) -> Blob:
        with _failures(path, "read"):
            found = obstore.head(self._store, _checked(path))
        return Blob(path, found["size"], found["last_modified"].timestamp())

    def list(self, prefix: str) -> list[Blob]:
        below = _checked(prefix.rstrip("/")) if prefix.strip("/") else None
        with _failures(prefix, "listed"):
            found = [
                Blob(meta["path"], meta["size"], meta["last_modified"].timestamp())
                for page in obstore.list(self._store, below)
                for meta in page
            ]
        return sorted(found, key=lambda blob: blob.path)

    def move(self, path: str, to: str) -> None:
        """At once in a folder; elsewhere a copy, then a removal. Raises `BlobNotFound`."""
        with _failures(path, "moved"):
            obstore.rename(self._store, _checked(path), _checked(to))

    def remove(self, prefix: str) -> None:
        path = _checked(prefix.rstrip("/"))
        if self._folder is not None:
            self._remove_files(self._folder.joinpath(*path.split("/")), path)
            return
        paths = [path, *(blob.path for blob in self.list(path))]
        for first in range(0, len(paths), DELETES):
            self._delete(paths[first : first + DELETES])

    def _delete(self, paths: Sequence[str]) -> None:
        try:
            with _failures(paths[0], "removed"):
                obstore.delete(self._store, paths)
        except BlobNotFound:  # one of them, and the others may be there
            for path in paths:
                with suppress(BlobNotFound), _failures(path, "removed"):
                    obstore.delete(self._store, path)

    def _remove_files(self, target: Path, path: str) -> None:
        """A folder is removed as a whole: what a killed process left half-written in it is not listed."""
        with _failures(path, "removed"):
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target, ignore_errors=False)
            else:
                target.unlink(missing_ok=True)


class _Told(io.FileIO):
    """A file that tells how much of it was read."""

    def __init__(self, path: Path, told: Callable[[int], None]) -> None:
        super().__init__(path)
        self._told = told

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size)
        self._told(len(data))
        return data


def open_blobs(address: str | Path) -> ObjectBlobStore:
    """The store at an address: a folder (made when there is none), or `s3://bucket/below`,
    `az://container/below`, `gs://bucket/below`. Raises `SetupError`.
    """
    parts = urlsplit(str(address))
    if isinstance(address, Path) or parts.scheme in ("", "file"):
        folder = Path(unquote(parts.path) if parts.scheme == "file" else address).expanduser().absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SetupError(f"the folder {folder} for blobs cannot be made ({error.strerror})") from None
        return ObjectBlobStore(LocalStore(folder), folder)
    if parts.scheme not in SCHEMES:
        raise SetupError(
            f"'{parts.scheme}://' is no address for blobs: use a folder, s3://, az:// or gs://", param="blobs"
        )
    try:
        return ObjectBlobStore(from_url(str(address)))
    except (BaseError, ValueError) as error:
        raise SetupError(
            f"the address for blobs cannot be used: {_first_line(error)}", param="blobs"
        ) from None


def _checked(path: str) -> str:
    """A path that means the same in every store and stays below its root. Raises `ValueError`."""
    parts = path.split("/")
    if (
        len(path) > _MAX_PATH
        or any(part in ("", ".", "..") or _UNFINISHED.search(part) for part in parts)
        or "\\" in path
        or any(unicodedata.category(character)[0] == "C" for character in path)
    ):
        raise ValueError(f"{path[:100]!r} is no path of a blob")
    return path


@contextmanager
def _failures(path: str, done: str) -> Iterator[None]:
    """What the store raises, as `BlobNotFound` or `BlobStoreError`."""
    try:
        yield
    except FileNotFoundError:
        raise BlobNotFound(path) from None
    except (BaseError, OSError) as error:
        reason = _first_line(error)
        log.warning("blob %s cannot be %s: %s", path, done, reason)
        full = getattr(error, "errno", None) == errno.ENOSPC or "os error 28" in str(error)
        raise BlobStoreError(f"a blob cannot be {done}", full=full) from error


def _first_line(error: Exception) -> str:
    """obstore's messages go on for pages; the first line says it."""
    return str(error).strip().split("\n", 1)[0][:300]
