"""The words of captions and tags: `data/wording.toml` and the evidence engine's vocabulary."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from foveal.engines.evidence.lexicon import Lexicon, load_lexicon
from foveal.engines.evidence.sights import Scenes, load_scenes
from foveal.engines.evidence.vocabulary_tables import data_table

_HER = re.compile(r"\bher\b(?=\s+[a-z])")
_ADJECTIVE = re.compile(
    r"\b(an? )?(?:male|female)\s+"
    r"(?!(?:is|are|in|on|at|with|and|holding|wearing|sitting|standing)\b)(?=(\w))"
)
_NOUN = re.compile(r"\b(?:male|female)(s?)\b")
_VERBS = {"they is": "they are", "they was": "they were", "they has": "they have", "they's": "they're"}


@dataclass(frozen=True, slots=True)
class Wording:
    """`table` is the data file; `groups` are the kinds of several objects, with their labels."""

    lexicon: Lexicon
    scenes: Scenes
    table: Mapping[str, Any]
    groups: Mapping[str, Mapping[str, Any]]

    def neutral(self, text: str) -> str:
        """The same caption without words of gender (English, lower case)."""
        text = _HER.sub("their", text)
        text = re.sub(r"\bher\b", "them", text)
        text = _ADJECTIVE.sub(_article, text)
        text = _NOUN.sub(lambda found: "people" if found.group(1) else "person", text)
        words: Mapping[str, str] = self.table["neutral"]
        text = re.sub(r"\b[a-z]+\b", lambda found: words.get(found.group(), found.group()), text)
        for wrong, right in _VERBS.items():
            text = re.sub(rf"\b{wrong}\b", right, text)
        return text


def _article(found: re.Match[str]) -> str:
    """What is left of "a male ": the article as the next word wants it."""
    article, letter = found.groups()
    return "" if article is None else "an " if letter in "aeio" else "a "


def load_wording() -> Wording:
    table = tomllib.loads(files("foveal.analysis").joinpath("data/wording.toml").read_text(encoding="utf-8"))
    rows = data_table("groups")
    groups = {name: rows[name] for name in table["tags"]["groups"]}
    return Wording(load_lexicon(), load_scenes(), table, groups)
