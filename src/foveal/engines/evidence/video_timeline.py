"""A video's facts over time: frames as moments of shots, within the stretch that a question is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from foveal.engines.base import VideoFrame, VideoPart
from foveal.engines.evidence.sights import Sights
from foveal.engines.evidence.video_steady import steadied
from foveal.perception.base import SpeechSegment
from foveal.perception.facts import Facts


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame at `at` seconds; `number` is its place among the moments, `shot` that among the shots."""

    number: int
    at: float
    shot: int
    sights: Sights


@dataclass(frozen=True, slots=True)
class Shot:
    """What one camera shot shows from `start` to `end`, within what is asked about."""

    start: float
    end: float
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """`shots` are those that frames are known of; `cuts` counts all that are in sight from `start` to `end`.

    `speech` is None when the video was not listened to, `sound` False when there is nothing to listen to.
    """

    duration: float
    start: float
    end: float
    shots: tuple[Shot, ...]
    cuts: int
    speech: tuple[SpeechSegment, ...] | None
    sound: bool = True

    @property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(moment for shot in self.shots for moment in shot.moments)

    @property
    def whole(self) -> bool:
        return self.start <= 0.0 and self.end >= self.duration

    def nearest(self, at: float) -> Moment | None:
        """The frame shown at a time: the last one before it within its shot, else the nearest."""
        before = [moment for moment in self.moments if moment.at <= at + 0.05]
        after = [moment for moment in self.moments if moment.at > at + 0.05]
        if before and (not after or at < self._end_of(before[-1]) or at - before[-1].at <= after[0].at - at):
            return before[-1]
        return after[0] if after else None

    def _end_of(self, moment: Moment) -> float:
        return self.shots[moment.shot].end

    def within(self, start: float, end: float) -> Timeline:
        """The part of it from `start` to `end`, with the frame that is shown at its start."""
        shown = self.nearest(start)
        shots: list[Shot] = []
        for shot in self.shots:
            inside = tuple(
                moment
                for moment in shot.moments
                if start <= moment.at < max(end, start + 0.05) or (moment is shown and shot.end > start)
            )
            if inside and shot.start < max(end, start + 0.05):
                shots.append(Shot(max(start, shot.start), min(end, shot.end), inside))
        if not shots and shown is not None:
            shots = [Shot(start, end, (shown,))]
        said = self.speech
        if said is not None:
            said = tuple(one for one in said if one.start < end and one.end > start)
        return Timeline(self.duration, start, end, _numbered(shots), max(1, len(shots)), said, self.sound)


def timeline_of(part: VideoPart, facts: Sequence[Facts], look: Callable[[Facts], Sights]) -> Timeline:
    """`facts` are those of the part's frames, in their order."""
    steady = steadied(part.frames, facts)
    groups: dict[int, list[tuple[VideoFrame, Facts]]] = {}
    for frame, found in zip(part.frames, steady, strict=True):
        groups.setdefault(frame.scene, []).append((frame, found))
    shots: list[Shot] = []
    for frames in groups.values():
        start, end = _span(frames[0][0].at, part)
        moments = tuple(Moment(0, frame.at, 0, look(found)) for frame, found in frames)
        shots.append(Shot(start, end, moments))
    began = sum(part.start < start < part.end for start, _ in part.scenes)
    speech = part.speech
    return Timeline(
        part.duration, part.start, part.end, _numbered(shots), max(began + 1, len(shots)), speech, part.sound
    )


def _span(at: float, part: VideoPart) -> tuple[float, float]:
    """The shot that is shown at a time: one that begins within the part, else the one it opens with."""
    for start, end in part.scenes:
        if start <= at + 0.001 < end:
            return max(start, part.start), min(end, part.end)
    following = [start for start, _ in part.scenes if start > at]
    return part.start, min([*following, part.end])


def _numbered(shots: Iterable[Shot]) -> tuple[Shot, ...]:
    number = 0
    kept: list[Shot] = []
    for place, shot in enumerate(sorted(shots, key=lambda one: one.start)):
        moments: list[Moment] = []
        for moment in sorted(shot.moments, key=lambda one: one.at):
            moments.append(replace(moment, number=number, shot=place))
            number += 1
        kept.append(replace(shot, moments=tuple(moments)))
    return tuple(kept)
