"""Captions from facts: one sentence for the whole picture, short noun phrases for its regions.

Nothing is said that was not found. The confidence of a caption is how far perception agrees with it, whoever
wrote it: the mean, over the things that the sentence names, of the best confidence with which each was found
(`UNSEEN` for a thing that was not). A sentence that names no known thing has that of its text, or `UNSEEN`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foveal.analysis.contract import Language
from foveal.analysis.wording import Wording
from foveal.engines.evidence import describe, reading
from foveal.engines.evidence.english_words import an, join, some
from foveal.engines.evidence.intents import Relation
from foveal.engines.evidence.korean import counted, joined
from foveal.engines.evidence.notes import Notes, Subject, take_notes
from foveal.engines.evidence.shares import clear, names
from foveal.engines.evidence.sights import Sights, holds, prominence
from foveal.engines.evidence.vocabulary import Thing
from foveal.perception.base import Box, TextLine
from foveal.perception.facts import SeenObject

UNSEEN = 0.3
_LEAST, _MOST = 0.05, 0.99
_SUBJECTS = 3  # kinds that a caption names
_CROWD = 3  # so many persons are "a group of people"
_CLEAR_CLOTHING = 0.03  # share of the picture from which the colours of a person's clothing are told
_PAGE = 5  # lines from which text is "a page of text"
_TABLE = "dining table"
_MOST_REGIONS = 9
_SAME = 0.9  # IoU from which two regions are one
_QUOTED = 40  # letters of text that a region quotes


@dataclass(frozen=True, slots=True)
class Region:
    text: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class CaptionWriter:
    """Writes from one picture's facts, in one language."""

    sights: Sights
    wording: Wording
    language: Language

    def whole(self) -> str:
        """The caption of the picture: lower case, no full stop."""
        notes = take_notes(self.sights)
        return self._korean(notes) if self.language == "ko" else self._english(notes)

    def at_a_loss(self) -> bool:
        """Whether nothing that was seen is sure enough to be named: then text may help."""
        notes = take_notes(self.sights)
        return not (notes.subjects or notes.looks_like)

    def confidence(self, text: str) -> float:
        """How far what was found agrees with the sentence."""
        sure: dict[Thing, float] = {}
        for mention in self.sights.words.find(text, self.language):
            seen = self._seen(mention.thing)
            if seen or text[mention.start : mention.end] not in self.wording.lexicon.colours.english:
                sure[mention.thing] = seen or UNSEEN  # "orange" is a colour unless there is one
        if not sure:
            lines = self.sights.facts.lines
            return _clamped(sum(line.confidence for line in lines) / len(lines) if lines else UNSEEN)
        return _clamped(sum(sure.values()) / len(sure))

    def regions(self, lines: Sequence[TextLine] = ()) -> list[Region]:
        """Up to nine parts of the picture, the most prominent first; no two of about the same box."""
        found = sorted(self._all_regions(lines), key=lambda one: -prominence(one.box))
        kept: list[Region] = []
        for one in found:
            if len(kept) < _MOST_REGIONS and all(one.box.iou(other.box) < _SAME for other in kept):
                kept.append(one)
        return kept

    def _seen(self, thing: Thing) -> float:
        """The best confidence with which it was found; 0 when it was not."""
        sights = self.sights
        confidences = [one.confidence for one in sights.objects(thing)]
        confidences += [one.confidence for one in sights.doubtful(thing)]
        if "person" in thing.labels:
            confidences += [face.confidence for face in sights.facts.faces]
        tags = sum(tag.confidence for tag in sights.tags(thing))
        return max([*confidences, min(_MOST, tags)])

    def _english(self, notes: Notes) -> str:
        where = ""
        if notes.place is not None:
            where = f" {notes.place.before} {an(notes.place.name)}"
        parts = self._parts(notes)
        if parts:
            return join(parts) + where
        if notes.looks_like:
            return f"{an(notes.looks_like)}{where}".lower()
        lines = self.sights.facts.lines
        if lines:
            return "a page of text" if len(lines) >= _PAGE else "a close up of text"
        surest = max(self.sights.facts.objects, key=lambda one: one.confidence, default=None)
        if surest is not None:
            return self._one(surest) + where
        hues = names(self.sights.facts.colours)
        return f"a picture that is mostly {join(hues)}" if hues else "a picture"

    def _parts(self, notes: Notes) -> list[str]:
        """The phrases of the subjects, with what a person does and what stands on a table."""
        subjects = [one for one in notes.subjects if one.thing.key != _TABLE]
        act = next(iter(notes.acts), None)
        parts = [self._amount(one) for one in subjects[:_SUBJECTS]]
        if act is not None and any(one.thing.key == "person" and one.count == 1 for one in subjects):
            rest = [one for one in subjects if one.thing.key not in ("person", act.label)]
            parts = [f"a person {act.phrase}", *(self._amount(one) for one in rest[: _SUBJECTS - 1])]
        tables = [one for one in notes.subjects if one.thing.key == _TABLE]
        if not tables:
            return parts
        laid = [one for each in subjects[:_SUBJECTS] for one in self.sights.objects(each.thing)]
        on_it = self._standing_on(laid) if laid and act is None else ""
        return [join(parts) + on_it] if on_it else [*parts[: _SUBJECTS - 1], self._amount(tables[0])]

    def _amount(self, one: Subject) -> str:
        if one.thing.key == "person":
            if one.count >= _CROWD:
                return "a group of people"
            if one.count == 1:
                seen = max(self.sights.objects(one.thing), key=lambda each: each.confidence, default=None)
                if seen is not None:
                    return self._person(seen)
        return describe.amount(one)

    def _person(self, one: SeenObject) -> str:
        worn = clear(one.clothing) if one.box.area >= _CLEAR_CLOTHING else []
        return f"a person wearing {join(worn)}" if worn else "a person"

    def _korean(self, notes: Notes) -> str:
        where = f"{notes.place.korean}에 있는 " if notes.place is not None else ""
        if notes.subjects:
            return where + joined([counted(one.thing, one.count) for one in notes.subjects[:_SUBJECTS]])
        if notes.looks_like_korean:
            return where + notes.looks_like_korean
        if self.sights.facts.lines:
            return "글자가 있는 사진"
        surest = max(self.sights.facts.objects, key=lambda one: one.confidence, default=None)
        if surest is not None:
            return where + self._one(surest)
        colours = self.wording.lexicon.colours.names
        hues = [colours[name] for name in names(self.sights.facts.colours)]
        return f"주로 {joined(hues)}인 사진" if hues else "사진"

    def _all_regions(self, lines: Sequence[TextLine]) -> Iterator[Region]:
        groups: dict[str, list[SeenObject]] = {}
        for one in self.sights.facts.objects:
            groups.setdefault(one.label, []).append(one)
        for act in self.sights.acts():
            things = [one for one in groups.get(act.label, ()) if one.box.overlap(act.person) > 0]
            person = next((one for one in groups.get("person", ()) if one.box == act.person), None)
            if things and person is not None and self.language == "en":
                sure = min(person.confidence, things[0].confidence)
                yield Region(f"a person {act.phrase}", sure, Box.around([person.box, things[0].box]))
        for members in groups.values():
            if len(members) > 1:
                sure = sum(one.confidence for one in members) / len(members)
                yield Region(self._several(members), sure, Box.around([one.box for one in members]))
            for one in members:
                yield Region(self._one(one), one.confidence, one.box)
        for block in reading.blocks(reading.readable(lines)):
            sure = sum(line.confidence for line in block) / len(block)
            yield Region(self._text(block), sure, Box.around([line.box for line in block]))

    def _one(self, one: SeenObject) -> str:
        thing = self.sights.words.thing(one.label)
        if self.language == "ko":
            return counted(thing, 1)
        if one.label == "person":
            return self._person(one)
        # Creatures have no one colour; a box's colours are the thing's own only when one covers most of it.
        hues = [] if thing.unit == "마리" else clear(one.colours)
        text = describe.amount(Subject(thing, 1, hues[0] if len(hues) == 1 else ""))
        return text + self._standing_on([one])

    def _several(self, members: Sequence[SeenObject]) -> str:
        thing = self.sights.words.thing(members[0].label)
        if self.language == "ko":
            return counted(thing, len(members))
        if thing.key == "person" and len(members) >= _CROWD:
            return "a group of people"
        return some(thing, len(members)) + self._standing_on(members)

    def _standing_on(self, members: Sequence[SeenObject]) -> str:
        """ " on a table", when every one of them stands on one."""
        for table in self.sights.facts.objects:
            if table.label != _TABLE or table in members:
                continue
            if all(holds(one.box, table.box, Relation.ON) for one in members):
                return f" on {an(self.sights.words.thing(table.label).singular)}"
        return ""

    def _text(self, block: Sequence[TextLine]) -> str:
        text = " ".join(line.text.strip() for line in block)
        if self.language == "ko":
            return f"“{text}”라고 쓰인 글자" if len(text) <= _QUOTED else "여러 줄의 글자"
        return f"text that reads “{text}”" if len(text) <= _QUOTED else "a block of text"


def _clamped(confidence: float) -> float:
    return min(_MOST, max(_LEAST, confidence))
