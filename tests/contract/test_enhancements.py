"""Vision enhancements on the wire: the page's request, its variants, and the shape of the answer."""

from __future__ import annotations

import base64
import contextlib
import io
import re
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from tests.support.enhanced import ANSWER, BOTH, CHAT, CV_KEY, EXTENSIONS, Enhanced, source, spans_of
from tests.support.house import KEY
from tests.support.wire import PICTURE, ask, chunks, image

from foveal.engines.base import ImagePart
from foveal.resources.api_versions import load_api_versions

FIXTURES = Path(__file__).parents[1] / "fixtures"


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
