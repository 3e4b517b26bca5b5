"""A deployment: a name under which a resource offers a model version through an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from foveal.resources.content_filters import ContentFilter


@dataclass(frozen=True, slots=True)
class Deployment:
    """`capacity` is thousands of tokens per minute for `Standard`; `created_at` seconds since 1970.

    `strict` turns leniency off for this deployment: Azure's refusals exactly, 16 tokens by default. `relaxed`
    allows what its engine can where Azure's model could not: tools and JSON beside pictures, pictures on
    provisioned deployments.
    """

    name: str
    model: str
    version: str
    engine: str
    sku: str = "Standard"
    capacity: int = 30
    strict: bool = False
    created_at: int = 0
    updated_at: int = 0
    content_filter: ContentFilter = field(default_factory=ContentFilter)
    relaxed: bool = False


class DeploymentTable(Protocol):
    """The deployments of each resource; a lookup is on the path of every request and must be quick."""

    def find(self, resource: str, name: str) -> Deployment | None: ...

    def all(self, resource: str) -> Sequence[Deployment]: ...
