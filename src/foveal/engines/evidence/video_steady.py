"""Each frame's facts weighed by those of the other frames of its shot: what no single picture can tell.

What a detector sees once and weakly is mostly noise; what was surely seen in one frame of a shot and faintly
in the next is mostly there. Weak sights that repeat are no proof: a camera that does not move makes the same
mistake in every frame. So what stands still is as sure as the median of its sightings, and is of the kind
that most of them say (docs/evidence.md has the figures).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from foveal.engines.base import VideoFrame
from foveal.perception.base import Box, DetectedObject
from foveal.perception.facts import Facts, SeenObject

SURE = 0.6  # an object of this weight needs no other frame; fainter views of its kind in the shot count too
ALONE = 0.5  # enough in a shot of which one frame is known
FAINT = 0.25  # a doubtful object counts from here where a sure one of its kind lies in the frame beside
SAME_PLACE = 0.3  # IoU with that one
STILL = 0.5  # IoU from which boxes of two frames are one thing that stands still
SEEN_STILL = 3  # sightings from which on their median counts


@dataclass(frozen=True, slots=True)
class _Sighting:
    """`frame` is its place among the distinct frames of the shot."""

    frame: int
    label: str
    confidence: float
    box: Box


def steadied(frames: Sequence[VideoFrame], facts: Sequence[Facts]) -> list[Facts]:
    """The facts of every frame, in order, weighed.

    Times that show one kept frame count as one frame: nothing was seen twice.
    """
    distinct: list[int] = []  # the first place of each kept frame
    stands: list[int] = []  # for every place, the place in `distinct` that it repeats
    for place, frame in enumerate(frames):
        if not distinct or not _is_same(frames[distinct[-1]], frame):
            distinct.append(place)
        stands.append(len(distinct) - 1)
    known = [facts[place] for place in distinct]
    scenes = [frames[place].scene for place in distinct]
    weighed: dict[int, Facts] = {}
    for scene in dict.fromkeys(scenes):
        places = [place for place, of in enumerate(scenes) if of == scene]
        shot = _weighed([known[place] for place in places])
        weighed |= dict(zip(places, shot, strict=True))
    return [weighed[place] for place in stands]


def _is_same(one: VideoFrame, other: VideoFrame) -> bool:
    return one.scene == other.scene and one.image.sha256 == other.image.sha256


def _weighed(shot: Sequence[Facts]) -> list[Facts]:
    """The distinct frames of one shot."""
    if len(shot) == 1:
        one = shot[0]
        return [_kept(one, {each.label for each in one.objects if each.confidence >= ALONE}, set(), ())]
    weights = _weights(shot)
    outvoted = {key for key, weight in weights.items() if weight == 0.0}
    peaks: dict[str, float] = {}
    for (frame, place), weight in weights.items():
        label = shot[frame].objects[place].label
        peaks[label] = max(peaks.get(label, 0.0), weight)
    labels = {label for label, peak in peaks.items() if peak >= SURE}
    told: list[Facts] = []
    for place, found in enumerate(shot):
        beside = [
            one
            for near in (place - 1, place + 1)
            if 0 <= near < len(shot)
            for one in shot[near].objects
            if one.confidence >= SURE and one.label in labels
        ]
        wrong = {number for frame, number in outvoted if frame == place}
        told.append(_kept(found, labels, wrong, beside))
    return told


def _weights(shot: Sequence[Facts]) -> dict[tuple[int, int], float]:
    """(frame, number of the object in it) → how sure it is; 0 when its place is of another kind."""
    sightings: list[_Sighting] = []
    for frame, found in enumerate(shot):
        sightings += [_Sighting(frame, one.label, one.confidence, one.box) for one in found.objects]
        sightings += [
            _Sighting(frame, one.label, one.confidence, one.box)
            for one in found.doubtful
            if one.confidence >= FAINT
        ]
    if not sightings:
        return {}
    still = _overlaps(sightings) >= STILL
    weights: dict[tuple[int, int], float] = {}
    row = 0
    for frame, found in enumerate(shot):
        for number, one in enumerate(found.objects):
            mates = [sightings[int(at)] for at in np.flatnonzero(still[row + number])]
            weights[frame, number] = _weight(one, frame, mates)
        row += sum(sighting.frame == frame for sighting in sightings)
    return weights


def _weight(one: SeenObject, frame: int, mates: Sequence[_Sighting]) -> float:
    best: dict[str, dict[int, float]] = {one.label: {frame: one.confidence}}
    for mate in mates:
        if mate.frame != frame:
            seen = best.setdefault(mate.label, {})
            seen[mate.frame] = max(seen.get(mate.frame, 0.0), mate.confidence)
    votes = Counter({label: len(seen) for label, seen in best.items()})
    mine = best[one.label]
    if max(votes.values()) > votes[one.label] + 1:
        return 0.0
    return median(mine.values()) if len(mine) >= SEEN_STILL else one.confidence


def _overlaps(sightings: Sequence[_Sighting]) -> NDArray[np.float64]:
    """IoU of every pair."""
    boxes = np.array([(one.box.left, one.box.top, one.box.right, one.box.bottom) for one in sightings])
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0.0, None), axis=2)
    area = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None), axis=1)
    return np.asarray(shared / np.maximum(area[:, None] + area[None, :] - shared, 1e-9), np.float64)


def _kept(found: Facts, labels: set[str], wrong: set[int], beside: Sequence[SeenObject]) -> Facts:
    """Objects of these kinds stay, less the `wrong` ones; the others become doubtful."""
    kept = [one for number, one in enumerate(found.objects) if one.label in labels and number not in wrong]
    weak = [
        DetectedObject(one.label, one.confidence, one.box)
        for number, one in enumerate(found.objects)
        if one.label not in labels and number not in wrong
    ]
    doubtful: list[DetectedObject] = []
    for one in found.doubtful:
        if one.confidence >= FAINT and _stood(one, beside, kept):
            kept.append(SeenObject(one.label, max(one.confidence, ALONE), one.box))
        else:
            doubtful.append(one)
    every = sorted([*weak, *doubtful], key=lambda one: -one.confidence)
    return replace(found, objects=tuple(kept), doubtful=tuple(every))


def _stood(one: DetectedObject, beside: Sequence[SeenObject], here: Sequence[SeenObject]) -> bool:
    """Something of the kind is surely seen at this place in the frame beside, and not seen here already."""
    return any(
        other.label == one.label and other.box.iou(one.box) >= SAME_PLACE for other in beside
    ) and not any(other.label == one.label and other.box.iou(one.box) >= SAME_PLACE for other in here)
