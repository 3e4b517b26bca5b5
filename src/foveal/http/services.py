"""What the HTTP surface needs from the house; `foveal.assembly` fills it, tests fill it with their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from foveal.analysis.service import AnalysisService
from foveal.chat.service import ChatService
from foveal.http.metrics import Metrics
from foveal.metering.base import Meter, Unmetered
from foveal.metering.usage import Report, UsageQuery
from foveal.resources.accounts import KeyChecker
from foveal.resources.api_versions import ApiVersionPolicy
from foveal.resources.control import ControlPlane
from foveal.resources.deployments import DeploymentTable
from foveal.resources.limits import RateLimits
from foveal.resources.tokens import TokenChecker
from foveal.resources.versions import ModelVersions
from foveal.store.media import MediaStore
from foveal.video.retrieval.retrieval import Retrieval

Annotations = Literal["azure", "compact", "off"]


class Readiness(Protocol):
    async def missing(self) -> Sequence[str]:
        """What keeps the server from answering, in words; empty when it is ready."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """`annotations` holds for the Azure routes. `strict` judges where no deployment is known (yet)."""

    keys: KeyChecker
    deployments: DeploymentTable
    chat: ChatService
    analysis: AnalysisService
    api_versions: ApiVersionPolicy
    model_versions: ModelVersions
    readiness: Readiness
    metrics: Metrics
    retrieval: Retrieval | None = None
    annotations: Annotations = "azure"
    strict: bool = False
    max_body: int = 272 * 1024 * 1024
    media: MediaStore | None = None  # uploaded media; without it there is no /storage
    tokens: TokenChecker | None = None  # those of the operator's issuer, where there is one
    management: ControlPlane | None = None  # without it there is no management API
    meter: Meter = field(default_factory=Unmetered)
    limits: RateLimits | None = None  # without them nothing is limited
    usage: Callable[[UsageQuery], Report] | None = None  # blocks; without it there is no /foveal/usage
    base_url: str | None = None  # how others reach this server; what they asked for by default
