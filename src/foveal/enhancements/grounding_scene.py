"""The boxes of one picture as candidates for what an answer names, and how well they lie where it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from foveal.enhancements.grounding_words import Mention
from foveal.perception.base import Box
from foveal.perception.facts import ColourShare, SeenObject

SURE = 0.4  # confidence from which an object is there
FLOOR = 0.3  # and from which one is taken where no sure one of its kind is (docs/grounding.md)
CLEAR = 0.12  # the best box of a single thing must lead the next by so much
_SAME = 0.6  # overlap from which two boxes of one mention's kinds are the same thing
_HEAP = 0.85  # a box surer than this is one thing, whatever lies in it
_MOST = 60  # candidates of one kind


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


class Scene:
    """One picture's boxes by kind, and how well each fits a mention."""

    def __init__(self, objects: Sequence[SeenObject], near: Mapping[str, frozenset[str]]) -> None:
        self._objects = objects
        self._near = near
        self._pools: dict[tuple[str, ...], list[Candidate]] = {}

    def pool(self, labels: tuple[str, ...]) -> list[Candidate]:
        """Sure boxes of the kinds, best first, then doubtful ones down to the floor."""
        known = self._pools.get(labels)
        if known is None:
            wanted = frozenset(labels)
            known = []
            for number, one in enumerate(self._objects):
                if one.confidence < FLOOR or one.label.lower() not in wanted:
                    continue
                if all(one.box.iou(other.box) < _SAME for other in known):
                    known.append(candidate(number, one))
                if len(known) >= _MOST:
                    break
            known.sort(key=lambda one: -one.confidence)
            known = without_heaps(known)
            self._pools[labels] = known
        return known

    def score(
        self, mention: Mention, one: Candidate, pool: Sequence[Candidate], holders: Sequence[Candidate]
    ) -> float:
        """How well a box fits what is said of the thing; `holders` are the boxes of who holds or rides it."""
        score = 0.6 * one.confidence + 1.2 * prominence(one.box)
        if mention.place:
            score += 2.0 * fit(one, mention.place, pool)
        if mention.noun.person:
            hues = mention.worn or mention.colours or mention.hints
            score += 1.2 * self._hue(one.clothing or one.colours, hues)
        elif mention.colours or mention.hints:
            score += 1.5 * self._hue(one.colours, mention.colours or mention.hints)
        if mention.size and len(pool) > 1:
            areas = [other.box.area for other in pool]
            rank = (one.box.area - min(areas)) / max(1e-9, max(areas) - min(areas))
            score += 0.8 * (rank if mention.size == "large" else 1.0 - rank) - (
                mention.size == "small"
            ) * prominence(one.box)
        company = mention.noun.company or mention.beside
        if company:
            score += 0.9 * self.together(one, company)
        if holders:
            score += 0.6 * max((shared(one.box, other.box) for other in holders), default=0.0)
        for labels, side in ((mention.left_of, -1), (mention.right_of, 1)):
            anchors = self.pool(labels)[:3] if labels else []
            score += any(side * (one.box.centre[0] - other.box.centre[0]) > 0 for other in anchors)
        return score

    def _hue(self, shares: Mapping[str, float], wanted: Sequence[str]) -> float:
        """How much of a thing has the colours told, 0..1; colours that pass into them count half."""
        if not wanted or not shares:
            return 0.0
        near = {other for name in wanted for other in self._near.get(name, ())} - set(wanted)
        much = sum(shares.get(name, 0.0) for name in wanted) + 0.5 * sum(
            shares.get(name, 0.0) for name in near
        )
        return min(1.0, much / 0.6)

    def together(self, one: Candidate, labels: tuple[str, ...]) -> float:
        best = 0.0
        for other in self._objects:
            if other.confidence < 0.15 or other.label not in labels:
                continue
            best = max(best, shared(one.box, other.box))
        return best


def candidate(number: int, one: SeenObject) -> Candidate:
    return Candidate(number, one.box, one.confidence, _shares(one.colours), _shares(one.clothing))


def _shares(shares: Sequence[ColourShare]) -> dict[str, float]:
    return {share.name: share.share for share in shares}


def without_heaps(pool: list[Candidate]) -> list[Candidate]:
    """Without boxes around many of the kind at once (a shelf of books), given as one more."""
    kept = []
    for one in pool:
        inside = [
            other.box.area
            for other in pool
            if other is not one and other.box.overlap(one.box) > 0.8 * other.box.area > 0
        ]
        heap = one.confidence < _HEAP and len(inside) >= 3 and one.box.area > 4 * median(inside)
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
