"""The parser's word lists, compiled once: colours, unanswerable patterns, reading targets, harmless words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foveal.engines.evidence.vocabulary import Language, Vocabulary
from foveal.engines.evidence.vocabulary_tables import data_table, load_vocabulary


@dataclass(frozen=True, slots=True)
class Colours:
    """`english` and `korean` map a word of a question to a basic colour; `names` a basic colour to its
    Korean name.
    """

    english: Mapping[str, str]
    korean: Mapping[str, str]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Patterns:
    unknowable: re.Pattern[str]
    readable: re.Pattern[str] | None
    targets: tuple[tuple[re.Pattern[str], str], ...]
    clothing: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Lexicon:
    words: Vocabulary
    colours: Colours
    harmless: frozenset[str]
    harmless_korean: frozenset[str]
    patterns: Mapping[Language, _Patterns]

    def colours_in(self, low: str) -> list[tuple[str, int, int]]:
        """Basic colours named in an English clause: (name, start, end)."""
        found = re.finditer(r"\b(?:" + "|".join(self.colours.english) + r")\b(?!-haired)", low)
        return [(self.colours.english[m.group()], m.start(), m.end()) for m in found]

    def korean_colour_in(self, text: str) -> str:
        for word, name in self.colours.korean.items():
            if word in text:
                return name
        return ""

    def unknowable(self, language: Language, text: str) -> bool:
        rules = self.patterns[language]
        if rules.readable is not None and rules.readable.search(text):
            return False
        return bool(rules.unknowable.search(text))

    def reading_target(self, text: str, language: Language = "en") -> str:
        for pattern, target in self.patterns[language].targets:
            if pattern.search(text):
                return target
        return ""

    def clothing(self, language: Language, text: str) -> bool:
        return bool(self.patterns[language].clothing.search(text))


def _patterns(table: Mapping[str, Any]) -> _Patterns:
    readable = table.get("readable")
    return _Patterns(
        re.compile("|".join(table["unknowable"])),
        re.compile("|".join(readable)) if readable else None,
        tuple((re.compile(pattern), target) for pattern, target in table["targets"]),
        re.compile(table["clothing"]),
    )


def load_lexicon() -> Lexicon:
    """Reads the data files: callers keep the result."""
    questions = data_table("questions")
    rows = data_table("colours")
    colours = Colours(
        {word: name for name, row in rows.items() for word in row["words"]},
        {word: name for name, row in rows.items() for word in row["ko_words"]},
        {name: row["ko"] for name, row in rows.items()},
    )
    return Lexicon(
        load_vocabulary(),
        colours,
        frozenset(questions["english"]["harmless"].split()),
        frozenset(questions["korean"]["harmless"].split()),
        {"en": _patterns(questions["english"]), "ko": _patterns(questions["korean"])},
    )
