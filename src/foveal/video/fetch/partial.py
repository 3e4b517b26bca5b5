"""A download that is partly there: its bytes and, beside them, which file they are of."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


class _Note(msgspec.Struct):
    """What was said of the file when its first byte came."""

    etag: str
    total: int


class Partial:
    """Writes `target` bit by bit as `target.part`; `finish` gives it its name.

    `total` is the file's whole size in bytes where it is known. A context manager: what is written stays
    when it is left, so that another can go on.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.total: int | None = None
        self.size = 0
        self._etag: str | None = None
        self._file: BinaryIO | None = None
        self._part = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")

    def __enter__(self) -> Self:
        self.target.parent.mkdir(parents=True, exist_ok=True)
        try:
            note = msgspec.json.decode(self._note.read_bytes(), type=_Note)
            self._file = self._part.open("r+b")
        except (OSError, msgspec.MsgspecError):  # nothing to go on from
            self._file = self._part.open("wb")
        else:
            self._etag, self.total = note.etag, note.total
            self.size = self._file.seek(0, os.SEEK_END)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def fraction(self) -> float:
        """How much is there, 0..1; 0 while nobody knows."""
        return min(self.size / self.total, 1.0) if self.total else 0.0

    @property
    def complete(self) -> bool:
        return self.total is not None and self.size == self.total > 0

    def rest(self) -> dict[str, str]:
        """Headers that ask for what is missing, of the same file only; none when that is all of it."""
        if not self.size or self._etag is None or self.total is None or self.size > self.total:
            self.restart()
            return {}
        return {"Range": f"bytes={self.size}-", "If-Match": self._etag}

    def expect(self, headers: Mapping[str, str], *, ranged: bool) -> bool:
        """Take what an answer says of its body; False when that does not go on where this stands."""
        etag = headers.get("etag", "")
        length = headers.get("content-length", "")
        if not ranged:
            self.total = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None
            # Only a strong validator promises that the same bytes follow.
            self._etag = etag if etag.startswith('"') and self.total is not None else None
            self._write_note()
            return True
        found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
        if found is None or etag not in ("", self._etag):
            return False
        start, end, total = (int(number) for number in found.groups())
        return start == self.size and total == self.total and end == total - 1

    def write(self, data: bytes) -> None:
        assert self._file is not None
        self._file.write(data)
        self.size += len(data)

    def restart(self) -> None:
        """Forget what is there."""
        assert self._file is not None
        self._note.unlink(missing_ok=True)
        if self.size:
            self._file.seek(0)
            self._file.truncate()
        self.size, self.total, self._etag = 0, None, None

    def finish(self) -> None:
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        self._part.replace(self.target)
        self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what is there."""
        for path in (self._part, self._note):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _write_note(self) -> None:
        if self._etag is None or self.total is None:
            self._note.unlink(missing_ok=True)
        else:
            self._note.write_bytes(msgspec.json.encode(_Note(self._etag, self.total)))
