"""Wires one process: settings in, engines and services out. The one file that knows every room."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.applications import Starlette

from foveal.analysis.captioner import EngineCaptioner
from foveal.analysis.contract import load_contract
from foveal.analysis.service import AnalysisService
from foveal.analysis.wording import load_wording
from foveal.chat.service import ChatService, EngineSlot
from foveal.cl100k import Cl100k
from foveal.engines.base import Engine
from foveal.engines.terms import load_words
from foveal.enhancements.grounding import load_grounder
from foveal.enhancements.remote import ComputerVisionClient
from foveal.enhancements.service import Enhancements, LocalVision
from foveal.enhancements.sources import VisionSources
from foveal.errors import FovealError, SetupError
from foveal.http.app import build_app
from foveal.http.metrics import Metrics
from foveal.http.services import Services
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.facts import FactFinder
from foveal.resources.accounts import Accounts, KeyChecker, NoKeys
from foveal.resources.api_versions import load_api_versions
from foveal.resources.versions import load_model_versions
from foveal.settings import Settings

CONTEXT = 8192  # tokens of one conversation with the embedded language model
SLOTS = 2  # answers the embedded language model writes at once; each slot keeps a prompt prefix
FACTS = 512  # pictures whose facts are kept; a picture's facts are a few kilobytes
PATIENCE = 0.001  # seconds the event loop waits for a thread that holds the interpreter (Python's own: 0.005)
# Requests an engine works on at once. The embedded ones share this machine's cores; an upstream has its own.
RUNNING = {"evidence": 4, "gguf": 1, "openai": 64, "echo": 64}


# Engines that write captions when they can look at pictures. `evidence` knows no more than the patterns that
# captions are put together from else, and takes a second longer.
CAPTIONING = ("openai", "gguf")


Timed = Callable[[str, float], None]  # stage, seconds


class HouseFinder(FactFinder, Protocol):
    """The one pair of eyes of a process: chat, enhancements and image analysis share it and what it keeps."""

    async def warm(self) -> None: ...
    def close(self) -> None: ...


def _untimed(_stage: str, _seconds: float) -> None:
    return None


def needed_models(settings: Settings) -> list[str]:
    """The weights that the engine of these settings cannot do without."""
    if settings.engine != "evidence":
        return []
    catalogue = load_catalogue()
    sight = [entry.name for entry in catalogue.defaults() if entry.ability != "answer"]
    return [catalogue[settings.llm].name, *sight]


def missing_models(settings: Settings) -> list[str]:
    store = ModelStore(settings.models, load_catalogue())
    return [name for name in needed_models(settings) if not store.has(name)]


def require_models(settings: Settings) -> None:
    """Raise `SetupError`, with what to run, when weights are missing."""
    missing = missing_models(settings)
    if missing:
        raise SetupError(
            f"model weights are missing in {settings.models}: {', '.join(missing)}; "
            "run `foveal models pull`, or start with --pull"
        )


def build_finder(settings: Settings) -> HouseFinder:
    """What looks at pictures. It loads no weights before the first picture (or `warm`)."""
    from foveal.perception.finder import build_fact_finder

    return build_fact_finder(
        ModelStore(settings.models, load_catalogue()),
        threads=settings.threads,
        queue=settings.queue,
        cache_size=FACTS,
        idle_seconds=settings.idle_seconds or None,
    )


def build_engine(name: str, settings: Settings, finder: HouseFinder, timed: Timed) -> Engine:
    """One engine, nothing loaded yet; `SetupError` when its settings are incomplete.

    `timed` is told what each stage of an answer took. Each engine is imported only when it is asked for.
    """
    match name:
        case "evidence":
            return _evidence(settings, finder, timed)
        case "gguf":
            return _gguf(settings)
        case "openai":
            return _openai(settings)
        case "echo":
            from foveal.engines.echo import EchoEngine

            return EchoEngine()
    raise SetupError(f"there is no engine named {name!r}; there are evidence, gguf, openai and echo")


def _evidence(settings: Settings, finder: HouseFinder, timed: Timed) -> Engine:
    from foveal.engines.evidence.engine import EvidenceEngine
    from foveal.engines.llama import LlamaRuntime

    runtime = LlamaRuntime(
        ModelStore(settings.models, load_catalogue()).path(settings.llm),
        threads=settings.threads,
        context=CONTEXT,
        slots=SLOTS,
        max_waiting=settings.queue,
        idle_seconds=settings.idle_seconds or None,
    )
    return EvidenceEngine(finder, runtime, timed=timed)


def _gguf(settings: Settings) -> Engine:
    from foveal.engines.gguf import GgufEngine

    if settings.gguf is None or not settings.gguf.is_file():
        raise SetupError(f"the engine gguf needs --gguf, a GGUF file; there is none at {settings.gguf}")
    if settings.mmproj is not None and not settings.mmproj.is_file():
        raise SetupError(f"--mmproj: there is no file {settings.mmproj}")
    return GgufEngine(
        settings.gguf,
        mmproj=settings.mmproj,
        threads=settings.threads,
        max_waiting=settings.queue,
        idle_seconds=settings.idle_seconds or None,
    )


def _openai(settings: Settings) -> Engine:
    from foveal.engines.openai import OpenAIEngine

    if not settings.upstream_url or not settings.upstream_model:
        raise SetupError("the engine openai needs --upstream-url and --upstream-model")
    return OpenAIEngine(
        settings.upstream_url,
        settings.upstream_model,
        api_key=settings.upstream_key,
        api_version=settings.upstream_api_version,
    )


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
        keys or NoKeys(),
        own_hosts=settings.own_hosts,
        vision_hosts=settings.vision_hosts,
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


class WarmUp:
    """Loads the engines in the background after the start; `/readyz` tells what is not there yet."""

    def __init__(self, engines: dict[str, Engine]) -> None:
        self._engines = engines
        self._missing = {name: f"engine {name} is loading" for name in engines}

    async def missing(self) -> Sequence[str]:
        return list(self._missing.values())

    async def run(self) -> None:
        for name, engine in self._engines.items():
            try:
                await engine.ready()
            except FovealError as error:
                self._missing[name] = f"engine {name}: {error.message}"
            else:
                del self._missing[name]
        # What was loaded stays: a collection that walked through all of it would hold the event loop.
        gc.collect()
        gc.freeze()


def assemble_server(settings: Settings, accounts: Accounts) -> Starlette:
    """The ASGI application of `foveal serve`."""
    metrics = Metrics()
    names = (row.engine for row in accounts.deployments.values())
    house = build_house(settings, names, metrics.stage, accounts)
    warm_up = WarmUp(house.engines)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        interval = sys.getswitchinterval()
        sys.setswitchinterval(PATIENCE)
        warming = asyncio.create_task(warm_up.run())
        try:
            yield
        finally:
            sys.setswitchinterval(interval)
            gc.unfreeze()
            warming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await warming
            await house.close()

    services = Services(
        keys=accounts,
        deployments=accounts,
        chat=house.chat,
        analysis=house.analysis,
        api_versions=load_api_versions(),
        model_versions=load_model_versions(),
        readiness=warm_up,
        metrics=metrics,
        annotations=settings.annotations,
        strict=settings.strict,
        max_body=settings.max_body,
    )
    return build_app(services, lifespan=lifespan)
