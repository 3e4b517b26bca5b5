"""Managed identity: which resource may read the blobs of which storage account, without a SAS of its own.

In Azure a resource has an identity, and the identity has a role on a storage account. Here the operator
gives Foveal the account's key, switches the identity of a resource on and assigns the role; Foveal then signs
each address for a short time, for reading one blob. Everything is read from the database when it is needed,
so a role that is taken away stops the next request.
"""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from urllib.parse import quote, unquote

from sqlalchemy import Connection, Engine, delete, insert, select, update

from foveal.errors import Conflict, InvalidRequest, VideoUnreachable
from foveal.images.guard import BadUrl, Target, read_url
from foveal.store.sas import is_key, signed_query
from foveal.store.tables import resources, role_assignments, storage_accounts

LASTS = timedelta(minutes=30)  # of what is signed: for one answer of the storage, which may be a long file
_NAME = re.compile(r"[a-z0-9]{3,24}")


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """An account whose key Foveal has; `endpoint` is the address of its blobs, no slash at its end."""

    name: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    resource: str
    role: str
    account: str


@dataclass(frozen=True, slots=True)
class SignedAddress:
    """An address that may be read for `LASTS`. `host` (`host:port`) is the operator's word: it counts as one
    that may be reached.
    """

    url: str
    host: str


