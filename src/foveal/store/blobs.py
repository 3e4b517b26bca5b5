"""Files of any size by a path: frames, thumbnails, records, uploaded media."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Blob:
    path: str
    size: int
    modified: float  # seconds since 1970


class BlobNotFound(Exception):
    """There is no blob of this path."""


class BlobStore(Protocol):
    """Paths are relative, with slashes (`documents/7/frames/000012.jpg`). Calls block and are thread-safe."""

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
