"""Everything between a request and its answer, wired for one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Engine
from threadpoolctl import threadpool_limits

from foveal.analysis.captioner import EngineCaptioner
from foveal.analysis.contract import load_contract
from foveal.analysis.service import AnalysisService
from foveal.analysis.wording import load_wording
from foveal.assembly.engines import HouseFinder, Timed, build_engine, build_finder
from foveal.assembly.safety import Guard, build_guard
from foveal.assembly.video import VideoHouse, VideoTools, build_instant, build_tools, build_video_house
from foveal.chat.service import ChatService, EngineSlot
from foveal.chat.videos import VideoDesk
from foveal.cl100k import Cl100k
from foveal.engines.base import Engine as AnswerEngine
from foveal.engines.terms import load_words
from foveal.enhancements.grounding import load_grounder
from foveal.enhancements.remote import ComputerVisionClient
from foveal.enhancements.service import Enhancements, LocalVision
from foveal.enhancements.sources import VisionSources
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.resources.accounts import KeyChecker, NoKeys
from foveal.resources.callers import VisionResources
from foveal.resources.identity import StorageAccess
from foveal.resources.versions import load_model_versions
from foveal.safety.service import Blocked, uncounted
from foveal.settings import Settings
from foveal.store.media import open_media
from foveal.store.object_blobs import open_blobs
from foveal.video.chat.instant import InstantVideos

# Requests an engine works on at once. The embedded ones share this machine's cores; an upstream has its own.
RUNNING = {"evidence": 4, "gguf": 1, "openai": 64, "echo": 64}
# Engines that write captions when they can look at pictures. `evidence` knows no more than the patterns that
# captions are put together from else, and takes a second longer.
CAPTIONING = ("openai", "gguf")


def _untimed(_stage: str, _seconds: float) -> None:
    return None


def _unmetered(_minutes: float) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Meters:
    """Who is told what: of stages of an engine and their seconds, of the length of each video that was added
    to an index, of what the content filter stopped (direction, category).
    """

    timed: Timed = _untimed
    minutes: Callable[[float], None] = _unmetered
    filtered: Blocked = uncounted


@dataclass(frozen=True, slots=True)
class House:
    """The services and what they stand on. `close` frees everything."""

    chat: ChatService
    analysis: AnalysisService
    engines: dict[str, AnswerEngine]
    door: ImageDoor
    finder: HouseFinder
    remote_vision: ComputerVisionClient
    tools: VideoTools
    instant: InstantVideos
    video: VideoHouse | None
    guard: Guard

    async def close(self) -> None:
        if self.video is not None:
            await asyncio.to_thread(self.video.close)
        await self.instant.close()
        for engine in self.engines.values():
            await engine.close()
        await asyncio.to_thread(self.guard.close)
        await asyncio.to_thread(self.tools.close)
        await asyncio.to_thread(self.finder.close)
        await self.remote_vision.close()
        await self.door.close()


def build_house(
    settings: Settings,
    engine_names: Iterable[str],
    keys: KeyChecker | None = None,
    database: Engine | None = None,
    meters: Meters | None = None,
) -> House:
    """Everything between a chat request and its answer, for these engines.

    `keys` checks those of data sources; without it there are none (the operator asks, on the command line).
    `database` is that of the data directory: without it there are no video indexes.
    """
    # Of NumPy's linear algebra, which is small here: its other threads spin after each call and so take the
    # cores from everything else (the content filter's head took 20 ms with two of them, 4 with one).
    threadpool_limits(1, user_api="blas")
    meters = meters or Meters()
    finder = build_finder(settings)
    engines = {
        name: build_engine(name, settings, finder, meters.timed) for name in dict.fromkeys(engine_names)
    }
    slots = {
        name: EngineSlot(engine, running=RUNNING[name], waiting=settings.queue)
        for name, engine in engines.items()
    }
    door = ImageDoor(MediaFetcher(allow_hosts=settings.allow_hosts, deadline=settings.fetch_seconds))
    tokens = Cl100k()
    remote = ComputerVisionClient(settings.fetch_seconds)
    resources = VisionResources(
        keys or NoKeys(), own_hosts=settings.own_hosts, vision_hosts=settings.vision_hosts
    )
    sources = VisionSources(LocalVision(finder), remote, resources)
    enhancements = Enhancements(sources, load_grounder(), load_words(), tokens.count)
    guard = build_guard(settings, finder, meters.filtered)
    tools, video = _video(settings, finder, database, meters.minutes, guard)
    instant = build_instant(settings, tools, door, tokens)
    desk = VideoDesk(resources, None if video is None else video.chat(door, tokens), instant)
    chat = ChatService(slots, load_model_versions(), door, tokens, enhancements, desk, guard.safety)
    analysis = _analysis(settings, chat, engines, door, finder)
    return House(chat, analysis, engines, door, finder, remote, tools, instant, video, guard)


def _video(
    settings: Settings,
    finder: HouseFinder,
    database: Engine | None,
    minutes: Callable[[float], None],
    guard: Guard,
) -> tuple[VideoTools, VideoHouse | None]:
    if database is None:
        return build_tools(settings, finder), None
    blobs = open_blobs(settings.blobs or settings.data / "blobs")
    media = open_media(blobs, settings.data, database, max_bytes=settings.max_video)
    tools = build_tools(settings, finder, media, StorageAccess(database))
    return tools, build_video_house(settings, database, blobs, media, tools, minutes, guard)


def _analysis(
    settings: Settings,
    chat: ChatService,
    engines: dict[str, AnswerEngine],
    door: ImageDoor,
    finder: HouseFinder,
) -> AnalysisService:
    """Image analysis; an engine that looks at pictures itself writes its captions."""
    wording = load_wording()
    able = [name for name in CAPTIONING if name in engines and engines[name].abilities.images]
    chosen = settings.engine if settings.engine in able else next(iter(able), None)
    captioner = None if chosen is None else EngineCaptioner(engines[chosen], chat.gates[chosen], wording)
    return AnalysisService(finder, door, load_contract(), wording, captioner)
