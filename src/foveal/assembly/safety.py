"""The content filter, wired."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from foveal.assembly.engines import HouseFinder, build_finder, build_picture_judge
from foveal.assembly.later import Later
from foveal.images.detail import DetailedImage
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.perception.base import Embedder
from foveal.perception.embedding import SentenceEmbedder
from foveal.safety.base import Signs, TextJudge
from foveal.safety.pictures import NetPictureJudge
from foveal.safety.service import Blocked, ContentSafety, Reader, uncounted
from foveal.safety.text import HeadJudge
from foveal.settings import Settings


class LaterTextJudge:
    """`TextJudge` that loads its head at the first text."""

    def __init__(self, embedder: Embedder) -> None:
        self._judge: Later[TextJudge] = Later(lambda: HeadJudge(embedder))

    def judge(self, texts: Sequence[str]) -> list[Signs]:
        return self._judge().judge(texts)


@dataclass(frozen=True, slots=True)
class Guard:
    """The filter, and what of it others use: one embedder for all texts of the process (210 MB)."""

    safety: ContentSafety
    pictures: NetPictureJudge
    embedder: SentenceEmbedder

    def load(self) -> None:
        """Load what judges texts now instead of at the first one; pictures wait for theirs."""
        self.safety.refuses(["ready"])

    def close(self) -> None:
        self.safety.close()
        self.pictures.close()


def build_guard(settings: Settings, finder: HouseFinder, blocked: Blocked = uncounted) -> Guard:
    """Nothing is loaded yet. `blocked` is told of everything that is filtered."""
    pictures, embedder = build_picture_judge(settings), SentenceEmbedder()
    safety = ContentSafety(
        LaterTextJudge(embedder),
        pictures,
        read=text_reader(finder),
        closed=settings.filter_failure == "closed",
        threads=settings.threads,
        blocked=blocked,
    )
    return Guard(safety, pictures, embedder)


@dataclass(frozen=True, slots=True)
class SafetyHouse:
    """The filter by itself, for whoever wants verdicts only. `read` gives the text of a picture."""

    guard: Guard
    door: ImageDoor
    finder: HouseFinder
    read: Reader

    async def close(self) -> None:
        await asyncio.to_thread(self.guard.close)
        await asyncio.to_thread(self.finder.close)
        await self.door.close()


def build_safety_house(settings: Settings) -> SafetyHouse:
    finder = build_finder(settings)
    door = ImageDoor(MediaFetcher(allow_hosts=settings.allow_hosts, deadline=settings.fetch_seconds))
    return SafetyHouse(build_guard(settings, finder), door, finder, text_reader(finder))


def text_reader(finder: HouseFinder) -> Reader:
    """What is written in a picture, a line each."""

    async def read(image: DetailedImage) -> str:
        return "\n".join(line.text for line in await finder.read(image))

    return read
