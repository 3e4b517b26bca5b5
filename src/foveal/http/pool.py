"""Blocking calls beside the event loop: so many at once, so many waiting, one more is refused at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from foveal.errors import TooManyRequests

T = TypeVar("T")
RETRY_AFTER = 2  # seconds


class Pool:
    """Threads are made when they are needed and end with the pool."""

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + waiting
        self._lock = threading.Lock()
        self._inside = 0

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns. Raises `TooManyRequests` when the pool is full.

        A call that has begun is not stopped when its caller is cancelled, and counts until it has ended.
        """
        with self._lock:
            if self._inside >= self._most:
                raise TooManyRequests(
                    f"The server is busy. Please retry after {RETRY_AFTER} seconds.",
                    headers={"retry-after": str(RETRY_AFTER)},
                )
            self._inside += 1
        future = self._executor.submit(call)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _: Future[Any]) -> None:
        with self._lock:
            self._inside -= 1
