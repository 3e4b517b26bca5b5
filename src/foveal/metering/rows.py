"""Entries → rows: the ledger and its sums by day, written together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, text

from foveal.metering.base import MICROS, REQUESTS, Entry, day_of, micros
from foveal.store.ledger_tables import ledger

_AT_ONCE = 500  # ids that are asked about in one statement
_ADD = text(
    "INSERT INTO usage_days (day, resource, deployment, principal, kind, outcome, meter, micros) VALUES "
    "(:day, :resource, :deployment, :principal, :kind, :outcome, :meter, :micros) "
    "ON CONFLICT (day, resource, deployment, principal, kind, outcome, meter) "
    "DO UPDATE SET micros = usage_days.micros + excluded.micros"
)
_SUMMED = ("day", "resource", "deployment", "principal", "kind", "outcome", "meter")


def write_entries(connection: Connection, entries: Sequence[Entry]) -> int:
    """Write those that are not there yet, within the caller's transaction; returns how many that were.

    The transaction must have begun with a write (or on SQLite with BEGIN IMMEDIATE), so that nobody else
    writes the same ids meanwhile.
    """
    given = {entry.id: entry for entry in entries}
    for known in _known(connection, list(given)):
        del given[known]
    if not given:
        return 0
    connection.execute(insert(ledger), [_row(entry) for entry in given.values()])
    sums: dict[tuple[str, ...], int] = defaultdict(int)
    for entry in given.values():
        for key, number in _parts(entry):
            sums[key] += number
    rows = [{**dict(zip(_SUMMED, key, strict=True)), "micros": number} for key, number in sums.items()]
    connection.execute(_ADD, rows)
    return len(given)


def _known(connection: Connection, ids: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        yield from connection.scalars(select(ledger.c.id).where(ledger.c.id.in_(part)))


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "resource": entry.resource,
        "deployment": entry.deployment or "",
        "principal": entry.principal,
        "kind": entry.kind,
        "outcome": entry.outcome,
        "units": dict(entry.units),
    }


def _parts(entry: Entry) -> Iterator[tuple[tuple[str, ...], int]]:
    same = (
        day_of(entry.at),
        entry.resource,
        entry.deployment or "",
        entry.principal,
        entry.kind,
        entry.outcome,
    )
    yield (*same, REQUESTS), MICROS
    for meter, number in entry.units.items():
        yield (*same, meter), micros(number)
