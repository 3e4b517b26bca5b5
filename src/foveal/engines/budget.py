"""`max_tokens` counted the way clients count: in cl100k tokens of the text."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Protocol, cast

_PIECE = 40_000  # characters: the tokenizer refuses very long input


class Encoding(Protocol):
    """The part of `bpe_openai`'s encoding that we use (the package ships no types)."""

    def encode_ordinary(self, text: str) -> list[int]: ...
    def decode_bytes(self, tokens: Sequence[int]) -> bytes: ...


@cache
def cl100k() -> Encoding:
    """The tokenizer of GPT-4 Turbo; read on first use."""
    with warnings.catch_warnings():  # the package reads its data through a deprecated function
        warnings.simplefilter("ignore", DeprecationWarning)
        package = importlib.import_module("bpe_openai")
        return cast(Encoding, package.get_encoding("cl100k_base"))


def count_cl100k(text: str) -> int:
    """Exact up to `_PIECE` characters; beyond that, a word that is cut may count one more."""
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return sum(len(cl100k().encode_ordinary(piece)) for piece in pieces)


class TokenBudget:
    """Lets text through until `limit` tokens of it have passed."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._text = ""
        self._safe = limit  # UTF-8 bytes that surely fit: a token is at least one byte

    def take(self, piece: str) -> tuple[str, bool]:
        """What of `piece` still fits, and whether the budget is now used up."""
        before = self._text
        self._text += piece
        self._safe -= len(piece.encode())
        if self._safe > 0:
            return piece, False
        tokens = cl100k().encode_ordinary(self._text)
        if len(tokens) < self._limit:
            self._safe = self._limit - len(tokens)
            return piece, False
        kept = cl100k().decode_bytes(tokens[: self._limit]).decode(errors="ignore")
        # The tokens of a longer text may end before what has already gone out, which cannot be taken back.
        return kept[len(before) :], True
