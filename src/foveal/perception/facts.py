"""The facts of one picture: everything perception found, computed once per content hash and detail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from foveal.images.detail import Detail, DetailedImage
from foveal.perception.base import Box, DetectedObject, Face, Tag, TextLine


@dataclass(frozen=True, slots=True)
class ColourShare:
    """One of the eleven basic colour names and the share (0..1) of the region it covers."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class SeenObject:
    """A detected object and the colours measured inside its box (background discounted), largest share first.

    `clothing` is measured on the torso of persons only; empty otherwise.
    """

    label: str
    confidence: float
    box: Box
    colours: tuple[ColourShare, ...] = ()
    clothing: tuple[ColourShare, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known about one picture.

    `objects` are sure enough to be mentioned; `doubtful` were seen below that line, best first, down to a
    confidence of some hundredths: whether they are there at all is for the asker of the facts to judge.
    `colours` are those of the whole picture. `brightness` is the mean luma, 0..1. `stage_seconds` says what
    each ability cost (for bench/ and /metrics).
    """

    width: int
    height: int
    detail: Detail
    objects: tuple[SeenObject, ...]
    doubtful: tuple[DetectedObject, ...] = ()
    tags: tuple[Tag, ...] = ()
    faces: tuple[Face, ...] = ()
    lines: tuple[TextLine, ...] = ()
    colours: tuple[ColourShare, ...] = ()
    brightness: float = 0.5
    stage_seconds: dict[str, float] = field(default_factory=dict, compare=False)


class FactFinder(Protocol):
    """Looks at pictures off the event loop in a bounded pool; a second call for one picture costs nothing.

    What is seen, what is read and what is read closely are found and kept apart, so that each caller pays
    only for what it asks: reading alone starts no detector, seeing alone no reader.
    """

    async def facts(self, image: DetailedImage) -> Facts:
        """Everything, as far as the view of the picture's detail plan shows it."""
        ...

    async def see(self, image: DetailedImage) -> Facts:
        """The same without text: `lines` is empty."""
        ...

    async def read(self, image: DetailedImage) -> tuple[TextLine, ...]:
        """The text alone, read at the picture's own resolution (from `image.data`), in reading order."""
        ...
