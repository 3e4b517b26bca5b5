"""Tools and formats, with a tiny model: whatever it decides, the shape is right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.asking import Answer, gather, turn

from foveal.engines import decision
from foveal.engines.base import Prompt, ResponseFormat, Sampling, TextPart, Tool, ToolCall, ToolChoice, Turn
from foveal.engines.llama import ChatMessage, LlamaRuntime
from foveal.engines.tools import answer_text, messages_of
from foveal.errors import InvalidRequest

PLACE = {"type": "string", "maxLength": 8}
UNIT = {"enum": ["celsius", "fahrenheit"]}
WEATHER = Tool(
    "get_weather",
    "Weather in a city",
    {"type": "object", "properties": {"city": PLACE, "unit": UNIT}, "required": ["city"]},
)
TIME = Tool("get_time", "The time", {})


async def ask(runtime: LlamaRuntime, *turns: Turn, max_tokens: int = 60, **wanted: Any) -> Answer:
    sampling = Sampling(temperature=1, seed=3, max_tokens=max_tokens)
    return await gather(answer_text(runtime, Prompt(turns or (turn("hello"),), sampling, **wanted)))


async def test_a_named_tool_is_called_with_valid_arguments(runtime: LlamaRuntime) -> None:
    choice = ToolChoice("named", "get_weather")
    answer = await ask(runtime, tools=(TIME, WEATHER), tool_choice=choice)
    assert answer.tool == "get_weather"
    assert answer.tool_id is not None
    assert answer.finish == "tool_calls"
    arguments = json.loads(answer.arguments)
    assert len(arguments["city"]) <= 8
    assert arguments.get("unit", "celsius") in ("celsius", "fahrenheit")
    assert answer.text == ""
    assert len(answer.deltas) > 4  # the arguments came in pieces


async def test_a_required_tool_is_one_of_the_list(runtime: LlamaRuntime) -> None:
    answer = await ask(runtime, tools=(TIME, WEATHER), tool_choice=ToolChoice("required"))
    assert answer.tool in ("get_time", "get_weather")
    json.loads(answer.arguments)


async def test_a_tool_without_parameters_gets_an_object(runtime: LlamaRuntime) -> None:
    answer = await ask(runtime, tools=(TIME,), tool_choice=ToolChoice("required"))
    assert isinstance(json.loads(answer.arguments), dict)


async def test_auto_either_calls_or_answers(runtime: LlamaRuntime) -> None:
    for question in ("hello", "weather?", "why", "time"):
        answer = await ask(runtime, turn(question), tools=(TIME, WEATHER))
        assert (answer.tool is None) == (answer.text != "")
        assert (answer.tool is None) == (answer.finish != "tool_calls")


async def test_none_and_a_tool_that_has_just_answered_are_not_called(runtime: LlamaRuntime) -> None:
    assert (await ask(runtime, tools=(WEATHER,), tool_choice=ToolChoice("none"))).tool is None
    call = ToolCall("c1", "get_weather", '{"city": "Oslo"}')
    done = (
        turn("Weather in Oslo?"),
        Turn("assistant", (), tool_calls=(call,)),
        Turn("tool", (TextPart("7 degrees"),), tool_call_id="c1"),
    )
    assert (await ask(runtime, *done, tools=(WEATHER,))).tool is None


async def test_cut_arguments_end_with_length(runtime: LlamaRuntime) -> None:
    choice = ToolChoice("named", "get_weather")
    answer = await ask(runtime, max_tokens=2, tools=(WEATHER,), tool_choice=choice)
    assert answer.finish == "length"


async def test_json_object_and_json_schema(runtime: LlamaRuntime) -> None:
    free = await ask(runtime, response_format=ResponseFormat("json_object"), max_tokens=3000)
    assert isinstance(json.loads(free.text), dict)
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    bound = await ask(runtime, response_format=ResponseFormat("json_schema", schema))
    assert isinstance(json.loads(bound.text)["n"], int)
    assert bound.finish == "stop"


async def test_schemas_that_cannot_be_kept_are_refused_by_name(runtime: LlamaRuntime) -> None:
    bad = {"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}}}
    with pytest.raises(InvalidRequest, match="function 'odd'") as refused:
        await ask(runtime, tools=(TIME, Tool("odd", "", bad)))
    assert refused.value.param == "tools[1].function.parameters"
    with pytest.raises(InvalidRequest, match="response_format 'shape'") as refused:
        await ask(runtime, response_format=ResponseFormat("json_schema", bad, "shape"))
    assert refused.value.param == "response_format"
    with pytest.raises(InvalidRequest, match="'gone'"):
        await ask(runtime, tools=(TIME,), tool_choice=ToolChoice("named", "gone"))


def test_results_of_tools_become_notes_and_roles_alternate() -> None:
    call = ToolCall("c1", "get_weather", '{"city": "Oslo"}')
    messages = messages_of(
        (
            turn("Be brief.", role="system"),
            turn("Weather in Oslo?"),
            Turn("assistant", (), tool_calls=(call,)),
            Turn("tool", (TextPart("7 degrees"),), tool_call_id="c1"),
            turn("It is 7 degrees.", role="assistant"),
        )
    )
    assert messages == (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", 'Weather in Oslo?\n\n[Result of get_weather {"city": "Oslo"}]\n7 degrees'),
        ChatMessage("assistant", "It is 7 degrees."),
    )


def test_a_tool_may_be_called_none() -> None:
    odd = Tool("none", "", {})
    assert decision.options([odd], none=True)["request: none"] is odd
    assert decision.options([odd], none=True)["small talk: none"] is None
