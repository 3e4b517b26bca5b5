"""A finder that has looked already: the same facts for every picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from foveal.images.detail import DetailedImage
from foveal.perception.base import Box, DetectedObject, Face, Point, Tag, TextLine, TextWord
from foveal.perception.facts import ColourShare, Facts, SeenObject


def line(text: str, left: float, top: float, right: float, bottom: float) -> TextLine:
    """A level line whose words share its width by their letters."""
    words, place, letters = [], left, max(1, len(text))
    for word in text.split(" "):
        end = place + (right - left) * len(word) / letters
        words.append(TextWord(word, 0.98, _quad(place, top, end, bottom)))
        place = end + (right - left) / letters
    return TextLine(text, 0.97, _quad(left, top, right, bottom), words=tuple(words))


def _quad(left: float, top: float, right: float, bottom: float) -> tuple[Point, Point, Point, Point]:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def street() -> Facts:
    """A person on the left, a red car and a dog on the right, a sign above them."""
    return Facts(
        width=800,
        height=600,
        detail="high",
        objects=(
            SeenObject(
                "person",
                0.97,
                Box(0.1, 0.2, 0.3, 0.9),
                (ColourShare("blue", 0.6),),
                (ColourShare("blue", 0.9),),
            ),
            SeenObject("car", 0.93, Box(0.5, 0.5, 0.9, 0.8), (ColourShare("red", 0.8),)),
            SeenObject("dog", 0.9, Box(0.6, 0.7, 0.75, 0.95), (ColourShare("brown", 0.7),)),
        ),
        doubtful=(DetectedObject("bicycle", 0.06, Box(0.2, 0.6, 0.4, 0.9)),),
        tags=(Tag("minivan", 0.5),),
        faces=(Face(0.9, Box(0.15, 0.22, 0.22, 0.32)),),
        lines=(line("CENTRAL STATION", 0.4, 0.05, 0.8, 0.12),),
    )


def _no_calls() -> list[str]:
    return []


@dataclass
class FixedFinder:
    """`close_lines` is what reading closely finds; `calls` remembers which abilities were asked for."""

    found: Facts = field(default_factory=street)
    close_lines: tuple[TextLine, ...] | None = None
    calls: list[str] = field(default_factory=_no_calls)

    async def facts(self, image: DetailedImage) -> Facts:
        self.calls.append("facts")
        return self.found

    async def see(self, image: DetailedImage) -> Facts:
        self.calls.append("see")
        return replace(self.found, lines=())

    async def read(self, image: DetailedImage) -> tuple[TextLine, ...]:
        self.calls.append("read")
        return self.found.lines if self.close_lines is None else self.close_lines
