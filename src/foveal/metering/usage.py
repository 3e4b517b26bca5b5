"""Usage: the ledger's sums by deployment, key, day, kind or outcome, with what they cost."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Engine, func, select

from foveal.errors import InvalidRequest
from foveal.metering.base import METERS, MICROS, REQUESTS
from foveal.metering.prices import NOTHING, Prices
from foveal.store.ledger_tables import usage_days

# What usage is told by, and the columns that name a row of it.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "deployment": ("resource", "deployment"),
    "key": ("resource", "key"),
    "day": ("day",),
    "kind": ("kind",),
    "outcome": ("outcome",),
}
_COLUMNS: Final = {"key": "principal"}


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Days are UTC, as 2024-04-09, both included; empty: no bound. `resource` None: all."""

    by: str = "deployment"
    since: str = ""
    until: str = ""
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class UsageRow:
    """`units` are numbers by meter, without those that are nothing."""

    group: tuple[str, ...]
    requests: int
    units: Mapping[str, int | float]
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Report:
    """`columns` names what `group` of each row is."""

    query: UsageQuery
    columns: tuple[str, ...]
    currency: str
    rows: Sequence[UsageRow]
    total: UsageRow

    @property
    def meters(self) -> list[str]:
        """Those that anything was counted on."""
        return [meter for meter in METERS if meter in self.total.units]


def read_usage(database: Engine, prices: Prices, query: UsageQuery) -> Report:
    """What was spent, the rows in the order of their names. Raises `InvalidRequest`."""
    columns = GROUPS.get(query.by)
    if columns is None:
        raise InvalidRequest(f"usage is told by {', '.join(GROUPS)}, not by '{query.by[:40]}'", param="by")
    group = [usage_days.c[_COLUMNS.get(name, name)] for name in columns]
    day = [usage_days.c.day] if prices.dated else []
    priced = [usage_days.c.resource, usage_days.c.deployment, usage_days.c.meter, *day]
    wanted = [
        *([usage_days.c.day >= query.since] if query.since else []),
        *([usage_days.c.day <= query.until] if query.until else []),
        *([usage_days.c.resource == query.resource] if query.resource is not None else []),
    ]
    statement = (
        select(*(column.label(None) for column in [*group, *priced]), func.sum(usage_days.c.micros))
        .where(*wanted)
        .group_by(*group, *priced)
    )
    sums: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    costs: dict[tuple[str, ...], Decimal] = defaultdict(lambda: NOTHING)
    with database.connect() as connection:
        for found in connection.execute(statement):
            name = tuple(found[: len(group)])
            resource, deployment, meter, *on = found[len(group) : -1]
            number = int(found[-1])
            sums[name][meter] += number
            costs[name] += prices.cost(meter, number, resource, deployment, on[0] if on else "")
    rows = [_row(name, sums[name], costs[name]) for name in sorted(sums)]
    return Report(query, columns, prices.currency, rows, _total(sums, costs))


def report_object(report: Report) -> dict[str, Any]:
    """As JSON; costs are texts, so that no reader rounds them."""
    query = report.query
    return {
        "object": "usage",
        "by": query.by,
        "from": query.since or None,
        "to": query.until or None,
        "currency": report.currency,
        "data": [
            {**dict(zip(report.columns, row.group, strict=True)), **_numbers(row)} for row in report.rows
        ],
        "total": _numbers(report.total),
    }


def report_csv(report: Report) -> str:
    """A line of names, then a line per row: every meter, the cost, the currency. No total: sheets add up."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*report.columns, REQUESTS, *METERS, "cost", "currency"])
    for row in report.rows:
        units = [row.units.get(meter, 0) for meter in METERS]
        names = [_harmless(name) for name in row.group]
        writer.writerow([*names, row.requests, *units, f"{_plain(row.cost)}", report.currency])
    return out.getvalue()


def _row(group: tuple[str, ...], sums: Mapping[str, int], cost: Decimal) -> UsageRow:
    units = {meter: _number(sums[meter]) for meter in METERS if sums.get(meter)}
    return UsageRow(group, sums.get(REQUESTS, 0) // MICROS, units, cost)


def _total(
    sums: Mapping[tuple[str, ...], Mapping[str, int]], costs: Mapping[tuple[str, ...], Decimal]
) -> UsageRow:
    together: dict[str, int] = defaultdict(int)
    for parts in sums.values():
        for meter, number in parts.items():
            together[meter] += number
    return _row((), together, sum(costs.values(), NOTHING))


def _number(millionths: int) -> int | float:
    whole, rest = divmod(millionths, MICROS)
    return millionths / MICROS if rest else whole


def _numbers(row: UsageRow) -> dict[str, Any]:
    return {REQUESTS: row.requests, "units": dict(row.units), "cost": _plain(row.cost)}


def _plain(cost: Decimal) -> str:
    """All digits that say something, without an exponent."""
    return f"{cost.normalize():f}"


def _harmless(name: str) -> str:
    """A spreadsheet would take what begins like this for a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@") else name
