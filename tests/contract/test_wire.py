"""The published shapes on the wire: what may be sent, and what comes back."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.engines import ScriptedEngine
from tests.support.house import API_VERSION, KEY, services
from tests.support.server import LiveServer, live
from tests.support.wire import CHAT, PICTURE, ask, chunks, image

from foveal.http.app import build_app

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOT_FILTERED = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}


def test_the_page_s_first_request_as_printed(http: httpx.Client) -> None:
    body = (FIXTURES / "page_request.json").read_text(encoding="utf-8")
    assert "[ \n" in body
    assert "\t" in body
    for path in (CHAT, "/openai/deployments/gpt-4v/extensions/chat/completions"):
        response = http.post(
            path,
            content=body.replace("<image URL>", PICTURE),
            headers={"content-type": "application/json"},
        )
        assert response.status_code == 200, response.text
        answer = response.json()
        assert " ".join(answer) == (
            "id object created model prompt_filter_results choices usage system_fingerprint"
        )
        assert answer["id"].startswith("chatcmpl-")
        assert len(answer["id"]) == len("chatcmpl-8VAVx58veW9RCm5K1ttmxU6Cm4XDX")
        assert (answer["object"], answer["model"]) == ("chat.completion", "gpt-4")
        assert answer["prompt_filter_results"] == [
            {"prompt_index": 0, "content_filter_results": NOT_FILTERED}
        ]
        (choice,) = answer["choices"]
        assert choice["finish_reason"] == "stop"
        assert choice["finish_details"] == {"type": "stop", "stop": "<|fim_suffix|>"}
        assert (choice["index"], choice["message"]["role"]) == (0, "assistant")
        assert choice["content_filter_results"] == NOT_FILTERED
        assert answer["usage"]["prompt_tokens"] in (21 + 85, 21 + 255)


def test_the_page_s_video_request_is_read_and_refused_by_name(http: httpx.Client) -> None:
    body = (FIXTURES / "page_video_request.json").read_text(encoding="utf-8")
    response = http.post(CHAT, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "messages.[1].content.[0].acv_document_id"


@pytest.mark.parametrize(
    "content",
    [
        "text only",
        ["bare", "strings"],
        [{"type": "text", "text": "x"}, image()],
        [{"type": "text", "text": "x"}, image(detail="low")],
        [{"type": "text", "text": "x"}, image(detail="high")],
        [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": PICTURE}],
        ["x", {"image": PICTURE}],
        ["x", {"image": PICTURE.partition(",")[2]}],
        [image(PICTURE.replace("image/png", "application/octet-stream"))],
        [image(), image(detail="low"), "two"],
    ],
)
def test_every_content_shape(http: httpx.Client, content: Any) -> None:
    response = http.post(CHAT, json={"messages": [{"role": "user", "content": content}]})
    assert response.status_code == 200, response.text


def test_several_turns_and_system_as_an_array(http: httpx.Client) -> None:
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "text", "text": "first"}, image()]},
        {"role": "assistant", "content": [{"type": "text", "text": "A square."}]},
        {"role": "user", "content": "and now?"},
    ]
    response = http.post(CHAT, json={"messages": messages, "model": None})
    assert "and now?" in response.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    "version", ["2023-06-01-preview", "2023-12-01-preview", "2024-02-15-preview", "2024-10-21"]
)
@pytest.mark.parametrize("path", [CHAT, "/openai/deployments/gpt-4v/extensions/chat/completions"])
def test_both_routes_under_every_version(server: LiveServer, version: str, path: str) -> None:
    response = httpx.post(
        server.url + path, params={"api-version": version}, headers={"api-key": KEY}, json=ask()
    )
    assert response.status_code == 200
    key = "prompt_annotations" if version == "2023-06-01-preview" else "prompt_filter_results"
    assert key in response.json()


@pytest.mark.parametrize("prefix", ["/", "//"])
def test_doubled_slashes_are_folded(server: LiveServer, prefix: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    path = f"/{prefix}openai//deployments/gpt-4v/chat//completions?api-version={API_VERSION}"
    headers = {"api-key": KEY, "content-type": "application/json"}
    connection.request("POST", path, json.dumps(ask()), headers)
    assert connection.getresponse().status == 200
    connection.close()


def test_headers(http: httpx.Client) -> None:
    response = http.post(CHAT, json=ask(), headers={"x-ms-client-request-id": "client-7"})
    assert response.headers["x-ms-client-request-id"] == "client-7"
    assert response.headers["apim-request-id"] == response.headers["x-request-id"]
    assert response.headers["x-ms-region"] == "swedencentral"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-type"] == "application/json"
    assert "x-ms-rai-invoked" not in response.headers
    assert "access-control-allow-origin" not in response.headers
    long = http.post(CHAT, json=ask(), headers={"x-ms-client-request-id": "x" * 500})
    assert "x-ms-client-request-id" not in long.headers


def test_a_stream(http: httpx.Client) -> None:
    response = http.post(CHAT, json=ask("one two three", stream=True, max_tokens=50))
    assert response.headers["content-type"] == "text/event-stream"
    first, role, *pieces, last = chunks(response.text)
    assert first == {
        "id": "",
        "object": "",
        "created": 0,
        "model": "",
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": NOT_FILTERED}],
        "choices": [],
        "usage": None,
    }
    assert role["choices"] == [{"index": 0, "finish_reason": None, "delta": {"role": "assistant"}}]
    assert (role["object"], role["model"], role["usage"]) == ("chat.completion.chunk", "gpt-4", None)
    assert all(piece["id"] == role["id"] and piece["usage"] is None for piece in pieces)
    assert all(piece["choices"][0]["content_filter_results"] == NOT_FILTERED for piece in pieces)
    assert "one two three" in "".join(piece["choices"][0]["delta"]["content"] for piece in pieces)
    assert len(pieces) > 1
    assert last["choices"] == [
        {
            "index": 0,
            "finish_reason": "stop",
            "finish_details": {"type": "stop", "stop": "<|fim_suffix|>"},
            "delta": {},
        }
    ]


def test_a_stream_says_the_same_as_an_answer(http: httpx.Client) -> None:
    for fields in ({}, {"max_tokens": 5}, {"stop": "three"}, {"n": 3, "seed": 1}):
        whole = http.post(CHAT, json=ask("one two three four", **fields)).json()
        streamed = chunks(http.post(CHAT, json=ask("one two three four", stream=True, **fields)).text)
        for choice in whole["choices"]:
            mine = [c for chunk in streamed for c in chunk["choices"] if c["index"] == choice["index"]]
            assert "".join(c["delta"].get("content", "") for c in mine) == choice["message"]["content"]
            assert mine[-1]["finish_reason"] == choice["finish_reason"]


def test_usage_in_a_stream(http: httpx.Client) -> None:
    fields: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    *_, last = chunks(http.post(CHAT, json=ask("hi", **fields)).text)
    assert last["choices"] == []
    assert last["usage"] == http.post(CHAT, json=ask("hi")).json()["usage"]
    plain = chunks(http.post("/v1/chat/completions", json=ask("hi", stream=True, model="gpt-4v")).text)
    assert all("usage" not in chunk for chunk in plain)
    assert all("content_filter_results" not in choice for chunk in plain for choice in chunk["choices"])


@pytest.mark.parametrize("annotations", ["compact", "off"])
def test_annotations(annotations: str) -> None:
    with live(build_app(services(ScriptedEngine(), annotations=annotations))) as server:
        url = f"{server.url}{CHAT}?api-version={API_VERSION}"
        whole = httpx.post(url, headers={"api-key": KEY}, json=ask()).json()
        streamed = chunks(httpx.post(url, headers={"api-key": KEY}, json=ask(stream=True)).text)
    shown = annotations == "compact"
    assert ("prompt_filter_results" in whole) == shown
    assert all(chunk["choices"] for chunk in streamed)
    assert ["prompt_filter_results" in chunk for chunk in streamed] == [shown] + [False] * (len(streamed) - 1)
    verdicts = ["content_filter_results" in chunk["choices"][0] for chunk in streamed]
    assert verdicts == [False] * (len(streamed) - 1) + [shown]


def test_functions_are_answered_in_their_own_form(http: httpx.Client) -> None:
    path = "/openai/deployments/gpt-4-turbo/chat/completions"
    fields: dict[str, Any] = {"functions": [{"name": "f", "parameters": {}}], "function_call": {"name": "f"}}
    (choice,) = http.post(path, json=ask("x", **fields)).json()["choices"]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"]["name"] == "f"
    assert "tool_calls" not in choice["message"]
    _, _, first, *_, last = chunks(http.post(path, json=ask("x", stream=True, **fields)).text)
    assert first["choices"][0]["delta"]["function_call"]["name"] == "f"
    assert last["choices"][0]["finish_reason"] == "function_call"
