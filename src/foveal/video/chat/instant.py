"""A video without an index in a chat: one at a time in a process, because the work takes all of it.

One more is refused (429). The work has a thread of its own, which ends soon after the client has left.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from foveal.engines.base import VideoFrame, VideoPart
from foveal.errors import InvalidVideo, TooManyRequests, VideoUnreachable
from foveal.video.chat.chatting import StillDoor, Stills
from foveal.video.chat.glance import Glance, Report, Seen

BUSY_SECONDS = 5


class InstantVideos:
    def __init__(self, glance: Glance, door: StillDoor) -> None:
        self._glance = glance
        self._stills = Stills(door)
        self._slot = threading.BoundedSemaphore(1)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="foveal-instant-video")
        self._closing = threading.Event()
        self._told: Report = _nobody

    def tell(self, report: Report) -> None:
        """Call `report` with how far the work is, from its thread."""
        self._told = report

    async def watch(
        self, place: str | Path, resource: str, question: str, *, facts: bool, param: str
    ) -> VideoPart:
        """A video at an http(s) or data URL, or in a file. `facts`: its frames are looked at.

        Raises `InvalidVideo` and `VideoUnreachable` (with `param`), `TooManyRequests`.
        """
        left = threading.Event()

        def report(step: str, done: float) -> None:
            if left.is_set() or self._closing.is_set():
                raise _Left
            self._told(step, done)

        future = self._begin(lambda: self._glance.look(place, resource, question, facts=facts, report=report))
        try:
            seen = await asyncio.wrap_future(future)
        except (InvalidVideo, VideoUnreachable) as error:
            error.param = error.param or param
            raise
        finally:
            left.set()
        images = await self._stills.open(seen.jpegs, param=param)
        frames = (VideoFrame(at, images[n], seen.facts.get(n), seen.scenes[n]) for at, n in seen.frames)
        return replace(seen.part, frames=tuple(frames))

    async def close(self) -> None:
        self._closing.set()
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)
        self._glance.forget()

    def _begin(self, work: Callable[[], Seen]) -> Future[Seen]:
        if not self._slot.acquire(blocking=False):
            raise TooManyRequests(
                "Another video is being looked at, and this server does one at a time. Please retry after "
                f"{BUSY_SECONDS} seconds, or add the video to an index.",
                headers={"retry-after": str(BUSY_SECONDS)},
            )
        try:
            future = self._thread.submit(work)
        except BaseException:
            self._slot.release()
            raise
        future.add_done_callback(self._leave)  # not the task: the thread may be busy after it has gone
        return future

    def _leave(self, _: Future[Seen]) -> None:
        self._slot.release()


class _Left(Exception):
    """Nobody waits any more."""


def _nobody(_step: str, _done: float) -> None:
    return None