def reading_roles() -> tuple[str, ...]:
    """The names of the roles that let an identity read blobs; the first is the one that the page asks for."""
    text = files("foveal.resources").joinpath("data/roles.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["reading"])


def set_identity(database: Engine, resource: str, on: bool) -> None:
    """Switch the identity of a resource on or off; its roles stay. Raises `InvalidRequest`."""
    with database.begin() as connection:
        _require_resource(connection, resource)
        connection.execute(update(resources).where(resources.c.name == resource).values(identity=on))


def identities(database: Engine) -> frozenset[str]:
    """The names of the resources whose identity is on."""
    with database.connect() as connection:
        return frozenset(connection.scalars(select(resources.c.name).where(resources.c.identity)))


def add_storage_account(
    database: Engine, name: str, key: str, *, endpoint: str | None = None, replace: bool = False
) -> StorageAccount:
    """Keep an account and its key. `endpoint` is Azure's public one when not given.

    Raises `InvalidRequest`, and `Conflict` when there is one of this name and it is not to be replaced.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"'{name[:80]}' is not a name for a storage account: 3 to 24 small letters and digits",
            param="account",
        )
    key = key.strip()
    if not is_key(key):
        raise InvalidRequest("the key is none of a storage account: those are base64", param="key")
    address = _read_endpoint(endpoint or f"https://{name}.blob.core.windows.net")
    with database.begin() as connection:
        known = connection.scalar(select(storage_accounts.c.name).where(storage_accounts.c.name == name))
        if known is not None and not replace:
            raise Conflict(f"there is a storage account '{name}' already; --replace gives it another key")
        values = {"endpoint": address, "secret": key}
        if known is None:
            made = {"name": name, "created_at": int(time.time())}
            connection.execute(insert(storage_accounts).values(**made, **values))
        else:
            connection.execute(
                update(storage_accounts).where(storage_accounts.c.name == name).values(**values)
            )
    return StorageAccount(name, address)


def list_storage_accounts(database: Engine) -> list[StorageAccount]:
    with database.connect() as connection:
        rows = connection.execute(select(storage_accounts).order_by(storage_accounts.c.name))
        return [StorageAccount(row.name, row.endpoint) for row in rows]


def remove_storage_account(database: Engine, name: str) -> None:
    """Forget an account, its key and the roles on it. Raises `InvalidRequest`."""
    with database.begin() as connection:
        _require_account(connection, name)
        connection.execute(delete(storage_accounts).where(storage_accounts.c.name == name))


def assign_role(database: Engine, resource: str, role: str, account: str) -> RoleAssignment:
    """Give the identity of a resource a role on an account; nothing happens when it has it.

    Raises `InvalidRequest`.
    """
    known = {name.lower(): name for name in reading_roles()}
    if role.lower() not in known:
        raise InvalidRequest(
            f"'{role[:80]}' is no role that reads blobs; there are: {', '.join(known.values())}", param="role"
        )
    made = RoleAssignment(resource, known[role.lower()], account)
    with database.begin() as connection:
        _require_resource(connection, resource)
        _require_account(connection, account)
        if not _has(connection, made):
            values = {"resource": resource, "role": made.role, "account": account}
            connection.execute(insert(role_assignments).values(**values))
    return made


def list_roles(database: Engine) -> list[RoleAssignment]:
    table = role_assignments.c
    with database.connect() as connection:
        rows = connection.execute(
            select(role_assignments).order_by(table.resource, table.account, table.role)
        )
        return [RoleAssignment(row.resource, row.role, row.account) for row in rows]


def remove_role(database: Engine, resource: str, role: str, account: str) -> None:
    """Take a role away. Raises `InvalidRequest` when there is none such."""
    table = role_assignments.c
    known = {name.lower(): name for name in reading_roles()}
    assignment = RoleAssignment(resource, known.get(role.lower(), role), account)
    with database.begin() as connection:
        if not _has(connection, assignment):
            raise InvalidRequest(f"{resource} has no role '{role[:80]}' on {account}", param="role")
        connection.execute(
            delete(role_assignments).where(
                table.resource == resource, table.role == assignment.role, table.account == account
            )
        )


class StorageAccess:
    """Addresses of blobs, signed in the name of a resource's identity. Calls block."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def address(self, resource: str, url: str) -> SignedAddress:
        """The address `url` signed anew; what signed it before is dropped.

        Raises `VideoUnreachable` that says what is missing: the identity, the account or the role.
        """
        target = _read(url)
        with self._database.connect() as connection:
            account = _account_of(connection, target)
            if not connection.scalar(select(resources.c.identity).where(resources.c.name == resource)):
                raise VideoUnreachable(
                    f"The managed identity of the resource '{resource}' is off: switch it on with "
                    f"`foveal resource identity {resource} on`.",
                    code="ManagedIdentityNotEnabled",
                )
            if account is None:
                raise VideoUnreachable(
                    f"The video is at {target.host}, which is no storage account that this server knows: "
                    "its operator adds it with `foveal storage add`.",
                    code="StorageAccountUnknown",
                )
            name, endpoint, key = account
            roles = select(role_assignments.c.role).where(
                role_assignments.c.resource == resource, role_assignments.c.account == name
            )
            if not set(connection.scalars(roles)) & set(reading_roles()):
                raise VideoUnreachable(
                    f"The managed identity of the resource '{resource}' has no role on the storage account "
                    f"'{name}': it needs the role {reading_roles()[0]} (`foveal role assign {resource} "
                    f'"{reading_roles()[0]}" --account {name}`).',
                    code="RoleAssignmentMissing",
                )
        return _signed(name, endpoint, key, target)


def _signed(account: str, endpoint: str, key: str, target: Target) -> SignedAddress:
    own = read_url(endpoint)
    below = _path(target)[len(_path(own).rstrip("/")) :].lstrip("/")
    container, slash, blob = below.partition("/")
    if not (container and slash and blob):
        raise VideoUnreachable(
            f"The address names no blob: it has to be {endpoint}/CONTAINER/BLOB.",
            code="VideoUrlNotAccessible",
        )
    until = datetime.now(UTC) + LASTS
    query = signed_query(key, account, container, blob, until=until, https=own.scheme == "https")
    path = quote(f"{container}/{blob}", safe="/")
    return SignedAddress(f"{endpoint}/{path}?{query}", f"{_bracketed(own.host)}:{own.port}")


def _account_of(connection: Connection, target: Target) -> tuple[str, str, str] | None:
    """Name, endpoint and key of the account that an address belongs to.

    The host is compared and, where accounts stand in the path (Azurite), the path; the scheme is the
    operator's, whatever the address says.
    """
    for row in connection.execute(select(storage_accounts)):
        own = read_url(row.endpoint)
        if own.host != target.host:
            continue
        usual = {own.port} | ({80, 443} if own.port in (80, 443) else set())
        below = _path(own).rstrip("/") + "/"
        if target.port in usual and _path(target).startswith(below):
            return row.name, row.endpoint, row.secret
    return None


def _path(target: Target) -> str:
    """The path of an address, unquoted, without its query."""
    return unquote(target.path.decode("ascii").partition("?")[0])


def _read(url: str) -> Target:
    try:
        return read_url(url)
    except BadUrl as error:
        raise VideoUnreachable(f"The video's address {error}.") from None


def _read_endpoint(endpoint: str) -> str:
    try:
        target = read_url(endpoint.rstrip("/"))
    except BadUrl as error:
        raise InvalidRequest(f"the endpoint {error}", param="endpoint") from None
    if b"?" in target.path:
        raise InvalidRequest("the endpoint has a query (a SAS?): give the bare address", param="endpoint")
    return str(target.url).rstrip("/")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _has(connection: Connection, assignment: RoleAssignment) -> bool:
    table = role_assignments.c
    found: Sequence[object] = connection.execute(
        select(table.role).where(
            table.resource == assignment.resource,
            table.role == assignment.role,
            table.account == assignment.account,
        )
    ).all()
    return bool(found)


def _require_resource(connection: Connection, name: str) -> None:
    if connection.scalar(select(resources.c.name).where(resources.c.name == name)) is None:
        raise InvalidRequest(f"there is no resource '{name[:80]}'", param="resource")


def _require_account(connection: Connection, name: str) -> None:
    if connection.scalar(select(storage_accounts.c.name).where(storage_accounts.c.name == name)) is None:
        raise InvalidRequest(
            f"there is no storage account '{name[:80]}': add it with `foveal storage add`", param="account"
        )
