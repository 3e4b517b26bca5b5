"""The enhancements of one request: what is read joins the prompt, what the answer names gets its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from foveal.engines.base import ImagePart, Part, Turn
from foveal.engines.terms import Words
from foveal.enhancements.ocr import read_text
from foveal.enhancements.sources import Vision, VisionSources
from foveal.enhancements.spans import Findings, GroundedLine
from foveal.errors import InvalidRequest
from foveal.images.detail import DetailedImage
from foveal.perception.base import DetectedObject
from foveal.perception.facts import FactFinder, SeenObject
from foveal.resources.callers import Caller

OCR = "ocr"
GROUNDING = "grounding"


class Grounder(Protocol):
    def ground(self, text: str, findings: Findings) -> GroundedLine: ...


class LocalVision:
    """`Vision` by this server's own perception."""

    def __init__(self, finder: FactFinder) -> None:
        self._finder = finder

    async def look(self, image: DetailedImage, *, ocr: bool, grounding: bool) -> Findings:
        """Raises what the finder does: `TooManyRequests`, `EngineUnavailable` when weights are missing."""
        if not grounding:
            return Findings(lines=await self._finder.read(image))
        if not ocr:
            facts = await self._finder.facts(image)
            lines = facts.lines
        else:
            facts, lines = await asyncio.gather(self._finder.see(image), self._finder.read(image))
        objects = (*facts.objects, *map(_seen, facts.doubtful))
        return Findings(objects, facts.faces, lines)


def _seen(one: DetectedObject) -> SeenObject:
    return SeenObject(one.label, one.confidence, one.box)


class Enhancements:
    """Makes the `Enhancing` of a request. `words` tell what a question asks for; `count` gives the tokens
    (cl100k) of a text.
    """

    def __init__(
        self, sources: VisionSources, grounder: Grounder, words: Words, count: Callable[[str], int]
    ) -> None:
        self._sources = sources
        self._grounder = grounder
        self._words = words
        self._count = count

    def begin(
        self, enabled: Sequence[str], param: str | None, parameters: Mapping[str, Any], caller: Caller
    ) -> Enhancing:
        """`param` and `parameters` are those of the request's Computer Vision data source, if it has one.

        Raises `InvalidDataSource`.
        """
        vision = self._sources.choose(param, parameters, caller)
        return Enhancing(
            vision, self._grounder, self._words, self._count, OCR in enabled, GROUNDING in enabled
        )


@dataclass(slots=True)
class Enhancing:
    """One request's enhancements. First `look`, then, for each answer, `ground`.

    They are about the pictures of the last user message that has any. `calls` is the number of pictures that
    were looked at: what each enhancement is billed by.
    """

    _vision: Vision
    _grounder: Grounder
    _words: Words
    _count: Callable[[str], int]
    ocr: bool
    grounding: bool
    calls: int = 0
    _findings: Findings = field(default_factory=Findings)

    async def look(self, turns: Sequence[Turn]) -> tuple[Turn, ...]:
        """The turns, with what was read beside each picture; remembers what `ground` needs.

        Raises `InvalidRequest` when several pictures are to be grounded: a polygon could not say in which.
        """
        place = next((at for at in reversed(range(len(turns))) if _asks_about_pictures(turns[at])), None)
        if place is None:
            return tuple(turns)
        images = turns[place].images
        if self.grounding and len(images) > 1:
            raise InvalidRequest(
                "The 'grounding' enhancement can be applied to one image at a time; the last message with "
                f"images has {len(images)}.",
                param="enhancements.grounding",
            )
        found = await asyncio.gather(
            *(self._vision.look(image, ocr=self.ocr, grounding=self.grounding) for image in images)
        )
        self.calls = len(images)
        if self.grounding:
            self._findings = found[0]
        if not self.ocr:
            return tuple(turns)
        question = next((turn.text for turn in reversed(turns) if turn.role == "user"), "")
        with_text = await asyncio.to_thread(self._with_text, turns[place], found, question)
        return (*turns[:place], with_text, *turns[place + 1 :])

    async def ground(self, answer: str) -> GroundedLine:
        """The answer's spans; none when there was no picture."""
        return await asyncio.to_thread(self._grounder.ground, answer, self._findings)

    def _with_text(self, turn: Turn, found: Sequence[Findings], question: str) -> Turn:
        left = iter(found)
        parts: list[Part] = []
        for part in turn.parts:
            if isinstance(part, ImagePart):
                lines = next(left).lines
                part = replace(part, read=read_text(lines, question, count=self._count, words=self._words))
            parts.append(part)
        return replace(turn, parts=tuple(parts))


def _asks_about_pictures(turn: Turn) -> bool:
    return turn.role == "user" and bool(turn.images)
