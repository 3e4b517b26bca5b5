"""Questions about one hand-made picture, and the very words of the answers."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.support.evidence import Says, answer, engine, facts, line, seen, turn

from foveal.perception.base import Box, DetectedObject

# A living room: two dogs left, a cat on a couch on the right, a person in the middle with a red shirt.
ROOM = facts(
    [
        seen("dog", (0.05, 0.6, 0.2, 0.9), "brown"),
        seen("dog", (0.22, 0.55, 0.32, 0.85), "black"),
        seen("couch", (0.62, 0.4, 1.0, 0.95), "grey"),
        seen("cat", (0.75, 0.35, 0.87, 0.6), "white"),
        seen("person", (0.4, 0.1, 0.58, 0.95), "red", worn="red"),
        seen("tv", (0.05, 0.05, 0.3, 0.3), "black"),
    ],
    doubtful=[
        DetectedObject("remote", 0.3, Box(0.6, 0.7, 0.63, 0.74)),
        DetectedObject("book", 0.05, Box(0, 0, 0.1, 0.1)),
    ],
    lines=[line("EXIT", (0.8, 0.05, 0.9, 0.1)), line("Room 12", (0.8, 0.12, 0.92, 0.17))],
    faces=1,
)

TABLE = tomllib.loads((Path(__file__).parent / "answers.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("question", "expected"), TABLE["english"])
async def test_english(question: str, expected: str) -> None:
    assert await answer(engine(ROOM), turn("user", question, "a")) == expected


@pytest.mark.parametrize(("question", "expected"), TABLE["korean"])
async def test_korean(question: str, expected: str) -> None:
    assert await answer(engine(ROOM), turn("user", question, "a")) == expected


@pytest.mark.parametrize("question", TABLE["cannot"])
async def test_what_no_fact_holds_is_admitted(question: str) -> None:
    assert "can't tell" in await answer(engine(ROOM), turn("user", question, "a"))


async def test_rules_cost_no_language_model() -> None:
    quiet = Says()
    await answer(engine(ROOM, quiet), turn("user", "How many dogs are there?", "a"))
    assert quiet.requests == []


async def test_an_empty_picture_holds_nothing() -> None:
    empty = engine(facts())
    for question in ("Is there a dog?", "Is anyone there?", "Are there any cars?"):
        assert (await answer(empty, turn("user", question, "a"))).startswith("No, I don't see")
    assert (
        await answer(empty, turn("user", "What does it say?", "a"))
        == "I don't see any readable text in the picture."
    )
    assert "don't recognise any objects" in await answer(empty, turn("user", "Describe this picture:", "a"))


async def test_an_animal_that_only_the_tagger_knows() -> None:
    cheetah = engine(facts(tags=[("cheetah", 0.95)]))
    assert await answer(cheetah, turn("user", "What animal is this?", "a")) == "It looks like a cheetah."
    assert (await answer(cheetah, turn("user", "Is there a cheetah?", "a"))).startswith("Yes")
    assert await answer(cheetah, turn("user", "무슨 동물인가요?", "a")) == "치타로 보입니다."
