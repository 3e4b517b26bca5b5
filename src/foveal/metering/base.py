"""The contract of metering: what an entry of the ledger is, and what those who spend something call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

Kind = Literal["chat", "analysis", "ingestion", "query"]
# answered; the prompt was filtered; the answer was cut by the content filter; the client left; it failed
Outcome = Literal["answered", "filtered", "cut", "left", "failed"]

# What is counted, in the order in which it is shown. `analysis` is a feature of an image analysis.
METERS: Final = (
    "input_tokens",
    "output_tokens",
    "ocr",
    "grounding",
    "video_minutes",
    "video_queries",
    "analysis",
)
REQUESTS: Final = "requests"  # the meter of the sums that every entry adds 1 to
MICROS: Final = 1_000_000  # of a unit in sums, of a second in times
OPERATOR: Final = "operator"  # the principal of the command line


@dataclass(frozen=True, slots=True)
class Entry:
    """What one request spent. `at` is in microseconds since 1970; `principal` is by what it was asked (key1,
    key2), never the key; `units` are numbers by meter, without those that are nothing.
    """

    id: str
    at: int
    resource: str
    deployment: str | None
    principal: str
    kind: Kind
    outcome: Outcome
    units: Mapping[str, float]


class Meter(Protocol):
    """What the surfaces call: before any work, and when something was spent. Both take microseconds."""

    def admit(self, resource: str, deployment: str | None = None) -> None:
        """Raises `BudgetExceeded`."""
        ...

    def settle(
        self,
        resource: str,
        principal: str,
        kind: Kind,
        outcome: Outcome,
        units: Mapping[str, float],
        deployment: str | None = None,
    ) -> None:
        """When it returns, a kill of the process does not lose the entry."""
        ...


class Unmetered:
    """`Meter` that counts nothing."""

    def admit(self, resource: str, deployment: str | None = None) -> None:
        return None

    def settle(
        self,
        resource: str,
        principal: str,
        kind: Kind,
        outcome: Outcome,
        units: Mapping[str, float],
        deployment: str | None = None,
    ) -> None:
        return None


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def day_of(at: int) -> str:
    """The UTC day of a moment: 2024-04-09."""
    return datetime.fromtimestamp(at // MICROS, UTC).date().isoformat()


def micros(units: float) -> int:
    """Units as millionths, rounded to the nearest."""
    return units * MICROS if isinstance(units, int) else round(units * MICROS)
