"""What the steps on one video leave for those that follow, as files in its work folder.

Each file is written whole or not at all, so that a step which is repeated finds no half of itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from foveal.perception.base import SpeechSegment
from foveal.video.base import FrameRecord

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TextVector:
    """A text that was embedded: `vector` are its 32-bit numbers, `item` is the frame or segment it is of."""

    item: int
    text: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class FramesShard:
    """Kept frames of one window and the vectors of their texts; `withheld`: how many moderation left out."""

    frames: tuple[FrameRecord, ...]
    vectors: tuple[TextVector, ...]
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class SpeechShard:
    """Speech of one window; `item` counts within it."""

    segments: tuple[SpeechSegment, ...]
    vectors: tuple[TextVector, ...]


class WorkFolder:
    """The folder of one document while it is made."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def video(self) -> Path:
        """Where the file is fetched to."""
        self._path.mkdir(parents=True, exist_ok=True)
        return self._path / "video"

    def put(self, name: str, shard: FramesShard | SpeechShard) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        part = self._path / f"{name}.part"
        with part.open("wb") as file:
            file.write(msgspec.msgpack.encode(shard))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path / name)

    def frames(self, count: int) -> Sequence[FramesShard]:
        return [self._get(f"frames-{number:05d}", FramesShard) for number in range(count)]

    def speech(self, count: int) -> Sequence[SpeechShard]:
        return [self._get(f"speech-{number:05d}", SpeechShard) for number in range(count)]

    def remove(self) -> None:
        shutil.rmtree(self._path, ignore_errors=True)

    def _get(self, name: str, kind: type[T]) -> T:
        return msgspec.msgpack.decode((self._path / name).read_bytes(), type=kind)
