"""The chat service with engines whose behaviour is known."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest
from tests.support.engines import EndlessEngine, ScriptedEngine
from tests.support.house import RESOURCE, PaperDoor, chat_service, deployment

from foveal.chat.admission import Gate
from foveal.chat.events import AnswerEnded, ChoiceEnded, ChoiceStarted, Event, TextPiece, ToolPiece, Usage
from foveal.chat.service import ChatService
from foveal.chat.wire import read_chat_request
from foveal.cl100k import Cl100k
from foveal.engines.base import Abilities
from foveal.errors import EngineError, EngineUnavailable, InvalidImage, InvalidRequest, TooManyRequests
from foveal.resources.callers import Caller

VISION = deployment("gpt-4v", "vision-preview")
CALLER = Caller(RESOURCE)


def body(**fields: Any) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": "hi"}], **fields}).encode()


async def answer(service: ChatService, /, on: Any = VISION, **fields: Any) -> list[Event]:
    request = read_chat_request(body(**fields))
    return [event async for event in service.complete(request, service.rules(on), CALLER)]


def text_of(events: list[Event], index: int = 0) -> str:
    return "".join(event.text for event in events if isinstance(event, TextPiece) and event.index == index)


def usage_of(events: list[Event]) -> Usage:
    assert isinstance(events[-1], AnswerEnded)
    return events[-1].usage


def finish_of(events: list[Event], index: int = 0) -> str:
    return next(event.finish for event in events if isinstance(event, ChoiceEnded) and event.index == index)


async def test_events_of_a_plain_answer() -> None:
    engine = ScriptedEngine(["Hel", "lo"])
    events = await answer(chat_service({"scripted": engine}))
    assert events[0] == ChoiceStarted(0)
    assert text_of(events) == "Hello"
    assert usage_of(events).completion_tokens == 1
    assert usage_of(events).prompt_tokens == 3 + 1 + 1 + 3
    assert engine.closed == 1


async def test_max_tokens_cuts_exactly_and_closes_the_engine() -> None:
    engine = ScriptedEngine(["one two", " three four", " five six seven"])
    events = await answer(chat_service({"scripted": engine}), max_tokens=3)
    assert (text_of(events), finish_of(events)) == ("one two three", "length")
    assert engine.closed == 1
    assert usage_of(events).completion_tokens == 3


async def test_an_answer_of_exactly_max_tokens_is_whole() -> None:
    events = await answer(chat_service({"scripted": ScriptedEngine(["one two", " three"])}), max_tokens=3)
    assert (text_of(events), finish_of(events)) == ("one two three", "stop")


async def test_stop_ends_the_answer_before_it() -> None:
    engine = ScriptedEngine(["a b EN", "D c"])
    events = await answer(chat_service({"scripted": engine}), stop=["END"])
    assert (text_of(events), finish_of(events)) == ("a b ", "stop")
    assert engine.closed == 1


async def test_n_choices_have_their_own_seeds_and_sum_their_usage() -> None:
    engine = ScriptedEngine(["one two"])
    events = await answer(chat_service({"scripted": engine}), n=3, seed=7)
    assert [prompt.sampling.seed for prompt in engine.prompts] == [7, 8, 9]
    assert [text_of(events, index) for index in range(3)] == ["one two"] * 3
    assert usage_of(events).completion_tokens == 6


async def test_tool_calls_are_counted_and_cut() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("weather", "time")]
    service = chat_service({"scripted": ScriptedEngine()})
    events = await answer(service, tools=tools, tool_choice="required")
    calls = [event.call for event in events if isinstance(event, ToolPiece)]
    assert [call.name for call in calls if call.name] == ["weather", "time"]
    assert finish_of(events) == "tool_calls"
    tokens = Cl100k()
    expected = sum(tokens.count(name) + tokens.count('{"city": "Seoul"}') for name in ("weather", "time"))
    assert usage_of(events).completion_tokens == expected
    one = await answer(service, tools=tools, tool_choice="required", parallel_tool_calls=False)
    assert {event.call.index for event in one if isinstance(event, ToolPiece)} == {0}
    cut = await answer(service, tools=tools, tool_choice="required", max_tokens=4)
    assert finish_of(cut) == "length"
    assert usage_of(cut).completion_tokens == 4


async def test_images_are_opened_with_their_detail_and_counted() -> None:
    door = PaperDoor()
    engine = ScriptedEngine()
    service = chat_service({"scripted": engine}, door=door)
    parts = [
        {"type": "image_url", "image_url": {"url": "https://a/1", "detail": "low"}},
        {"image": "QUJD"},
        "what?",
    ]
    events = await answer(service, messages=[{"role": "user", "content": parts}])
    assert [(what, detail) for what, detail, _ in door.opened] == [
        ("https://a/1", "low"),
        ("base64:QUJD", "auto"),
    ]
    usage = usage_of(events)
    assert (usage.images, usage.image_tokens) == (2, 85 + 255)
    assert usage.prompt_tokens == 340 + 3 + 1 + Cl100k().count("what?") + 3
    assert [image.tokens for image in engine.prompts[0].images] == [85, 255]


async def test_a_bad_image_is_refused_before_the_engine() -> None:
    engine = ScriptedEngine()
    service = chat_service({"scripted": engine})
    with pytest.raises(InvalidImage) as refused:
        await answer(service, messages=[{"role": "user", "content": [{"image_url": "https://bad"}]}])
    assert refused.value.param == "messages.[0].content.[0].image_url"
    assert engine.prompts == []


async def test_roles_reach_the_engine_in_its_words() -> None:
    engine = ScriptedEngine()
    await answer(
        chat_service({"scripted": engine}),
        messages=[
            {"role": "developer", "content": ["a", "b"]},
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"},
        ],
    )
    turns = engine.prompts[0].turns
    assert [turn.role for turn in turns] == ["system", "assistant", "tool"]
    assert turns[2].tool_call_id == turns[1].tool_calls[0].id


IMAGE = [{"role": "user", "content": [{"image_url": "https://a/1"}]}]
TOOL = [{"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize(
    ("on", "fields", "param", "says"),
    [
        ("1106-Preview", {"messages": IMAGE}, "messages.[0].content.[0].type", "only supported by certain"),
        (
            "vision-preview",
            {"messages": IMAGE, "response_format": {"type": "json_object"}},
            "response_format",
            "of type 'json_object' is not supported with this model",
        ),
        ("turbo-2024-04-09", {"messages": IMAGE, "tools": TOOL}, "tools", "image input"),
        ("turbo-2024-04-09", {"messages": IMAGE, "functions": [{"name": "f"}]}, "functions", "image input"),
        (
            "vision-preview",
            {"enhancements": {"video": {"enabled": True}}},
            "enhancements.video",
            "not set up",
        ),
        (
            "turbo-2024-04-09",
            {"enhancements": {"ocr": {"enabled": True}}},
            "enhancements.ocr",
            "The deployed GPT model does not support Vision Enhancement",
        ),
        (
            "vision-preview",
            {"dataSources": [{"type": "AzureCognitiveSearch"}]},
            "dataSources.[0]",
            "AzureCognitiveSearch",
        ),
        ("vision-preview", {"max_tokens": 4097}, "max_tokens", "too large"),
        ("vision-preview", {"max_completion_tokens": 4097}, "max_completion_tokens", "too large"),
        ("vision-preview", {"logprobs": True}, "logprobs", "logprobs"),
    ],
)
async def test_what_a_deployment_does_not_do(on: str, fields: Any, param: str, says: str) -> None:
    service = chat_service({"scripted": ScriptedEngine()})
    with pytest.raises(InvalidRequest, match=says) as refused:
        await answer(service, deployment("d", on), **fields)
    assert refused.value.param == param


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": TOOL},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}},
        {"logit_bias": {"1": 1}},
        {"messages": IMAGE},
    ],
)
async def test_what_an_engine_cannot_do_is_refused(fields: Any) -> None:
    service = chat_service({"scripted": ScriptedEngine(abilities=Abilities(images=False))})
    with pytest.raises(InvalidRequest):
        await answer(service, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"enhancements": {"ocr": {"enabled": False}}},
        {"enhancements": {"ocr": {"enabled": "false"}}, "dataSources": [{"type": "AzureComputerVision"}]},
        {"dataSources": []},
        {"tools": []},
        {"tools": TOOL, "tool_choice": "none"},
        {"logit_bias": {}},
        {"logprobs": False},
        {"unknown_field": 1},
    ],
)
async def test_what_asks_for_nothing_special_is_plain_chat(fields: Any) -> None:
    events = await answer(chat_service({"scripted": ScriptedEngine()}), **fields)
    assert text_of(events) == "Hello, world."


async def test_context_length() -> None:
    service = chat_service({"scripted": ScriptedEngine()})
    with pytest.raises(InvalidRequest) as refused:
        await answer(service, messages=[{"role": "user", "content": "word " * 128_000}], max_tokens=100)
    assert refused.value.code == "context_length_exceeded"
    engine = ScriptedEngine()
    await answer(
        chat_service({"scripted": engine}), messages=[{"role": "user", "content": "word " * 125_000}]
    )
    assert engine.prompts[0].sampling.max_tokens < 4096


async def test_strict_gives_sixteen_tokens() -> None:
    engine = ScriptedEngine(["word "] * 50)
    events = await answer(chat_service({"scripted": engine}), deployment("s", "vision-preview", strict=True))
    assert finish_of(events) == "length"
    assert usage_of(events).completion_tokens == 16


async def test_an_unknown_engine_and_a_failing_engine() -> None:
    with pytest.raises(EngineUnavailable):
        await answer(chat_service({}))
    failing = ScriptedEngine(["a", "b"], fail_at=(1, EngineError("broken")))
    with pytest.raises(EngineError):
        await answer(chat_service({"scripted": failing}))


async def test_closing_the_answer_closes_the_engine() -> None:
    engine = EndlessEngine()
    service = chat_service({"scripted": engine})
    request = read_chat_request(body())
    async with aclosing(service.complete(request, service.rules(VISION), CALLER)) as events:
        assert await anext(events) == ChoiceStarted(0)
    assert engine.stopped.is_set()
    assert service.gates["scripted"].admitted == 0


async def test_a_full_queue_is_refused_at_once_and_frees_itself() -> None:
    engine = EndlessEngine()
    service = chat_service({"scripted": engine}, running=1, waiting=1)
    first = asyncio.create_task(answer(service))
    await engine.started.wait()
    second = asyncio.create_task(answer(service))
    await asyncio.sleep(0)
    assert service.gates["scripted"].queued == 1
    with pytest.raises(TooManyRequests) as refused:
        await answer(service)
    assert int(refused.value.headers["retry-after"]) >= 1
    engine.release.set()
    assert text_of(await first) == text_of(await second) == "first last"
    assert text_of(await answer(service)) == "first last"


async def test_a_cancelled_wait_leaves_the_gate() -> None:
    gate = Gate(1, 1)
    async with gate.admit(), gate.turn():
        waiting = asyncio.create_task(_pass(gate))
        await asyncio.sleep(0)
        assert gate.queued == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert gate.admitted == 1
    await _pass(gate)


async def _pass(gate: Gate) -> None:
    async with gate.admit(), gate.turn():
        pass
