"""Vision enhancements on the wire: the page's request, its variants, and the shape of the answer."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from tests.support.engines import ScriptedEngine
from tests.support.facts import FixedFinder, line
from tests.support.house import API_VERSION, KEY, OneKey, enhancements, services
from tests.support.server import LiveServer, live
from tests.support.wire import PICTURE, ask, chunks, image

from foveal.engines.base import ImagePart
from foveal.http.app import build_app
from foveal.resources.accounts import Resource
from foveal.resources.api_versions import load_api_versions

FIXTURES = Path(__file__).parents[1] / "fixtures"
ANSWER = "The image shows a street.\nThe person waits beside a red car; the dog sleeps."
CV_KEY = "c" * 32
FREE_KEY = "f" * 32
OPENAI_KEY = "a" * 32
CHAT = "/openai/deployments/gpt-4v/chat/completions"
EXTENSIONS = "/openai/deployments/gpt-4v/extensions/chat/completions"
BOTH = {"ocr": {"enabled": True}, "grounding": {"enabled": True}}


@dataclass(frozen=True)
class Keys(OneKey):
    """The multi-service resource, an Azure OpenAI one, and Computer Vision resources of both tiers.

    All have the name of the one resource with deployments, so that each can chat.
    """

    def check(self, presented: str) -> Resource | None:
        others = {
            CV_KEY: Resource("local", "ComputerVision", "swedencentral", "S1"),
            FREE_KEY: Resource("free", "ComputerVision", "swedencentral", "F0"),
            OPENAI_KEY: Resource("local", "OpenAI", "swedencentral", "S0"),
        }
        return others.get(presented) or super().check(presented)


@dataclass(frozen=True)
class Enhanced:
    server: LiveServer
    engine: ScriptedEngine
    finder: FixedFinder

    def post(self, path: str, body: Any, key: str = KEY, version: str = API_VERSION) -> httpx.Response:
        content = body if isinstance(body, str) else json.dumps(body)
        return httpx.post(
            self.server.url + path,
            content=content,
            params={"api-version": version},
            headers={"api-key": key, "content-type": "application/json"},
            timeout=30,
        )


@pytest.fixture(scope="module")
def enhanced() -> Iterator[Enhanced]:
    engine = ScriptedEngine(ANSWER.splitlines(keepends=True))
    finder = FixedFinder(close_lines=(line("CENTRAL STATION", 0.4, 0.05, 0.8, 0.12),))
    keys = Keys()
    parts = services(engine, enhanced=enhancements(finder, keys), keys=keys)
    with live(build_app(parts)) as server:
        yield Enhanced(server, engine, finder)


def source(enhanced: Enhanced, key: str = CV_KEY, **changes: Any) -> dict[str, Any]:
    return {
        "type": "AzureComputerVision",
        "parameters": {"endpoint": enhanced.server.url, "key": key, **changes},
    }


def spans_of(choice: dict[str, Any]) -> list[dict[str, Any]]:
    """The spans of an answer; every published promise about them is checked on the way."""
    grounding = choice["enhancements"]["grounding"]
    assert grounding["status"] == "Success"
    (only,) = grounding["lines"]
    for span in only["spans"]:
        piece = only["text"][span["offset"] : span["offset"] + span["length"]]
        assert piece.lower() == span["text"]
        assert len(span["polygon"]) == 4
        assert all(0 <= point[axis] <= 1 for point in span["polygon"] for axis in ("x", "y"))
    found: list[dict[str, Any]] = only["spans"]
    return found


def test_the_page_s_enhancement_request_as_printed(enhanced: Enhanced) -> None:
    body = (FIXTURES / "page_enhancement_request.json").read_text(encoding="utf-8")
    body = body.replace("<your_computer_vision_endpoint>", enhanced.server.url)
    body = body.replace("<your_computer_vision_key>", CV_KEY).replace("<image URL>", PICTURE)
    response = enhanced.post(EXTENSIONS, body)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert " ".join(answer) == "id object created model choices usage system_fingerprint"
    assert (answer["object"], answer["model"]) == ("chat.completion", "gpt-4")
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["finish_details"] == {"type": "stop", "stop": "<|fim_suffix|>"}
    assert "content_filter_results" not in choice
    assert choice["message"] == {"role": "assistant", "content": ANSWER}
    assert choice["enhancements"]["grounding"]["lines"][0]["text"] == ANSWER
    spans = spans_of(choice)
    assert [span["text"] for span in spans] == ["the person", "a red car", "the dog"]
    assert spans[0]["polygon"] == [
        {"x": 0.1, "y": 0.2},
        {"x": 0.3, "y": 0.2},
        {"x": 0.3, "y": 0.9},
        {"x": 0.1, "y": 0.9},
    ]
    assert list(spans[0]) == ["text", "length", "offset", "polygon"]


def test_what_was_read_reaches_the_engine_and_costs_no_tokens(enhanced: Enhanced) -> None:
    plain = enhanced.post(EXTENSIONS, ask("What does it say?", image())).json()
    read = enhanced.post(
        EXTENSIONS,
        ask("What does it say?", image(), enhancements={"ocr": {"enabled": True}}),
    ).json()
    assert read["usage"]["prompt_tokens"] == plain["usage"]["prompt_tokens"]
    assert "enhancements" not in read["choices"][0]
    parts = enhanced.engine.prompts[-1].turns[-1].parts
    (part,) = (part for part in parts if isinstance(part, ImagePart))
    assert part.read is not None
    assert [one.text for one in part.read.lines] == ["CENTRAL STATION"]
    assert "CENTRAL STATION" in part.read.text


def test_each_enhancement_asks_only_for_what_it_needs(enhanced: Enhanced) -> None:
    for enabled, calls in (
        ({"ocr": {"enabled": True}}, ["read"]),
        ({"grounding": {"enabled": True}}, ["facts"]),
        ({**BOTH}, ["see", "read"]),
        ({"grounding": {"enabled": False}}, []),
    ):
        enhanced.finder.calls.clear()
        response = enhanced.post(EXTENSIONS, ask("x", image(), enhancements=enabled))
        assert response.status_code == 200
        assert enhanced.finder.calls == calls


def variants(enhanced: Enhanced) -> list[dict[str, Any]]:
    values = source(enhanced)["parameters"]
    on = {"enhancements": {"grounding": {"enabled": True}}}
    return [
        on,
        {"enhancements": {"grounding": {"enabled": "true"}, "ocr": {"enabled": "False"}}},
        {**on, "dataSources": [source(enhanced)]},
        {**on, "data_sources": [source(enhanced)]},
        {**on, "dataSources": [{"type": "AzureComputerVision", "parameters": {"parameters": values}}]},
        {**on, "dataSources": [{"type": "AzureComputerVision", **values, "indexName": ""}]},
        {**on, "data_sources": [{"type": "azure_computer_vision", "parameters": values}]},
        {**on, "dataSources": [source(enhanced, endpoint=f"{enhanced.server.url}/computervision/")]},
        {**on, "dataSources": [source(enhanced, key=KEY)]},
        {**on, "dataSources": []},
    ]


@pytest.mark.parametrize("version", ["2023-12-01-preview", "2024-02-15-preview", "2024-03-01-preview"])
@pytest.mark.parametrize("path", [CHAT, EXTENSIONS])
def test_every_variant_on_both_routes(enhanced: Enhanced, version: str, path: str) -> None:
    for fields in variants(enhanced):
        response = enhanced.post(path, ask("Describe", image(), **fields), version=version)
        assert response.status_code == 200, (fields, response.text)
        assert [span["text"] for span in spans_of(response.json()["choices"][0])][:1] == ["the person"]


def test_every_known_api_version_takes_them(enhanced: Enhanced) -> None:
    policy = load_api_versions()
    for version in policy.known:
        if policy.get(version).chat:
            body = ask("x", image(), enhancements=BOTH)
            response = enhanced.post(EXTENSIONS, body, version=version)
            assert response.status_code == 200, version
            assert spans_of(response.json()["choices"][0])


def test_a_stream_carries_the_grounding_on_its_final_chunk(enhanced: Enhanced) -> None:
    response = enhanced.post(EXTENSIONS, ask("x", image(), enhancements=BOTH, stream=True))
    first, *_, last = streamed = chunks(response.text)
    assert first["choices"][0]["delta"] == {"role": "assistant"}
    assert not any("prompt_filter_results" in chunk for chunk in streamed)
    assert not any("content_filter_results" in chunk["choices"][0] for chunk in streamed)
    (choice,) = last["choices"]
    assert (choice["finish_reason"], choice["delta"]) == ("stop", {})
    assert choice["finish_details"]["type"] == "stop"
    assert [span["text"] for span in spans_of(choice)] == ["the person", "a red car", "the dog"]
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in streamed)
    assert text == ANSWER == choice["enhancements"]["grounding"]["lines"][0]["text"]
    assert sum("enhancements" in chunk["choices"][0] for chunk in streamed) == 1


def test_every_choice_is_grounded_in_what_it_says(enhanced: Enhanced) -> None:
    response = enhanced.post(EXTENSIONS, ask("x", image(), enhancements=BOTH, n=2, max_tokens=10))
    for choice in response.json()["choices"]:
        assert choice["finish_details"] == {"type": "max_tokens"}
        assert choice["enhancements"]["grounding"]["lines"][0]["text"] == choice["message"]["content"]
        assert [span["text"] for span in spans_of(choice)] == ["the person"]


def test_without_a_picture_there_is_a_line_and_no_span(enhanced: Enhanced) -> None:
    choice = enhanced.post(EXTENSIONS, ask("x", enhancements=BOTH)).json()["choices"][0]
    assert choice["enhancements"]["grounding"]["lines"] == [{"text": ANSWER, "spans": []}]


def test_the_picture_of_an_earlier_message_is_meant_when_the_last_has_none(enhanced: Enhanced) -> None:
    messages = [
        {"role": "user", "content": ["What is it?", image()]},
        {"role": "assistant", "content": "A street."},
        {"role": "user", "content": "Who is there?"},
    ]
    choice = enhanced.post(EXTENSIONS, {"messages": messages, "enhancements": BOTH}).json()["choices"][0]
    assert spans_of(choice)


def test_several_pictures_are_read_but_not_grounded(enhanced: Enhanced) -> None:
    two = ask("x", image(), image(detail="low"), enhancements={"ocr": {"enabled": True}})
    assert enhanced.post(EXTENSIONS, two).status_code == 200
    refused = enhanced.post(EXTENSIONS, {**two, "enhancements": BOTH})
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "enhancements.grounding"
    assert "has 2" in refused.json()["error"]["message"]


def test_an_openai_resource_needs_a_paid_computer_vision_resource(enhanced: Enhanced) -> None:
    def ask_as_openai(**fields: Any) -> httpx.Response:
        return enhanced.post(EXTENSIONS, ask("x", image(), enhancements=BOTH, **fields), key=OPENAI_KEY)

    assert ask_as_openai(dataSources=[source(enhanced)]).status_code == 200
    for fields, param, says in (
        ({}, "dataSources", "tier S1"),
        ({"dataSources": [source(enhanced, FREE_KEY)]}, "dataSources.[0].parameters.key", "tier F0"),
        ({"dataSources": [source(enhanced, OPENAI_KEY)]}, "dataSources.[0].parameters.key", "not a key"),
        ({"data_sources": [source(enhanced, "no")]}, "data_sources.[0].parameters.key", "not a key"),
        (
            {"dataSources": [source(enhanced, endpoint="https://other.example/")]},
            "dataSources.[0].parameters.endpoint",
            "other.example",
        ),
    ):
        error = ask_as_openai(**fields)
        assert error.status_code == 400, fields
        assert error.json()["error"]["code"] == "InvalidDataSource"
        assert error.json()["error"]["param"] == param
        assert says in error.json()["error"]["message"]
        assert CV_KEY not in error.text


@pytest.mark.parametrize(
    ("version", "extensions", "fields", "refused"),
    [
        ("2023-12-01-preview", True, {"enhancements": BOTH, "dataSources": []}, None),
        ("2023-12-01-preview", True, {"enhancements": BOTH, "data_sources": []}, "data_sources"),
        ("2023-12-01-preview", True, {"enhancements": BOTH, "n": 1}, "n"),
        ("2023-12-01-preview", True, {"enhancements": BOTH, "seed": 1}, "seed"),
        ("2023-12-01-preview", False, {"enhancements": BOTH}, "enhancements"),
        ("2023-12-01-preview", False, {"dataSources": []}, "dataSources"),
        ("2023-09-01-preview", True, {"enhancements": BOTH}, "enhancements"),
        ("2024-02-15-preview", False, {"enhancements": BOTH, "data_sources": []}, None),
        ("2024-02-15-preview", False, {"enhancements": BOTH, "dataSources": []}, "dataSources"),
        ("2024-03-01-preview", False, {"enhancements": BOTH}, None),
        ("2024-04-01-preview", False, {"enhancements": BOTH}, "enhancements"),
        ("2024-02-01", False, {"enhancements": BOTH}, "enhancements"),
    ],
)
def test_strict_mode_has_them_where_the_api_version_had_them(
    enhanced: Enhanced, version: str, extensions: bool, fields: dict[str, Any], refused: str | None
) -> None:
    route = f"/openai/deployments/strict-v/{'extensions/' if extensions else ''}chat/completions"
    response = enhanced.post(route, ask("x", image(), **fields), version=version)
    if refused is None:
        assert response.status_code == 200, response.text
        return
    assert response.status_code == 400
    assert response.json()["error"]["message"] == (
        f"1 validation error for Request\nbody -> {refused}\n"
        "  extra fields not permitted (type=value_error.extra)"
    )


def test_the_version_without_enhancements_says_so_on_every_route(enhanced: Enhanced) -> None:
    for deployment in ("gpt-4-turbo", "strict-turbo"):
        route = f"/openai/deployments/{deployment}/extensions/chat/completions"
        response = enhanced.post(route, ask("x", image(), enhancements=BOTH))
        assert response.status_code == 400
        assert "does not support Vision Enhancement" in response.json()["error"]["message"]


def test_a_computer_vision_key_opens_no_chat(enhanced: Enhanced) -> None:
    assert enhanced.post(CHAT, ask(), key=CV_KEY).status_code == 401


def test_units_are_counted_per_picture_and_call(enhanced: Enhanced) -> None:
    def units() -> dict[str, float]:
        text = httpx.get(f"{enhanced.server.url}/metrics").text
        rows = (row.split() for row in text.splitlines() if row.startswith("foveal_units_total"))
        return {name.partition('"')[2].partition('"')[0]: float(value) for name, value in rows}

    before = units()
    enhanced.post(EXTENSIONS, ask("x", image(), enhancements=BOTH, n=3))
    enhanced.post(EXTENSIONS, ask("x", image(), image(detail="low"), enhancements={"ocr": {"enabled": True}}))
    enhanced.post(EXTENSIONS, ask("x", image(), enhancements=BOTH, stream=True))
    after = units()
    assert after["ocr"] - before.get("ocr", 0) == 4
    assert after["grounding"] - before.get("grounding", 0) == 2


def test_the_page_s_python_tab(enhanced: Enhanced) -> None:
    """`base_url` with /extensions, the enhancements in `extra_body`: the page's Python sample."""
    api_base = f"{enhanced.server.url}/"
    client = openai.AzureOpenAI(
        api_key=KEY,
        api_version="2023-12-01-preview",
        base_url=f"{api_base}openai/deployments/gpt-4v/extensions",
    )
    response = client.chat.completions.create(
        model="gpt-4v",
        messages=[
            {"role": "system", "content": "You are a helpful assistant."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Describe this picture:"},
                    {"type": "image_url", "image_url": {"url": PICTURE}},
                ],
            },
        ],
        extra_body={"dataSources": [source(enhanced)], "enhancements": BOTH},
        max_tokens=2000,
    )
    (choice,) = response.choices
    assert choice.message.content == ANSWER
    assert choice.model_extra is not None
    assert choice.model_extra["finish_details"]["type"] == "stop"
    assert [span["text"] for span in spans_of(choice.model_extra)] == ["the person", "a red car", "the dog"]


