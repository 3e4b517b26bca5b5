"""Content filter configurations and blocklists: made, listed, removed, and given to deployments."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, Engine, Table, delete, insert, select, update

from foveal.errors import InvalidRequest
from foveal.resources.content_filters import Blocklist, ContentFilter, StoredFilter
from foveal.store.tables import blocklists, content_filters, deployments, resources

DEFAULT = "default"
MOST_ENTRIES = 10_000  # of a blocklist, as on Azure
MOST_LETTERS = 1_000  # of an entry
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class FilterRow:
    """`deployments` are those that have it. The configuration `default` is always there and never changes."""

    name: str
    configuration: StoredFilter
    deployments: tuple[str, ...]


def read_filters(connection: Connection) -> Mapping[tuple[str, str], ContentFilter]:
    """Every configuration by resource and name, its blocklists filled in."""
    lists: dict[str, dict[str, Blocklist]] = {}
    for row in connection.execute(select(blocklists)):
        found = Blocklist(row.name, tuple(row.terms), tuple(row.patterns))
        lists.setdefault(row.resource, {})[row.name] = found
    return {
        (row.resource, row.name): _stored(row.configuration).opened(row.name, lists.get(row.resource, {}))
        for row in connection.execute(select(content_filters))
    }


def list_filters(database: Engine, resource: str) -> list[FilterRow]:
    """Raises `InvalidRequest` for an unknown resource."""
    with database.connect() as connection:
        _require(connection, resource)
        rows = connection.execute(
            select(content_filters).where(content_filters.c.resource == resource).order_by("name")
        )
        found = [(DEFAULT, StoredFilter()), *((row.name, _stored(row.configuration)) for row in rows)]
        users = _users(connection, resource)
        return [FilterRow(name, stored, tuple(users.get(name, ()))) for name, stored in found]


def put_filter(database: Engine, resource: str, name: str, configuration: StoredFilter) -> None:
    """Make a configuration, or change it. Raises `InvalidRequest`."""
    if name == DEFAULT:
        raise InvalidRequest("the configuration 'default' cannot be changed; give yours another name")
    _check_name(name)
    if configuration.completion.jailbreak != "off":
        raise InvalidRequest("jailbreak is looked for in prompts only", param="completion")
    with database.begin() as connection:
        _require(connection, resource)
        known = _names(connection, blocklists, resource)
        for side in (configuration.prompt, configuration.completion):
            for wanted in side.blocklists:
                if wanted not in known:
                    raise InvalidRequest(
                        f"there is no blocklist '{wanted}'; make it first", param="blocklists"
                    )
        _put(
            connection, content_filters, resource, name, {"configuration": msgspec.to_builtins(configuration)}
        )


def remove_filter(database: Engine, resource: str, name: str) -> None:
    """Raises `InvalidRequest`: it is not there, or a deployment has it."""
    with database.begin() as connection:
        if name not in _names(connection, content_filters, resource):
            raise InvalidRequest(f"there is no content filter '{name}'", param="name")
        users = _users(connection, resource).get(name, [])
        if users:
            raise InvalidRequest(
                f"deployments have it: {', '.join(users)}; attach another to them first", param="name"
            )
        _remove(connection, content_filters, resource, name)


def attach_filter(database: Engine, resource: str, name: str, deployment: str) -> None:
    """Give a deployment a configuration; `default` takes its own away. Raises `InvalidRequest`."""
    with database.begin() as connection:
        if name != DEFAULT and name not in _names(connection, content_filters, resource):
            raise InvalidRequest(f"there is no content filter '{name}'", param="name")
        changed = connection.execute(
            update(deployments)
            .where(deployments.c.resource == resource, deployments.c.name == deployment)
            .values(content_filter=None if name == DEFAULT else name)
        )
        if changed.rowcount == 0:
            raise InvalidRequest(f"the resource '{resource}' has no deployment '{deployment}'", param="name")


def list_blocklists(database: Engine, resource: str) -> list[Blocklist]:
    with database.connect() as connection:
        _require(connection, resource)
        rows = connection.execute(
            select(blocklists).where(blocklists.c.resource == resource).order_by("name")
        )
        return [Blocklist(row.name, tuple(row.terms), tuple(row.patterns)) for row in rows]


def put_blocklist(database: Engine, resource: str, blocklist: Blocklist) -> None:
    """Make a blocklist, or put it in the place of the one that has its name. Raises `InvalidRequest`.

    Patterns are taken as they are: whoever calls has tried them.
    """
    _check_name(blocklist.name)
    entries: Sequence[str] = (*blocklist.terms, *blocklist.patterns)
    if not entries:
        raise InvalidRequest("a blocklist needs a term or a pattern", param="terms")
    if len(entries) > MOST_ENTRIES:
        raise InvalidRequest(f"a blocklist has at most {MOST_ENTRIES} entries", param="terms")
    for entry in entries:
        if not entry.strip() or len(entry) > MOST_LETTERS:
            raise InvalidRequest(
                f"an entry has 1 to {MOST_LETTERS} characters: '{entry[:40]}'", param="terms"
            )
    with database.begin() as connection:
        _require(connection, resource)
        values = {"terms": list(blocklist.terms), "patterns": list(blocklist.patterns)}
        _put(connection, blocklists, resource, blocklist.name, values)


def remove_blocklist(database: Engine, resource: str, name: str) -> None:
    """Raises `InvalidRequest`: it is not there, or a configuration names it."""
    with database.begin() as connection:
        if name not in _names(connection, blocklists, resource):
            raise InvalidRequest(f"there is no blocklist '{name}'", param="name")
        for row in connection.execute(select(content_filters).where(content_filters.c.resource == resource)):
            stored = _stored(row.configuration)
            if name in (*stored.prompt.blocklists, *stored.completion.blocklists):
                raise InvalidRequest(f"the content filter '{row.name}' has it", param="name")
        _remove(connection, blocklists, resource, name)


def _stored(configuration: object) -> StoredFilter:
    return msgspec.convert(configuration, StoredFilter)


def _users(connection: Connection, resource: str) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    for row in connection.execute(select(deployments).where(deployments.c.resource == resource)):
        users.setdefault(row.content_filter or DEFAULT, []).append(row.name)
    return users


def _names(connection: Connection, table: Table, resource: str) -> set[str]:
    return set(connection.scalars(select(table.c.name).where(table.c.resource == resource)))


def _put(
    connection: Connection, table: Table, resource: str, name: str, values: Mapping[str, object]
) -> None:
    now = int(time.time())
    here = (table.c.resource == resource) & (table.c.name == name)
    if connection.execute(update(table).where(here).values(updated_at=now, **values)).rowcount == 0:
        row = {"resource": resource, "name": name, "created_at": now, "updated_at": now, **values}
        connection.execute(insert(table).values(**row))


def _remove(connection: Connection, table: Table, resource: str, name: str) -> None:
    connection.execute(delete(table).where(table.c.resource == resource, table.c.name == name))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"'{name[:70]}' is no name: up to 64 letters, digits, hyphens and underscores", param="name"
        )


def _require(connection: Connection, resource: str) -> None:
    if connection.scalar(select(resources.c.name).where(resources.c.name == resource)) is None:
        raise InvalidRequest(f"there is no resource '{resource}'", param="resource")
