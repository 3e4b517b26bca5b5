"""cl100k_base, the tokenizer of GPT-4 Turbo: what usage, `max_tokens` and `logit_bias` are counted in."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

# characters: the tokenizer refuses very long input, and one piece is well under a millisecond
_PIECE = 40_000


class _Encoding(Protocol):
    """The part of `bpe_openai`'s encoding that is used here (the package ships no types)."""

    def encode_ordinary(self, text: str) -> list[int]: ...

    def decode_bytes(self, tokens: Sequence[int]) -> bytes: ...


class Cl100k:
    """Counts, encodes and decodes. Text that looks like a special token is counted as plain text.

    Making one takes most of a second the first time in a process.
    """

    def __init__(self) -> None:
        with warnings.catch_warnings():  # the package reads its data through a deprecated function
            warnings.simplefilter("ignore", DeprecationWarning)
            self._encoding = cast(_Encoding, import_module("bpe_openai").get_encoding("cl100k_base"))

    def encode(self, text: str) -> list[int]:
        return self._encoding.encode_ordinary(text)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`; the bytes of a character cut in half are left out."""
        return self.decode_bytes(tokens).decode("utf-8", "ignore")

    def decode_bytes(self, tokens: Sequence[int]) -> bytes:
        return self._encoding.decode_bytes(tokens)

    def count(self, text: str) -> int:
        """Exact up to 40,000 characters; beyond that a word cut at a piece's end may count one more."""
        if len(text) <= _PIECE:
            return len(self.encode(text))
        return sum(len(self.encode(text[at : at + _PIECE])) for at in range(0, len(text), _PIECE))
