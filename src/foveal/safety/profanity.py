"""Coarse words, English and Korean, from a list."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Profanity:
    words: re.Pattern[str]
    stems: re.Pattern[str]
    innocent: re.Pattern[str]

    def within(self, tidied: str) -> bool:
        """Whether a tidied text (see `wording.tidy`) holds a coarse word."""
        return bool(self.words.search(tidied) or self.stems.search(self.innocent.sub(" ", tidied)))


def load_profanity() -> Profanity:
    told = tomllib.loads(files(__package__).joinpath("data", "profanity.toml").read_text("utf-8"))
    exact = set(told["exact"])
    endings = "|".join(sorted((re.escape(ending) for ending in told["plain_endings"]), reverse=True))
    alone = _any(word for word in told["words"] if word in exact)
    ended = _any(word for word in told["words"] if word not in exact)
    return Profanity(
        re.compile(rf"(?<![^\W_])(?:{alone}|(?:{ended})(?:{endings}))(?![^\W_])"),
        re.compile(_any(told["stems"])),
        re.compile(_any(told["innocent"])),
    )


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))
