"""The gate before an engine: so many run, so many wait, one more is refused at once with 429."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from foveal.errors import TooManyRequests

_WEIGHT = 0.2  # of the newest request in the running mean of how long one takes


class Gate:
    """`running` requests use the engine at once and `waiting` more may queue, in order of arrival."""

    def __init__(self, running: int, waiting: int) -> None:
        self._most = running + waiting
        self._running = running
        self._slots = asyncio.Semaphore(running)
        self._mean_seconds = 1.0
        self.admitted = 0  # in the house: waiting, or in the engine
        self.in_engine = 0

    @property
    def queued(self) -> int:
        return self.admitted - self.in_engine

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        """A place in the house (pictures are read there); `TooManyRequests` when it is full."""
        if self.admitted >= self._most:
            seconds = self._retry_after()
            raise TooManyRequests(
                "The engine of this deployment is busy and its queue is full. "
                f"Please retry after {seconds} seconds.",
                headers={"retry-after": str(seconds), "retry-after-ms": str(seconds * 1000)},
            )
        self.admitted += 1
        try:
            yield
        finally:
            self.admitted -= 1

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The engine itself, when it is this request's turn."""
        async with self._slots:
            self.in_engine += 1
            started = time.monotonic()
            try:
                yield
            finally:
                self.in_engine -= 1
                took = time.monotonic() - started
                self._mean_seconds += _WEIGHT * (took - self._mean_seconds)

    def _retry_after(self) -> int:
        return max(1, min(60, math.ceil(self._mean_seconds * self._most / self._running / 2)))
