"""The tokenizer against the usage printed on Azure's own page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foveal.chat.tokens import count_prompt
from foveal.cl100k import Cl100k
from foveal.engines.base import TextPart, Tool, ToolCall, Turn

FIXTURES = Path(__file__).parents[2] / "fixtures"
TOKENS = Cl100k()


@pytest.mark.parametrize("index", range(3))
def test_the_samples_of_the_page_count_as_printed(index: int) -> None:
    sample = json.loads((FIXTURES / "page_samples.json").read_text(encoding="utf-8"))[index]
    assert TOKENS.count(sample["content"]) == sample["completion_tokens"]


def test_the_page_s_prompt_counts_21_by_the_documented_rule() -> None:
    turns = (
        Turn("system", (TextPart("You are a helpful assistant."),)),
        Turn("user", (TextPart("Describe this picture:"),)),
    )
    assert count_prompt(TOKENS, turns) == 21


def test_names_calls_and_tools_count() -> None:
    plain = Turn("user", (TextPart("hi"),))
    named = Turn("user", (TextPart("hi"),), name="Kim")
    assert count_prompt(TOKENS, [named]) == count_prompt(TOKENS, [plain]) + 1 + TOKENS.count("Kim")
    called = Turn("assistant", (), tool_calls=(ToolCall("1", "f", "{}"),))
    assert count_prompt(TOKENS, [called]) == 3 + 1 + TOKENS.count("f") + TOKENS.count("{}") + 3
    assert count_prompt(TOKENS, [plain], [Tool("f")]) > count_prompt(TOKENS, [plain])


def test_special_tokens_are_plain_text_and_long_text_is_counted() -> None:
    assert TOKENS.count("<|endoftext|>") > 1
    assert TOKENS.count("word " * 300_000) == pytest.approx(300_000, rel=0.001)
