"""The facts of one picture, looked up by things: what is seen of a kind, where, and what lies how to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from foveal.engines.evidence.intents import Relation
from foveal.engines.evidence.vocabulary import Thing, Vocabulary
from foveal.engines.evidence.vocabulary_tables import data_table
from foveal.perception.base import Box, DetectedObject, Tag
from foveal.perception.facts import ColourShare, Facts, SeenObject

Verdict = Literal["yes", "likely", "maybe", "no", "unknown"]

SURE_TAG = 0.5  # a tag (or the tags of a kind together) from which the whole picture is said to show it
LIKELY_TAG = 0.3  # from which the best tag is worth offering where nothing was detected
SEEN_TAG = 0.12  # below it, a thing that only the tagger knows is said not to be there
TELLING = 0.7  # confidence of objects that speak for a kind of place
SURFACES = frozenset(
    ("couch", "bed", "chair", "bench", "dining table", "boat", "skateboard", "surfboard", "skis")
)


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    korean: str
    indoor: bool
    score: float
    before: str = "in"  # on a street, in a kitchen


@dataclass(frozen=True, slots=True)
class Act:
    """A person with an object: which, how it is said, and what it suggests."""

    person: Box
    label: str
    phrase: str
    doing: str
    korean: str


@dataclass(frozen=True, slots=True)
class Scenes:
    """Tables of places and actions (data/scenes.toml)."""

    places: Mapping[str, Any]
    actions: Sequence[Mapping[str, Any]]


def load_scenes() -> Scenes:
    table = data_table("scenes")
    return Scenes(table["place"], table["action"])


@dataclass(frozen=True, slots=True)
class Sights:
    """One picture's facts with the tables that give them names."""

    facts: Facts
    words: Vocabulary
    scenes: Scenes
    likely: float = 0.1  # asked about, a doubtful object is "likely" there from this on (docs/evidence.md)
    countable: float = 0.5  # objects are counted from this confidence on

    def objects(self, thing: Thing) -> list[SeenObject]:
        """Sure objects of the thing's kinds, left to right."""
        found = [one for one in self.facts.objects if one.label in thing.labels]
        return sorted(found, key=lambda one: one.box.centre[0])

    def number(self, thing: Thing) -> int:
        """How many: the certain ones; when none is certain, those that are sure or likely at all."""
        found = self.objects(thing)
        certain = sum(one.confidence >= self.countable for one in found)
        if certain or found:
            return certain or len(found)
        verdict = self.verdict(thing)
        if verdict == "yes":
            return max(1, len(self.facts.faces)) if "person" in thing.labels else 1
        return 1 if verdict == "likely" else 0

    def boxes(self, thing: Thing) -> list[Box]:
        """Where it is: the certain ones; else sure ones; else the likeliest doubtful one."""
        found = self.objects(thing)
        certain = [one.box for one in found if one.confidence >= self.countable]
        if certain or found:
            return certain or [one.box for one in found]
        if "person" in thing.labels and self.facts.faces:
            return [face.box for face in self.facts.faces]
        likely = [one for one in self.doubtful(thing) if one.confidence >= self.likely]
        return [max(likely, key=lambda one: one.confidence).box] if likely else []

    def guess(self, thing: Thing) -> Box | None:
        """The likeliest place of something hardly seen, for who takes for granted that it is there."""
        found = max(self.doubtful(thing), key=lambda one: one.confidence, default=None)
        return None if found is None else found.box

    def doubtful(self, thing: Thing) -> list[DetectedObject]:
        return [one for one in self.facts.doubtful if one.label in thing.labels]

    def tags(self, thing: Thing) -> list[Tag]:
        names = {name.lower() for name in thing.tags}
        return [tag for tag in self.facts.tags if tag.name.split(",")[0].strip().lower() in names]

    def verdict(self, thing: Thing) -> Verdict:
        """Is it there? "no" only for what the models know."""
        if self.objects(thing):
            return "yes"
        tags = self.tags(thing)
        weight = sum(tag.confidence for tag in tags)
        if weight >= SURE_TAG:
            return "yes"
        if "person" in thing.labels and self.facts.faces:
            return "yes"
        doubtful = max((one.confidence for one in self.doubtful(thing)), default=0.0)
        if thing.labels and max(doubtful, weight) >= self.likely:
            return "likely"
        if weight >= SEEN_TAG and not thing.labels:
            return "maybe"
        return "no"

    def animal_tag(self) -> Tag | None:
        """The best tag that names an animal, when the tagger is sure of it."""
        best = [tag for tag in self.facts.tags if tag.confidence >= SURE_TAG]
        for tag in best:
            kind = self.words.kind_of(tag.name)
            if kind is not None and kind.klass == "animal":
                return tag
        return None

    def sure_tag(self) -> Tag | None:
        best = max(self.facts.tags, key=lambda tag: tag.confidence, default=None)
        return best if best is not None and best.confidence >= SURE_TAG else None

    def main_tag(self) -> Tag | None:
        """The best tag that is likely enough to be offered with "looks like" when nothing else is known."""
        best = max(self.facts.tags, key=lambda tag: tag.confidence, default=None)
        return best if best is not None and best.confidence >= LIKELY_TAG else None

    def counts(self) -> dict[str, int]:
        """Label → how many, in the order of prominence (largest and most central kinds first)."""
        weight: dict[str, float] = {}
        number: dict[str, int] = {}
        for one in self.facts.objects:
            weight[one.label] = weight.get(one.label, 0.0) + prominence(one.box)
            number[one.label] = number.get(one.label, 0) + 1
        number = {label: self.number(self.words.thing(label)) for label in number}
        return {label: number[label] for label in sorted(number, key=lambda label: -weight[label])}

    def place(self) -> Place | None:
        """The kind of place that the objects and tags speak for; None when they do not."""
        best: Place | None = None
        seen = {one.label for one in self.facts.objects if one.confidence >= TELLING}
        tags = {tag.name.split(",")[0].strip(): tag.confidence for tag in self.facts.tags}
        for name, row in self.scenes.places.items():
            score = sum(weight for label, weight in row["labels"].items() if label in seen)
            score += sum(
                weight * min(1.0, 2 * tags[tag]) for tag, weight in row.get("tags", {}).items() if tag in tags
            )
            if score > 0 and (best is None or score > best.score):
                best = Place(name, row["ko"], row["indoor"], score, row.get("before", "in"))
        return best if best is not None and best.score >= 0.5 else None

    def acts(self) -> list[Act]:
        """What persons do, as far as boxes tell; one per object, most telling first."""
        persons = [one for one in self.facts.objects if one.label == "person"]
        found: list[Act] = []
        for row in self.scenes.actions:
            for one in (o for o in self.facts.objects if o.label == row["label"]):
                person = self._actor(one.box, persons, row)
                if person is not None:
                    found.append(Act(person.box, one.label, row["en"], row["doing"], row["ko"]))
        return found

    @staticmethod
    def _actor(box: Box, persons: list[SeenObject], row: Mapping[str, Any]) -> SeenObject | None:
        if row.get("riding"):
            return next((p for p in persons if rides(p.box, box)), None)
        if row["near"] > 1.0:
            return persons[0] if persons else None
        return next((p for p in persons if box.overlap(grown(p.box, 0.33)) >= row["near"] * box.area), None)

    def related(self, anchor: Box, relation: Relation, among: Sequence[SeenObject]) -> list[SeenObject]:
        """Those of `among` that stand in the relation to the anchor, nearest first."""
        found = [one for one in among if one.box != anchor and holds(one.box, anchor, relation, one.label)]
        return sorted(found, key=lambda one: gap(one.box, anchor))

    def standing(self, found: Sequence[SeenObject], relation: Relation, anchor: Thing) -> list[SeenObject]:
        """Those of `found` that stand in the relation to any object of the anchor's kinds."""
        standing: list[SeenObject] = []
        for base in self.objects(anchor):
            standing += [one for one in self.related(base.box, relation, found) if one not in standing]
        return standing

    def background(self) -> tuple[ColourShare, ...]:
        """Colours of the picture less those of its objects (shares of their boxes)."""
        rest = {share.name: share.share for share in self.facts.colours}
        for one in self.facts.objects:
            for share in one.colours:
                rest[share.name] = rest.get(share.name, 0.0) - 0.6 * share.share * one.box.area
        left = sorted(
            ((name, share) for name, share in rest.items() if share > 0.05), key=lambda pair: -pair[1]
        )
        return tuple(ColourShare(name, share) for name, share in left) or self.facts.colours


