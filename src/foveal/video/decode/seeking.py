"""The frames shown at given times, found by seeking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from av.video.frame import VideoFrame

from foveal.video.decode.jpeg import JpegMaker
from foveal.video.decode.limits import Limits
from foveal.video.decode.looks import detailed
from foveal.video.decode.messages import Kept
from foveal.video.decode.opening import Opened, Refused, pictures_from
from foveal.video.decode.quality import defect_of

_EXACT = 1.0  # seconds before a wanted time from which every frame is decoded
_AHEAD = 2.0  # seconds that are rather decoded than sought, where the index does not know better


def frames_at(
    opened: Opened, times: Sequence[float], duration: float, limits: Limits, emit: Callable[[Kept], None]
) -> None:
    """Give one frame for each time, in the order of `times`. Raises `Refused`."""
    finder = _Finder(opened, duration, limits)
    found = {at: finder.find(min(max(at, 0.0), duration)) for at in sorted(set(times))}
    for at in times:
        emit(found[at])


class _Finder:
    """Goes forward through a video; times must not fall."""

    def __init__(self, opened: Opened, duration: float, limits: Limits) -> None:
        self._opened, self._duration, self._limits = opened, duration, limits
        self._maker = JpegMaker(limits, opened.shape)
        opened.only(opened.video)
        context = opened.video.codec_context
        context.thread_type, context.thread_count = "FRAME", limits.threads
        self._frames: Iterator[VideoFrame] = iter(())
        self._shown: VideoFrame | None = None
        self._next: VideoFrame | None = None
        self._wanted = 0.0

    def find(self, at: float) -> Kept:
        self._wanted = at
        if self._shown is None or self._sought(at):
            self._frames = pictures_from(self._opened, at, self._limits, self._hurry)
            self._shown, self._next = next(self._frames, None), next(self._frames, None)
        while self._next is not None and self._time(self._next) <= at:
            self._shown, self._next = self._next, next(self._frames, None)
        return self._kept()

    def _hurry(self, at: float | None) -> None:
        """Frames that no other needs are decoded only close to what is wanted; `at` is that of a packet."""
        near = at is None or at > self._wanted - _EXACT
        self._opened.video.codec_context.skip_frame = "DEFAULT" if near else "NONREF"

    def _sought(self, at: float) -> bool:
        """Whether to seek instead of decoding on: when a key frame lies between here and there."""
        reached = self._next or self._shown
        if reached is None:
            return False
        here, video = self._time(reached), self._opened.video
        clock = video.time_base
        if clock is None or len(video.index_entries) == 0:
            return at - here > _AHEAD
        place = video.index_entries.search_timestamp(round((at + self._opened.base) / clock))
        if place < 0:
            return at - here > _AHEAD
        key = self._opened.seconds(video.index_entries[place].timestamp, clock)
        return key is not None and key > here

    def _time(self, frame: VideoFrame) -> float:
        return self._opened.at(frame) or 0.0

    def _kept(self) -> Kept:
        if self._shown is None:
            raise Refused("BrokenVideo", "The video is damaged: this part of it cannot be read.")
        at = max(0.0, self._time(self._shown))
        end = self._duration if self._next is None else self._time(self._next)
        jpeg = self._maker.encode(self._shown)
        return Kept(at, at, max(at, end), 0, jpeg, defect_of(detailed(self._shown)))
