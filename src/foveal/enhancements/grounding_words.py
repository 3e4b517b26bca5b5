"""The words of grounding: which words of an answer name which detector kinds, and how phrases are built.

The tables are data files (`data/grounding_*.toml`) over the evidence engine's vocabulary; they are read once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any, Literal

from foveal.engines.evidence.lexicon import Lexicon
from foveal.engines.evidence.vocabulary import Thing, pluralise

Form = Literal["the", "a", "another", "bare", "none"]
Gender = Literal["male", "female", ""]
FACE = "face"  # the one label that is no detector kind
LONGEST = 5  # words of the longest noun


@dataclass(frozen=True, slots=True)
class Noun:
    """What a word of an answer stands for.

    `labels` are the detector's kinds that it may be (none: a thing that nothing here detects, which only
    keeps shorter words inside it from being taken); `company` the kinds such a person is with; `strict` words
    are things only where the sentence shows them to be nouns; `many` words are plural without an ending,
    `two` of a couple.
    """

    word: str
    labels: tuple[str, ...] = ()
    gender: Gender = ""
    company: tuple[str, ...] = ()
    strict: bool = False
    many: bool = False
    two: bool = False
    alike: bool = False  # "sheep": one and many alike
    blocked: bool = False  # all of it, also its last word ("power plant")

    @property
    def person(self) -> bool:
        return "person" in self.labels


@dataclass(slots=True)
class Mention:
    """A phrase that names something: code points [start, end) of the answer, the head noun at [head, end).

    `place` holds words such as "left" or "foreground"; `colours` those of the thing, `worn` those of a
    person's clothes (basic colour names). `rest`: "the other …". `owner` is the place in the list of mentions
    of the one whose face it is, `beside` the kinds that the thing is held with or ridden, `left_of` and
    `right_of` those it stands next to. `none` in `form`: negated or hypothetical.
    """

    noun: Noun
    start: int
    head: int
    end: int
    sentence: int
    form: Form = "bare"
    plural: bool = False
    neutral: bool = False  # Korean: number not told
    count: int | None = None
    ordinal: int = 0
    rest: bool = False
    detailed: bool = False  # "in a suit" belongs to the phrase
    colours: tuple[str, ...] = ()
    worn: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    size: str = ""
    hints: tuple[str, ...] = ()  # colours told behind it: "the dog is black"
    owner: int | None = None
    owned: bool = False  # "her face": somebody's, told by a pronoun
    beside: tuple[str, ...] = ()
    holder: int | None = None  # place in the list of the person who holds or rides it
    left_of: tuple[str, ...] = ()
    right_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class English:
    """Sets of lower-case words by their role in a phrase; `nouns` by word tuple, and whether it is plural."""

    nouns: Mapping[tuple[str, ...], tuple[Noun, bool]]
    starts: frozenset[str]  # first words of nouns
    sets: Mapping[str, frozenset[str]]
    numbers: Mapping[str, int]
    ordinals: Mapping[str, int]
    colours: Mapping[str, str]
    near: Mapping[str, frozenset[str]]  # basic colours that pass into each other

    def __getitem__(self, name: str) -> frozenset[str]:
        return self.sets[name]


@dataclass(frozen=True, slots=True)
class Korean:
    nouns: Mapping[str, tuple[tuple[str, Noun], ...]]  # by first letter, longest first
    sets: Mapping[str, frozenset[str]]
    numbers: Mapping[str, int]
    places: Mapping[str, str]
    colours: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> frozenset[str]:
        return self.sets[name]

    def colour(self, word: str) -> str:
        return next((name for written, name in self.colours if written in word), "")


def load_words(lexicon: Lexicon) -> tuple[English, Korean]:
    """Reads the data files: callers keep the result."""
    nouns = _table("nouns")
    return _english(lexicon, nouns), _korean(lexicon, nouns)


def _table(name: str) -> dict[str, Any]:
    source = resources.files("foveal.enhancements") / "data" / f"grounding_{name}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


def split(phrase: str) -> tuple[str, ...]:
    """Words of a phrase as the answers' tokens are cut: hyphens part words, apostrophes do not."""
    return tuple(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", phrase.lower()))


@dataclass(slots=True)
class _Nouns:
    """Collects the English nouns; a later word replaces an earlier one."""

    table: Mapping[str, Any]
    found: dict[tuple[str, ...], tuple[Noun, bool]] = field(default_factory=dict)

    def add(self, noun: Noun, *, plural: str | None = None) -> None:
        self.put(noun.word, noun, plural=noun.many)
        self.put(pluralise(noun.word) if plural is None else plural, noun, plural=True)

    def put(self, written: str, noun: Noun, *, plural: bool) -> None:
        words = split(written)
        if words and len(words) <= LONGEST and (not plural or (words not in self.found or noun.labels)):
            if plural and words in self.found and not self.found[words][1]:
                return  # "sheep", "scissors": one and many alike
            self.found[words] = (noun, plural)

    def made(self, word: str, labels: Iterable[str]) -> Noun:
        genders: Mapping[str, list[str]] = self.table["gender"]
        gender: Gender = "male" if word in genders["male"] else "female" if word in genders["female"] else ""
        company = self.table["company"].get(word, ())
        many = self.table["many"]
        return Noun(
            word,
            tuple(labels),
            gender,
            tuple(company),
            word in self.table["strict"]["words"],
            word in many["words"],
            word in many["two"],
            word in many["alike"],
        )


def _english(lexicon: Lexicon, table: Mapping[str, Any]) -> English:
    nouns = _Nouns(table)
    for words, (thing, plural) in lexicon.words.english.items():
        noun = nouns.made(
            " ".join(words) if not plural else thing.said or thing.singular, _labels(thing, lexicon)
        )
        nouns.found[words] = (noun, plural or noun.many)
    _split_hyphens(nouns.found)
    for row in table["noun"]:
        for word in row["words"]:
            nouns.add(nouns.made(word, row["labels"]))
        for written, word in row.get("plurals", {}).items():
            nouns.put(written, nouns.made(word, row["labels"]), plural=True)
    face = nouns.made("face", (FACE,))
    nouns.add(face)
    for written in table["blocked"]["words"]:
        nouns.found[split(written)] = (Noun(written, blocked=True), False)
        nouns.found[split(pluralise(written))] = (Noun(written, blocked=True), True)
    for written in table["never"]["words"]:
        nouns.found.pop(split(written), None)
        nouns.found.pop(split(pluralise(written)), None)
    rows = _table("english")
    sets = {name: frozenset(value.split()) for name, value in rows.items() if isinstance(value, str)}
    sets |= {name: frozenset(value.split()) for name, value in rows["words"].items()}
    strict = frozenset(table["strict"]["words"])
    return English(
        {words: (_strictly(noun, words, strict), plural) for words, (noun, plural) in nouns.found.items()},
        frozenset(words[0] for words in nouns.found),
        sets,
        rows["numbers"],
        rows["ordinals"],
        {
            **lexicon.colours.english,
            "teal": "green",
            "turquoise": "blue",
            "cream": "white",
            "blond": "yellow",
        },
        {name: frozenset(others) for name, others in rows["near"].items()},
    )


def _strictly(noun: Noun, words: tuple[str, ...], strict: frozenset[str]) -> Noun:
    return replace(noun, strict=len(words) == 1 and words[0] in strict)


def _split_hyphens(found: dict[tuple[str, ...], tuple[Noun, bool]]) -> None:
    for words in [words for words in found if any("-" in word for word in words)]:
        found.setdefault(split(" ".join(words)), found[words])


def _labels(thing: Thing, lexicon: Lexicon) -> tuple[str, ...]:
    """A tag's kind may be one of the detector's ("beagle" is a dog)."""
    if thing.labels or len(thing.tags) != 1:
        return thing.labels
    kind = lexicon.words.kind_of(thing.tags[0])
    return (kind.label,) if kind is not None and kind.label else ()


def _korean(lexicon: Lexicon, table: Mapping[str, Any]) -> Korean:
    rows = _table("korean")
    sets = {name: frozenset(value.split()) for name, value in rows["words"].items()}
    strict, never = frozenset(rows["strict"]["words"]), frozenset(rows["strict"]["never"])
    known: dict[str, Noun] = {}
    for name, thing in lexicon.words.korean:
        known[name] = Noun(name, _labels(thing, lexicon))
    for label, names in rows["nouns"].items():
        for name in names:
            had = known.get(name)
            labels = had.labels if had is not None and label in had.labels else (label,)
            known[name] = Noun(name, labels)
    known["얼굴"] = Noun("얼굴", (FACE,))
    genders: Mapping[str, list[str]] = rows["genders"]
    by_first: dict[str, list[tuple[str, Noun]]] = {}
    for name, noun in known.items():
        if name in never or not name:
            continue
        gender: Gender = "male" if name in genders["male"] else "female" if name in genders["female"] else ""
        many = name in ("아이들", "관중", "관객", "군중", "인파", "커플", "부부", "가족", "남녀")
        made = replace(
            noun, gender=gender, strict=name in strict, many=many, two=name in ("커플", "부부", "남녀")
        )
        by_first.setdefault(name[0], []).append((name, made))
    ordered = {
        first: tuple(sorted(names, key=lambda pair: -len(pair[0]))) for first, names in by_first.items()
    }
    colours = tuple(lexicon.colours.korean.items())
    return Korean(ordered, sets, rows["numbers"], rows["places"], colours)
