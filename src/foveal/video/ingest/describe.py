"""What a frame's facts say in words: for people to read, and for the vector that finds it.

The words are those of the answers about single pictures. One text holds what is seen and what is written:
two vectors a frame found no more than one (docs/video-search.md has the figures).
"""

from __future__ import annotations

from collections.abc import Iterator

from foveal.engines.evidence import reading
from foveal.engines.evidence.describe import amount, colours_of
from foveal.engines.evidence.english_words import an, join, number, upper
from foveal.engines.evidence.notes import Notes, Subject, take_notes
from foveal.engines.evidence.shares import names
from foveal.engines.evidence.sights import SEEN_TAG, Scenes, Sights, load_scenes
from foveal.engines.evidence.vocabulary import Vocabulary
from foveal.engines.evidence.vocabulary_tables import load_vocabulary
from foveal.perception.facts import Facts

_MOST_KINDS = 10
_ROOM = 1_200  # letters of text that a frame is found by
_PAGE = 5  # lines from which what a picture looks like is a page of text


class FrameWords:
    """Facts to texts, in English; reads its tables when it is made (20 ms)."""

    def __init__(self, words: Vocabulary | None = None, scenes: Scenes | None = None) -> None:
        self._words = words or load_vocabulary()
        self._scenes = scenes or load_scenes()

    def __call__(self, facts: Facts) -> tuple[str, ...]:
        """The texts that a frame is found by; there is one, and it is never empty."""
        sights = Sights(facts, self._words, self._scenes)
        notes = take_notes(sights, most=_MOST_KINDS)
        parts = [f"{upper(part)}." for part in self._seen(notes, sights) if part]
        written = "; ".join(reading.texts(reading.readable(facts.lines)))
        if written:
            parts.append(f"The text reads: {written[:_ROOM]}")
        if not parts:
            hues = names(facts.colours)
            parts.append(f"A picture that is mostly {join(hues)}." if hues else "A picture.")
        return (" ".join(parts),)

    def _seen(self, notes: Notes, sights: Sights) -> Iterator[str]:
        parts = [self._subject(one, sights) for one in notes.subjects]
        faces = len(sights.facts.faces)
        if faces and not any(one.thing.key == "person" for one in notes.subjects):
            parts.insert(0, "the face of a person" if faces == 1 else f"the faces of {number(faces)} people")
        if not notes.subjects and len(sights.facts.lines) >= _PAGE:
            parts.append("a page of text")
        elif notes.looks_like:
            kind = self._kind(notes.looks_like)
            parts.append(an(notes.looks_like) + (f", {an(kind)}" if kind else ""))
        elif not parts:
            parts = [
                an(self._words.tag_name(tag.name)) for tag in sights.facts.tags if tag.confidence >= SEEN_TAG
            ][:2]
        where = [f"{notes.place.before} {an(notes.place.name)}"] if notes.place is not None else []
        where += [notes.side] if notes.side else []
        if parts or where:
            yield " ".join([join(parts), ", ".join(where)]).strip()
        for act in notes.acts:
            yield f"a person {act.phrase}"

    def _subject(self, one: Subject, sights: Sights) -> str:
        text = amount(one)
        if one.thing.key == "person":
            if one.count > 2:
                text = f"a group of {number(one.count)} people"
            hues = colours_of(one, sights)
            return f"{text} wearing {join(hues)}" if hues else text
        return text

    def _kind(self, name: str) -> str:
        """What a tag is a kind of ("dog" for "beagle"), when its name does not say so."""
        kind = self._words.kind_of(name)
        if kind is None or not kind.plural or kind.name in name:
            return ""
        return kind.name
