"""Token counts as Azure bills them: cl100k_base.

Prompt (documented in docs/api.md): 3 per message, its role, its text, 1 + the name where there is one, the
formula tokens of its pictures, name and arguments of its tool calls; the JSON of the tools; 3 for the answer.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Protocol, cast

import msgspec

from foveal.engines.base import Tool, Turn

PER_MESSAGE = 3
PER_ANSWER = 3
_ROLE = 1  # every role is one token of cl100k
_PIECE = (
    40_000  # characters: the tokenizer refuses very long input, and one piece is well under a millisecond
)


class _Encoding(Protocol):
    def encode_ordinary(self, text: str) -> list[int]: ...

    def decode_bytes(self, tokens: Sequence[int]) -> bytes: ...


def _load_encoding() -> _Encoding:
    with warnings.catch_warnings():  # the package reads its data through a deprecated function
        warnings.simplefilter("ignore", DeprecationWarning)
        return cast(_Encoding, import_module("bpe_openai").get_encoding("cl100k_base"))


class Cl100k:
    """Counts, encodes and decodes. Text that looks like a special token is counted as plain text."""

    def __init__(self) -> None:
        self._encoding = _load_encoding()

    def encode(self, text: str) -> list[int]:
        return self._encoding.encode_ordinary(text)

    def decode(self, tokens: list[int]) -> str:
        """The text of `tokens`; the bytes of a character cut in half are left out."""
        return self._encoding.decode_bytes(tokens).decode("utf-8", "ignore")

    def count(self, text: str) -> int:
        """Exact up to 40,000 characters; beyond that a word cut at a piece's end may count one more."""
        if len(text) <= _PIECE:
            return len(self._encoding.encode_ordinary(text))
        return sum(
            len(self._encoding.encode_ordinary(text[start : start + _PIECE]))
            for start in range(0, len(text), _PIECE)
        )

    def count_prompt(self, turns: Sequence[Turn], tools: Sequence[Tool] = ()) -> int:
        pictures = sum(image.tokens for turn in turns for image in turn.images)
        texts = sum(map(self._count_turn, turns))
        return texts + pictures + sum(map(self._count_tool, tools)) + PER_ANSWER

    def _count_turn(self, turn: Turn) -> int:
        return PER_MESSAGE + _ROLE + sum(map(self.count, _texts(turn))) + (turn.name is not None)

    def _count_tool(self, tool: Tool) -> int:
        form = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        return self.count(msgspec.json.encode(form).decode())


def _texts(turn: Turn) -> Iterator[str]:
    yield turn.text
    if turn.name is not None:
        yield turn.name
    for call in turn.tool_calls:
        yield call.name
        yield call.arguments
