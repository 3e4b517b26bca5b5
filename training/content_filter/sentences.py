"""Our own sentences: `sentences/*.tsv`, with the few templates in them written out."""

from __future__ import annotations

import csv
import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path

from foveal.safety.base import CATEGORIES, Category, Severity
from foveal.safety.head import JAILBREAK
from training.content_filter.example import ALL_SAFE, Example, Range

FOLDER = Path(__file__).parent / "sentences"
_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
_GROUP = re.compile(r"\{group\}(?:\(([은이을과])\))?")
_PARTICLES = {"은": "는", "이": "가", "을": "를", "과": "와"}
WEIGHT = 5.0  # of one of our sentences, a tweet of the public sets weighing 0.2 to 0.8
_FROM_ONE = 8  # sentences at most that one template gives


def own_sentences(groups: dict[str, list[str]]) -> list[Example]:
    found: list[Example] = []
    for path in sorted(FOLDER.glob("*.tsv")):
        if path.stem == "groups":
            continue
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                found += _examples(row["labels"], row["language"], row["sentence"], groups)
    return found


def read_groups() -> dict[str, list[str]]:
    """The people that templates name, in hateful and in friendly sentences alike, per language."""
    groups: dict[str, list[str]] = {}
    with (FOLDER / "groups.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            groups.setdefault(row["language"], []).append(row["group"])
    return groups


def _examples(labels: str, language: str, sentence: str, groups: dict[str, list[str]]) -> Iterator[Example]:
    known, jailbreak = read_labels(labels)
    written = _written_out(sentence, groups[language])
    for text in written:
        yield Example(text, known, jailbreak, language, "own", sentence, WEIGHT / len(written) ** 0.5)


def read_labels(labels: str) -> tuple[dict[Category, Range], bool]:
    """ "hate=high,violence=medium": categories that are not named are at most low; in a safe text, safe."""
    if labels in ("safe", f"{JAILBREAK}=yes"):
        return dict(ALL_SAFE), labels != "safe"
    known = dict.fromkeys(CATEGORIES, (Severity.SAFE, Severity.LOW))
    told = dict(label.split("=") for label in labels.split(","))
    for category in CATEGORIES:
        if category in told:
            severity = Severity[told[category].upper()]
            known[category] = (severity, severity)
    return known, False


def _written_out(sentence: str, groups: list[str]) -> list[str]:
    chance = random.Random(sentence)
    parts = [part.split("|") for part in _CHOICE.split(sentence)]  # what is no choice is the only one
    texts = ["".join(chosen) for chosen in itertools.product(*parts)]
    if _GROUP.search(sentence):
        texts = [_named(text, group) for text in texts for group in chance.sample(groups, _FROM_ONE)]
    return chance.sample(texts, _FROM_ONE) if len(texts) > _FROM_ONE else texts


def _named(text: str, group: str) -> str:
    def put(found: re.Match[str]) -> str:
        particle = found[1] or ""
        ends_in_vowel = (ord(group[-1]) - ord("가")) % 28 == 0
        return group + (_PARTICLES.get(particle, "") if ends_in_vowel else particle)

    text = _GROUP.sub(put, text)
    return text[0].upper() + text[1:]
