"""langchain-openai against a live server. It sends `"model": null` and `max_completion_tokens`."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import AzureChatOpenAI
from pydantic import BaseModel, SecretStr
from tests.support.house import API_VERSION, KEY
from tests.support.server import LiveServer
from tests.support.wire import image


def chat(server: LiveServer, deployment: str = "gpt-4v", **changes: Any) -> AzureChatOpenAI:
    return AzureChatOpenAI(
        azure_endpoint=server.url,
        api_key=SecretStr(KEY),
        api_version=API_VERSION,
        azure_deployment=deployment,
        max_retries=0,
        **changes,
    )


PICTURE_QUESTION: list[BaseMessage] = [
    SystemMessage("You are a helpful assistant."),
    HumanMessage([{"type": "text", "text": "Describe this picture:"}, image()]),
]


def test_plain_and_image(server: LiveServer) -> None:
    answer = chat(server, max_tokens=50).invoke(PICTURE_QUESTION)
    assert "Describe this picture:" in str(answer.content)
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] > 0


def test_max_completion_tokens(server: LiveServer) -> None:
    answer = chat(server, max_tokens=3).invoke("a b c d e f")
    assert answer.response_metadata["finish_reason"] == "length"


def test_streaming_image(server: LiveServer) -> None:
    pieces = [str(chunk.content) for chunk in chat(server).stream(PICTURE_QUESTION)]
    assert "Describe this picture:" in "".join(pieces)
    assert len([piece for piece in pieces if piece]) > 1


def test_tools(server: LiveServer) -> None:
    @tool
    def weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    answer = chat(server, "gpt-4-turbo").bind_tools([weather], tool_choice="weather").invoke("Seoul?")
    assert [call["name"] for call in answer.tool_calls] == ["weather"]
    assert "city" in answer.tool_calls[0]["args"]


def test_structured_answers(server: LiveServer) -> None:
    class Place(BaseModel):
        city: str

    for method in ("json_schema", "function_calling"):
        model = chat(server, "gpt-4-turbo").with_structured_output(Place, method=method)
        assert isinstance(model.invoke("json: Seoul"), Place)


def test_extensions_by_base_url(server: LiveServer) -> None:
    model = AzureChatOpenAI(
        base_url=f"{server.url}/openai/deployments/gpt-4v/extensions",
        api_key=SecretStr(KEY),
        api_version=API_VERSION,
        max_retries=0,
    )
    assert "hello" in str(model.invoke("hello").content)


def test_errors(server: LiveServer) -> None:
    with pytest.raises(Exception, match="does not exist"):
        chat(server, "nope").invoke("hi")
