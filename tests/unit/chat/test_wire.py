"""Request fields and content shapes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from foveal.chat.request import (
    ChatRequest,
    DataSource,
    DocumentContent,
    ImageContent,
    RequestedDetail,
    TextContent,
    VideoContent,
)
from foveal.chat.wire import read_chat_request
from foveal.engines.base import ToolCall, ToolChoice
from foveal.errors import InvalidRequest

USER = {"role": "user", "content": "hi"}
URL = "https://example.com/a.png"


def read(**fields: Any) -> ChatRequest:
    return read_chat_request(json.dumps({"messages": [USER], **fields}).encode())


def content(*parts: Any, role: str = "user") -> tuple[Any, ...]:
    return read(messages=[{"role": role, "content": list(parts)}]).messages[0].content


def refused(**fields: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as error:
        read(**fields)
    return error.value


@pytest.mark.parametrize(
    ("part", "source", "bare", "detail", "param"),
    [
        (
            {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
            URL,
            False,
            "low",
            "image_url.url",
        ),
        (
            {"type": "image_url", "image_url": {"url": URL, "detail": None}},
            URL,
            False,
            "auto",
            "image_url.url",
        ),
        ({"image_url": {"url": URL}}, URL, False, "auto", "image_url.url"),
        ({"type": "image_url", "image_url": URL}, URL, False, "auto", "image_url"),
        ({"type": "image_url", "url": URL, "detail": "high"}, URL, False, "high", "url"),
        ({"image": URL}, URL, False, "auto", "image"),
        ({"image": "data:image/png;base64,AA"}, "data:image/png;base64,AA", False, "auto", "image"),
        ({"image": "iVBORw0KGgo="}, "iVBORw0KGgo=", True, "auto", "image"),
        ({"type": "image", "image": URL}, URL, False, "auto", "image"),
    ],
)
def test_every_shape_of_a_picture(
    part: Any, source: str, bare: bool, detail: RequestedDetail, param: str
) -> None:
    where = f"messages.[0].content.[1].{param}"
    assert content("look:", part) == (TextContent("look:"), ImageContent(source, bare, detail, where))


@pytest.mark.parametrize("role", ["system", "user", "assistant", "developer"])
def test_text_in_every_shape(role: str) -> None:
    parts = content("a", {"type": "text", "text": "b"}, {"text": "c"}, role=role)
    assert [part.text for part in parts] == ["a", "b", "c"]
    assert read(messages=[{"role": role, "content": "x"}]).messages[0].content == (TextContent("x"),)


@pytest.mark.parametrize("key", ["acv_document_id", "acv-document-id"])
def test_the_id_of_a_document_in_every_shape(key: str) -> None:
    for part in ({"type": key, key: "my clip.1"}, {key: "my clip.1"}):
        found = DocumentContent("my clip.1", f"messages.[0].content.[0].{key}")
        assert content(part, "what?") == (found, TextContent("what?"))
        assert content("what?", part)[1] == replace(found, param=f"messages.[0].content.[1].{key}")
    mixed = content({"type": "acv_document_id", "acv-document-id": "x"})
    assert mixed == (DocumentContent("x", "messages.[0].content.[0].acv-document-id"),)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "video_url", "video_url": {"url": "https://a/b.mp4"}},
        {"video_url": {"url": "https://a/b.mp4"}},
        {"type": "video_url", "video_url": "https://a/b.mp4"},
    ],
)
def test_the_url_of_a_video_in_every_shape(part: Any) -> None:
    where = "messages.[0].content.[0].video_url"
    param = where if isinstance(part["video_url"], str) else f"{where}.url"
    assert content(part) == (VideoContent("https://a/b.mp4", param),)


DOCUMENT = {"type": "acv_document_id", "acv_document_id": "a"}


@pytest.mark.parametrize(
    ("parts", "param"),
    [
        ([{"type": "acv_document_id"}], "acv_document_id"),
        ([{"acv_document_id": None}], "acv_document_id"),
        ([{"acv_document_id": " "}], "acv_document_id"),
        ([{"acv-document-id": 7}], "acv-document-id"),
        ([{"type": "video_url"}], "video_url"),
        ([{"type": "video_url", "video_url": {}}], "video_url.url"),
        ([{"type": "video_url", "video_url": [1]}], "video_url"),
    ],
)
def test_a_broken_video_is_refused_by_name(parts: list[Any], param: str) -> None:
    assert refused(messages=[{"role": "user", "content": parts}]).param == f"messages.[0].content.[0].{param}"


def test_one_video_and_no_pictures_beside_it() -> None:
    def two(*parts: Any) -> list[Any]:
        return [{"role": "user", "content": [part, "what?"]} for part in parts]

    for other in ({"acv_document_id": "b"}, {"video_url": "https://a/b.mp4"}):
        error = refused(messages=two(DOCUMENT, other))
        assert "Too many videos" in error.message
        assert error.param is not None
        assert error.param.startswith("messages.[1].content.[0].")
    image = {"type": "image_url", "image_url": {"url": "https://a/b.png"}}
    for parts in ((DOCUMENT, image), (image, DOCUMENT), (image, {"video_url": "https://a/b.mp4"})):
        assert "not both" in refused(messages=two(*parts)).message
    again = read(messages=two(DOCUMENT, DOCUMENT))
    assert again.video == DocumentContent("a", "messages.[0].content.[0].acv_document_id")
    for role in ("system", "assistant"):
        error = refused(messages=[{"role": role, "content": [DOCUMENT]}])
        assert "only allowed with role 'user'" in error.message


def test_the_question_is_what_the_user_said_last() -> None:
    request = read(
        messages=[
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "no question"},
            {"role": "user", "content": ["from 0s", "to 20s?"]},
            {"role": "user", "content": [DOCUMENT]},
        ]
    )
    assert request.question == "from 0s\nto 20s?"


def test_a_conversation_with_tools() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    request = read(
        messages=[
            USER,
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
            {"role": "assistant", "content": None, "function_call": {"name": "g", "arguments": "{}"}},
            {"role": "function", "name": "g", "content": None},
        ]
    )
    assert request.messages[1].tool_calls == (ToolCall("c1", "f", "{}"),)
    assert request.messages[2].tool_call_id == "c1"
    assert request.messages[4].tool_call_id == request.messages[3].tool_calls[0].id


def test_every_option_is_read() -> None:
    request = read(
        model=None,
        temperature=0,
        top_p=0.5,
        n=3,
        stream="true",
        stop=["a", "b"],
        max_completion_tokens=7,
        presence_penalty=-2,
        frequency_penalty=2,
        logit_bias={"50256": -100},
        user="me",
        seed=-(2**63),
        stream_options={"include_usage": True},
        unknown={"x": 1},
    )
    sampling = request.sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (0.0, 0.5, -(2**63))
    assert (sampling.presence_penalty, sampling.frequency_penalty) == (-2.0, 2.0)
    assert (sampling.stop, sampling.logit_bias) == (("a", "b"), {50256: -100.0})
    assert (request.n, request.stream, request.max_tokens, request.include_usage) == (3, True, 7, True)
    assert "unknown" in request.fields
    assert "model" in request.nulls


def test_null_is_the_default() -> None:
    names = ("temperature", "top_p", "n", "stop", "max_tokens", "seed", "logit_bias", "tools", "tool_choice")
    plain = read()
    assert read(**dict.fromkeys(names)).sampling == plain.sampling
    assert (plain.n, plain.max_tokens, plain.stream) == (1, None, False)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [USER] * 2049}, "messages"),
        ({"messages": [{"role": "user", "content": ["x"] * 4097}]}, "messages"),
        ({"messages": ["hi"]}, "messages.[0]"),
        ({"messages": [{"content": "x"}]}, "messages.[0].role"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.[0].role"),
        ({"messages": [{"role": 1, "content": "x"}]}, "messages.[0].role"),
        ({"messages": [{"role": "user"}]}, "messages.[0].content"),
        ({"messages": [{"role": "user", "content": None}]}, "messages.[0].content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.[0].content"),
        ({"messages": [{"role": "user", "content": []}]}, "messages.[0].content"),
        ({"messages": [{"role": "user", "content": [7]}]}, "messages.[0].content.[0]"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages.[0].content.[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "audio"}]}]}, "messages.[0].content.[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": ["x"]}]}]}, "messages.[0].content.[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.[0].content.[0].text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages.[0].content.[0].image_url",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": 3}}]}]},
            "messages.[0].content.[0].image_url.url",
        ),
        (
            {"messages": [{"role": "user", "content": [{"image_url": {"url": "u", "detail": "max"}}]}]},
            "messages.[0].content.[0].image_url.detail",
        ),
        (
            {"messages": [{"role": "system", "content": ["a", {"image_url": {"url": "u"}}]}]},
            "messages.[0].content.[1].type",
        ),
        ({"messages": [{"role": "user", "content": "x", "name": 1}]}, "messages.[0].name"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.[0].tool_call_id"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "z"}]}, "messages.[0].role"),
        ({"messages": [{"role": "function", "content": "x"}]}, "messages.[0].name"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": 10**300}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"n": 1.5}, "n"),
        ({"n": "2"}, "n"),
        ({"stream": "maybe"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stop": 5}, "stop"),
        ({"stop": []}, "stop"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": ["a", 1]}, "stop.[1]"),
        ({"stop": ""}, "stop"),
        ({"stop": "x" * 2000}, "stop"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "100"}, "max_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, "max_completion_tokens"),
        ({"presence_penalty": 3}, "presence_penalty"),
        ({"frequency_penalty": -3}, "frequency_penalty"),
        ({"seed": 2**63}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"logit_bias": []}, "logit_bias"),
        ({"logit_bias": {"word": 1}}, "logit_bias"),
        ({"logit_bias": {"100277": 1}}, "logit_bias"),
        ({"logit_bias": {"5": 101}}, "logit_bias.5"),
        ({"logit_bias": {"5": "x"}}, "logit_bias.5"),
        ({"user": 1}, "user"),
        ({"logprobs": 1}, "logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ({"parallel_tool_calls": "x"}, "parallel_tool_calls"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {}}, "response_format.type"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.name"),
        ({"tools": "x"}, "tools"),
        ({"tools": [{}]}, "tools.[0].type"),
        ({"tools": [{"type": "retrieval"}]}, "tools.[0].type"),
        ({"tools": [{"type": "function"}]}, "tools.[0].function"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools.[0].function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "a", "parameters": 1}}]},
            "tools.[0].function.parameters",
        ),
        ({"tools": [{"type": "function", "function": {"name": "a"}}] * 129}, "tools"),
        ({"functions": [{"name": "a"}] * 129}, "functions"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [{"type": "function", "function": {"name": "a"}}], "tool_choice": "some"}, "tool_choice"),
        (
            {
                "tools": [{"type": "function", "function": {"name": "a"}}],
                "tool_choice": {"type": "function", "function": {"name": "b"}},
            },
            "tool_choice",
        ),
        ({"function_call": {"name": "f"}}, "function_call"),
        ({"functions": [{"name": "a"}], "function_call": {"name": "f"}}, "function_call"),
        ({"enhancements": {"ocr": {"enabled": "perhaps"}}}, "enhancements.ocr.enabled"),
        ({"enhancements": []}, "enhancements"),
        ({"dataSources": {}}, "dataSources"),
        ({"data_sources": [{}]}, "data_sources.[0].type"),
        ({"dataSources": [{"type": 5}]}, "dataSources.[0].type"),
        ({"dataSources": [{"type": "x", "parameters": []}]}, "dataSources.[0].parameters"),
        (
            {"dataSources": [{"type": "x", "parameters": {"parameters": 1}}]},
            "dataSources.[0].parameters.parameters",
        ),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    error = refused(**fields)
    assert (error.status, error.param) == (400, param)
    assert error.message


def test_ten_pictures_are_enough() -> None:
    image = {"type": "image_url", "image_url": {"url": URL}}
    assert len(read(messages=[{"role": "user", "content": [image] * 10}]).images) == 10
    error = refused(
        messages=[{"role": "user", "content": [image] * 6}, {"role": "user", "content": [image] * 5}]
    )
    assert error.message == "Too many images in request. Max is 10."


def test_no_error_echoes_a_long_value() -> None:
    assert len(refused(temperature="A" * 5000).message) < 200


def test_enhancements_as_strings_and_both_spellings_of_data_sources() -> None:
    request = read(
        enhancements={"ocr": {"enabled": "True"}, "grounding": {"enabled": False}, "video": None},
        dataSources=[{"type": "AzureComputerVision"}],
        data_sources=[{"type": "azure_search"}],
    )
    assert request.enhancements == ("ocr",)
    assert request.data_sources == (
        DataSource("dataSources.[0]", "AzureComputerVision"),
        DataSource("data_sources.[0]", "azure_search"),
    )


@pytest.mark.parametrize(
    "given",
    [
        {"parameters": {"endpoint": "E", "key": "K"}},
        {"parameters": {"parameters": {"endpoint": "E", "key": "K"}}},
        {"endpoint": "E", "key": "K"},
        {"endpoint": "outer", "parameters": {"key": "K", "parameters": {"endpoint": "E"}}},
    ],
)
def test_the_values_of_a_data_source_at_any_depth(given: dict[str, Any]) -> None:
    (source,) = read(dataSources=[{"type": "AzureComputerVision", **given}]).data_sources
    assert source.parameters == {"endpoint": "E", "key": "K"}


@pytest.mark.parametrize("name", ["AzureComputerVision", "azure_computer_vision", "azurecomputervision"])
def test_the_type_of_a_data_source_in_any_spelling(name: str) -> None:
    (source,) = read(data_sources=[{"type": name}]).data_sources
    assert source.is_a("AzureComputerVision")
    assert not source.is_a("AzureComputerVisionVideoIndex")


def test_functions_are_the_older_form_of_tools() -> None:
    request = read(functions=[{"name": "f", "parameters": {}}], function_call={"name": "f"})
    assert request.functions_form
    assert request.tool_choice == ToolChoice("named", "f")
    assert request.tools[0].name == "f"
