"""The OCR enhancement: the text of one picture, as much of it as a prompt has room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from foveal.engines.base import ReadText
from foveal.engines.layout import rows_of
from foveal.engines.read_text import prompt_rows
from foveal.engines.terms import Words, load_words, question_terms
from foveal.perception.base import TextLine

# cl100k tokens of one picture's text. A dense A4 page is 900-1,500 tokens of English and up to 3,000 of
# Korean or Japanese: one such page fits whole, and the text of ten pictures (the most a request may have)
# leaves three quarters of a 128k context. A server of vision models reads some thousand tokens a second.
PICTURE_BUDGET = 3_000


def prompt_text(
    lines: Sequence[TextLine],
    question: str,
    *,
    budget: int = PICTURE_BUDGET,
    count: Callable[[str], int],
    words: Words | None = None,
) -> str:
    """The text in reading order: a line a row, " | " between cells that stand apart, a blank line between
    blocks. Never more than `budget` tokens by `count`: of longer texts the lines that `question` asks for are
    kept, with "[…]" for what was left out. `words` are the word lists, read anew when not given.
    """
    terms = question_terms(question, words or load_words())
    return prompt_rows(rows_of(lines), terms, budget=budget, count=count)


def read_text(
    lines: Sequence[TextLine],
    question: str,
    *,
    budget: int = PICTURE_BUDGET,
    count: Callable[[str], int],
    words: Words | None = None,
) -> ReadText:
    """`prompt_text` with the lines themselves."""
    return ReadText(tuple(lines), prompt_text(lines, question, budget=budget, count=count, words=words))
