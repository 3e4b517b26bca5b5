"""Making, listing and removing resources: what the operator does, apart from what requests are checked by.

A resource of a kind that chats starts with the deployments of `data/first_resource.toml`.
"""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from foveal.errors import Conflict, InvalidRequest
from foveal.resources.accounts import Resource, add_deployments, store_key
from foveal.resources.keys import KeyLimit, master_key, new_key
from foveal.store.database import folder_of
from foveal.store.tables import account_changes, key_limits, resource_keys, resources, video_indexes
from foveal.store.tables import deployments as deployment_rows

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{1,63}")


@dataclass(frozen=True, slots=True)
class Kind:
    """`tiers`: the first is the default."""

    tiers: tuple[str, ...]
    deployments: bool


def load_kinds() -> Mapping[str, Kind]:
    """AIServices, OpenAI and ComputerVision."""
    return {name: Kind(tuple(row["tiers"]), row["deployments"]) for name, row in _data("kinds").items()}


def load_regions() -> tuple[str, ...]:
    return tuple(_data("regions")["names"])


def list_resources(database: Engine) -> list[Resource]:
    """In the order they were made."""
    with database.connect() as connection:
        rows = connection.execute(select(resources).order_by(resources.c.created_at, resources.c.name))
        return [Resource(row.name, row.kind, row.region, row.tier) for row in rows]


def add_resource(
    database: Engine,
    name: str,
    kind: str,
    *,
    region: str | None = None,
    tier: str | None = None,
    deployments: bool = True,
) -> tuple[Resource, tuple[str, str]]:
    """The new resource and its two keys, which are kept only as hashes.

    `region` is that of the first resource when not given, `tier` the usual one of the kind; with
    `deployments` it starts with those of `data/first_resource.toml` that its region has.

    Raises `InvalidRequest`.
    """
    kinds = load_kinds()
    if kind not in kinds:
        raise InvalidRequest(f"'{kind}' is no kind of resource; there are {', '.join(kinds)}", param="kind")
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"'{name}' is not a name for a resource: 2 to 64 letters, digits and hyphens, no hyphen first",
            param="name",
        )
    tiers = kinds[kind].tiers
    tier = tier or tiers[0]
    if tier not in tiers:
        raise InvalidRequest(
            f"a resource of kind {kind} has no tier {tier}; it has {', '.join(tiers)}", param="tier"
        )
    master = master_key(folder_of(database))
    with database.begin() as connection:
        _lock(connection)
        region = region or _first_region(connection)
        if region not in load_regions():
            raise InvalidRequest(f"'{region}' is no known region (example: swedencentral)", param="region")
        if connection.scalar(select(resources.c.name).where(func.lower(resources.c.name) == name.lower())):
            raise InvalidRequest(f"there is a resource '{name}' already", param="name")
        made = Resource(name, kind, region, tier)
        # Later than every other, so that the first resource stays the first.
        latest = connection.scalar(select(func.max(resources.c.created_at))) or 0
        connection.execute(
            insert(resources).values(
                name=name, kind=kind, region=region, tier=tier, created_at=max(int(time.time()), latest + 1)
            )
        )
        if deployments and kinds[kind].deployments:
            add_deployments(connection, name, region)
        first, second = (new_key(master, name, slot, by_operator=True) for slot in (1, 2))
        for _, stored in (first, second):
            store_key(connection, stored)
        return made, (first[0], second[0])


def remove_resource(database: Engine, name: str, *, only_empty: bool = False) -> None:
    """Forget a resource with its keys and deployments. Raises `InvalidRequest`; the last one stays.

    With `only_empty` one that has deployments or video indexes is a `Conflict`, as Azure has it.
    """
    with database.begin() as connection:
        _lock(connection)
        _require(connection, name)
        if only_empty:
            _check_empty(connection, name)
        if connection.scalar(select(func.count()).select_from(resources)) == 1:
            raise InvalidRequest(f"'{name}' is the only resource; it cannot be removed", param="name")
        connection.execute(delete(resources).where(resources.c.name == name))


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One of a resource's keys, without the key: `created_at` seconds since 1970; `set_by` the operator, or
    foveal when it was made at the first start.
    """

    resource: str
    slot: int
    created_at: int
    set_by: str
    limit: KeyLimit


def limit_key(database: Engine, resource: str, slot: int, limit: KeyLimit) -> None:
    """What the key in a slot may take, also the one that comes after it. Raises `InvalidRequest`."""
    for name, value in (("tokens", limit.tokens), ("requests", limit.requests)):
        if value is not None and value < 1:
            raise InvalidRequest(f"a limit of {name} is 1 or more, not {value}", param=name)
    with database.begin() as connection:
        _require(connection, resource)
        here = (key_limits.c.resource == resource) & (key_limits.c.slot == slot)
        connection.execute(delete(key_limits).where(here))
        if limit != KeyLimit():
            row = {"tokens": limit.tokens, "requests": limit.requests}
            connection.execute(insert(key_limits).values(resource=resource, slot=slot, **row))


def list_keys(database: Engine, resource: str | None = None) -> list[KeyRow]:
    """Those of one resource, or all. Raises `InvalidRequest`."""
    with database.connect() as connection:
        if resource is not None:
            _require(connection, resource)
        rows = connection.execute(
            select(resource_keys).order_by(resource_keys.c.resource, resource_keys.c.slot)
        ).all()
        limits = {
            (row.resource, row.slot): KeyLimit(row.tokens, row.requests)
            for row in connection.execute(select(key_limits))
        }
    return [
        KeyRow(
            row.resource,
            row.slot,
            row.created_at,
            "operator" if row.by_operator else "foveal",
            limits.get((row.resource, row.slot), KeyLimit()),
        )
        for row in rows
        if resource in (None, row.resource)
    ]


def regenerate_key(database: Engine, name: str, slot: int) -> str:
    """A new key in place of key 1 or 2; the other goes on working meanwhile."""
    master = master_key(folder_of(database))
    with database.begin() as connection:
        _require(connection, name)
        key, stored = new_key(master, name, slot, by_operator=True)
        store_key(connection, stored)
        return key


def _lock(connection: Connection) -> None:
    """What is looked up from here on is still so when it is written: other writers wait."""
    connection.execute(update(account_changes).values(count=account_changes.c.count))


def _check_empty(connection: Connection, name: str) -> None:
    of_deployments = select(deployment_rows.c.name).where(deployment_rows.c.resource == name)
    of_indexes = select(video_indexes.c.name).where(video_indexes.c.resource == name)
    nested = [f"deployments/{one}" for one in connection.scalars(of_deployments)]
    nested += [f"video indexes/{one}" for one in connection.scalars(of_indexes)]
    if nested:
        shown = ", ".join(f"'Microsoft.CognitiveServices/accounts/{name}/{one}'" for one in nested[:5])
        raise Conflict(
            "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: "
            f"{shown}. Please delete all nested resources before deleting this resource.",
            code="CannotDeleteResource",
        )


def _require(connection: Connection, name: str) -> None:
    if connection.scalar(select(resources.c.name).where(resources.c.name == name)) is None:
        raise InvalidRequest(f"there is no resource '{name}'", param="name")


def _first_region(connection: Connection) -> str:
    order = (resources.c.created_at, resources.c.name)
    region: str | None = connection.scalar(select(resources.c.region).order_by(*order).limit(1))
    return region or "swedencentral"


def _data(name: str) -> dict[str, Any]:
    return tomllib.loads(files("foveal.resources").joinpath(f"data/{name}.toml").read_text("utf-8"))
