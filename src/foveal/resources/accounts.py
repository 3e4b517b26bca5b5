"""The resources of a data directory, with their keys and deployments.

A fresh directory gets one multi-service resource `local` with two deployments; what they are is in
`data/first_resource.toml`.
"""

from __future__ import annotations

import hashlib
import logging
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Row, delete, insert, select

from foveal.resources.content_filters import ContentFilter
from foveal.resources.deployment_register import RELAXED, upgrade_due
from foveal.resources.deployments import Deployment
from foveal.resources.filter_register import read_filters
from foveal.resources.keys import KeyLimit, StoredKey, find_key, hash_key, master_key, matches, new_key
from foveal.resources.quotas import limit_of, used_of
from foveal.resources.versions import load_model_versions
from foveal.store.database import folder_of
from foveal.store.tables import deployments, key_limits, quotas, resource_keys, resources

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Resource:
    """An account: `kind` AIServices, OpenAI or ComputerVision; `tier` F0, S0 or S1."""

    name: str
    kind: str
    region: str
    tier: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a resource, and by what (`name`): key1 or key2 of it, or `token:` and whom an access token
    names. Never the key or the token itself. `limit` is what that key may take.
    """

    resource: Resource
    name: str
    limit: KeyLimit | None = None


class KeyChecker(Protocol):
    def check(self, presented: str) -> Principal | None:
        """Whose key `presented` is; on the path of every request."""
        ...


class NoKeys:
    """`KeyChecker` of a house without resources."""

    def check(self, presented: str) -> Principal | None:
        return None


@dataclass(frozen=True, slots=True)
class Accounts:
    """What requests are checked against: a snapshot of the data directory."""

    resources: Mapping[str, Resource]
    keys: tuple[StoredKey, ...]
    deployments: Mapping[tuple[str, str], Deployment]
    limits: Mapping[tuple[str, int], KeyLimit] = field(default_factory=dict)
    _seen: dict[bytes, Principal] = field(default_factory=dict, compare=False, repr=False)

    def check(self, presented: str) -> Principal | None:
        """Whose key is presented: the resource, and which of its keys. One that was right before is looked up
        by its hash; so there are never more of these than keys.
        """
        digest = hashlib.sha256(presented.encode("utf-8", "surrogatepass")).digest()
        principal = self._seen.get(digest)
        if principal is None:
            key = find_key(self.keys, presented)
            if key is None:
                return None
            limit = self.limits.get((key.resource, key.slot))
            principal = Principal(self.resources[key.resource], f"key{key.slot}", limit)
            self._seen[digest] = principal
        return principal

    def find(self, resource: str, name: str) -> Deployment | None:
        return self.deployments.get((resource, name))

    def all(self, resource: str) -> list[Deployment]:
        """The deployments of a resource, in the order they were made."""
        return [row for (owner, _), row in self.deployments.items() if owner == resource]

    @property
    def operator_has_set_keys(self) -> bool:
        return all(
            any(key.by_operator for key in self.keys if key.resource == name) for name in self.resources
        )


def open_accounts(
    database: Engine, *, operator_key: str | None, engine: str, strict: bool
) -> tuple[Accounts, str | None]:
    """The accounts of the data directory, and the key that was generated for it, if one was just now.

    A fresh directory is filled first. `operator_key` (the setting `api_key`) becomes key 1 of the first
    resource, also later: the operator's word wins over what is stored. `engine` and `strict` hold for the
    deployments that do not say.
    """
    with database.begin() as connection:
        generated = None
        for resource, name, version in upgrade_due(connection, int(time.time())):
            LOG.info("the deployment %s of %s was upgraded to version %s", name, resource, version)
        first = connection.scalar(select(resources.c.name).order_by(resources.c.created_at).limit(1))
        if first is None:
            first = _fill(connection)
            master = master_key(folder_of(database))
            keys = [new_key(master, first, slot, by_operator=False) for slot in (1, 2)]
            for _, stored in keys:
                store_key(connection, stored)
            generated = keys[0][0] if operator_key is None else None
        if operator_key is not None:
            known = [key for key in _keys(connection) if key.resource == first and key.slot == 1]
            if not (known and known[0].by_operator and matches(known[0], operator_key)):
                store_key(connection, hash_key(first, 1, operator_key, by_operator=True))
        return _snapshot(connection, engine, strict), generated


def read_accounts(database: Engine, *, engine: str, strict: bool) -> Accounts:
    """The accounts as they are now."""
    with database.connect() as connection:
        return _snapshot(connection, engine, strict)


def _fill(connection: Connection) -> str:
    """Write the first resource and its deployments; returns the resource's name."""
    table = _first_resource()
    first = table["resource"]
    connection.execute(insert(resources).values(created_at=int(time.time()), **first))
    for row in table["quotas"]:
        connection.execute(insert(quotas).values(region=first["region"], **row))
    name: str = first["name"]
    add_deployments(connection, name, first["region"])
    return name


