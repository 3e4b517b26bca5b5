"""A picture's facts as the few notes that a caption needs. Fewer, surer facts beat many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foveal.engines.evidence import reading
from foveal.engines.evidence.english_words import MANY
from foveal.engines.evidence.shares import names
from foveal.engines.evidence.sights import Act, Place, Sights
from foveal.engines.evidence.vocabulary import Thing

MENTION = 0.75  # confidence from which a description mentions an object
MENTION_SMALL = 0.8  # the same for boxes under a hundredth of the picture
MENTION_LARGE = 0.6  # and for boxes over a fifth of it
MENTION_PERSON = 0.5  # persons were never seen where there was none
TEXT = 0.85  # confidence of a line that a description quotes
MOST_SUBJECTS = 6


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


def take_notes(sights: Sights, *, most: int = MOST_SUBJECTS, texts: int = 3) -> Notes:
    counts = sure_counts(sights)
    chosen = list(counts.items())[:most]
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
        tuple(_short_texts(sights, texts)),
    )


def sure_counts(sights: Sights) -> dict[str, int]:
    """Label → count of the objects that a description mentions, most prominent first."""
    best: dict[str, float] = {}
    for one in sights.facts.objects:
        floor = MENTION_SMALL if one.box.area < 0.01 else MENTION_LARGE if one.box.area > 0.2 else MENTION
        if one.label == "person":
            floor = MENTION_PERSON
        if one.confidence >= floor:
            best[one.label] = max(best.get(one.label, 0.0), one.confidence)
    counts: Mapping[str, int] = sights.counts()
    return {label: count for label, count in counts.items() if label in best}


def _colour(sights: Sights, label: str) -> str:
    """The colour of the one object of a kind, when one colour covers most of it; persons and
    animals have none.
    """
    thing = sights.words.thing(label)
    one = sights.objects(thing)[0]
    if thing.unit in ("명", "마리") or one.box.area < 0.02 or not one.colours:
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


def _short_texts(sights: Sights, most: int) -> list[str]:
    """The largest confident lines, at most 80 characters together; single letters are left out."""
    lines = [line for line in reading.readable(sights.facts.lines, TEXT) if _worth_quoting(line.text)]
    largest = sorted(reading.blocks(lines), key=lambda group: -max(map(reading.size, group)))
    chosen: list[str] = []
    for group in largest[:most]:
        text = " ".join(line.text.strip() for line in group)
        if sum(map(len, chosen)) + len(text) <= 80:
            chosen.append(text)
        elif not chosen:
            chosen.append(text[:77].rsplit(" ", 1)[0] + "…")
    return chosen


def _worth_quoting(text: str) -> bool:
    return len(reading.squeezed(text)) >= (2 if text.strip().isdigit() else 3)
