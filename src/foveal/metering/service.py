"""Metering for one process: the ledger, the prices and the budgets behind one object."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, Engine

from foveal.metering.base import OPERATOR, Entry, Kind, Outcome, now
from foveal.metering.ledger import Ledger
from foveal.metering.prices import Prices
from foveal.metering.rows import write_entries
from foveal.metering.spending import Spending, Told
from foveal.metering.usage import Report, UsageQuery, read_usage

LONGEST = 256  # characters of a principal


class Metering:
    """`Meter` over a data directory. `start` begins moving the journal into SQL, `close` ends it."""

    def __init__(
        self,
        database: Engine,
        data: Path,
        prices: Prices,
        *,
        told: Told | None = None,
        clock: Callable[[], int] = now,
    ) -> None:
        self._database = database
        self._prices = prices
        self._clock = clock
        self.spending = Spending(database, prices, clock, told or Told())
        self.ledger = Ledger(database, data, self.spending)
        self._ids = Ids()

    def start(self) -> None:
        self.spending.refresh()
        self.ledger.start()

    def close(self) -> None:
        self.ledger.close()

    def admit(self, resource: str, deployment: str | None = None) -> None:
        self.spending.admit(resource, deployment)

    def settle(
        self,
        resource: str,
        principal: str,
        kind: Kind,
        outcome: Outcome,
        units: Mapping[str, float],
        deployment: str | None = None,
    ) -> None:
        at = self._clock()
        who = _writable(principal)
        entry = Entry(
            self._ids.next(at), at, resource, deployment, who, kind, outcome, _without_nothing(units)
        )
        self.ledger.settle(entry)

    def usage(self, query: UsageQuery) -> Report:
        """With everything that this process has settled so far. Raises `InvalidRequest`."""
        self.ledger.flush()
        return read_usage(self._database, self._prices, query)


class Ids:
    """Ids of entries: they grow with time, and no other process makes the same."""

    def __init__(self) -> None:
        self._process = secrets.token_hex(6)
        self._numbers = itertools.count()

    def next(self, at: int) -> str:
        return f"{at:014x}-{self._process}-{next(self._numbers):x}"


def settle_ingestion(
    connection: Connection, resource: str, principal: str | None, document: int, minutes: float
) -> None:
    """Write the entry of a video that was added, within the transaction that publishes its document.

    So there is an entry if, and only if, there is a document, whenever the process ends; the id is the
    document's, whose key is never used again.
    """
    units = _without_nothing({"video_minutes": minutes})
    who = principal or OPERATOR
    entry = Entry(f"ingestion-{document}", now(), resource, None, who, "ingestion", "answered", units)
    write_entries(connection, [entry])


def _writable(principal: str) -> str:
    """As every database takes it: what a token says of its subject is somebody else's word."""
    if len(principal) <= LONGEST and principal.isprintable():
        return principal
    return "".join(letter if letter.isprintable() else "?" for letter in principal[:LONGEST])


def _without_nothing(units: Mapping[str, float]) -> dict[str, float]:
    return {meter: number for meter, number in units.items() if number}
