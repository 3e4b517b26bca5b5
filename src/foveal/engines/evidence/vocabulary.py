"""The words of questions and answers: which words name which things, in English and Korean.

A `Thing` is what a word of a question stands for: one of the detector's kinds, a group of them ("vehicle"),
something that only the tagger knows ("castle"), or a word that nothing here can find. The tables are data
files (`data/objects.toml`, `groups.toml`, `people.toml`, `tags.toml`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Seer = Literal["detector", "tagger", "nobody"]
Language = Literal["en", "ko"]

# Particles that may follow a Korean noun inside one word, longest first.
_PARTICLES = (
    "이라고|이라는|이에요|예요|인가요|인지|이랑|에게|에서|에는|에도|으로|까지|"
    "부터|마다|처럼|보다|하고|한테|들이|들은|들을|들도|들의|들|"
    "은|는|이|가|을|를|에|도|의|와|과|랑|로|만|야|요|나|중|쪽"
)
_AFTER_NOUN = re.compile(rf"(?:{_PARTICLES}){{0,3}}$")
WORD = re.compile(r"[a-z0-9]+(?:['’-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Thing:
    """`labels` are the detector's kinds that count as it, `tags` the tagger's names; `adds` is what a word
    such as "girl" or "pigeon" says beyond them and nobody can see ("gender or age", "kind").
    """

    key: str
    singular: str
    plural: str
    korean: str
    unit: str = "개"
    labels: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    seer: Seer = "detector"
    group: bool = False
    adds: str = ""
    said: str = ""  # the narrower word of the question ("girl", "pigeon"), when `adds` is set

    def named(self, count: int) -> str:
        return self.singular if count == 1 else self.plural


@dataclass(frozen=True, slots=True)
class Mention:
    """A thing named in a text at [start, end). `plural` tells how it was named."""

    thing: Thing
    start: int
    end: int
    plural: bool = False


@dataclass(frozen=True, slots=True)
class TagKind:
    """A plain kind of tags: "dog" for all breeds."""

    name: str
    plural: str
    korean: str
    label: str
    klass: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    objects: Mapping[str, Thing]
    english: Mapping[tuple[str, ...], tuple[Thing, bool]]
    korean: tuple[tuple[str, Thing], ...]  # longest name first
    kinds: Mapping[str, TagKind]  # by tag name, lower case
    plain: Mapping[str, str]
    korean_tags: Mapping[str, str]
    longest: int = field(default=5)

    def thing(self, label: str) -> Thing:
        """The thing of one detector label; a label that the table lacks is named by itself."""
        known = self.objects.get(label)
        return known or Thing(label, label, pluralise(label), label, labels=(label,))

    def find(self, text: str, language: Language) -> tuple[Mention, ...]:
        return tuple(self._find_korean(text) if language == "ko" else self._find_english(text))

    def _find_english(self, text: str) -> Iterator[Mention]:
        words = [(m.group(), m.start(), m.end()) for m in WORD.finditer(text.lower())]
        place = 0
        while place < len(words):
            for length in range(min(self.longest, len(words) - place), 0, -1):
                part = tuple(bare(word) for word, _, _ in words[place : place + length])
                found = self.english.get(part)
                if found is not None:
                    yield Mention(found[0], words[place][1], words[place + length - 1][2], found[1])
                    place += length
                    break
            else:
                place += 1

    def _find_korean(self, text: str) -> Iterator[Mention]:
        taken = -1
        for start in _word_starts(text):
            if start < taken:
                continue
            before = text[:start].rstrip()
            for name, thing in self.korean:
                if not text.startswith(name, start):
                    continue
                end = start + len(name)
                rest = re.match(r"[가-힣]*", text[end:])
                if rest is not None and not _AFTER_NOUN.match(rest.group()):
                    continue
                if name in _COUNTERS and re.search(r"(몇|[0-9]|한|두|세|네|무슨|어떤)$", before):
                    continue
                yield Mention(thing, start, end, plural=text.startswith("들", end))
                taken = end
                break

    def tag_name(self, tag: str) -> str:
        """The everyday English name of a tag ("ice bear" is "polar bear")."""
        first = tag.split(",")[0].strip()
        return self.plain.get(first, first)

    def tag_korean(self, tag: str) -> str:
        """The Korean name of a tag, else of its kind, else the English name."""
        name = self.tag_name(tag)
        first = tag.split(",")[0].strip()
        kind = self.kind_of(tag)
        return (
            self.korean_tags.get(name)
            or self.korean_tags.get(first)
            or (kind.korean if kind and kind.korean else name)
        )

    def kind_of(self, tag: str) -> TagKind | None:
        return self.kinds.get(tag.split(",")[0].strip().lower())


_COUNTERS = frozenset(("개", "대", "말", "배", "병", "잔", "권"))


def _word_starts(text: str) -> list[int]:
    return [m.start() for m in re.finditer(r"(?:(?<=\s)|(?<=[^\w가-힣])|^)(?=[\w가-힣])", text)]


def bare(word: str) -> str:
    return re.sub(r"['’]s$", "", word)


def pluralise(noun: str) -> str:
    """The English plural of the last word."""
    irregular = re.search(r"(man|woman|child|person|foot|tooth|mouse|fish|sheep)$", noun)
    if irregular:
        plural = {
            "man": "men",
            "woman": "women",
            "child": "children",
            "person": "people",
            "foot": "feet",
            "tooth": "teeth",
            "mouse": "mice",
            "fish": "fish",
            "sheep": "sheep",
        }[irregular.group()]
        return noun[: irregular.start()] + plural
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return noun + "es"
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + "s"


def article(noun: str) -> str:
    """ "a" or "an" before a noun."""
    return (
        "an"
        if re.match(r"(?i)[aeiou](?!ne\b|uro)|hour|honest|suv\b|x-", noun) and not noun.startswith("uni")
        else "a"
    )
