"""Lines of text in pixels, every line with its words."""

from __future__ import annotations

from collections.abc import Sequence

from foveal.analysis.result import ReadLine, ReadWord, pixel_polygon
from foveal.perception.base import Point, TextLine


def read_lines(lines: Sequence[TextLine], width: int, height: int) -> tuple[ReadLine, ...]:
    """The same lines for a picture of this size."""
    return tuple(_line(line, width, height) for line in lines)


def _line(line: TextLine, width: int, height: int) -> ReadLine:
    words = tuple(
        ReadWord(word.text, word.confidence, pixel_polygon(word.polygon, width, height))
        for word in line.words
    )
    return ReadLine(
        line.text,
        pixel_polygon(line.polygon, width, height),
        words or tuple(_by_letters(line, width, height)),
    )


def _by_letters(line: TextLine, width: int, height: int) -> list[ReadWord]:
    """A reader that gives no words: places by the share of letters, confidences of the line."""
    total = max(1, len(line.text))
    words, at = [], 0
    for text in line.text.split():
        at = line.text.index(text, at)
        polygon = _slice(line.polygon, at / total, (at + len(text)) / total)
        words.append(ReadWord(text, line.confidence, pixel_polygon(polygon, width, height)))
        at += len(text)
    return words


def _slice(polygon: tuple[Point, Point, Point, Point], start: float, end: float) -> tuple[Point, ...]:
    """The part of a line between two shares of its length."""
    top_left, top_right, bottom_right, bottom_left = polygon
    return (
        _between(top_left, top_right, start),
        _between(top_left, top_right, end),
        _between(bottom_left, bottom_right, end),
        _between(bottom_left, bottom_right, start),
    )


def _between(one: Point, other: Point, share: float) -> Point:
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share
