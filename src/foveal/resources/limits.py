"""Rate limits: tokens and requests that a deployment may take in a minute, kept for all processes together.

A request is counted when it arrives, by an estimate of its tokens, and set right when it has ended. The
counts are one row of a small SQLite file for each deployment, changed by one statement (some 20 µs): however
many processes ask at once, a limit is never passed. Nothing in the file is worth keeping.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from foveal.errors import TooManyRequests
from foveal.resources.deployments import Deployment

FILE_NAME = "limits.db"
MINUTE = 60
SLICE = 10  # seconds in which requests are judged
PATIENCE = 5.0  # seconds that a process waits for another one's statement
QUOTA_HELP = (
    "Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default "
    "rate limit."
)

_TABLE = """CREATE TABLE IF NOT EXISTS windows (
    name TEXT PRIMARY KEY, minute INTEGER NOT NULL, tokens INTEGER NOT NULL,
    slice INTEGER NOT NULL, requests INTEGER NOT NULL
) WITHOUT ROWID"""
_TOKENS = "CASE WHEN minute = :minute THEN tokens ELSE 0 END"
_REQUESTS = "CASE WHEN slice = :slice THEN requests ELSE 0 END"
_RESERVE = f"""INSERT INTO windows VALUES (:name, :minute, :tokens, :slice, 1)
ON CONFLICT (name) DO UPDATE SET tokens = {_TOKENS} + :tokens, minute = :minute,
    requests = {_REQUESTS} + 1, slice = :slice
WHERE {_TOKENS} + :needed <= :most_tokens AND {_REQUESTS} + 1 <= :most_requests
RETURNING tokens, requests"""
_LOOK = f"SELECT {_TOKENS}, {_REQUESTS} FROM windows WHERE name = :name"
_SETTLE = "UPDATE windows SET tokens = max(0, tokens + :change) WHERE name = :name AND minute = :minute"


@dataclass(frozen=True, slots=True)
class Sku:
    """What a unit of capacity allows in a minute; `requests` 0: any number. With `utilization` a request is
    taken while less than all is used.
    """

    tokens: int
    requests: int
    utilization: bool


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tokens that were counted for a request that has not ended, and what is left of the limits."""

    name: str
    minute: int
    tokens: int
    remaining_tokens: int
    remaining_requests: int | None

    def headers(self) -> dict[str, str]:
        """As Azure tells them; requests are those of the slice of 10 seconds."""
        told = {"x-ratelimit-remaining-tokens": str(self.remaining_tokens)}
        if self.remaining_requests is not None:
            told["x-ratelimit-remaining-requests"] = str(self.remaining_requests)
        return told


@dataclass(frozen=True, slots=True)
class Operation:
    """What a refusal names: the operation, the api-version and the tier of the resource."""

    name: str
    api_version: str
    tier: str


class RateLimits:
    """`folder` is the data directory; processes with the same one share the counts. Thread-safe."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._skus = load_skus()
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            folder / FILE_NAME, isolation_level=None, timeout=PATIENCE, check_same_thread=False
        )
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = OFF", _TABLE):
            self._database.execute(statement)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def reserve(
        self, resource: str, deployment: Deployment, tokens: int, operation: Operation
    ) -> Reservation:
        """Count a request of about so many tokens. Raises `TooManyRequests`, counting nothing, when it is one
        too many.
        """
        sku = self._skus[deployment.sku]
        name = f"{resource}/{deployment.name}"
        now = self._clock()
        most_tokens = deployment.capacity * sku.tokens
        most_requests = deployment.capacity * sku.requests * SLICE // MINUTE
        minute = int(now // MINUTE)
        needed = 1 if sku.utilization else tokens
        asked = {
            "name": name,
            "minute": minute,
            "slice": int(now // SLICE),
            "tokens": tokens,
            "needed": needed,
            "most_tokens": most_tokens,
            "most_requests": most_requests or 1 << 62,
        }
        row = None
        with self._lock:
            if needed <= most_tokens:
                row = self._database.execute(_RESERVE, asked).fetchone()
            used = row or self._database.execute(_LOOK, asked).fetchone() or (0, 0)
        if row is None:
            requests_are_out = bool(sku.requests) and used[1] >= most_requests
            raise _refused(sku, operation, requests_are_out, now)
        left = max(0, most_requests - used[1]) if sku.requests else None
        return Reservation(name, minute, tokens, max(0, most_tokens - used[0]), left)

    def settle(self, reservation: Reservation, tokens: int) -> None:
        """The request has ended and took `tokens`. In a later minute it makes no difference."""
        change = tokens - reservation.tokens
        if change:
            with self._lock:
                self._database.execute(
                    _SETTLE, {"name": reservation.name, "minute": reservation.minute, "change": change}
                )


def load_skus() -> Mapping[str, Sku]:
    """Standard and ProvisionedManaged."""
    text = files(__package__).joinpath("data/limits.toml").read_text("utf-8")
    return {name: Sku(**row) for name, row in tomllib.loads(text).items()}


def _refused(sku: Sku, operation: Operation, requests_are_out: bool, now: float) -> TooManyRequests:
    window = SLICE if requests_are_out else MINUTE
    milliseconds = max(1, math.ceil(1000 * (window - now % window)))
    seconds = math.ceil(milliseconds / 1000)
    headers = {"retry-after": str(seconds), "retry-after-ms": str(milliseconds)}
    asked = (
        f"Requests to the {operation.name} Operation under Azure OpenAI API version {operation.api_version}"
    )
    if sku.utilization:
        message = (
            f"{asked} have exceeded the provisioned utilization of this deployment (100%). "
            f"Please retry after {seconds} seconds."
        )
    else:
        limit = "call" if requests_are_out else "token"
        message = (
            f"{asked} have exceeded {limit} rate limit of your current OpenAI {operation.tier} pricing tier. "
            f"Please retry after {seconds} seconds. {QUOTA_HELP}"
        )
    return TooManyRequests(message, headers=headers)
