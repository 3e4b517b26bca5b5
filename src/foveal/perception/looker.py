"""Facts of frames of videos, in the background, with the nets that look at the pictures of requests."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from foveal.images.fine import fine_view
from foveal.images.frame import open_frame
from foveal.models.lease import ModelLease
from foveal.perception.background import step_back
from foveal.perception.facts import Facts
from foveal.perception.sight import Sight, assemble
from foveal.perception.textmemory import LineMemory

_AHEAD = (
    2  # frames a thread that wait beside the one in work: whoever takes the facts may be slow for a moment
)


class RequestsFirst:
    """Keeps background work from beginning while pictures of requests are looked at, but not for ever."""

    def __init__(self, patience: float = 2.0) -> None:
        """`patience`: seconds after which background work begins all the same, so that it ends some day."""
        self._patience = patience
        self._changed = threading.Condition()
        self._requests = 0

    def begin(self) -> None:
        """A picture of a request waits or is looked at."""
        with self._changed:
            self._requests += 1

    def end(self) -> None:
        with self._changed:
            self._requests -= 1
            self._changed.notify_all()

    def give_way(self) -> None:
        """Called by background work before each piece of it."""
        with self._changed:
            self._changed.wait_for(lambda: self._requests == 0, timeout=self._patience)


class BackgroundLooker:
    """`FrameLooker`: `threads` frames at once, however many videos are looked at."""

    def __init__(self, lease: ModelLease[Sight], first: RequestsFirst, *, threads: int) -> None:
        self._lease = lease
        self._first = first
        self._threads = max(1, threads)
        self._pool = ThreadPoolExecutor(
            max_workers=self._threads, thread_name_prefix="frames", initializer=step_back
        )

    def look(self, jpegs: Iterable[bytes]) -> Iterator[Facts]:
        """Frames of one video, in their order: text that stays is read once.

        Raises EngineUnavailable when weights are missing, InvalidImage for what is no picture.
        """
        memory = LineMemory()
        waiting: deque[Future[Facts]] = deque()
        try:
            for jpeg in jpegs:
                if len(waiting) >= _AHEAD * self._threads:
                    yield waiting.popleft().result()
                waiting.append(self._pool.submit(self._facts, jpeg, memory))
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:  # whoever asked went away
                future.cancel()

    def close(self) -> None:
        """Let running frames finish; what waits is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _facts(self, jpeg: bytes, memory: LineMemory) -> Facts:
        self._first.give_way()
        image = open_frame(jpeg)
        with self._lease.use() as sight:
            seen = sight.see_frame(image)
            self._first.give_way()
            start = time.perf_counter()
            lines = sight.read_frame(fine_view(image), memory)
            return assemble(image, seen, lines, time.perf_counter() - start)
