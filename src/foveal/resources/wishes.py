"""What the management API tells of accounts and deployments, and what it is asked to make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from foveal.resources.accounts import Resource
from foveal.resources.deployment_register import DeploymentRow
from foveal.resources.filter_register import DEFAULT
from foveal.resources.versions import ModelVersions


@dataclass(frozen=True, slots=True)
class Account:
    """A resource with what only the management API tells. `created_at`: seconds since 1970."""

    resource: Resource
    created_at: int
    identity: bool
    tags: Mapping[str, str]
    subdomain: str | None


@dataclass(frozen=True, slots=True)
class AccountWish:
    """What an account shall be; None: as it was."""

    kind: str | None = None
    region: str | None = None
    tier: str | None = None
    identity: bool | None = None
    tags: Mapping[str, str] | None = None
    subdomain: str | None = None


@dataclass(frozen=True, slots=True)
class TaggedDeployment:
    row: DeploymentRow
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeploymentWish:
    """What a deployment shall be; None: as it was. `engine` and `content_filter` may be `default`."""

    model: str | None = None
    version: str | None = None
    sku: str | None = None
    capacity: int | None = None
    engine: str | None = None
    content_filter: str | None = None
    upgrade: str | None = None
    parity: str | None = None
    tags: Mapping[str, str] | None = None


def merged(
    name: str, wish: DeploymentWish, known: DeploymentRow | None, versions: ModelVersions
) -> DeploymentRow:
    """The row that a wish makes of the one that is there. Whether it can be is for the register to say."""
    was = known or DeploymentRow(name)
    model = wish.model or was.model
    version = wish.version
    if version is None:
        version = (
            was.version if known is not None and model == was.model else default_version(model, versions)
        )
    sku = wish.sku or was.sku
    capacity = wish.capacity
    if capacity is None:
        capacity = was.capacity if sku == was.sku else 1
    return replace(
        was,
        model=model,
        version=version,
        sku=sku,
        capacity=capacity,
        engine=_chosen(wish.engine, was.engine),
        content_filter=_chosen(wish.content_filter, was.content_filter),
        upgrade=wish.upgrade or was.upgrade,
        parity=wish.parity or was.parity,
    )


def default_version(model: str, versions: ModelVersions) -> str:
    """The version that nothing follows; empty for what is no model."""
    last = (row.version for row in versions.values() if row.name == model and row.upgrade is None)
    return next(last, "")


def _chosen(wished: str | None, was: str | None) -> str | None:
    if wished is None:
        return was
    return None if wished == DEFAULT else wished
