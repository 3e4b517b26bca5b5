"""Metering over a data directory of a test, with a clock that the test turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from foveal.metering.base import MICROS
from foveal.metering.prices import Prices, load_prices
from foveal.metering.service import Metering
from foveal.metering.spending import Told
from foveal.metering.usage import Report, UsageQuery, read_usage
from foveal.store.database import open_database
from foveal.store.ledger_tables import ledger


def moment(text: str) -> int:
    """Microseconds of a time of UTC: 2024-04-09T12:00."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * MICROS)


@dataclass
class Clock:
    at: int = field(default_factory=lambda: moment("2024-04-09T12:00"))

    def __call__(self) -> int:
        return self.at

    def turn(self, text: str) -> None:
        self.at = moment(text)


@dataclass
class Office:
    """`metering` of the folder `data`; nothing moves into SQL but by `flush` and what calls it."""

    data: Path
    database: Engine
    clock: Clock
    metering: Metering
    alerts: list[tuple[str, int]]

    def settle(self, units: dict[str, float] | None = None, **changes: Any) -> None:
        parts: dict[str, Any] = {
            "resource": "local",
            "principal": "key1",
            "kind": "chat",
            "outcome": "answered",
            "units": {"input_tokens": 100, "output_tokens": 100} if units is None else units,
            "deployment": "gpt-4v",
            **changes,
        }
        self.metering.settle(**parts)

    def flush(self) -> None:
        """Everything into SQL, and what SQL says of budgets back."""
        self.metering.ledger.flush()
        self.metering.spending.refresh()

    def usage(self, **query: Any) -> Report:
        return self.metering.usage(UsageQuery(**query))

    def rows(self) -> int:
        with self.database.connect() as connection:
            return connection.scalar(select(func.count()).select_from(ledger)) or 0

    def close(self) -> None:
        self.metering.close()
        self.database.dispose()


def open_office(data: Path, clock: Clock | None = None, prices: Prices | None = None) -> Office:
    database, clock, alerts = open_database(data), clock or Clock(), list[tuple[str, int]]()
    told = Told(alert=lambda name, percent: alerts.append((name, percent)))
    metering = Metering(database, data, prices or load_prices(), told=told, clock=clock)
    return Office(data, database, clock, metering, alerts)


def requests_of(report: Report) -> dict[tuple[str, ...], int]:
    return {row.group: row.requests for row in report.rows}


def read_all(database: Engine, **query: Any) -> Report:
    return read_usage(database, load_prices(), UsageQuery(**query))
