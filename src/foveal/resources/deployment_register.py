"""Making, changing and removing deployments: what the operator does, by the rules of Azure's control plane.

A deployment is made where its model version was to be had, with a sku that the version has, and within the
quota of its region.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from foveal.errors import InvalidRequest, NotFound
from foveal.resources.quotas import check_quota
from foveal.resources.versions import ModelVersion, ModelVersions, load_model_versions
from foveal.store.tables import account_changes, content_filters, deployments, resources

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
ENGINES = ("evidence", "gguf", "openai", "echo")
RELAXED = "relaxed"
PARITIES = ("azure", RELAXED)
NEVER = "NoAutoUpgrade"
ON_NEW_DEFAULT = "OnceNewDefaultVersionAvailable"
ON_EXPIRY = "OnceCurrentVersionExpired"
UPGRADES = (NEVER, ON_NEW_DEFAULT, ON_EXPIRY)


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """A deployment as it is kept. `capacity`: thousands of tokens a minute for Standard, PTUs for
    ProvisionedManaged. None: `engine` the operator's default one, `content_filter` the default configuration.
    `upgrade` says when the version moves on by itself. `parity` azure: what the model version could do;
    relaxed: what the engine can.
    """

    name: str
    model: str = "gpt-4"
    version: str = "vision-preview"
    sku: str = "Standard"
    capacity: int = 1
    engine: str | None = None
    content_filter: str | None = None
    upgrade: str = NEVER
    parity: str = "azure"
    created_at: int = 0
    updated_at: int = 0


def list_deployments(database: Engine, resource: str) -> list[DeploymentRow]:
    """Those of a resource, in the order they were made. Raises `NotFound`."""
    with database.connect() as connection:
        require_resource(connection, resource)
        order = (deployments.c.created_at, deployments.c.name)
        rows = connection.execute(
            select(deployments).where(deployments.c.resource == resource).order_by(*order)
        )
        return [_row(row) for row in rows]


def find_deployment(database: Engine, resource: str, name: str) -> DeploymentRow | None:
    """Raises `NotFound` for a resource that is not there."""
    return next((row for row in list_deployments(database, resource) if row.name == name), None)


def put_deployment(database: Engine, resource: str, wanted: DeploymentRow) -> tuple[DeploymentRow, bool]:
    """Make a deployment, or change the one of this name; and whether it was made. Raises `NotFound`,
    `InvalidRequest`, `QuotaExceeded`.
    """
    versions = load_model_versions()
    version = _check(wanted, versions)
    with database.begin() as connection:
        # A lock: two creates at once must not both see quota that is there once.
        connection.execute(update(account_changes).values(count=account_changes.c.count))
        region = require_resource(connection, resource)
        _check_place(wanted, version, region)
        _check_filter(connection, resource, wanted.content_filter)
        known = _find(connection, resource, wanted.name)
        check_quota(connection, versions, region, wanted.sku, version.quota, wanted.capacity, known)
        values = {name: getattr(wanted, name) for name in _KEPT}
        now = int(time.time())
        if known is None:
            values |= {"resource": resource, "name": wanted.name, "strict": None, "created_at": now}
            connection.execute(insert(deployments).values(updated_at=now, **values))
        else:
            here = (deployments.c.resource == resource) & (deployments.c.name == wanted.name)
            connection.execute(update(deployments).where(here).values(updated_at=now, **values))
        return _row(_find(connection, resource, wanted.name)), known is None


def remove_deployment(database: Engine, resource: str, name: str) -> None:
    """Raises `NotFound`."""
    with database.begin() as connection:
        require_resource(connection, resource)
        here = (deployments.c.resource == resource) & (deployments.c.name == name)
        if not connection.execute(delete(deployments).where(here)).rowcount:
            raise no_such_deployment(resource, name)


def upgrade_deployment(
    database: Engine, resource: str, name: str, version: str | None = None
) -> DeploymentRow:
    """Move a deployment to another version of its model, by default the one that follows its own; name and
    keys stay. Raises `NotFound`, `InvalidRequest`, `QuotaExceeded`.
    """
    known = find_deployment(database, resource, name)
    if known is None:
        raise no_such_deployment(resource, name)
    if version is None:
        version = load_model_versions()[(known.model, known.version)].upgrade
        if version is None:
            raise InvalidRequest(
                f"'{known.version}' is the newest version of {known.model}: there is nothing to upgrade to",
                param="version",
            )
    changed = {field: getattr(known, field) for field in (*_KEPT, "name")} | {"version": version}
    return put_deployment(database, resource, DeploymentRow(**changed))[0]


def upgrade_due(connection: Connection, today: int) -> list[tuple[str, str, str]]:
    """Upgrade the deployments whose option says so, at `today` (seconds since 1970): resource, name and new
    version of each.
    """
    versions = load_model_versions()
    moved = []
    for row in connection.execute(select(deployments).where(deployments.c.upgrade != NEVER)).all():
        version = versions.get((row.model, row.version))
        if version is None or version.upgrade is None:
            continue
        newer = versions[(row.model, version.upgrade)]
        due = newer.created if row.upgrade == ON_NEW_DEFAULT else version.retired
        if due > today or row.sku not in newer.skus:
            continue
        here = (deployments.c.resource == row.resource) & (deployments.c.name == row.name)
        connection.execute(
            update(deployments).where(here).values(version=newer.version, updated_at=int(time.time()))
        )
        moved.append((row.resource, row.name, newer.version))
    return moved


def no_such_deployment(resource: str, name: str) -> NotFound:
    return NotFound(f"the resource '{resource}' has no deployment '{name[:64]}'", code="DeploymentNotFound")


def require_resource(connection: Connection, name: str) -> str:
    """The region of a resource that chats. Raises `NotFound`, `InvalidRequest`."""
    row = connection.execute(
        select(resources.c.kind, resources.c.region).where(resources.c.name == name)
    ).first()
    if row is None:
        raise NotFound(f"there is no resource '{name[:64]}'", code="ResourceNotFound")
    if row.kind == "ComputerVision":
        raise InvalidRequest(
            f"'{name}' is a Computer Vision resource: it has no deployments", param="resource"
        )
    region: str = row.region
    return region


_KEPT = ("model", "version", "sku", "capacity", "engine", "content_filter", "upgrade", "parity")


def _check(wanted: DeploymentRow, versions: ModelVersions) -> ModelVersion:
    if not NAME.fullmatch(wanted.name):
        raise InvalidRequest(
            f"'{wanted.name[:80]}' is not a name for a deployment: 1 to 64 letters, digits, '-', '_', '.'; "
            "the first and last are letters or digits",
            param="name",
        )
    version = versions.get((wanted.model, wanted.version))
    if version is None:
        known = ", ".join(f"{name} {version}" for name, version in versions)
        raise InvalidRequest(
            f"The model 'Format: OpenAI, Name: {wanted.model[:60]}, Version: {wanted.version[:60]}' is not "
            f"known; there are {known}",
            param="properties.model",
            code="DeploymentModelNotSupported",
        )
    if wanted.sku not in version.skus:
        raise InvalidRequest(
            f"The sku '{wanted.sku[:60]}' is not supported by the model '{version.name}' version "
            f"'{version.version}'; supported: {', '.join(version.skus)}",
            param="sku.name",
            code="InvalidResourceProperties",
        )
    if wanted.capacity < 1:
        raise InvalidRequest(
            f"The capacity must be 1 or more, not {wanted.capacity}",
            param="sku.capacity",
            code="InvalidCapacity",
        )
    choices: tuple[tuple[str | None, tuple[str, ...], str], ...] = (
        (wanted.engine, ENGINES, "engine"),
        (wanted.upgrade, UPGRADES, "properties.versionUpgradeOption"),
        (wanted.parity, PARITIES, "parity"),
    )
    for value, allowed, param in choices:
        if value is not None and value not in allowed:
            raise InvalidRequest(f"'{value[:60]}' is not one of {', '.join(allowed)}", param=param)
    return version


def _check_place(wanted: DeploymentRow, version: ModelVersion, region: str) -> None:
    if region not in version.regions:
        raise InvalidRequest(
            f"The model '{version.name}' version '{version.version}' is not available in the region "
            f"'{region}'; it is in {', '.join(version.regions)}",
            param="properties.model.version",
            code="DeploymentModelNotSupported",
        )


def _check_filter(connection: Connection, resource: str, name: str | None) -> None:
    if name is None:
        return
    here = (content_filters.c.resource == resource) & (content_filters.c.name == name)
    if connection.scalar(select(func.count()).select_from(content_filters).where(here)) == 0:
        raise InvalidRequest(
            f"there is no content filter configuration '{name[:64]}' in the resource '{resource}'",
            param="properties.raiPolicyName",
        )


def _find(connection: Connection, resource: str, name: str) -> Any:
    here = (deployments.c.resource == resource) & (deployments.c.name == name)
    return connection.execute(select(deployments).where(here)).first()


def _row(row: Any) -> DeploymentRow:
    fields: Mapping[str, Any] = row._mapping
    return DeploymentRow(**{name: fields[name] for name in DeploymentRow.__slots__})