def prominence(box: Box) -> float:
    """Larger and more central boxes matter more to somebody who looks."""
    x, y = box.centre
    return float(box.area**0.5 * (1.2 - abs(x - 0.5) - 0.4 * abs(y - 0.5)))


def grown(box: Box, share: float) -> Box:
    dx, dy = box.width * share / 2, box.height * share / 2
    return Box(box.left - dx, box.top - dy, box.right + dx, box.bottom + dy)


def gap(one: Box, other: Box) -> float:
    """Distance between two boxes' edges, 0 when they touch or overlap."""
    dx = max(one.left - other.right, other.left - one.right, 0.0)
    dy = max(one.top - other.bottom, other.top - one.bottom, 0.0)
    return float((dx * dx + dy * dy) ** 0.5)


def rides(person: Box, mount: Box) -> bool:
    """The person sits above the middle of the mount and over it sideways."""
    sideways = min(person.right, mount.right) - max(person.left, mount.left)
    return (
        sideways >= 0.5 * person.width
        and person.centre[1] < mount.centre[1]
        and person.bottom > mount.top + 0.15 * mount.height
        and person.bottom < mount.bottom + 0.1 * mount.height
    )


def holds(box: Box, anchor: Box, relation: Relation, label: str = "") -> bool:
    """Whether `box` stands in the relation to `anchor`, judged from the two boxes alone."""
    x, y = box.centre
    ax, ay = anchor.centre
    inside = box.overlap(anchor) / box.area if box.area else 0.0
    near = gap(box, anchor) <= 0.08 + 0.25 * min(max(box.width, box.height), max(anchor.width, anchor.height))
    match relation:
        case Relation.LEFT_OF:
            return x < ax and x < anchor.left + 0.35 * anchor.width
        case Relation.RIGHT_OF:
            return x > ax and x > anchor.right - 0.35 * anchor.width
        case Relation.NEXT_TO:
            return near and not (inside > 0.8 and box.area < 0.3 * anchor.area)
        case Relation.ON:
            stands = (
                anchor.left - 0.02 <= x <= anchor.right + 0.02
                and anchor.top <= box.bottom <= anchor.bottom + 0.03
            )
            return (
                stands
                and (box.area < 1.3 * anchor.area)
                and (inside > 0.3 or box.bottom - anchor.top < 0.12)
                and y < ay + 0.25 * anchor.height + 0.05
            )
        case Relation.IN:
            return inside > 0.7 and box.area < 0.8 * anchor.area
        case Relation.WITH:
            return (
                inside > 0.25
                or rides(anchor, box)
                or rides(box, anchor)
                or box.overlap(grown(anchor, 0.2)) > 0.4 * box.area
            )
        case Relation.UNDER | Relation.BELOW:
            return y > ay and min(box.right, anchor.right) > max(box.left, anchor.left)
        case Relation.ABOVE:
            return y < ay and min(box.right, anchor.right) > max(box.left, anchor.left)
        case Relation.FRONT:
            return near and box.bottom > anchor.bottom
        case Relation.BEHIND:
            return near and box.bottom < anchor.bottom
    return False
