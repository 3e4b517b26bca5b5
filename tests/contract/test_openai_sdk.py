"""The current `openai` SDK against a live server: what its users do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AzureOpenAI, OpenAI
from starlette.applications import Starlette
from tests.support.engines import EndlessEngine
from tests.support.house import API_VERSION, KEY, services
from tests.support.server import LiveServer, live
from tests.support.wire import PICTURE, image

from foveal.engines.base import Abilities
from foveal.http.app import build_app

TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


def user(*parts: Any) -> Any:
    return [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": list(parts)},
    ]


@pytest.fixture
def client(server: LiveServer) -> Iterator[AzureOpenAI]:
    with AzureOpenAI(azure_endpoint=server.url, api_key=KEY, api_version=API_VERSION, max_retries=0) as made:
        yield made


def text(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


def test_plain(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4v", messages=[{"role": "user", "content": "Good morning"}], max_tokens=100
    )
    assert "Good morning" in (answer.choices[0].message.content or "")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].model_extra is not None
    assert answer.choices[0].model_extra["finish_details"] == {"type": "stop", "stop": "<|fim_suffix|>"}
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.model == "gpt-4"


def test_image(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4v", messages=user(text("Describe this picture:"), image()), max_tokens=100
    )
    assert "2×2" in (answer.choices[0].message.content or "")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens in (21 + 85, 21 + 255)


def test_streaming_image(client: AzureOpenAI) -> None:
    stream = client.chat.completions.create(
        model="gpt-4v", messages=user(text("Describe this picture:"), image()), max_tokens=100, stream=True
    )
    seen = list(stream)
    assert seen[0].choices == []
    assert seen[1].choices[0].delta.role == "assistant"
    said = "".join(chunk.choices[0].delta.content or "" for chunk in seen[2:])
    assert "Describe this picture:" in said
    assert seen[-1].choices[0].finish_reason == "stop"


def test_max_tokens(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4v", messages=[{"role": "user", "content": "a b c d e f g h"}], max_tokens=4
    )
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 4


def test_json_mode(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4-turbo",
        messages=[{"role": "user", "content": "json please"}],
        response_format={"type": "json_object"},
    )
    assert (answer.choices[0].message.content or "").startswith("{")


def test_tools(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4-turbo",
        messages=[{"role": "user", "content": "weather in Seoul?"}],
        tools=TOOLS,
        tool_choice="required",
    )
    assert answer.choices[0].finish_reason == "tool_calls"
    calls = answer.choices[0].message.tool_calls
    assert calls
    assert calls[0].type == "function"
    assert calls[0].function.name == "weather"
    assert answer.choices[0].message.content is None


def test_streamed_tools(client: AzureOpenAI) -> None:
    stream = client.chat.completions.create(
        model="gpt-4-turbo",
        messages=[{"role": "user", "content": "weather in Seoul?"}],
        tools=TOOLS,
        tool_choice={"type": "function", "function": {"name": "weather"}},
        stream=True,
    )
    pieces = [call for chunk in stream if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
    assert pieces[0].id
    assert pieces[0].function is not None
    assert pieces[0].function.name == "weather"
    assert "".join((piece.function and piece.function.arguments) or "" for piece in pieces).startswith("{")


def test_errors(client: AzureOpenAI, server: LiveServer) -> None:
    hello: Any = [{"role": "user", "content": "hi"}]
    with pytest.raises(openai.NotFoundError, match="The API deployment for this resource does not exist"):
        client.chat.completions.create(model="nope", messages=hello)
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.chat.completions.create(model="gpt-4v", messages=hello, temperature=3)
    with pytest.raises(openai.BadRequestError, match="Invalid image"):
        client.chat.completions.create(
            model="gpt-4v", messages=user(image("data:image/png;base64,AAAA"), text("x"))
        )
    with (
        AzureOpenAI(azure_endpoint=server.url, api_key="wrong", api_version=API_VERSION) as stranger,
        pytest.raises(openai.AuthenticationError, match="Access denied"),
    ):
        stranger.chat.completions.create(model="gpt-4v", messages=hello)
    with (
        AzureOpenAI(azure_endpoint=server.url, azure_ad_token="token", api_version=API_VERSION) as stranger,
        pytest.raises(openai.AuthenticationError, match="Access token is missing"),
    ):
        stranger.chat.completions.create(model="gpt-4v", messages=hello)


def test_a_key_as_a_bearer_token(server: LiveServer) -> None:
    with AzureOpenAI(azure_endpoint=server.url, azure_ad_token=KEY, api_version=API_VERSION) as client:
        assert client.chat.completions.create(model="gpt-4v", messages=user("hi")).choices


def test_a_full_queue_is_a_rate_limit_error() -> None:
    engine = EndlessEngine()
    app: Starlette = build_app(services(engine, running=1, waiting=0))
    with (
        live(app) as server,
        AzureOpenAI(azure_endpoint=server.url, api_key=KEY, api_version=API_VERSION, max_retries=0) as client,
    ):
        hello: Any = [{"role": "user", "content": "hi"}]
        first = client.chat.completions.create(model="gpt-4v", messages=hello, stream=True)
        server.call(engine.started.wait())
        with pytest.raises(openai.RateLimitError) as refused:
            client.chat.completions.create(model="gpt-4v", messages=hello)
        assert int(refused.value.response.headers["retry-after"]) >= 1
        server.call(_set(engine))
        assert "first last" in "".join(
            chunk.choices[0].delta.content or "" for chunk in first if chunk.choices
        )


async def _set(engine: EndlessEngine) -> None:
    engine.release.set()


def test_extensions_by_base_url(server: LiveServer) -> None:
    with AzureOpenAI(
        base_url=f"{server.url}/openai/deployments/gpt-4v/extensions", api_key=KEY, api_version=API_VERSION
    ) as client:
        answer = client.chat.completions.create(
            model="gpt-4-vision-preview",
            messages=user(text("hello"), image()),
            extra_body={"enhancements": {"ocr": {"enabled": False}}, "dataSources": []},
        )
    assert "hello" in (answer.choices[0].message.content or "")


def test_the_plain_surface(server: LiveServer) -> None:
    with OpenAI(base_url=f"{server.url}/v1", api_key=KEY, max_retries=0) as client:
        assert "gpt-4v" in [model.id for model in client.models.list()]
        assert client.models.retrieve("gpt-4-turbo").owned_by == "foveal"
        answer = client.chat.completions.create(model="gpt-4v", messages=user(text("hello"), image(PICTURE)))
        assert "hello" in (answer.choices[0].message.content or "")
        assert "finish_details" not in (answer.choices[0].model_extra or {})
        with pytest.raises(openai.NotFoundError) as missing:
            client.chat.completions.create(model="gpt-9", messages=user("hi"))
        assert missing.value.code == "model_not_found"
        stream = client.chat.completions.create(
            model="gpt-4v", messages=user("hi"), stream=True, stream_options={"include_usage": True}
        )
        *_, last = stream
        assert last.usage is not None
        assert last.usage.total_tokens > 0
    with OpenAI(base_url=f"{server.url}/v1", api_key="wrong", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError) as refused:
            stranger.models.list()
        assert refused.value.code == "invalid_api_key"


def test_models_of_the_azure_client(client: AzureOpenAI) -> None:
    assert "gpt-4-vision-preview" in [model.id for model in client.models.list()]


def test_an_engine_without_an_ability_says_so() -> None:
    engine = EndlessEngine()
    engine.abilities = Abilities()
    with (
        live(build_app(services(engine))) as server,
        AzureOpenAI(azure_endpoint=server.url, api_key=KEY, api_version=API_VERSION) as client,
        pytest.raises(openai.BadRequestError) as refused,
    ):
        client.chat.completions.create(model="gpt-4v", messages=user("x"), tools=TOOLS)
    assert refused.value.param == "tools"
