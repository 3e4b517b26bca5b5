"""Stops and budgets: the same answer however the engine cuts it, nothing out too early, nothing too late."""

from __future__ import annotations

import random

import pytest

from foveal.chat.trim import StopFinder, TokenBudget
from foveal.cl100k import Cl100k

TOKENS = Cl100k()
TEXTS = (
    "The picture shows an individual dressed in formal attire, which includes a black tuxedo.",
    "안녕하세요. 이 사진에는 두 사람이 있습니다 😀🎉 그리고 개가 한 마리 있어요!",
    "def main():\n    return {'a': [1, 22, 333, 4444]}\n\n\nprint(main())   # done\t\t\n",
    "图片中有两个人，一只狗。背景是蓝色的天空和绿色的草地",
    "don't can't we'll 12345678 3.14159 -- ... !!! 𝔘𝔫𝔦 é̂ naïve",
    "a" * 300,
    "        x       y  \n \n  z",
)


def pieces(text: str, seed: int) -> list[str]:
    dice = random.Random(seed)
    cut: list[str] = []
    while text:
        size = dice.choice((1, 1, 2, 3, 5, 13, 400))
        cut.append(text[:size])
        text = text[size:]
    return cut


def run_budget(parts: list[str], limit: int) -> tuple[str, TokenBudget]:
    budget = TokenBudget(TOKENS, limit)
    out = ""
    for part in parts:
        out += budget.feed(part)
        if budget.exhausted:
            return out, budget
    return out + budget.close(), budget


@pytest.mark.parametrize("text", TEXTS)
def test_a_budget_gives_the_first_tokens_however_the_text_arrives(text: str) -> None:
    whole = TOKENS.encode(text)
    for limit in range(1, len(whole) + 2):
        expected = TOKENS.decode(whole[:limit])
        for seed in range(4):
            out, budget = run_budget(pieces(text, seed), limit)
            assert out == expected
            assert budget.exhausted == (limit < len(whole))
            assert budget.spent == len(TOKENS.encode(out)) <= limit


@pytest.mark.parametrize("text", TEXTS[:3])
def test_a_cut_answer_has_exactly_the_tokens_asked_for(text: str) -> None:
    whole = TOKENS.encode(text)
    exact = [limit for limit in range(1, len(whole)) if "�" not in _decoded(whole[:limit])]
    assert exact
    for limit in exact:
        out, budget = run_budget([text], limit)
        assert len(TOKENS.encode(out)) == budget.spent == limit


def _decoded(tokens: list[int]) -> str:
    return TOKENS._encoding.decode_bytes(tokens).decode("utf-8", "replace")


def test_text_goes_out_at_once_far_from_the_limit() -> None:
    budget = TokenBudget(TOKENS, 4096)
    assert [budget.feed(part) for part in ("Hel", "lo", " wor", "ld")] == ["Hel", "lo", " wor", "ld"]


def test_an_endless_word_is_cut_without_waiting_for_its_end() -> None:
    budget = TokenBudget(TOKENS, 5)
    fed = 0
    while not budget.exhausted:
        budget.feed("xyzzy")
        fed += 1
        assert fed < 100


def test_a_tool_name_is_charged_whole() -> None:
    budget = TokenBudget(TOKENS, 2)
    assert not budget.charge("get_the_current_weather_of_a_place")
    assert budget.exhausted
    assert budget.spent == 0


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("one two three", ["two"], "one "),
        ("one two three", ["three", "two"], "one "),
        ("aaab", ["aab"], "a"),
        ("no stop here", ["END"], "no stop here"),
        ("ends with EN", ["END"], "ends with EN"),
        ("\n\nx", ["\n\n"], ""),
        ("가나다라", ["다"], "가나"),
    ],
)
def test_a_stop_never_shows_however_the_text_arrives(text: str, stops: list[str], expected: str) -> None:
    for seed in range(8):
        finder = StopFinder(stops)
        out = ""
        for part in pieces(text, seed):
            out += finder.feed(part)
            assert expected.startswith(out)
        assert out + finder.close() == expected
        assert finder.found == (expected != text)


def test_only_what_could_be_a_stop_is_held_back() -> None:
    finder = StopFinder(["STOP"])
    assert finder.feed("Hello S") == "Hello "
    assert finder.feed("un") == "Sun"
    assert finder.feed("ST") == ""
    assert finder.close() == "ST"