def add_deployments(connection: Connection, resource: str, region: str) -> None:
    """The deployments that a resource which chats starts with: those whose model version the region has, with
    as much capacity as its quota has left.
    """
    versions, now = load_model_versions(), int(time.time())
    for row in _first_resource()["deployments"]:
        version = versions[(row["model"], row["version"])]
        limit = limit_of(connection, version.quota, region)
        capacity = min(row["capacity"], limit - used_of(connection, versions, version.quota, region))
        if region in version.regions and capacity > 0:
            values = {"engine": None, "strict": None, "created_at": now, "updated_at": now}
            values |= row | {"capacity": capacity, "resource": resource}
            connection.execute(insert(deployments).values(**values))


def _first_resource() -> dict[str, Any]:
    return tomllib.loads(files("foveal.resources").joinpath("data/first_resource.toml").read_text("utf-8"))


def store_key(connection: Connection, key: StoredKey) -> None:
    """Keep a key (hashed) in its slot, in place of the one that was there."""
    here = (resource_keys.c.resource == key.resource) & (resource_keys.c.slot == key.slot)
    connection.execute(delete(resource_keys).where(here))
    connection.execute(
        insert(resource_keys).values(
            resource=key.resource,
            slot=key.slot,
            salt=key.salt,
            digest=key.digest,
            by_operator=key.by_operator,
            created_at=int(time.time()),
        )
    )


def _keys(connection: Connection) -> tuple[StoredKey, ...]:
    return tuple(
        StoredKey(row.resource, row.slot, row.salt, row.digest, row.by_operator)
        for row in connection.execute(select(resource_keys))
    )


def _snapshot(connection: Connection, engine: str, strict: bool) -> Accounts:
    filters = read_filters(connection)
    return Accounts(
        resources={
            row.name: Resource(row.name, row.kind, row.region, row.tier)
            for row in connection.execute(select(resources))
        },
        keys=_keys(connection),
        deployments={
            (row.resource, row.name): _deployment(row, engine, strict, filters)
            for row in connection.execute(select(deployments).order_by(deployments.c.created_at))
        },
        limits={
            (row.resource, row.slot): KeyLimit(row.tokens, row.requests)
            for row in connection.execute(select(key_limits))
        },
    )


def _deployment(
    row: Row[Any], engine: str, strict: bool, filters: Mapping[tuple[str, str], ContentFilter]
) -> Deployment:
    return Deployment(
        name=row.name,
        model=row.model,
        version=row.version,
        engine=row.engine or engine,
        sku=row.sku,
        capacity=row.capacity,
        strict=strict if row.strict is None else row.strict,
        created_at=row.created_at,
        updated_at=row.updated_at,
        content_filter=filters.get((row.resource, row.content_filter), ContentFilter()),
        relaxed=row.parity == RELAXED,
    )
