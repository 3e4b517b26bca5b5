"""`FactFinder`: every ability of the room on one picture, off the event loop, once per content and detail."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from foveal.errors import TooManyRequests
from foveal.images.detail import DetailedImage
from foveal.models.lease import ModelLease
from foveal.models.store import ModelStore
from foveal.perception.facts import Facts
from foveal.perception.sight import Sight, assemble, load_sight

_NICE = 10  # perception gives way to the threads that answer requests
_RETRY_AFTER = "2"  # seconds; about what a full queue takes to move on

T = TypeVar("T")
Key = tuple[str, str]


class PooledFactFinder:
    """`FactFinder` over a `Sight` in a bounded pool.

    `threads` pictures' stages run at once, `queue` further pictures may wait, the next is refused with 429.
    Two simultaneous calls for one picture share one computation; the last `cache_size` results are kept.
    """

    def __init__(
        self,
        load: Callable[[], Sight],
        *,
        threads: int,
        queue: int,
        cache_size: int,
        idle_seconds: float | None = None,
    ) -> None:
        self._lease = ModelLease(load, idle_seconds=idle_seconds)
        self._pool = ThreadPoolExecutor(
            max_workers=max(1, threads), thread_name_prefix="sight", initializer=_step_back
        )
        self._room = max(1, threads) + queue
        self._cache_size = cache_size
        self._kept: OrderedDict[Key, Facts] = OrderedDict()
        self._running: dict[Key, asyncio.Task[Facts]] = {}

    async def facts(self, image: DetailedImage) -> Facts:
        """Raises TooManyRequests when the queue is full, EngineUnavailable when weights are missing."""
        key = (image.sha256, image.detail)
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        task = self._running.get(key)
        if task is None:
            if len(self._running) >= self._room:
                raise TooManyRequests(
                    "Too many pictures are being looked at. Please retry after 2 seconds.",
                    headers={"retry-after": _RETRY_AFTER},
                )
            task = asyncio.create_task(self._compute(key, image))
            self._running[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        # A caller that goes away must not take the result from the others who wait for it.
        return await asyncio.shield(task)

    async def warm(self) -> None:
        """Load every net now instead of at the first picture."""
        await self._submit(lambda: self._with_sight(lambda _: None))

    def close(self) -> None:
        """Let running stages finish, refuse new ones, forget the cache."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._lease.close()
        self._kept.clear()

    async def _compute(self, key: Key, image: DetailedImage) -> Facts:
        text = self._submit(lambda: self._with_sight(lambda sight: _timed(lambda: sight.read(image))))
        rest = self._submit(lambda: self._with_sight(lambda sight: sight.see(image)))
        try:
            (lines, reading), seen = await asyncio.gather(text, rest)
        except BaseException:
            text.cancel()
            rest.cancel()
            raise
        facts = assemble(image, seen, lines, reading)
        self._kept[key] = facts
        while len(self._kept) > self._cache_size:
            self._kept.popitem(last=False)
        return facts

    def _finished(self, key: Key, task: asyncio.Task[Facts]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # asked for, so that a picture nobody waits for any more leaves no warning

    def _submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _with_sight(self, work: Callable[[Sight], T]) -> T:
        with self._lease.use() as sight:
            return work(sight)


def build_fact_finder(
    models: ModelStore, *, threads: int, queue: int, cache_size: int, idle_seconds: float | None = None
) -> PooledFactFinder:
    """The default: every ability, nets loaded from `models` at the first picture (or by `warm`).

    `idle_seconds`: unload the nets when nothing was looked at for so long (None: keep them).
    """
    return PooledFactFinder(
        lambda: load_sight(models, threads=threads),
        threads=threads,
        queue=queue,
        cache_size=cache_size,
        idle_seconds=idle_seconds,
    )


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def _step_back() -> None:
    """Lower the priority of this worker; threads that a net starts from it inherit that on Linux."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
