"""The words of an answer as English phrases are looked for in them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE = re.compile(r"[.!?…。]+[\"”’')\]*_]*(?:\s|$)|[\n\r;]")
_MARKS = str.maketrans("", "", "*_`#")  # of markdown


@dataclass(frozen=True, slots=True)
class Token:
    """A word in lower case at code points [start, end). `gap` says what stands before it: " ", "-" (inside a
    word), "," (any other mark), "." (the end of a sentence).
    """

    text: str
    start: int
    end: int
    gap: str
    sentence: int


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    last, sentence = 0, 0
    for match in _WORD.finditer(text):
        between = text[last : match.start()]
        gap = _gap(between)
        sentence += gap == "."
        found.append(Token(match.group().lower(), match.start(), match.end(), gap, sentence))
        last = match.end()
    return found


def _gap(between: str) -> str:
    if between == " ":
        return " "
    if _SENTENCE.search(between):
        return "."
    bare = between.translate(_MARKS)
    if bare in ("-", "‑"):
        return "-"
    return " " if not bare.strip() and bare else ","
