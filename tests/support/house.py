"""A house made of memory: keys, deployments and a door for tests of the rooms above the engines."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from tests.support.facts import FixedFinder

from foveal.analysis import service as analysis
from foveal.analysis.contract import load_contract
from foveal.analysis.wording import load_wording
from foveal.chat.prompting import Door
from foveal.chat.request import RequestedDetail
from foveal.chat.service import ChatService, EngineSlot
from foveal.chat.videos import VideoDesk
from foveal.cl100k import Cl100k
from foveal.engines.base import Engine
from foveal.engines.terms import load_words
from foveal.enhancements.grounding import load_grounder
from foveal.enhancements.remote import ComputerVisionClient
from foveal.enhancements.service import Enhancements, LocalVision
from foveal.enhancements.sources import VisionSources
from foveal.errors import InvalidImage
from foveal.http.metrics import Metrics
from foveal.http.services import Services
from foveal.images.detail import DetailedImage
from foveal.perception.facts import FactFinder
from foveal.resources.accounts import KeyChecker, Principal, Resource
from foveal.resources.api_versions import load_api_versions
from foveal.resources.callers import VisionResources
from foveal.resources.deployments import Deployment
from foveal.resources.versions import load_model_versions
from foveal.safety.service import ContentSafety

KEY = "0123456789abcdef0123456789abcdef"
RESOURCE = Resource(name="local", kind="AIServices", region="swedencentral", tier="S0")
API_VERSION = "2023-12-01-preview"


def deployment(name: str, version: str, **changes: Any) -> Deployment:
    return Deployment(
        name, "gpt-4", version, **{"engine": "scripted", "created_at": 1_700_000_000, **changes}
    )


DEPLOYMENTS = (
    deployment("gpt-4v", "vision-preview"),
    deployment("gpt-4-turbo", "turbo-2024-04-09"),
    deployment("gpt-4-text", "1106-Preview"),
    deployment("gpt-4-provisioned", "turbo-2024-04-09", sku="ProvisionedManaged"),
    deployment("relaxed-turbo", "turbo-2024-04-09", relaxed=True),
    deployment("relaxed-provisioned", "turbo-2024-04-09", sku="ProvisionedManaged", relaxed=True),
    deployment("strict-v", "vision-preview", strict=True),
    deployment("strict-turbo", "turbo-2024-04-09", strict=True),
    deployment("no-engine", "vision-preview", engine="absent"),
)


@dataclass(frozen=True)
class OneKey:
    key: str = KEY

    def check(self, presented: str) -> Principal | None:
        return Principal(RESOURCE, "key1") if presented == self.key else None


@dataclass(frozen=True)
class Table:
    rows: Sequence[Deployment] = DEPLOYMENTS

    def find(self, resource: str, name: str) -> Deployment | None:
        return next((row for row in self.all(resource) if row.name == name), None)

    def all(self, resource: str) -> Sequence[Deployment]:
        return self.rows if resource == RESOURCE.name else ()


@dataclass
class PaperDoor:
    """Opens every URL as one grey picture; remembers what it was asked for. `bad` URLs are refused."""

    opened: list[tuple[str, str, str]] = field(default_factory=list)

    async def open(self, url: str, detail: RequestedDetail, /, *, param: str) -> DetailedImage:
        return self._open(url, detail, param)

    async def open_base64(self, text: str, detail: RequestedDetail, /, *, param: str) -> DetailedImage:
        return self._open(f"base64:{text}", detail, param)

    async def open_bytes(self, data: bytes, detail: RequestedDetail, /, *, param: str) -> DetailedImage:
        return self._open(f"bytes:{hashlib.sha256(data).hexdigest()}", detail, param)

    def _open(self, what: str, detail: RequestedDetail, param: str) -> DetailedImage:
        self.opened.append((what, detail, param))
        if "bad" in what:
            raise InvalidImage(
                "The provided image url is not accessible. Please check the URL and try again.", param=param
            )
        view = np.zeros((1, 1, 3), np.uint8)
        high = detail != "low"
        return DetailedImage(
            sha256=hashlib.sha256(what.encode()).hexdigest(),
            format="png",
            width=1,
            height=1,
            detail="high" if high else "low",
            tokens=255 if high else 85,
            overview=view,
            scaled=view if high else None,
            tiles=(),
            data=b"",
        )


@dataclass
class Ready:
    what: tuple[str, ...] = ()

    async def missing(self) -> Sequence[str]:
        return self.what


def enhancements(
    finder: FactFinder | None = None,
    keys: KeyChecker | None = None,
    remote: ComputerVisionClient | None = None,
    **hosts: Sequence[str],
) -> Enhancements:
    """Enhancements over what `finder` sees; `hosts` are `own_hosts` and `vision_hosts`."""
    local = LocalVision(finder or FixedFinder())
    sources = VisionSources(
        local, remote or ComputerVisionClient(5), VisionResources(keys or OneKey(), **hosts)
    )
    return Enhancements(sources, load_grounder(), load_words(), Cl100k().count)


def chat_service(
    engines: Mapping[str, Engine],
    *,
    door: Door | None = None,
    running: int = 4,
    waiting: int = 32,
    enhanced: Enhancements | None = None,
    videos: VideoDesk | None = None,
    safety: ContentSafety | None = None,
) -> ChatService:
    slots = {name: EngineSlot(engine, running, waiting) for name, engine in engines.items()}
    enhanced = enhanced or enhancements()
    return ChatService(slots, load_model_versions(), door or PaperDoor(), Cl100k(), enhanced, videos, safety)


class AnyDoor(Door, analysis.Door, Protocol):
    """A door as chat and as image analysis use it."""


def analysis_service(
    finder: FactFinder | None = None,
    door: analysis.Door | None = None,
    captioner: analysis.Captioner | None = None,
) -> analysis.AnalysisService:
    return analysis.AnalysisService(
        finder or FixedFinder(), door or PaperDoor(), load_contract(), load_wording(), captioner
    )


def services(
    engine: Engine,
    *,
    door: AnyDoor | None = None,
    running: int = 4,
    waiting: int = 32,
    enhanced: Enhancements | None = None,
    videos: VideoDesk | None = None,
    safety: ContentSafety | None = None,
    **changes: Any,
) -> Services:
    """Everything `build_app` needs, with one engine behind every deployment but `no-engine`."""
    chat = chat_service(
        {"scripted": engine},
        door=door,
        running=running,
        waiting=waiting,
        enhanced=enhanced,
        videos=videos,
        safety=safety,
    )
    parts: dict[str, Any] = {
        "keys": OneKey(),
        "deployments": Table(),
        "chat": chat,
        "analysis": analysis_service(door=door),
        "api_versions": load_api_versions(),
        "model_versions": load_model_versions(),
        "readiness": Ready(),
        "metrics": Metrics(),
        **changes,
    }
    return Services(**parts)
