"""What an analysis finds, in whole pixels of the upright original. What was not asked for is None."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from foveal.perception.base import Box, Point


@dataclass(frozen=True, slots=True)
class PixelBox:
    x: int
    y: int
    width: int
    height: int

    @classmethod
    def around(cls, box: Box, width: int, height: int) -> Self:
        """The smallest box of whole pixels that holds `box`, inside a picture of this size; never empty."""
        left = min(max(0, math.floor(box.left * width)), width - 1)
        top = min(max(0, math.floor(box.top * height)), height - 1)
        right = min(max(left + 1, math.ceil(box.right * width)), width)
        bottom = min(max(top + 1, math.ceil(box.bottom * height)), height)
        return cls(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class Caption:
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class RegionCaption:
    text: str
    confidence: float
    box: PixelBox


@dataclass(frozen=True, slots=True)
class NamedTag:
    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class FoundObject:
    name: str
    confidence: float
    box: PixelBox


@dataclass(frozen=True, slots=True)
class FoundPerson:
    confidence: float
    box: PixelBox


@dataclass(frozen=True, slots=True)
class Crop:
    aspect_ratio: float
    box: PixelBox


Polygon = tuple[tuple[int, int], ...]  # four points, clockwise from the top left of the text


@dataclass(frozen=True, slots=True)
class ReadWord:
    text: str
    confidence: float
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class ReadLine:
    text: str
    polygon: Polygon
    words: tuple[ReadWord, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    width: int
    height: int
    caption: Caption | None = None
    dense_captions: tuple[RegionCaption, ...] | None = None
    tags: tuple[NamedTag, ...] | None = None
    objects: tuple[FoundObject, ...] | None = None
    people: tuple[FoundPerson, ...] | None = None
    lines: tuple[ReadLine, ...] | None = None
    crops: tuple[Crop, ...] | None = None


def pixel_polygon(polygon: tuple[Point, ...], width: int, height: int) -> Polygon:
    """Rounded to pixels, kept inside the picture."""
    return tuple((_inside(x, width), _inside(y, height)) for x, y in polygon)


def _inside(share: float, size: int) -> int:
    return min(max(0, round(share * size)), size)
