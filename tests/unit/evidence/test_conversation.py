"""Turns, several pictures, forms of answers, and the ways that need the language model."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

import pytest
from tests.support.evidence import Says, answer, engine, facts, line, picture, seen, turn

from foveal.engines.base import Prompt, ResponseFormat
from foveal.engines.llama import Generation, Piece
from foveal.errors import EngineUnavailable

DOG = facts([seen("dog", (0.1, 0.3, 0.4, 0.8), "brown")])
CATS = facts([seen("cat", (0.1, 0.3, 0.3, 0.8), "black"), seen("cat", (0.6, 0.3, 0.9, 0.8), "white")])
BUS = facts(
    [seen("bus", (0.1, 0.2, 0.8, 0.9), "red"), seen("person", (0.85, 0.4, 0.95, 0.9))],
    lines=[line("24 STATION", (0.3, 0.25, 0.6, 0.32))],
)
AROUND_BUS = (
    "The bus is in the middle. The person is on the right. "
    "It looks like the picture was taken outdoors. The text reads “24 STATION”."
)


async def test_follow_ups_take_the_last_thing() -> None:
    made = engine(DOG)
    turns = [turn("user", "Is there a dog?", "a"), turn("assistant", "Yes, there is a dog in the picture.")]
    assert await answer(made, *turns, turn("user", "What colour is it?")) == "The dog is brown."
    assert (
        await answer(made, *turns, turn("user", "And where is it?"))
        == "The dog is on the left of the picture."
    )
    assert await answer(made, *turns, turn("user", "How many?")) == "There is one dog in the picture."
    assert (
        await answer(made, *turns, turn("user", "And a cat?")) == "No, I don't see any cats in the picture."
    )


async def test_korean_follow_up() -> None:
    turns = [turn("user", "개가 있나요?", "a"), turn("assistant", "네.")]
    assert await answer(engine(DOG), *turns, turn("user", "무슨 색이야?")) == "개는 갈색입니다."


async def test_several_questions_in_one_message_are_answered_in_order() -> None:
    text = "1. How many dogs are there?\n2. What colour is the dog?\n3. Is there a cat?"
    found = await answer(engine(DOG), turn("user", text, "a"))
    assert found == (
        "There is one dog in the picture. The dog is brown. No, I don't see any cats in the picture."
    )


async def test_several_pictures() -> None:
    made = engine({"a": DOG, "b": CATS})
    assert await answer(made, turn("user", "Which image shows a cat?", "a", "b")) == "The second image."
    assert await answer(made, turn("user", "How many cats are in the second image?", "a", "b")) == (
        "There are two cats in the picture."
    )
    assert await answer(made, turn("user", "How many cats are there?", "a", "b")) == (
        "Image 1: There are no cats in the picture that I can see. Image 2: There "
        "are two cats in the picture."
    )
    assert await answer(made, turn("user", "어느 사진에 개가 있나요?", "a", "b")) == "첫 번째 사진입니다."


async def test_a_later_picture_is_the_one_that_is_asked_about() -> None:
    made = engine({"a": DOG, "b": CATS})
    turns = [turn("user", "Is there a dog?", "a"), turn("assistant", "Yes.")]
    assert (await answer(made, *turns, turn("user", "Is there a dog here?", "b"))).startswith("No")
    assert (await answer(made, *turns, turn("user", "Is there a dog in the first image?", "b"))).startswith(
        "Yes"
    )


@pytest.mark.parametrize(
    ("system", "question", "expected"),
    [
        ("Answer in one word.", "What colour is the dog?", "Brown"),
        ("You are a helpful assistant.", "What colour is the dog?", "The dog is brown."),
        ("Answer only yes or no.", "Is there a dog?", "Yes"),
        ("Answer only yes or no.", "Is there a cat?", "No"),
        ("Always answer in Korean.", "Is there a dog?", "네, 개 한 마리가 있습니다."),
        ("한국어로 대답해 주세요.", "How many dogs are there?", "개가 한 마리 있습니다."),
        ("", "How many dogs are there? Answer with just the number.", "1"),
        ("", "Is there a dog? Answer yes or no.", "Yes"),
        ("Reply as a bullet list.", "What do you see?", "- a dog"),
    ],
)
async def test_the_form_that_the_caller_wants(system: str, question: str, expected: str) -> None:
    turns = ([turn("system", system)] if system else []) + [turn("user", question, "a")]
    assert await answer(engine(DOG), *turns) == expected


async def test_a_true_caption_is_released_sentence_by_sentence() -> None:
    says = Says("A red bus and a person are in the picture.")
    made = engine(BUS, says)
    deltas = [d async for d in made.answer(Prompt((turn("user", "Describe this picture:", "a"),)))]
    assert [d.text for d in deltas] == [
        "A red bus and a person are in the picture.",
        " The bus is in the middle.",
        " The person is on the right.",
        " It looks like the picture was taken outdoors.",
        " The text reads “24 STATION”.",
        "",
    ]


@pytest.mark.parametrize(
    "invented",
    [
        "A red bus and a dog are on a street.",  # an object
        "Two red buses and a person are in the picture.",  # a number
        "A blue bus and a person are in the picture.",  # a colour
        "A red bus and a woman are in the picture.",  # a gender
        "A happy person and a red bus are in the picture.",  # a feeling
        "A red bus is in Paris with a person.",  # a place
        "A red bus is next to a person.",  # where they are to each other
        "A person and a red bus are standing together.",  # what they do
        "A red bus with a person says “London”.",  # a text
        "A person is driving a red bus.",  # an action of the wrong subject
        "A red bus",  # no sentence
        "A red bus and a person.",  # none either
    ],
)
async def test_an_invented_caption_never_leaves_the_engine(invented: str) -> None:
    found = await answer(engine(BUS, Says(invented)), turn("user", "Describe this picture:", "a"))
    assert found == f"The picture shows a red bus and a person. {AROUND_BUS}"


async def test_what_the_caption_forgets_is_added() -> None:
    found = await answer(
        engine(BUS, Says("A red bus is seen.")), turn("user", "What is in the picture?", "a")
    )
    assert found == f"A red bus is seen. The picture also shows a person. {AROUND_BUS}"


async def test_korean_descriptions_need_no_model() -> None:
    quiet = Says("never")
    found = await answer(engine(BUS, quiet), turn("user", "이 사진을 설명해 주세요.", "a"))
    assert found == (
        "사진에 버스 한 대와 사람 한 명이 있습니다. 버스는 사진의 가운데에 있고, 주로 빨간색입니다. "
        "사람은 사진의 오른쪽에 있습니다. 장소는 실외로 보입니다. “24 STATION”이라는 글자가 보입니다."
    )
    assert quiet.requests == []


async def test_descriptions_survive_a_missing_language_model() -> None:
    class Gone(Says):
        async def generate(self, request: Generation) -> AsyncGenerator[Piece]:
            raise EngineUnavailable("not there")
            yield Piece()

    found = await answer(engine(DOG, Gone()), turn("user", "Describe this picture:", "a"))
    assert found == "The picture shows a dog. The dog is on the left and is mostly brown."


async def test_open_questions_may_not_say_more_than_the_facts() -> None:
    asked = turn("user", "Do you like the dog's haircut in this style?", "a")
    assert "can't tell" in await answer(engine(DOG, Says("The dog has a lovely haircut.")), asked)
    asked = turn("user", "이 사진으로 시를 지어 주세요.", "a")
    found = await answer(engine(DOG), asked)
    assert found == "사진에서 확인되는 것은 개 한 마리입니다. 질문하신 내용은 사진만으로는 알 수 없습니다."


async def test_text_prompts_go_to_the_language_model() -> None:
    says = Says("Paris.")
    made = engine(DOG, says)
    assert await answer(made, turn("user", "What is the capital of France?")) == "Paris."
    assert says.requests[0].messages[-1].text == "What is the capital of France?"


async def test_json_about_a_picture_is_written_from_its_facts() -> None:
    says = Says('{"animal": "dog"}')
    found = await answer(
        engine(DOG, says),
        turn("user", "Name the animal.", "a"),
        response_format=ResponseFormat("json_object"),
    )
    assert json.loads(found) == {"animal": "dog"}
    assert "[Picture 1. Facts: dog]" in says.requests[0].messages[-1].text
    assert says.requests[0].grammar is not None


async def test_leaving_stops_the_model_and_closing_closes_all() -> None:
    says = Says("A dog is seen. " * 50)
    made = engine(DOG, says)
    stream = made.answer(Prompt((turn("user", "Describe this picture:", "a"),)))
    assert (await anext(stream)).text == "A dog is seen."
    await stream.aclose()
    assert says.stopped == 1
    await made.close()
    assert says.closed


def test_pictures_are_told_apart_by_content() -> None:
    assert picture("a").sha256 != picture("b").sha256
