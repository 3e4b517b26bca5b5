"""The frames of a video that are worth keeping, window by window.

Decoding is the cost, so: where `scouting` finds a stretch quiet, its first picture is enough. Elsewhere,
frames that no other needs are not decoded; several threads decode while this one looks; of the pictures only
the brightness is read, and only 15 times a second. (Leaving out the filter that smooths the edges of blocks
would save a sixth more, and shows.)

A window ends with the first segment that begins at or after its end, however long that takes, and the next
window goes on from there. So nothing is decoded twice but the seconds that the search for shots needs, and
the result does not depend on where the windows end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from av.video.frame import VideoFrame

from foveal.video.decode.jpeg import JpegMaker
from foveal.video.decode.limits import Limits
from foveal.video.decode.looks import Look, detailed, look_at
from foveal.video.decode.messages import Kept, Sample
from foveal.video.decode.opening import Opened, Refused, pictures_from
from foveal.video.decode.quality import defect_of
from foveal.video.decode.scouting import Stretch, is_quiet, stands_for, stretches, usual_distance
from foveal.video.decode.segments import Segment, Segments, State
from foveal.video.decode.shots import AFTER, BEFORE, watch

_WORTH = 1.0  # seconds that are worth a seek
_SLACK = 0.001  # seconds by which a key frame may be shown before its packet says
_LOOKS, _CHOICES = 15, 5  # a second; the first is a multiple of the second

Emit = Callable[[Kept], None]
Progress = Callable[[float], None]


def sample(
    opened: Opened, scout: Opened, wish: Sample, limits: Limits, emit: Emit, progress: Progress
) -> tuple[bytes, int]:
    """Give the kept frames that begin in a window. Returns the state for the next, and its scene. `scout` is
    the same file, opened once more.
    """
    state = _state(wish)
    if state.at >= wish.end:
        return _pass_on(state, wish)
    segments = Segments(state, limits.frames_per_minute)
    maker = JpegMaker(limits, opened.shape)
    kept, ended = state.kept, True
    told = _telling(_looks(opened, scout, state.at, limits), wish, progress)
    for segment in segments.cut(watch(told)):
        kept += _emit(segment, wish, maker, emit)
        if segment.end and segments.state.at >= wish.end:
            ended = False
            break
    last = segments.state
    last.kept = kept
    if ended:
        last.at = max(last.at, wish.end, wish.duration)
    return _pass_on(last, wish)


def _pass_on(state: State, wish: Sample) -> tuple[bytes, int]:
    """The state for the next window. Raises `Refused` after the last one of a video that left nothing."""
    if state.kept == 0 and wish.end >= wish.duration:
        raise _nothing(wish)
    return msgspec.msgpack.encode(state), state.scene


def _state(wish: Sample) -> State:
    if not wish.state:
        return State(at=wish.start, shot=wish.start, scene=wish.scene)
    return msgspec.msgpack.decode(wish.state, type=State)


def _nothing(wish: Sample) -> Refused:
    if wish.drop_defective:
        return Refused("OnlyDefectiveFrames", "All frames of the video are black or blurred.")
    return Refused("BrokenVideo", "The video is damaged: none of its pictures can be read.")


def _emit(segment: Segment, wish: Sample, maker: JpegMaker, emit: Emit) -> int:
    if segment.frame is None or segment.look is None:
        return 0
    defect = defect_of(detailed(segment.frame))
    if defect is not None and wish.drop_defective:
        return 0
    end = segment.end or max(wish.duration, segment.look.at)
    at = min(max(segment.look.at, segment.start), end)
    emit(Kept(at, segment.start, end, segment.scene, maker.encode(segment.frame), defect))
    return 1


def _looks(opened: Opened, scout: Opened, start: float, limits: Limits) -> Iterator[Look]:
    """Looks from a while before `start` on, at most 15 a second, 5 of them with their frame."""
    usual, reader = usual_distance(scout), _Reader(opened, limits)
    begin = max(0.0, start - BEFORE - 1.0)
    for stretch, after in _with_next(stretches(scout, begin, limits)):
        if stretch.key is not None and is_quiet(stretch, after, usual):
            yield stretch.key
            continue
        middle, last = stretch.settled + AFTER, None
        if middle + _WORTH < stretch.end:
            for last in reader.between(stretch.start, middle):
                yield last
            if last is None or not stands_for(last, stretch, after, usual):
                yield from reader.between(middle, stretch.end)
        else:
            yield from reader.between(stretch.start, stretch.end)


def _telling(looks: Iterator[Look], wish: Sample, progress: Progress) -> Iterator[Look]:
    for look in looks:
        progress((look.at - wish.start) / max(1e-6, wish.end - wish.start))
        yield look


def _with_next(found: Iterator[Stretch]) -> Iterator[tuple[Stretch, Stretch | None]]:
    before = next(found, None)
    for stretch in found:
        if before is not None:
            yield before, stretch
        before = stretch
    if before is not None:
        yield before, None


class _Reader:
    """Decodes what it is asked for, forward; seeks over what it is not."""

    def __init__(self, opened: Opened, limits: Limits) -> None:
        self._opened, self._limits = opened, limits
        self._frames: Iterator[VideoFrame] = iter(())
        self._waiting: VideoFrame | None = None
        self._reached = -1.0  # where the last stretch ended
        opened.only(opened.video)
        context = opened.video.codec_context
        context.thread_type, context.thread_count = "FRAME", limits.threads
        context.skip_frame = "NONREF"

    def between(self, start: float, end: float) -> Iterator[Look]:
        if self._reached != start:
            self._frames = pictures_from(self._opened, start, self._limits)
            self._waiting = next(self._frames, None)
        self._reached, before = end, -1.0
        while self._waiting is not None:
            frame, at = self._waiting, self._opened.at(self._waiting)
            if at is not None and at >= end:
                break
            self._waiting = next(self._frames, None)
            if at is None or at < start - _SLACK or at <= before:
                continue
            if before < 0 or int(at * _LOOKS) != int(before * _LOOKS):
                look = look_at(frame, at)
                if before < 0 or int(at * _CHOICES) != int(before * _CHOICES):
                    look.frame = frame
                yield look
            before = at
