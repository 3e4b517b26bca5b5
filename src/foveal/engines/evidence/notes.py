"""A picture's facts as the few notes that a caption needs. Fewer, surer facts beat many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foveal.engines.evidence import reading
from foveal.engines.evidence.english_words import MANY
from foveal.engines.evidence.places import position
from foveal.engines.evidence.shares import names
from foveal.engines.evidence.sights import SURFACES, Act, Place, Sights
from foveal.engines.evidence.vocabulary import Thing
from foveal.perception.facts import SeenObject

# Confidence from which a description mentions a kind; measured by false objects (docs/evidence.md).
MENTION = 0.75
MENTION_LARGE = 0.55  # the same for boxes over a fifth of the picture
MENTION_SEVERAL = 0.55  # and for kinds of which two or more were counted: none of these was false
MENTION_PERSON = 0.5  # persons were hardly ever seen where there was none,
MENTION_PERSON_TINY = 0.6  # but for the tiniest
TINY = 0.002  # of the picture
RIVAL = 0.8  # boxes of two kinds that overlap so much (IoU) are one thing: the surer kind is mentioned
TEXT = 0.85  # confidence of a line that a description quotes
ROOM = 80  # characters of text that a description of things quotes
ROOM_ALONE = 240  # and one of text alone
MOST_SUBJECTS = 6
INDOORS = 0.7  # score of a kind of room from which on a description says "indoors"


@dataclass(frozen=True, slots=True)
class Subject:
    """So many of a thing; `colour` only for a single sure one."""

    thing: Thing
    count: int
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Notes:
    subjects: tuple[Subject, ...]
    acts: tuple[Act, ...]
    looks_like: str  # an English tag name, only when it adds something
    looks_like_korean: str
    place: Place | None
    texts: tuple[str, ...]
    side: str = ""  # "indoors", "outdoors", "" when nothing speaks for either

    def lines(self) -> str:
        """The form that the caption prompt's examples have."""
        rows = [
            "Subjects: " + ("; ".join(_subject(one) for one in self.subjects) or "-"),
            "Actions: " + ("; ".join(f"person {act.phrase}" for act in self.acts) or "-"),
        ]
        if self.looks_like:
            rows.append(f"Looks like: {self.looks_like}")
        rows.append(f"Place: {self.place.name if self.place else '-'}")
        rows.append("Text: " + (" | ".join(self.texts) or "-"))
        return "\n".join(rows)

    def facts(self) -> str:
        """One line, for open questions."""
        parts = [_subject(one) for one in self.subjects] + [f"person {act.phrase}" for act in self.acts]
        if self.looks_like:
            parts.append(f"looks like: {self.looks_like}")
        if self.place:
            parts.append(f"place: {self.place.name}")
        if self.texts:
            parts.append("text: " + " | ".join(self.texts))
        return "Facts: " + ("; ".join(parts) or "nothing that is known")


def _subject(one: Subject) -> str:
    number = "many" if one.count > MANY else str(one.count)
    text = one.thing.singular if one.count == 1 else f"{number} {one.thing.plural}"
    return f"{text} ({one.colour})" if one.colour else text


def take_notes(sights: Sights, *, most: int = MOST_SUBJECTS, texts: int = 3, room: int = 0) -> Notes:
    """At most so many kinds, and blocks of text of `room` characters together (0: fewer beside things)."""
    counts = sure_counts(sights)
    chosen = sorted(counts.items(), key=lambda item: item[0] == "dining table")[
        :most
    ]  # what is on it comes first
    subjects = tuple(
        Subject(sights.words.thing(label), count, _colour(sights, label) if count == 1 else "")
        for label, count in chosen
    )
    labels = {label for label, _ in chosen}
    seen: dict[str, Act] = {}
    for act in sights.acts():
        if "person" in labels and act.label in labels:
            seen.setdefault(act.label, act)
    english, korean = _looks_like(sights, labels)
    place = sights.place()
    return Notes(
        subjects,
        tuple(seen.values())[:3],
        english,
        korean,
        place if place is not None and place.score >= 1.0 and place.name != "outdoors" else None,
        tuple(_short_texts(sights, texts, room or (ROOM if subjects else ROOM_ALONE))),
        _side(place),
    )


def _side(place: Place | None) -> str:
    """Where the picture was taken; a table alone does not tell."""
    if place is None or (place.indoor and place.score < INDOORS):
        return ""
    return "indoors" if place.indoor else "outdoors"


def sure_counts(sights: Sights) -> dict[str, int]:
    """Label → count of the objects that a description mentions, most prominent first."""
    counts: Mapping[str, int] = sights.counts()
    return {
        label: count
        for label, count in counts.items()
        if any(_sure(one, count, sights) for one in sights.facts.objects if one.label == label)
    }


def _sure(one: SeenObject, count: int, sights: Sights) -> bool:
    if one.label == "person":
        return one.confidence >= (MENTION_PERSON_TINY if one.box.area < TINY else MENTION_PERSON)
    floor = MENTION_LARGE if one.box.area > 0.2 else MENTION_SEVERAL if count > 1 else MENTION
    return one.confidence >= floor and not any(
        other.label != one.label and other.confidence > one.confidence and other.box.iou(one.box) >= RIVAL
        for other in sights.facts.objects
    )


def _colour(sights: Sights, label: str) -> str:
    """The colour of the one object of a kind, when one covers most of it; persons and animals have none."""
    thing = sights.words.thing(label)
    one = sights.objects(thing)[0]
    if thing.unit in ("명", "마리") or one.box.area < 0.02 or not one.colours:
        return ""
    if label in SURFACES and position(one.box).fills:  # what lies on it counts in its box
        return ""
    found = names(one.colours)
    return found[0] if len(found) == 1 and one.colours[0].share >= 0.5 else ""


def _looks_like(sights: Sights, labels: set[str]) -> tuple[str, str]:
    tag = sights.animal_tag() or sights.sure_tag()
    if tag is None and not labels:
        tag = sights.main_tag()
    if tag is None:
        return "", ""
    kind = sights.words.kind_of(tag.name)
    if kind is not None and (kind.label in labels or (kind.label and labels)):
        return "", ""
    if labels and tag.confidence < 0.8:
        return "", ""
    if kind is not None and labels and kind.klass not in ("animal", "building", "nature"):
        return "", ""
    return sights.words.tag_name(tag.name), sights.words.tag_korean(tag.name)


def _short_texts(sights: Sights, most: int, room: int) -> list[str]:
    """The largest confident blocks that fit, in reading order; single letters are left out."""
    lines = [line for line in reading.readable(sights.facts.lines, TEXT) if _worth_quoting(line.text)]
    groups = reading.blocks(lines)
    largest = sorted(range(len(groups)), key=lambda index: -max(map(reading.size, groups[index])))
    chosen: dict[int, str] = {}
    for index in largest[:most]:
        text = " ".join(line.text.strip() for line in groups[index])
        if sum(map(len, chosen.values())) + len(text) <= room:
            chosen[index] = text
        elif not chosen:
            chosen[index] = text[: room - 3].rsplit(" ", 1)[0] + "…"
    return [chosen[index] for index in sorted(chosen)]


def _worth_quoting(text: str) -> bool:
    return len(reading.squeezed(text)) >= (2 if text.strip().isdigit() else 3)
