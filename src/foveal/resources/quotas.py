"""Quotas: how much capacity all deployments of a region may have together.

Azure's default quotas are `data/quotas.toml`; the operator may grant more (`foveal quota set`), as Azure did
on request.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select

from foveal.errors import InvalidRequest, QuotaExceeded
from foveal.resources.versions import ModelVersions, load_model_versions
from foveal.store.tables import deployments, quotas, resources

COUNTED = "Standard"  # provisioned capacity is bought by the unit and has no quota here


@dataclass(frozen=True, slots=True)
class Quota:
    """Thousands of tokens per minute of a region: the limit and what deployments use of it."""

    name: str
    region: str
    limit: int
    used: int


def default_quota(name: str, region: str) -> int:
    """Azure's, in thousands of tokens per minute."""
    table = _table()[name]
    return table.get(region, table["default"])


def list_quotas(database: Engine, region: str) -> list[Quota]:
    """The quotas of the model versions that the region has."""
    versions = load_model_versions()
    names = dict.fromkeys(row.quota for row in versions.values() if region in row.regions)
    with database.connect() as connection:
        return [
            Quota(
                name, region, limit_of(connection, name, region), used_of(connection, versions, name, region)
            )
            for name in names
        ]


def set_quota(database: Engine, name: str, region: str, limit: int | None) -> None:
    """Grant a quota; None: Azure's default again. Raises `InvalidRequest`."""
    if name not in _table():
        raise InvalidRequest(f"'{name[:60]}' is no quota; there are {', '.join(_table())}", param="name")
    if not any(region in row.regions for row in load_model_versions().values()):
        raise InvalidRequest(f"no model version is available in the region '{region[:60]}'", param="region")
    if limit is not None and limit < 0:
        raise InvalidRequest(f"a quota is 0 or more, not {limit}", param="limit")
    with database.begin() as connection:
        here = (quotas.c.name == name) & (quotas.c.region == region)
        connection.execute(delete(quotas).where(here))
        if limit is not None:
            connection.execute(insert(quotas).values(name=name, region=region, limit=limit))


def limit_of(connection: Connection, name: str, region: str) -> int:
    here = (quotas.c.name == name) & (quotas.c.region == region)
    granted: int | None = connection.scalar(select(quotas.c.limit).where(here))
    return default_quota(name, region) if granted is None else granted


def used_of(connection: Connection, versions: ModelVersions, name: str, region: str) -> int:
    """By the deployments of all resources of the region."""
    rows = connection.execute(
        select(deployments.c.model, deployments.c.version, deployments.c.capacity)
        .join(resources, resources.c.name == deployments.c.resource)
        .where(resources.c.region == region, deployments.c.sku == COUNTED)
    )
    return sum(row.capacity for row in rows if versions[(row.model, row.version)].quota == name)


def check_quota(
    connection: Connection,
    versions: ModelVersions,
    region: str,
    sku: str,
    name: str,
    capacity: int,
    known: Any = None,
) -> None:
    """Raise `QuotaExceeded` when a deployment of this capacity is too much for the region; `known` is the row
    that it replaces.
    """
    if sku != COUNTED:
        return
    used = used_of(connection, versions, name, region)
    if known is not None and known.sku == COUNTED and versions[(known.model, known.version)].quota == name:
        used -= known.capacity
    limit = limit_of(connection, name, region)
    if used + capacity > limit:
        quota = f"Tokens Per Minute (thousands) - {name}"
        raise QuotaExceeded(
            f"This operation require {capacity} new capacity in quota {quota}, which is bigger than the "
            f"current available capacity {max(0, limit - used)}. The current quota usage is {used} and the "
            f"quota limit is {limit} for quota {quota} in the region {region}. "
            f"`foveal quota set {name} {region} LIMIT` grants more.",
            param="sku.capacity",
        )


def _table() -> Mapping[str, Mapping[str, int]]:
    return tomllib.loads(files(__package__).joinpath("data/quotas.toml").read_text("utf-8"))