def test_the_python_of_the_docs(enhanced: Enhanced, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(base64.b64decode(PICTURE.partition(",")[2]))
    page = (FIXTURES.parents[1] / "docs" / "enhancements.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {"BASE": enhanced.server.url, "KEY": KEY, "PICTURE": str(picture)})
    assert printed.getvalue().startswith("The person [{'x': 0.1, 'y': 0.2}")


CV = "AzureComputerVision"


@pytest.mark.parametrize(
    "fields",
    [
        {"enhancements": "ocr"},
        {"enhancements": {"ocr": "yes"}},
        {"enhancements": {"ocr": {"enabled": 5}}},
        {"enhancements": {"ocr": {"enabled": "yes"}}},
        {"enhancements": {"": {"enabled": True}}},
        {"enhancements": {"x" * 10_000: {"enabled": True}}},
        {"enhancements": {"OCR": {"enabled": True}}},
        {"enhancements": BOTH, "dataSources": [None]},
        {"enhancements": BOTH, "dataSources": "AzureComputerVision"},
        {"enhancements": BOTH, "dataSources": [{"type": None}]},
        {"enhancements": BOTH, "dataSources": [{"type": "AzureCognitiveSearch", "parameters": {}}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": "x"}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": {"endpoint": ["a"], "key": "k"}}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": {"endpoint": "x" * 100_000}}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": {"key": {}}}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": {"key": "k" * 1_000_000}}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": {"key": "\ud800"}}]},
        {
            "enhancements": BOTH,
            "dataSources": [{"type": CV, "parameters": {"endpoint": "http://[::1", "key": "k"}}],
        },
        {
            "enhancements": BOTH,
            "dataSources": [{"type": CV, "parameters": {"endpoint": "http://a b/", "key": "k"}}],
        },
        {
            "enhancements": BOTH,
            "dataSources": [{"type": CV, "parameters": {"endpoint": "file:///etc", "key": "k"}}],
        },
        {"enhancements": BOTH, "tools": [{"type": "function", "function": {"name": "f"}}]},
        {"enhancements": BOTH, "response_format": {"type": "json_object"}},
    ],
)
def test_bad_input_is_a_precise_400(enhanced: Enhanced, fields: dict[str, Any]) -> None:
    response = enhanced.post(EXTENSIONS, json.dumps(ask("x", image(), **fields)))
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["param"]
    assert len(response.content) < 2000
    assert enhanced.post(EXTENSIONS, ask("x", image(), enhancements=BOTH)).status_code == 200
