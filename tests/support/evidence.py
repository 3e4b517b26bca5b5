"""Hand-made facts, a finder that gives them, and a language model that says what a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import numpy as np

from foveal.engines.base import ImagePart, Part, Prompt, ResponseFormat, Role, Sampling, TextPart, Tool, Turn
from foveal.engines.evidence.engine import EvidenceEngine
from foveal.engines.llama import Generation, Piece
from foveal.images.detail import DetailedImage
from foveal.perception.base import Box, DetectedObject, Face, Tag, TextLine
from foveal.perception.facts import ColourShare, Facts, SeenObject


def seen(
    label: str,
    box: tuple[float, float, float, float],
    colour: str = "",
    confidence: float = 0.95,
    worn: str = "",
) -> SeenObject:
    shares = (ColourShare(colour, 0.8),) if colour else ()
    clothing = (ColourShare(worn, 0.7),) if worn else ()
    return SeenObject(label, confidence, Box(*box), shares, clothing)


def line(
    text: str, box: tuple[float, float, float, float], confidence: float = 0.97, language: str = "en"
) -> TextLine:
    left, top, right, bottom = box
    return TextLine(text, confidence, ((left, top), (right, top), (right, bottom), (left, bottom)), language)


def facts(
    objects: Sequence[SeenObject] = (),
    *,
    doubtful: Sequence[DetectedObject] = (),
    tags: Sequence[tuple[str, float]] = (),
    lines: Sequence[TextLine] = (),
    faces: int = 0,
    colours: Sequence[tuple[str, float]] = (("blue", 0.6), ("grey", 0.2)),
) -> Facts:
    return Facts(
        width=640,
        height=480,
        detail="high",
        objects=tuple(objects),
        doubtful=tuple(doubtful),
        tags=tuple(Tag(name, confidence) for name, confidence in tags),
        faces=tuple(Face(0.9, Box(0.4, 0.1 + 0.05 * n, 0.5, 0.2 + 0.05 * n)) for n in range(faces)),
        lines=tuple(lines),
        colours=tuple(ColourShare(name, share) for name, share in colours),
    )


def picture(name: str = "a") -> DetailedImage:
    pixels = np.zeros((48, 64, 3), dtype=np.uint8)
    return DetailedImage(name, "jpeg", 640, 480, "low", 85, pixels, None, (), b"")


class GivenFacts:
    """A fact finder that knows its pictures by name; counts how often it was asked."""

    def __init__(self, known: dict[str, Facts]) -> None:
        self.known = known
        self.asked: list[str] = []
        self.closed = False

    async def facts(self, image: DetailedImage) -> Facts:
        self.asked.append(image.sha256)
        return self.known[image.sha256]

    async def see(self, image: DetailedImage) -> Facts:
        self.asked.append(f"{image.sha256} without text")
        return replace(self.known[image.sha256], lines=())

    async def warm(self) -> None:
        return None

    def close(self) -> None:
        self.closed = True


class Says:
    """A language model that writes the given text, word by word, and keeps what it was asked."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.requests: list[Generation] = []
        self.stopped = 0
        self.closed = False

    async def generate(self, request: Generation) -> AsyncGenerator[Piece]:
        self.requests.append(request)
        words = self.text.split(" ")
        try:
            for number, word in enumerate(words):
                yield Piece(word + (" " if number + 1 < len(words) else ""))
            yield Piece(finish="stop")
        finally:
            self.stopped += 1

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    async def ready(self) -> None:
        return None

    async def close(self) -> None:
        self.closed = True


def turn(role: Role, text: str, *names: str) -> Turn:
    parts: list[Part] = [TextPart(text)] if text else []
    return Turn(role, (*parts, *(ImagePart(picture(name)) for name in names)))


def engine(given: Facts | dict[str, Facts], says: Says | None = None) -> EvidenceEngine:
    known = given if isinstance(given, dict) else {"a": given}
    return EvidenceEngine(GivenFacts(known), says or Says())


async def answer(
    engine: EvidenceEngine,
    *turns: Turn,
    response_format: ResponseFormat | None = None,
    tools: tuple[Tool, ...] = (),
) -> str:
    prompt = Prompt(turns, Sampling(temperature=0, seed=1), response_format, tools)
    deltas = [delta async for delta in engine.answer(prompt)]
    assert [delta.finish is not None for delta in deltas] == [False] * (len(deltas) - 1) + [True]
    return "".join(delta.text for delta in deltas)
