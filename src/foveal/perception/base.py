"""What perception finds in a picture, and one Protocol per ability that finds it.

All coordinates are relative, 0..1 of the picture's width and height, so that a finding holds for every
view of the picture. Confidences are 0..1. Every implementation is synchronous, thread-safe and CPU-bound:
callers run it in a bounded pool.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foveal.images.detail import Pixels


@dataclass(frozen=True, slots=True)
class Box:
    """Left, top, right, bottom, each 0..1."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return max(0.0, self.right - self.left)

    @property
    def height(self) -> float:
        return max(0.0, self.bottom - self.top)

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def overlap(self, other: Box) -> float:
        """Area of the intersection."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    @classmethod
    def around(cls, boxes: Collection[Box]) -> Box:
        """The smallest box that holds all of them; there must be one."""
        return cls(
            min(box.left for box in boxes),
            min(box.top for box in boxes),
            max(box.right for box in boxes),
            max(box.bottom for box in boxes),
        )

    def iou(self, other: Box) -> float:
        """Intersection over union, 0..1."""
        shared = self.overlap(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True)
class DetectedObject:
    """One object: a COCO-80 label in English ("dining table"), its confidence and box."""

    label: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Tag:
    """What a whole picture (or crop) looks like: an ImageNet-1k label, its confidence."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Face:
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely a whole picture is safe, sexual, or graphic (blood, wounds, death); together they are 1."""

    safe: float
    sexual: float
    graphic: float


Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class TextWord:
    text: str
    confidence: float
    polygon: tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text; polygon clockwise from top-left of the text itself, relative 0..1.

    `language` is "en", "ko", "zh" or "ja" as far as the script tells.
    """

    text: str
    confidence: float
    polygon: tuple[Point, Point, Point, Point]
    language: str = "en"
    words: tuple[TextWord, ...] = ()

    @property
    def box(self) -> Box:
        xs = [x for x, _ in self.polygon]
        ys = [y for _, y in self.polygon]
        return Box(min(xs), min(ys), max(xs), max(ys))


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and when it was said, in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """Something said without a pause: a phrase or a sentence. Times in seconds; `language` as ISO 639-1."""

    start: float
    end: float
    text: str
    language: str
    confidence: float
    words: tuple[SpokenWord, ...] = ()

    def later(self, seconds: float) -> SpeechSegment:
        """The same, so many seconds later."""
        words = tuple(
            replace(word, start=word.start + seconds, end=word.end + seconds) for word in self.words
        )
        return replace(self, start=self.start + seconds, end=self.end + seconds, words=words)


Samples = NDArray[np.float32]  # mono sound, 16,000 samples a second, -1..1
Vectors = NDArray[np.float32]  # one row a text, each of length 1


class Detector(Protocol):
    def detect(self, pixels: Pixels) -> list[DetectedObject]: ...


class Tagger(Protocol):
    def tag(self, pixels: Pixels) -> list[Tag]: ...


class FaceFinder(Protocol):
    def find(self, pixels: Pixels) -> list[Face]: ...


class PictureRater(Protocol):
    def rate(self, pixels: Pixels) -> Odds: ...


class TextReader(Protocol):
    def read(self, pixels: Pixels) -> list[TextLine]:
        """Lines in reading order."""
        ...


class Transcriber(Protocol):
    def transcribe(self, samples: Samples, *, language: str | None = None) -> list[SpeechSegment]:
        """What is said, in order; silence and noise give nothing. Times count from the first sample.

        `language` None: heard from the sound itself.
        """
        ...


class Embedder(Protocol):
    """Texts of many languages to vectors: texts that mean the same point the same way."""

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors: ...
