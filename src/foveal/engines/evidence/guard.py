"""Checks a generated English sentence against the notes: what they do not hold may not be said."""

from __future__ import annotations

import re
from dataclasses import dataclass

from foveal.engines.evidence.english_words import number
from foveal.engines.evidence.lexicon import Lexicon
from foveal.engines.evidence.notes import Notes
from foveal.engines.evidence.sights import SURFACES
from foveal.engines.evidence.vocabulary_tables import data_table

_QUOTE = re.compile(r"[\"“”«»]([^\"“”«»]*)[\"“”«»]")
_WORDS = re.compile(r"[a-z0-9][a-z0-9'’-]*")
_WHERE = re.compile(
    r"\b(on|in|inside|under|behind|above|over) (?:(?:top|front) of )?(?:(?:a|"
    r"an|the|its|their) )?(?:\w+ )?$"
)
_VERB = re.compile(r"\b(?:is|are|shows?|features?|includes?|reads?|says?|looks?|appears?|has|have)\b")
_NUMBERS = {number(count): count for count in range(2, 13)}


@dataclass(frozen=True, slots=True)
class Guard:
    lexicon: Lexicon
    plain: frozenset[str]

    def passes(self, sentence: str, notes: Notes, *, strict: bool = True) -> bool:
        """`strict`: every word must come from the notes or the plain list; else only things, numbers, colours
        and quotes are checked.
        """
        quotes = _QUOTE.findall(sentence)
        if not all(_quoted_in(quote, notes) for quote in quotes):
            return False
        bare = _QUOTE.sub(" ", sentence).lower()
        return (
            self._things(bare, notes)
            and self._colours(bare, notes)
            and not any(_shared(bare, act.label) for act in notes.acts)
            and (not strict or (bool(_VERB.search(bare)) and self._words(bare, notes)))
        )

    def _things(self, bare: str, notes: Notes) -> bool:
        """Every thing named is one of the subjects, in its number."""
        counts = {label: one.count for one in notes.subjects for label in one.thing.labels}
        allowed = self._free_words(notes)
        for mention in self.lexicon.words.find(bare, "en"):
            said = bare[mention.start : mention.end]
            if said in allowed:
                continue
            if mention.thing.adds or not mention.thing.labels:
                return False
            if not _stands(bare[: mention.start], mention.thing.labels, notes):
                return False
            have = sum(counts.get(label, 0) for label in mention.thing.labels)
            if not have:
                return False
            told = _number_before(bare, mention.start)
            if told is not None and told != have:
                return False
            if (
                mention.plural
                and have < 2
                and mention.thing.singular != mention.thing.plural
                and not mention.thing.group
            ):
                return False
        return True

    def _colours(self, bare: str, notes: Notes) -> bool:
        """A colour is said only before the subject that has it (or after it: "the bus is red")."""
        have = {(one.colour, label) for one in notes.subjects for label in one.thing.labels if one.colour}
        mentions = self.lexicon.words.find(bare, "en")
        for name, start, end in self.lexicon.colours_in(bare):
            if any(m.start <= start < m.end for m in mentions):
                continue
            following = next((m for m in mentions if m.start >= end), None)
            if following is None or not any((name, label) in have for label in following.thing.labels):
                return False
        return True

    def _words(self, bare: str, notes: Notes) -> bool:
        allowed = set(self.plain) | self._free_words(notes) | set(_NUMBERS)
        for one in notes.subjects:
            allowed |= set(_WORDS.findall(f"{one.thing.singular} {one.thing.plural} {one.colour}".lower()))
        text = "".join(
            " " if any(m.start <= i < m.end for m in self.lexicon.words.find(bare, "en")) else c
            for i, c in enumerate(bare)
        )
        return all(
            word in allowed or word.isdigit() or word.rstrip("'s") in allowed for word in _WORDS.findall(text)
        )

    def _free_words(self, notes: Notes) -> set[str]:
        said = " ".join([act.phrase + " " + act.doing for act in notes.acts])
        place = notes.place.name if notes.place else ""
        return {
            place,
            notes.looks_like.lower(),
            *_WORDS.findall(f"{said} {place} {notes.looks_like}".lower()),
        } - {""}


def load_guard(lexicon: Lexicon) -> Guard:
    return Guard(lexicon, frozenset(data_table("english")["plain"].split()))


def _quoted_in(quote: str, notes: Notes) -> bool:
    wanted = re.sub(r"\W+", "", quote.lower())
    return bool(wanted) and any(wanted in re.sub(r"\W+", "", text.lower()) for text in notes.texts)


def _stands(before: str, labels: tuple[str, ...], notes: Notes) -> bool:
    """Where something is said to be in or on the thing: only what boxes showed, or a surface to be on."""
    found = _WHERE.search(before)
    if found is None:
        return True
    if found.group(1) == "on":
        return bool(set(labels) & (SURFACES | {act.label for act in notes.acts}))
    return False


def _shared(bare: str, label: str) -> bool:
    """ "Three people are on a skateboard": one object under several persons."""
    verb = r"(?:are |is )?(?:\w+ )?(?:on|with|riding|holding)"
    return bool(re.search(rf"\bpeople {verb} (?:a|an|the) {label}\b", bare))


def _number_before(bare: str, start: int) -> int | None:
    """The number said of what follows: "two red buses"."""
    words = _WORDS.findall(bare[:start])[-3:]
    for word in reversed(words):
        if word in _NUMBERS:
            return _NUMBERS[word]
        if word.isdigit():
            return int(word)
        if word in ("a", "an", "one", "another", "single"):
            return 1
        if word in ("and", "with", "of", "the", "on", "in", "is", "are"):
            return None
    return None
