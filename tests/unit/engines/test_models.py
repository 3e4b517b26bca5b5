"""The default language model itself: decisions about tools, arguments, formats."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.support.asking import Answer, gather, turn

from foveal.engines.base import Prompt, ResponseFormat, Sampling, TextPart, Tool, ToolCall, ToolChoice, Turn
from foveal.engines.llama import ChatMessage, Generation, LlamaRuntime
from foveal.engines.tools import answer_text

pytestmark = [pytest.mark.models, pytest.mark.asyncio(loop_scope="module")]

MODEL = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
PLACE = {"type": "string", "description": "The city, e.g. San Francisco"}
WEATHER = Tool(
    "get_current_weather",
    "Get the current weather in a given location",
    {
        "type": "object",
        "properties": {"location": PLACE, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["location"],
    },
)
EVENT = Tool(
    "create_event",
    "Put an event into the calendar",
    {
        "type": "object",
        "properties": {"title": {"type": "string"}, "day": {"type": "string", "format": "date"}},
        "required": ["title", "day"],
    },
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coder(models_folder: Path) -> AsyncIterator[LlamaRuntime]:
    runtime = LlamaRuntime(models_folder / MODEL, threads=2, context=4096)
    await runtime.ready()
    yield runtime
    await runtime.close()


async def ask(runtime: LlamaRuntime, *turns: Turn, **wanted: Any) -> Answer:
    sampling = Sampling(temperature=0, max_tokens=80)
    return await gather(answer_text(runtime, Prompt(turns, sampling, **wanted)))


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("What's the weather like in Boston today?", "Boston"),
        ("Should I take a coat in Chicago today?", "Chicago"),
        ("How hot is it in Dubai?", "Dubai"),
    ],
)
async def test_it_calls_the_tool_that_is_needed(coder: LlamaRuntime, question: str, place: str) -> None:
    answer = await ask(coder, turn(question), tools=(WEATHER, EVENT))
    assert answer.tool == "get_current_weather"
    assert place in json.loads(answer.arguments)["location"]


@pytest.mark.parametrize("question", ["Hi there!", "What is the capital of France?", "Who wrote Hamlet?"])
async def test_it_answers_what_needs_no_tool(coder: LlamaRuntime, question: str) -> None:
    answer = await ask(coder, turn(question), tools=(WEATHER,))
    assert answer.tool is None
    assert answer.text


async def test_it_fills_in_arguments_from_the_conversation(coder: LlamaRuntime) -> None:
    answer = await ask(
        coder, turn("Put lunch with Ann on 3 May 2026 into my calendar"), tools=(WEATHER, EVENT)
    )
    assert answer.tool == "create_event"
    arguments = json.loads(answer.arguments)
    assert arguments["day"] == "2026-05-03"
    assert "Ann" in arguments["title"]


async def test_it_answers_from_a_tools_result(coder: LlamaRuntime) -> None:
    call = ToolCall("c1", "get_current_weather", '{"location": "Boston"}')
    answer = await ask(
        coder,
        turn("What's the weather in Boston?"),
        Turn("assistant", (), tool_calls=(call,)),
        Turn("tool", (TextPart('{"temperature": 22, "unit": "celsius"}'),), tool_call_id="c1"),
        tools=(WEATHER,),
    )
    assert answer.tool is None
    assert "22" in answer.text


async def test_a_named_tool_is_always_called(coder: LlamaRuntime) -> None:
    choice = ToolChoice("named", "get_current_weather")
    answer = await ask(coder, turn("I will fly to Oslo tomorrow"), tools=(EVENT, WEATHER), tool_choice=choice)
    assert answer.tool == "get_current_weather"
    assert "Oslo" in json.loads(answer.arguments)["location"]


async def test_it_keeps_a_schema(coder: LlamaRuntime) -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer", "minimum": 0, "maximum": 120},
            "hobbies": {"type": "array", "items": {"type": "string"}, "maxItems": 4},
        },
        "required": ["name", "age", "hobbies"],
        "additionalProperties": False,
    }
    wanted = ResponseFormat("json_schema", schema, "person")
    answer = await ask(coder, turn("Ann is 31 and likes tennis and chess."), response_format=wanted)
    assert json.loads(answer.text) == {"name": "Ann", "age": 31, "hobbies": ["tennis", "chess"]}


async def test_the_same_question_twice_is_answered_the_same(coder: LlamaRuntime) -> None:
    first = await ask(coder, turn("Name three colours."))
    assert (await ask(coder, turn("Name three colours."))).text == first.text


async def test_its_system_prompt_is_computed_once(coder: LlamaRuntime) -> None:
    system = ChatMessage("system", "You describe pictures in one plain sentence. " * 10)

    async def evaluated(question: str) -> int:
        request = Generation(
            (system, ChatMessage("user", question)), Sampling(temperature=0), 'root ::= "ok"'
        )
        usage = [piece async for piece in coder.generate(request)][-1].usage
        assert usage is not None
        return usage.evaluated

    assert await evaluated("Is it red?") > 80
    assert await evaluated("Is it blue?") < 20
