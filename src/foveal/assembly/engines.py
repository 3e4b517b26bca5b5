"""Engines and perception from settings: each is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from foveal.engines.base import Engine
from foveal.errors import SetupError
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.facts import FactFinder
from foveal.safety.pictures import NetPictureJudge, load_picture_judge
from foveal.settings import Settings
from foveal.video.work import FrameLooker

CONTEXT = 8192  # tokens of one conversation with the embedded language model
SLOTS = 2  # answers the embedded language model writes at once; each slot keeps a prompt prefix
FACTS = 512  # pictures whose facts are kept; a picture's facts are a few kilobytes

Timed = Callable[[str, float], None]  # stage, seconds


class HouseFinder(FactFinder, FrameLooker, Protocol):
    """The one pair of eyes of a process: whatever looks at pictures or frames shares it and what it keeps."""

    async def warm(self) -> None: ...
    def close(self) -> None: ...


def needed_models(settings: Settings) -> list[str]:
    """The weights that the engine of these settings cannot do without. Those for speech are not among them:
    only videos with sound need them, and their ingestion says so when they are missing. So does the content
    filter, when an engine without eyes of its own is sent a picture.
    """
    if settings.engine != "evidence":
        return []
    catalogue = load_catalogue()
    sight = [entry.name for entry in catalogue.defaults() if entry.ability not in ("answer", "speech")]
    return [catalogue[settings.llm].name, *sight]


def wanted_models(settings: Settings) -> list[str]:
    """What `foveal serve --pull` gets: what is needed, and what is used when it is there."""
    used = [entry.name for entry in load_catalogue().defaults() if entry.ability in ("speech", "safety")]
    return list(dict.fromkeys([*needed_models(settings), *used]))


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


def build_picture_judge(settings: Settings) -> NetPictureJudge:
    """What judges pictures for the content filter. It loads no weights before the first one."""
    return load_picture_judge(
        ModelStore(settings.models, load_catalogue()),
        threads=settings.threads,
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
