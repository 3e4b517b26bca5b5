"""A video's facts over time: frames as moments of shots, their facts weighed by those of their neighbours.

What a detector sees once and weakly is mostly noise; what was surely seen in one frame of a shot and faintly
in the next is mostly there. Weak sights that repeat are not enough: a camera that does not move makes the
same mistake in every frame (docs/evidence.md has the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from foveal.engines.base import VideoFrame, VideoPart
from foveal.engines.evidence.sights import Sights
from foveal.perception.base import Box, DetectedObject, SpeechSegment
from foveal.perception.facts import Facts, SeenObject

SURE = 0.6  # an object of this confidence needs no other frame; its fainter views in the shot count too
ALONE = 0.5  # enough in a shot of which one frame is known
FAINT = 0.25  # a doubtful object counts from here where a sure one of its kind lies in the frame beside
SAME_PLACE = 0.3  # IoU with that one


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
        """The part of it from `start` to `end`: with the frame before where none lies between."""
        shots: list[Shot] = []
        for shot in self.shots:
            inside = tuple(moment for moment in shot.moments if start <= moment.at < max(end, start + 0.05))
            if inside:
                shots.append(Shot(max(start, shot.start), min(end, shot.end), inside))
        near = self.nearest((start + end) / 2)
        if not shots and near is not None:
            shots = [Shot(start, end, (near,))]
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


def steadied(frames: Sequence[VideoFrame], facts: Sequence[Facts]) -> list[Facts]:
    """Each frame's facts, its objects weighed by what the other frames of its shot show.

    Times that show one kept frame count as one frame: nothing was seen twice.
    """
    distinct: list[int] = []  # the first place of each kept frame
    stands: list[int] = []  # for every place, the place in `distinct` that it repeats
    for place, frame in enumerate(frames):
        same = bool(distinct) and _is_same(frames[distinct[-1]], frame)
        if not same:
            distinct.append(place)
        stands.append(len(distinct) - 1)
    shots = [frames[place].scene for place in distinct]
    known = [facts[place] for place in distinct]
    peaks: dict[tuple[int, str], float] = {}
    for scene, found in zip(shots, known, strict=True):
        for one in found.objects:
            key = (scene, one.label)
            peaks[key] = max(peaks.get(key, 0.0), one.confidence)
    weighed: list[Facts] = []
    for place, found in enumerate(known):
        scene = shots[place]
        alone = shots.count(scene) == 1
        beside = [
            one
            for near in (place - 1, place + 1)
            if 0 <= near < len(known) and shots[near] == scene
            for one in known[near].objects
            if one.confidence >= SURE
        ]
        floor = ALONE if alone else SURE
        labels = {label for (of, label), peak in peaks.items() if of == scene and peak >= floor}
        weighed.append(_weighed(found, labels, beside))
    return [weighed[place] for place in stands]


def _is_same(one: VideoFrame, other: VideoFrame) -> bool:
    return one.scene == other.scene and one.image.sha256 == other.image.sha256


def _weighed(found: Facts, labels: set[str], beside: Sequence[SeenObject]) -> Facts:
    kept = [one for one in found.objects if one.label in labels]
    weak = [
        DetectedObject(one.label, one.confidence, one.box) for one in found.objects if one.label not in labels
    ]
    doubtful: list[DetectedObject] = []
    for one in found.doubtful:
        if one.confidence >= FAINT and _stood(one.label, one.box, beside, kept):
            kept.append(SeenObject(one.label, max(one.confidence, ALONE), one.box))
        else:
            doubtful.append(one)
    every = sorted([*weak, *doubtful], key=lambda one: -one.confidence)
    return replace(found, objects=tuple(kept), doubtful=tuple(every))


def _stood(label: str, box: Box, beside: Sequence[SeenObject], here: Sequence[SeenObject]) -> bool:
    """Something of the kind is surely seen at this place in the frame beside, and not seen here already."""
    return any(one.label == label and one.box.iou(box) >= SAME_PLACE for one in beside) and not any(
        one.label == label and one.box.iou(box) >= SAME_PLACE for one in here
    )
