"""`FactFinder`: every ability of the room on one picture, off the event loop, once per content and detail."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from foveal.errors import TooManyRequests
from foveal.images.detail import DetailedImage
from foveal.images.fine import is_fine
from foveal.models.lease import ModelLease
from foveal.models.store import ModelStore
from foveal.perception.background import step_back
from foveal.perception.base import TextLine
from foveal.perception.facts import Facts
from foveal.perception.looker import BackgroundLooker, RequestsFirst
from foveal.perception.sight import Seen, Sight, assemble, load_sight

_RETRY_AFTER = "2"  # seconds; about what a full queue takes to move on

T = TypeVar("T")
Key = tuple[str, str]  # content hash, detail
Lines = tuple[TextLine, ...]


class PooledFactFinder:
    """`FactFinder` over a `Sight` in a bounded pool.

    `threads` stages run at once, `queue` further pictures may wait, the next is refused with 429; a picture
    in work may be asked for anything more. Simultaneous calls for one picture share each computation; of
    each kind (seen, read, read closely) the last `cache_size` results are kept.
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
            max_workers=max(1, threads), thread_name_prefix="sight", initializer=step_back
        )
        self._room = max(1, threads) + queue
        self._first = RequestsFirst()
        self._looker = BackgroundLooker(self._lease, self._first, threads=threads)
        self._seen = _Shared[Seen](cache_size)
        self._lines = _Shared[tuple[Lines, float]](cache_size)
        self._close_lines = _Shared[Lines](cache_size)

    async def facts(self, image: DetailedImage) -> Facts:
        """Raises TooManyRequests when the queue is full, EngineUnavailable when weights are missing."""
        # Reading is queued first: it is the longer of the two, and one thread may be all there is.
        (lines, seconds), seen = await asyncio.gather(self._read(image), self._see(image))
        return assemble(image, seen, lines, seconds)

    async def see(self, image: DetailedImage) -> Facts:
        """Raises as `facts` does."""
        return assemble(image, await self._see(image))

    async def read(self, image: DetailedImage) -> Lines:
        """Raises as `facts` does, and InvalidImage when the original bytes cannot be decoded."""
        if is_fine(image):  # the plan's view is the picture: whoever wants the facts reads the same
            return (await self._read(image))[0]
        key = (image.sha256, "close")  # the same whatever the detail
        return await self._once(self._close_lines, key, lambda sight: sight.read_closely(image))

    def look(self, jpegs: Iterable[bytes]) -> Iterator[Facts]:
        """`FrameLooker`: blocks; gives way to the pictures of requests, and keeps nothing of the frames.

        Raises EngineUnavailable when weights are missing, InvalidImage for what is no picture.
        """
        return self._looker.look(jpegs)

    async def warm(self) -> None:
        """Load every net now instead of at the first picture."""
        await self._submit(lambda: self._with_sight(lambda _: None))

    def close(self) -> None:
        """Let running stages finish, refuse new ones, forget the cache."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._looker.close()
        self._lease.close()
        for shared in (self._seen, self._lines, self._close_lines):
            shared.clear()

    async def _see(self, image: DetailedImage) -> Seen:
        key = (image.sha256, image.detail)
        return await self._once(self._seen, key, lambda sight: sight.see(image))

    async def _read(self, image: DetailedImage) -> tuple[Lines, float]:
        key = (image.sha256, image.detail)
        return await self._once(self._lines, key, lambda sight: _timed(lambda: sight.read(image)))

    async def _once(self, shared: _Shared[T], key: Key, work: Callable[[Sight], T]) -> T:
        if not shared.has(key):
            self._make_room_for(key[0])
        return await shared.get(key, lambda: self._submit(lambda: self._with_sight(work)))

    def _make_room_for(self, sha256: str) -> None:
        in_work = self._seen.pictures | self._lines.pictures | self._close_lines.pictures
        if sha256 not in in_work and len(in_work) >= self._room:
            raise TooManyRequests(
                "Too many pictures are being looked at. Please retry after 2 seconds.",
                headers={"retry-after": _RETRY_AFTER},
            )

    def _submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        self._first.begin()
        try:
            running = self._pool.submit(work)
        except RuntimeError:  # closed
            self._first.end()
            raise
        running.add_done_callback(lambda _: self._first.end())
        return asyncio.wrap_future(running)

    def _with_sight(self, work: Callable[[Sight], T]) -> T:
        with self._lease.use() as sight:
            return work(sight)


class _Shared(Generic[T]):
    """Results of one kind: running ones are waited for together, the last `size` finished ones are kept."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Key, T] = OrderedDict()
        self._running: dict[Key, asyncio.Task[T]] = {}

    @property
    def pictures(self) -> set[str]:
        """Content hashes of what is being computed."""
        return {sha256 for sha256, _ in self._running}

    def has(self, key: Key) -> bool:
        return key in self._kept or key in self._running

    async def get(self, key: Key, start: Callable[[], asyncio.Future[T]]) -> T:
        """The result kept or running under `key`, or that of `start`."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._compute(key, start))
            self._running[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        # A caller that goes away must not take the result from the others who wait for it.
        return await asyncio.shield(task)

    def clear(self) -> None:
        self._kept.clear()

    async def _compute(self, key: Key, start: Callable[[], asyncio.Future[T]]) -> T:
        result = await start()
        self._kept[key] = result
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return result

    def _finished(self, key: Key, task: asyncio.Task[T]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # asked for, so that a picture nobody waits for any more leaves no warning


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
