"""Everything between a request and its answer, wired for one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from foveal.analysis.captioner import EngineCaptioner
from foveal.analysis.contract import load_contract
from foveal.analysis.service import AnalysisService
from foveal.analysis.wording import load_wording
from foveal.assembly.engines import HouseFinder, Timed, build_engine, build_finder
from foveal.chat.service import ChatService, EngineSlot
from foveal.cl100k import Cl100k
from foveal.engines.base import Engine
from foveal.engines.terms import load_words
from foveal.enhancements.grounding import load_grounder
from foveal.enhancements.remote import ComputerVisionClient
from foveal.enhancements.service import Enhancements, LocalVision
from foveal.enhancements.sources import VisionSources
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.resources.accounts import KeyChecker, NoKeys
from foveal.resources.callers import VisionResources
from foveal.resources.versions import load_model_versions
from foveal.settings import Settings

# Requests an engine works on at once. The embedded ones share this machine's cores; an upstream has its own.
RUNNING = {"evidence": 4, "gguf": 1, "openai": 64, "echo": 64}
# Engines that write captions when they can look at pictures. `evidence` knows no more than the patterns that
# captions are put together from else, and takes a second longer.
CAPTIONING = ("openai", "gguf")


def _untimed(_stage: str, _seconds: float) -> None:
    return None


@dataclass(frozen=True, slots=True)
class House:
    """The services and what they stand on. `close` frees everything."""

    chat: ChatService
    analysis: AnalysisService
    engines: dict[str, Engine]
    door: ImageDoor
    finder: HouseFinder
    remote_vision: ComputerVisionClient

    async def close(self) -> None:
        for engine in self.engines.values():
            await engine.close()
        await asyncio.to_thread(self.finder.close)
        await self.remote_vision.close()
        await self.door.close()


def build_house(
    settings: Settings, engine_names: Iterable[str], timed: Timed = _untimed, keys: KeyChecker | None = None
) -> House:
    """Everything between a chat request and its answer, for these engines.

    `keys` checks those of data sources; without it there are none (the operator asks, on the command line).
    """
    finder = build_finder(settings)
    engines = {name: build_engine(name, settings, finder, timed) for name in dict.fromkeys(engine_names)}
    slots = {
        name: EngineSlot(engine, running=RUNNING[name], waiting=settings.queue)
        for name, engine in engines.items()
    }
    door = ImageDoor(MediaFetcher(allow_hosts=settings.allow_hosts, deadline=settings.fetch_seconds))
    tokens = Cl100k()
    remote = ComputerVisionClient(settings.fetch_seconds)
    sources = VisionSources(
        LocalVision(finder),
        remote,
        VisionResources(keys or NoKeys(), own_hosts=settings.own_hosts, vision_hosts=settings.vision_hosts),
    )
    enhancements = Enhancements(sources, load_grounder(), load_words(), tokens.count)
    chat = ChatService(slots, load_model_versions(), door, tokens, enhancements)
    analysis = _analysis(settings, chat, engines, door, finder)
    return House(chat, analysis, engines, door, finder, remote)


def _analysis(
    settings: Settings, chat: ChatService, engines: dict[str, Engine], door: ImageDoor, finder: HouseFinder
) -> AnalysisService:
    """Image analysis; an engine that looks at pictures itself writes its captions."""
    wording = load_wording()
    able = [name for name in CAPTIONING if name in engines and engines[name].abilities.images]
    chosen = settings.engine if settings.engine in able else next(iter(able), None)
    captioner = None if chosen is None else EngineCaptioner(engines[chosen], chat.gates[chosen], wording)
    return AnalysisService(finder, door, load_contract(), wording, captioner)
