"""Files of any size by a path: frames, thumbnails, records, uploaded media."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from foveal.errors import FovealError


@dataclass(frozen=True, slots=True)
class Blob:
    path: str
    size: int
    modified: float  # seconds since 1970


class BlobNotFound(Exception):
    """There is no blob of this path."""


class BlobStoreError(FovealError):
    """The store cannot be reached, refuses, or is full (`code` DiskFull)."""

    status = 503
    code = "StorageUnavailable"

    def __init__(self, message: str, *, full: bool = False) -> None:
        if full:
            super().__init__(f"{message}: there is no space left", code="DiskFull")
        else:
            super().__init__(message)


class BlobStore(Protocol):
    """Paths are relative, with slashes (`documents/7/frames/000012.jpg`). Calls block and are thread-safe.
    They raise `ValueError` for what is no such path, `BlobNotFound` and `BlobStoreError`.
    """

    def put(self, path: str, data: bytes | Path) -> None:
        """Write all of it or nothing; a file is streamed."""
        ...

    def get(self, path: str) -> bytes: ...

    def stream(self, path: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `end`."""
        ...

    def head(self, path: str) -> Blob: ...

    def list(self, prefix: str) -> list[Blob]:
        """Those below `prefix`, ordered by path."""
        ...

    def remove(self, prefix: str) -> None:
        """The blob of this path and everything below it; nothing happens when there is none."""
        ...
