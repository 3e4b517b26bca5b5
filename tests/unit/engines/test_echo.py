"""The engine `echo`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.asking import Answer, gather, turn

from foveal.engines.base import (
    ImagePart,
    Prompt,
    ReadText,
    ResponseFormat,
    Sampling,
    TextPart,
    Tool,
    ToolChoice,
    Turn,
)
from foveal.engines.echo import EchoEngine
from foveal.engines.grammar import SchemaError
from foveal.engines.instance import minimal_instance
from foveal.errors import InvalidRequest
from foveal.images.detail import DetailedImage

WEATHER = Tool(
    "weather", "", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
)


async def ask(*turns: Turn, **wanted: Any) -> Answer:
    return await gather(EchoEngine().answer(Prompt(turns, **wanted)))


async def test_it_repeats_the_last_message_word_by_word(picture: DetailedImage) -> None:
    answer = await ask(turn("first"), turn("what  is\nthis?", images=[picture]))
    assert answer.text == "You said: what  is\nthis?\nPictures: 700×512 (high)"
    assert len(answer.deltas) == 9
    assert answer.finish == "stop"


async def test_text_that_was_read_in_a_picture_is_heard(picture: DetailedImage) -> None:
    read = ImagePart(picture, ReadText((), "TOTAL | 23.50"))
    answer = await ask(Turn("user", (TextPart("How much?"), read)))
    assert answer.text.startswith("You said: How much?\n")
    assert '<picture_text picture="1">\nTOTAL | 23.50\n</picture_text>' in answer.text


async def test_the_seed_chooses() -> None:
    texts = [(await ask(turn("hi"), sampling=Sampling(seed=seed))).text for seed in (0, 1, 1)]
    assert texts[0] != texts[1] == texts[2]


async def test_json() -> None:
    free = await ask(turn("hi"), response_format=ResponseFormat("json_object"))
    assert json.loads(free.text) == {"said": "hi", "pictures": []}
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    assert json.loads(
        (await ask(turn("hi"), response_format=ResponseFormat("json_schema", schema))).text
    ) == {"n": 3}
    with pytest.raises(InvalidRequest, match="response_format 'response'"):
        await ask(turn("hi"), response_format=ResponseFormat("json_schema", {"type": "wat"}))


async def test_tools() -> None:
    other = replace(WEATHER, name="other")
    first = await ask(turn("hi"), tools=(WEATHER, other))
    assert (first.tool, first.finish) == ("weather", "tool_calls")
    assert json.loads(first.arguments) == {"city": ""}
    again = await ask(turn("hi"), tools=(WEATHER, other))
    assert again.tool_id == first.tool_id
    named = await ask(turn("hi"), tools=(WEATHER, other), tool_choice=ToolChoice("named", "other"))
    assert named.tool == "other"
    assert (await ask(turn("hi"), tools=(WEATHER,), tool_choice=ToolChoice("none"))).tool is None
    result = Turn("tool", (TextPart("7 degrees"),), tool_call_id="c1")
    assert (await ask(turn("hi"), result, tools=(WEATHER,))).text == "You said: 7 degrees"


async def test_it_holds_answers_until_told() -> None:
    hold, entered = asyncio.Event(), asyncio.Semaphore(0)
    engine = EchoEngine(hold=hold, on_enter=entered.release)
    answers = [asyncio.ensure_future(gather(engine.answer(Prompt((turn("hi"),))))) for _ in range(3)]
    for _ in answers:
        await entered.acquire()
    assert engine.active == 3
    assert not any(answer.done() for answer in answers)
    hold.set()
    assert {answer.text for answer in await asyncio.gather(*answers)} == {"You said: hi"}
    assert engine.active == 0


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "minimum": 3, "maximum": 9}, 3),
        ({"type": "integer", "maximum": -2}, -2),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "number", "minimum": 0.25, "maximum": 0.75}, 0.25),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "string", "minLength": 2}, "aa"),
        ({"type": "string", "format": "date"}, "2024-01-01"),
        ({"type": ["string", "null"]}, None),
        ({"enum": ["x", "y"]}, "x"),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [False, False]),
        ({"$defs": {"a": {"type": "string"}}, "type": "object", "properties": {"b": {"$ref": "#/$defs/a"}},
          "required": ["b"]}, {"b": ""}),
        ({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}, 1),
        ({"allOf": [{"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
                    {"properties": {"b": {"const": 1}}, "required": ["b"]}]}, {"a": None, "b": 1}),
    ],
)  # fmt: skip
def test_the_smallest_instance(schema: dict[str, Any], value: object) -> None:
    assert minimal_instance(schema) == value


def test_an_endless_schema_has_no_instance() -> None:
    with pytest.raises(SchemaError, match="finite"):
        minimal_instance({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]})
