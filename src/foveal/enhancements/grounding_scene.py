"""The boxes of one picture as candidates for what an answer names, and how well they lie where it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from foveal.perception.base import Box
from foveal.perception.facts import ColourShare, SeenObject


@dataclass(frozen=True, slots=True)
class Candidate:
    number: int
    box: Box
    confidence: float
    colours: Mapping[str, float] = field(default_factory=dict, compare=False)
    clothing: Mapping[str, float] = field(default_factory=dict, compare=False)


def prominence(box: Box) -> float:
    """0..1: larger and more central boxes matter more to who tells of a picture."""
    x, y = box.centre
    return min(1.0, float(max(0.0, box.area) ** 0.5 * (1.2 - abs(x - 0.5) - 0.4 * abs(y - 0.5))))


def candidate(number: int, one: SeenObject) -> Candidate:
    return Candidate(number, one.box, one.confidence, _shares(one.colours), _shares(one.clothing))


def _shares(shares: Sequence[ColourShare]) -> dict[str, float]:
    return {share.name: share.share for share in shares}


def without_heaps(pool: list[Candidate]) -> list[Candidate]:
    """Without boxes around many of the kind at once (a shelf of books), given as one more."""
    kept = []
    for one in pool:
        inside = [
            other
            for other in pool
            if other is not one and other.box.overlap(one.box) > 0.8 * other.box.area > 0
        ]
        heap = len(inside) >= 3 and one.box.area > 4 * max(other.box.area for other in inside)
        if not heap:
            kept.append(one)
    return kept


def sided(place: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in place if name in ("left", "right"))


def fit(one: Candidate, place: Sequence[str], pool: Sequence[Candidate]) -> float:
    """How well a box lies where it is said to be, 0..1 (the mean of the words)."""
    if not place:
        return 1.0
    x, y = one.box.centre
    fits = []
    for name in place:
        if name == "left":
            fits.append(_ramp(x, 0.62, 0.35))
        elif name == "right":
            fits.append(_ramp(x, 0.38, 0.65))
        elif name == "top":
            fits.append(_ramp(y, 0.65, 0.35))
        elif name == "bottom":
            fits.append(_ramp(y, 0.35, 0.65))
        elif name == "middle":
            fits.append(max(0.0, 1.0 - abs(x - 0.5) / 0.3))
        else:
            near = _nearness(one, pool)
            fits.append(near if name == "foreground" else 1.0 - near)
    return sum(fits) / len(fits)


def shared(one: Box, other: Box) -> float:
    """0..1: how much of the smaller box lies in the larger."""
    return min(1.0, 1.5 * one.overlap(other) / max(1e-9, min(one.area, other.area)))


def _ramp(value: float, none: float, full: float) -> float:
    return min(1.0, max(0.0, (value - none) / (full - none)))


def _nearness(one: Candidate, pool: Sequence[Candidate]) -> float:
    """0..1: larger and lower than the others of its kind."""
    areas = [other.box.area for other in pool]
    bottoms = [other.box.bottom for other in pool]
    if len(pool) < 2:
        return 0.5
    size = one.box.area / max(1e-9, max(areas))
    low = (one.box.bottom - min(bottoms)) / max(1e-9, max(bottoms) - min(bottoms))
    return 0.5 * size + 0.5 * low


def holds_face(person: Box, face: Box) -> bool:
    x, y = face.centre
    return person.left <= x <= person.right and person.top - 0.02 <= y <= person.top + 0.6 * person.height


def union(boxes: Sequence[Box]) -> Box:
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )
