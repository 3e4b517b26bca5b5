"""What a question about a video asks for: a stretch of time that it names, and a topic.

English and Korean; which times are understood is told in `foveal.engines.stretches`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files

from foveal.engines.stretches import Stretch as Stretch
from foveal.engines.stretches import Times, load_times

LONGEST = 4000  # characters of a question that are looked at


@dataclass(frozen=True, slots=True)
class Asked:
    """`topic` is the question without the time that it names; None when that names nothing to look for."""

    stretch: Stretch | None
    topic: str | None


class Asking:
    """Reads questions. Made once from its words (`load_asking`)."""

    def __init__(self, times: Times, generic: frozenset[str], korean: tuple[str, ...]) -> None:
        self._times = times
        self._generic = generic
        self._korean = korean

    def read(self, question: str, duration: float) -> Asked:
        """`duration` is the video's length in seconds."""
        text = " ".join(question[:LONGEST].split()).lower()
        found = self._times.find(text, duration)
        if found is None:
            return Asked(None, self._topic(text))
        rest = f"{text[: found.begins]} {text[found.ends :]}"
        return Asked(found.stretch, self._topic(rest))

    def _topic(self, text: str) -> str | None:
        """The text, when a word of it could be found in a picture or heard."""
        for word in re.findall(r"[^\W\d_]+", text):
            if "가" <= word[0] <= "힣":
                if len(word) > 1 and not word.startswith(self._korean):
                    return " ".join(text.split())
            elif len(word) > 1 and word not in self._generic:
                return " ".join(text.split())
        return None


def load_asking() -> Asking:
    words = tomllib.loads(files(__package__).joinpath("data/asking.toml").read_text("utf-8"))
    generic = words["generic"]
    return Asking(load_times(), frozenset(generic["english"].split()), tuple(generic["korean"].split()))
