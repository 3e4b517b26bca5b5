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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from foveal.errors import TooManyRequests
from foveal.resources.deployments import Deployment
from foveal.resources.keys import KeyLimit

FILE_NAME = "limits.db"
MINUTE = 60
SLICE = 10  # seconds in which requests are judged
_ANY = 1 << 62
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
    """Tokens that were counted for a request that has not ended, under these names, and what is left of the
    deployment's limits.
    """

    names: tuple[str, ...]
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
        self,
        resource: str,
        deployment: Deployment,
        tokens: int,
        operation: Operation,
        key: tuple[str, KeyLimit] | None = None,
    ) -> Reservation:
        """Count a request of about so many tokens, also for its `key` (name and limit) if that is limited.
        Raises `TooManyRequests`, counting nothing, when it is one too many.
        """
        sku = self._skus[deployment.sku]
        now = self._clock()
        ways = [_of_deployment(f"{resource}/{deployment.name}", deployment.capacity, sku)]
        if key is not None:
            ways.append(_of_key(f"{resource}#{key[0]}", key[1]))
        with self._lock:
            found = self._count(ways, tokens, now)
        for way, (counted, used) in zip(ways, found, strict=True):
            if not counted:
                raise _refused(way, operation, way.slice is not None and used[1] >= way.slice, now)
        first, used = ways[0], found[0][1]
        left = None if first.slice is None else max(0, first.slice - used[1])
        names = tuple(way.name for way in ways)
        return Reservation(names, int(now // MINUTE), tokens, max(0, (first.tokens or 0) - used[0]), left)

    def settle(self, reservation: Reservation, tokens: int) -> None:
        """The request has ended and took `tokens`. In a later minute it makes no difference."""
        change = tokens - reservation.tokens
        if change:
            with self._lock:
                for name in reservation.names:
                    self._database.execute(
                        _SETTLE, {"name": name, "minute": reservation.minute, "change": change}
                    )

    def _count(self, ways: Sequence[_Way], tokens: int, now: float) -> list[tuple[bool, tuple[int, int]]]:
        """For each way whether the request was counted, and tokens and requests that are; all are or none."""
        if len(ways) == 1:
            return [self._count_one(ways[0], tokens, now)]
        self._database.execute("BEGIN IMMEDIATE")
        try:
            found = [self._count_one(way, tokens, now) for way in ways]
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT" if all(counted for counted, _ in found) else "ROLLBACK")
        return found

    def _count_one(self, way: _Way, tokens: int, now: float) -> tuple[bool, tuple[int, int]]:
        needed = 1 if way.utilization else tokens
        most_tokens = _ANY if way.tokens is None else way.tokens
        most_requests = _ANY if way.slice is None else way.slice
        asked = {
            "name": way.name,
            "minute": int(now // MINUTE),
            "slice": int(now // SLICE),
            "tokens": tokens,
            "needed": needed,
            "most_tokens": most_tokens,
            "most_requests": most_requests,
        }
        row = None
        if needed <= most_tokens and most_requests > 0:
            row = self._database.execute(_RESERVE, asked).fetchone()
        used = row or self._database.execute(_LOOK, asked).fetchone() or (0, 0)
        return row is not None, (used[0], used[1])


@dataclass(frozen=True, slots=True)
class _Way:
    """One limit that a request counts against: `tokens` in a minute, requests in a `slice`; None: any."""

    name: str
    what: str  # as a refusal calls it
    tokens: int | None
    slice: int | None
    utilization: bool = False


def _of_deployment(name: str, capacity: int, sku: Sku) -> _Way:
    requests = capacity * sku.requests * SLICE // MINUTE if sku.requests else None
    return _Way(name, "", capacity * sku.tokens, requests, sku.utilization)


def _of_key(name: str, limit: KeyLimit) -> _Way:
    requests = None if limit.requests is None else max(1, limit.requests * SLICE // MINUTE)
    return _Way(name, "this key", limit.tokens, requests)


def load_skus() -> Mapping[str, Sku]:
    """Standard and ProvisionedManaged."""
    text = files(__package__).joinpath("data/limits.toml").read_text("utf-8")
    return {name: Sku(**row) for name, row in tomllib.loads(text).items()}


def _refused(way: _Way, operation: Operation, requests_are_out: bool, now: float) -> TooManyRequests:
    window = SLICE if requests_are_out else MINUTE
    milliseconds = max(1, math.ceil(1000 * (window - now % window)))
    seconds = math.ceil(milliseconds / 1000)
    headers = {"retry-after": str(seconds), "retry-after-ms": str(milliseconds)}
    asked = (
        f"Requests to the {operation.name} Operation under Azure OpenAI API version {operation.api_version}"
    )
    again = f"Please retry after {seconds} seconds."
    limit = "call" if requests_are_out else "token"
    if way.utilization:
        message = f"{asked} have exceeded the provisioned utilization of this deployment (100%). {again}"
    elif way.what:
        message = f"{asked} have exceeded {limit} rate limit of {way.what}. {again}"
    else:
        message = (
            f"{asked} have exceeded {limit} rate limit of your current OpenAI {operation.tier} pricing tier. "
            f"{again} {QUOTA_HELP}"
        )
    return TooManyRequests(message, headers=headers)
