"""The engine `openai` against a server in a thread, on a free port of the loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.support.asking import gather, turn
from tests.support.server import live

from foveal.engines.base import (
    ImagePart,
    Prompt,
    ReadText,
    ResponseFormat,
    Sampling,
    TextPart,
    Tool,
    ToolCall,
    ToolChoice,
    Turn,
)
from foveal.engines.openai import OpenAIEngine
from foveal.engines.read_text import INSTRUCTION, fenced
from foveal.errors import EngineError, EngineUnavailable, InvalidRequest, PayloadTooLarge, TooManyRequests
from foveal.images.detail import DetailedImage

KEY = "a-very-secret-key"
HELLO = Prompt((turn("hello"),))


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"


GOOD = [
    b'data: {"choices": [], "prompt_filter_results": []}\n\n',
    chunk({"role": "assistant"}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo"}),
    chunk({}, "stop"),
    b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\n',
    b"data: [DONE]\n\n",
]


@dataclass
class Upstream:
    """The other side: answers with `respond` and keeps what it was asked."""

    url: str = ""
    respond: Callable[[], Response] = field(default=lambda: stream(GOOD))
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    path: str = ""

    async def __call__(self, request: Request) -> Response:
        self.path = f"{request.url.path}?{request.url.query}"
        self.headers = dict(request.headers)
        if request.method == "POST":
            self.body = await request.json()
        return self.respond()


def stream(parts: list[bytes]) -> Response:
    async def content() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    return StreamingResponse(content(), media_type="text/event-stream")


@pytest.fixture(scope="module")
def running() -> Iterator[Upstream]:
    upstream = Upstream()
    routes = [Route("/{path:path}", upstream.__call__, methods=["GET", "POST"])]
    with live(Starlette(routes=routes)) as server:
        upstream.url = server.url
        yield upstream


@pytest.fixture
def upstream(running: Upstream) -> Upstream:
    running.respond = lambda: stream(GOOD)
    running.body = {}
    return running


@pytest.fixture
async def engine(upstream: Upstream) -> AsyncIterator[OpenAIEngine]:
    engine = OpenAIEngine(f"{upstream.url}/v1", "big-model", api_key=KEY)
    yield engine
    await engine.close()


async def test_a_streamed_answer(engine: OpenAIEngine, upstream: Upstream) -> None:
    answer = await gather(engine.answer(HELLO))
    assert [delta.text for delta in answer.deltas] == ["Hel", "lo", ""]
    assert answer.finish == "stop"
    assert upstream.path == "/v1/chat/completions?"
    assert upstream.headers["authorization"] == f"Bearer {KEY}"
    assert upstream.body == {
        "model": "big-model",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "temperature": 1.0,
        "top_p": 1.0,
        "max_tokens": 4096,
    }


async def test_bytes_may_come_in_any_pieces(engine: OpenAIEngine, upstream: Upstream) -> None:
    whole = b": a comment\r\n\r\nevent: x\r\n" + chunk({"content": "한국어 🎉"}).replace(b"\n", b"\r\n")
    whole += (
        b"data:" + json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}).encode()
    )
    upstream.respond = lambda: stream([whole[i : i + 1] for i in range(len(whole))])
    answer = await gather(engine.answer(HELLO))
    assert (answer.text, answer.finish) == ("한국어 🎉", "length")


async def test_everything_asked_for_is_passed_on(
    engine: OpenAIEngine, upstream: Upstream, picture: DetailedImage
) -> None:
    call = ToolCall("c1", "weather", '{"city": "Oslo"}')
    tool = Tool("weather", "Weather", {"type": "object", "properties": {}})
    sampling = Sampling(
        temperature=0.5, top_p=0.9, presence_penalty=1, frequency_penalty=-1, seed=7, stop=("END",),
        logit_bias={50: -100}, max_tokens=9,
    )  # fmt: skip
    prompt = Prompt(
        (
            turn("look", images=[picture]),
            Turn("assistant", (), tool_calls=(call,)),
            Turn("tool", turn("7 degrees").parts, tool_call_id="c1"),
        ),
        sampling,
        ResponseFormat("json_schema", {"type": "object"}, "shape"),
        (tool,),
        ToolChoice("named", "weather"),
    )
    await gather(engine.answer(prompt))
    body = upstream.body
    text, image = body["messages"][0]["content"]
    assert text == {"type": "text", "text": "look"}
    assert image["image_url"]["detail"] == "high"
    head, _, data = image["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert b64decode(data) == picture.data
    function = {"name": "weather", "arguments": '{"city": "Oslo"}'}
    assert body["messages"][1] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }
    assert body["messages"][2] == {"role": "tool", "content": "7 degrees", "tool_call_id": "c1"}
    assert {name: body[name] for name in ("temperature", "top_p", "seed", "stop", "max_tokens")} == {
        "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["END"], "max_tokens": 9,
    }  # fmt: skip
    assert (body["presence_penalty"], body["frequency_penalty"], body["logit_bias"]) == (1, -1, {"50": -100})
    assert body["response_format"]["json_schema"] == {
        "name": "shape", "schema": {"type": "object"}, "strict": True,
    }  # fmt: skip
    assert body["tools"][0]["function"]["name"] == "weather"
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}


async def test_text_that_was_read_goes_along(
    engine: OpenAIEngine, upstream: Upstream, picture: DetailedImage
) -> None:
    read = ImagePart(picture, ReadText((), "TOTAL | 23.50"))
    await gather(engine.answer(Prompt((Turn("user", (TextPart("How much?"), read)),))))
    system, user = upstream.body["messages"]
    assert system == {"role": "system", "content": INSTRUCTION}
    assert [part["type"] for part in user["content"]] == ["text", "image_url", "text"]
    assert user["content"][2]["text"] == fenced("TOTAL | 23.50", 1)


async def test_tool_calls_come_back_in_pieces(engine: OpenAIEngine, upstream: Upstream) -> None:
    first = {"index": 0, "id": "c9", "type": "function", "function": {"name": "weather", "arguments": ""}}
    second = {"index": 0, "function": {"arguments": '{"city": "Oslo"}'}}
    parts = [
        chunk({"tool_calls": [first]}),
        chunk({"tool_calls": [second]}),
        chunk({}, "tool_calls"),
        GOOD[-1],
    ]
    upstream.respond = lambda: stream(parts)
    answer = await gather(engine.answer(HELLO))
    assert (answer.tool, answer.tool_id, answer.finish) == ("weather", "c9", "tool_calls")
    assert answer.arguments == '{"city": "Oslo"}'


async def test_azure_style(upstream: Upstream) -> None:
    engine = OpenAIEngine(upstream.url + "/", "my deployment", api_key=KEY, api_version="2024-02-01")
    assert (await gather(engine.answer(HELLO))).text == "Hello"
    path = "/openai/deployments/my deployment/chat/completions?api-version=2024-02-01"
    assert upstream.path == path
    assert upstream.headers["api-key"] == KEY
    assert "authorization" not in upstream.headers
    await engine.close()


async def test_a_server_that_does_not_stream(engine: OpenAIEngine, upstream: Upstream) -> None:
    message = {"role": "assistant", "content": "Hello"}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    upstream.respond = lambda: JSONResponse(whole)
    answer = await gather(engine.answer(HELLO))
    assert (answer.text, answer.finish) == ("Hello", "stop")


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (400, InvalidRequest, "too hot"),
        (422, InvalidRequest, "too hot"),
        (413, PayloadTooLarge, "too hot"),
        (401, EngineError, "refused our key"),
        (403, EngineError, "refused our key"),
        (404, EngineError, "does not know the model 'big-model'"),
        (429, TooManyRequests, "after 17 seconds"),
        (500, EngineError, "status 500"),
        (503, EngineUnavailable, "cannot serve now"),
        (302, EngineError, "status 302"),
    ],
)
async def test_their_errors(
    engine: OpenAIEngine, upstream: Upstream, status: int, error: type[Exception], message: str
) -> None:
    told = {"error": {"message": f"too hot, says {KEY}", "param": "temperature", "code": "hot"}}
    headers = {"retry-after": "17", "location": "/elsewhere"}
    upstream.respond = lambda: JSONResponse(told, status, headers)
    with pytest.raises(error, match=message) as refused:
        await gather(engine.answer(HELLO))
    assert KEY not in str(refused.value)
    if isinstance(refused.value, TooManyRequests):
        assert refused.value.headers["retry-after"] == "17"
    if isinstance(refused.value, InvalidRequest):
        assert refused.value.param == "temperature"
        assert str(refused.value.code) == "hot"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([chunk({"content": "Hel"})], "broke off"),
        ([chunk({"content": "Hel"}), b'data: {"error": {"message": "out of memory"}}\n\n'], "out of memory"),
        ([b"data: not json\n\n"], "not JSON"),
        ([b"data: 7\n\n"], "not a completion"),
    ],
)
async def test_an_answer_that_breaks(
    engine: OpenAIEngine, upstream: Upstream, parts: list[bytes], message: str
) -> None:
    upstream.respond = lambda: stream(parts)
    with pytest.raises(EngineError, match=message):
        await gather(engine.answer(HELLO))


async def test_nobody_there() -> None:
    engine = OpenAIEngine("http://user:password@127.0.0.1:1/v1", "big-model")
    with pytest.raises(EngineUnavailable, match=r"http://127\.0\.0\.1:1 cannot be reached"):
        await gather(engine.answer(HELLO))
    with pytest.raises(EngineUnavailable):
        await engine.ready()
    await engine.close()


async def test_ready_tells_of_a_refused_key(engine: OpenAIEngine, upstream: Upstream) -> None:
    await engine.ready()
    assert upstream.path == "/v1/models?"
    upstream.respond = lambda: JSONResponse({"error": {"message": "who?"}}, 401)
    with pytest.raises(EngineError, match="refused our key"):
        await engine.ready()


async def test_closing_the_answer_closes_the_connection(engine: OpenAIEngine, upstream: Upstream) -> None:
    gone = threading.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield chunk({"content": "x"})
                await asyncio.sleep(0)  # lets the server notice that we have gone
        finally:
            gone.set()

    upstream.respond = lambda: StreamingResponse(endless(), media_type="text/event-stream")
    deltas = engine.answer(HELLO)
    await anext(deltas)
    await deltas.aclose()
    assert await asyncio.to_thread(gone.wait, 10)


async def test_a_slow_server_is_given_up(upstream: Upstream) -> None:
    released = threading.Event()

    async def silent() -> AsyncIterator[bytes]:
        yield b": nothing yet\n\n"
        await asyncio.to_thread(released.wait, 10)

    upstream.respond = lambda: StreamingResponse(silent(), media_type="text/event-stream")
    engine = OpenAIEngine(f"{upstream.url}/v1", "big-model", read_timeout=0.05)
    with pytest.raises(EngineError, match="did not answer in time"):
        await gather(engine.answer(HELLO))
    released.set()
    await engine.close()


def test_tokens_are_counted_in_cl100k() -> None:
    assert OpenAIEngine("http://127.0.0.1:1/v1", "m").count_tokens("hello world") == 2
