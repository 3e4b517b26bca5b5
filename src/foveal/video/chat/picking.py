"""Which frames, scenes and words of a video go into a prompt.

What Azure did: frames evenly spread over the video or what is asked of it, at most 20, and the transcript
(docs/video.md, "Chat", has the rule). Nothing is decoded for it: the frame at any time is the kept one that
stands for it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from foveal.perception.base import SpeechSegment

PER_MINUTE = 10
FEWEST = 10
MOST = 20
TOPIC_FRAMES = 5  # of those at most, for moments that fit the topic
TRANSCRIPT_TOKENS = 3000  # some twenty minutes of speech

Count = Callable[[str], int]  # tokens of a text


class Kept(Protocol):
    """A frame that stands for the time from `start` to `end`."""

    @property
    def at(self) -> float: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def scene(self) -> int: ...


K = TypeVar("K", bound=Kept)


@dataclass(frozen=True, slots=True)
class Pick:
    """The kept frame `place` (in its sequence), for the time `at`."""

    at: float
    place: int


def how_many(length: float) -> int:
    """Frames for a stretch of so many seconds."""
    return min(MOST, max(FEWEST, math.ceil(length * PER_MINUTE / 60)))


def sample_times(start: float, end: float, count: int) -> list[float]:
    """`count` times from `start` on, evenly; steps of a second or more are cut to tenths, as Azure's were
    (4.6 s in a video of 46.13 s). One time when the stretch has no length.
    """
    step = (end - start) / count
    if step <= 0:
        return [start]
    if step >= 1:
        step = math.floor(step * 10 + 1e-6) / 10
    return [round(start + step * place, 7) for place in range(count)]


def pick(frames: Sequence[Kept], start: float, end: float, moments: Sequence[float] = ()) -> list[Pick]:
    """Frames of a stretch, in order: evenly spread, and at those moments (best first) that no other shows.

    `frames` are in order. Two picks may be of one frame: nothing changed between them.
    """
    if not frames:
        return []
    starts = [frame.start for frame in frames]
    count = how_many(end - start)
    inside = [at for at in moments if start <= at <= end]
    if count + TOPIC_FRAMES > MOST:
        fewer = _picks(frames, starts, sample_times(start, end, MOST - TOPIC_FRAMES))
        extra = _unseen(starts, fewer, inside)
        count = min(count, MOST - len(extra))
    picks = _picks(frames, starts, sample_times(start, end, count))
    extra = _unseen(starts, picks, inside)[: MOST - len(picks)]
    return sorted([*picks, *extra], key=lambda one: one.at)


def _picks(frames: Sequence[Kept], starts: Sequence[float], times: Sequence[float]) -> list[Pick]:
    return [Pick(at, _place(starts, at)) for at in times]


def _place(starts: Sequence[float], at: float) -> int:
    """The frame shown at a time; where frames were dropped, the one before, at the very start the first."""
    return max(0, bisect_right(starts, at) - 1)


def _unseen(starts: Sequence[float], picks: Sequence[Pick], moments: Sequence[float]) -> list[Pick]:
    seen = {one.place for one in picks}
    extra: list[Pick] = []
    for at in moments:
        place = _place(starts, at)
        if place not in seen and len(extra) < TOPIC_FRAMES:
            seen.add(place)
            extra.append(Pick(at, place))
    return extra


def scenes(frames: Sequence[Kept], start: float, end: float) -> tuple[tuple[float, float], ...]:
    """The camera shots that begin within a stretch, (start, end) each."""
    shots: dict[int, tuple[float, float]] = {}
    for frame in frames:
        first, last = shots.get(frame.scene, (frame.start, frame.end))
        shots[frame.scene] = (min(first, frame.start), max(last, frame.end))
    return tuple(shot for shot in sorted(shots.values()) if start <= shot[0] < end)


def said_within(
    speech: Sequence[SpeechSegment],
    start: float,
    end: float,
    count: Count,
    wanted: Sequence[int] = (),
    budget: int = TRANSCRIPT_TOKENS,
) -> tuple[SpeechSegment, ...]:
    """What is said in a stretch, in order, at most `budget` tokens of it.

    Where that is too little: the `wanted` segments (best first) with what is said before and after each, then
    segments evenly spread.
    """
    places = [n for n, one in enumerate(speech) if one.start < end and one.end > start]
    if sum(len(speech[n].text) for n in places) <= budget:  # a token is a character at least
        return tuple(speech[n] for n in places)
    costs = {n: count(speech[n].text) + 1 for n in places}
    total = sum(costs.values())
    if total <= budget:
        return tuple(speech[n] for n in places)
    near = [n + by for n in wanted for by in (0, 1, -1) if n + by in costs]
    stride = total / budget
    even = [places[int(step * stride)] for step in range(int(len(places) / stride))]
    kept: set[int] = set()
    for n in (*near, *even):
        if n not in kept and costs[n] <= budget:
            kept.add(n)
            budget -= costs[n]
    return tuple(speech[n] for n in sorted(kept))
