"""Lines that outlive the process: each is one write to an append-only file.

What was written is with the kernel, so killing the process loses nothing of it (a power cut may lose the last
seconds). A process writes segments; it holds a lock on each of its own until the segment is moved elsewhere
and dropped. A segment that nobody locks was left by a process that is gone, and whoever gets its lock may
move it. A segment gets its name only after its lock: so a name that can be seen and locked is a dead one's.
"""

from __future__ import annotations

import errno
import fcntl
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SUFFIX = ".journal"


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of lines. `descriptor` holds its lock."""

    path: Path
    descriptor: int

    def lines(self) -> list[bytes]:
        """The whole lines. A torn last one was never acknowledged."""
        return self.path.read_bytes().split(b"\n")

    def drop(self) -> None:
        """What is in it was moved."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Leave it to whoever comes."""
        os.close(self.descriptor)


class Journal:
    """The segments of this process. The caller sees to it that one thread at a time appends or turns."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._name = uuid.uuid4().hex
        self._number = 0
        self._segment = self._open()
        self._used = False
        self._torn = False

    def append(self, line: bytes) -> None:
        """Write a line, which must end with a line feed. Raises `OSError` when not all of it was written."""
        data = b"\n" + line if self._torn else line
        self._used = True
        written = os.write(self._segment.descriptor, data)
        self._torn = written != len(data)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def turn(self) -> Segment | None:
        """Go on in a new segment; the one that ends, None when nothing is in it."""
        if not self._used:
            return None
        ended, self._segment = self._segment, self._open()
        self._used = self._torn = False
        return ended

    def close(self) -> None:
        """Let go of the segment: without lines it is dropped, with some it is left to whoever comes."""
        if self._used:
            self._segment.release()
        else:
            self._segment.drop()

    def _open(self) -> Segment:
        self._number += 1
        path = self._folder / f"{self._name}-{self._number}{_SUFFIX}"
        nascent = path.with_suffix(".new")
        descriptor = os.open(nascent, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            nascent.rename(path)
        except OSError:
            nascent.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return Segment(path, descriptor)


def left_behind(folder: Path) -> Iterator[Segment]:
    """The segments of processes that are gone, locked one by one; the caller drops or releases each."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        segment = _taken(path)
        if segment is not None:
            yield segment


def _taken(path: Path) -> Segment | None:
    """The segment with its lock; None when another process lives in it or has moved it meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return None
    return Segment(path, descriptor)
