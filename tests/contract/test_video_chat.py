"""Chat about a video of an index: the page's request, and every other published way of writing it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import AzureChatOpenAI
from openai import AzureOpenAI
from pydantic import SecretStr
from tests.support.enhanced import CV_KEY, OPENAI_KEY
from tests.support.house import API_VERSION, KEY
from tests.support.videos import DOCUMENT, INDEX, SPEECH
from tests.support.watching import CHAT, EXTENSIONS, KIND, SAS_URL, VIDEO, Watching, document, serve_watching
from tests.support.wire import chunks

from foveal.cl100k import Cl100k

FIXTURES = Path(__file__).parents[1] / "fixtures"
TIMES = ("00:00:00", "00:00:04.6000000", "00:00:09.2000000", "00:00:23", "00:00:41.4000000")
QUESTION = {"type": "text", "text": "Describe this video:"}


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    with serve_watching(tmp_path_factory.mktemp("watching")) as running:
        yield running


def content_of(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    content: str = response.json()["choices"][0]["message"]["content"]
    return content


def assert_watched(content: str) -> None:
    """The echo engine was given the frames with their times, the transcript and the question."""
    for time in TIMES:
        assert f"Frame at {time}:" in content
    assert content.count("640×360 (low)") == 10
    assert "[00:00:12 - 00:00:15.5000000] The ferry leaves for the island at noon." in content
    assert "Describe this video:" in content


def page_body(watching: Watching) -> str:
    body = (FIXTURES / "page_video_request.json").read_text(encoding="utf-8")
    for placeholder, value in (
        ("<your_computer_vision_endpoint>", watching.server.url),
        ("<your_computer_vision_key>", KEY),
        ("<name_of_your_index>", INDEX),
        ("<your_video_SAS_URL>", SAS_URL),
        ("<your_video_ID>", DOCUMENT),
        ('"max_tokens": 100', '"max_tokens": 1000'),  # the echo repeats everything it was given
    ):
        assert placeholder in body
        body = body.replace(placeholder, value)
    return body


def test_the_page_s_request_as_printed(watching: Watching) -> None:
    response = watching.post(EXTENSIONS, page_body(watching))
    assert_watched(content_of(response))
    answer = response.json()
    assert set(answer) == {"id", "object", "created", "model", "choices", "usage", "system_fingerprint"}
    assert (answer["object"], answer["model"]) == ("chat.completion", "gpt-4")
    (choice,) = answer["choices"]
    assert set(choice) == {"finish_reason", "finish_details", "index", "message"}
    assert choice["finish_reason"] == "stop"
    assert choice["finish_details"] == {"type": "stop", "stop": "<|fim_suffix|>"}


def test_usage_is_85_a_frame_and_what_is_said(watching: Watching) -> None:
    usage = watching.post(EXTENSIONS, watching.ask()).json()["usage"]
    said = "\n".join(text for _, _, text in SPEECH)
    text = 3 + 1 + Cl100k().count("Describe this video:") + 3
    assert usage["prompt_tokens"] == 10 * 85 + Cl100k().count(said) + text
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize("stream_route", [EXTENSIONS, CHAT])
def test_streamed(watching: Watching, stream_route: str) -> None:
    response = watching.post(stream_route, watching.ask(stream=True))
    assert response.status_code == 200
    found = chunks(response.text)
    assert all(chunk["choices"] for chunk in found)  # no chunk with filter results before the first choice
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in found]
    assert_watched("".join(pieces))
    last = found[-1]["choices"][0]
    assert (last["finish_reason"], last["finish_details"]["type"]) == ("stop", "stop")
    assert "content_filter" not in response.text


def variants(watching: Watching) -> dict[str, dict[str, Any]]:
    """Every data source that was ever published (the fields of the request)."""
    url, urls = watching.server.url, [SAS_URL]
    flat = {"endpoint": url, "computerVisionApiKey": KEY, "indexName": INDEX}
    page_1 = {
        "endpoint": url,
        "key": KEY,
        "computerVisionBaseUrl": f"{url}/computervision",
        "computerVisionApiKey": KEY,
        "indexName": INDEX,
        "videoUrls": urls,
    }

    def field(parameters: Any, name: str = "dataSources") -> dict[str, Any]:
        return {name: [{"type": KIND, "parameters": parameters}]}

    return {
        "A": field({**flat, "computerVisionBaseUrl": url, "endpoint": None, "videoUrls": urls}),
        "A with its path": {"dataSources": [watching.source()]},
        "A with a slash": {"dataSources": [watching.source(computerVisionBaseUrl=f"{url}//computervision/")]},
        "B": field({**flat, "videoUrls": urls}, "data_sources"),
        "C": field({"indexName": INDEX, "videoUrls": urls}),
        "D": field({"indexName": INDEX, "documentAuthenticationKind": "managedidentity"}, "data_sources"),
        "D in another case": field({"indexName": INDEX, "documentAuthenticationKind": "ManagedIdentity"}),
        "E": field(page_1),
        "F": field({**flat, "endpoint": None, "computerVisionResource": url, "videoUrls": urls}),
        "flat": {"dataSources": [{"type": KIND, **flat}]},
        "nested twice": field({"parameters": page_1}),
        "in letters of another case": field({**page_1, "indexName": INDEX.upper()}),
        "snake case": {"data_sources": [{"type": "azure_computer_vision_video_index", "parameters": page_1}]},
        "both spellings of the key": field(page_1) | field(page_1, "data_sources"),
        "one url": field({**page_1, "videoUrls": SAS_URL}),
        "the page's placeholder url": field({**page_1, "videoUrls": ["<your_video_SAS_URL>"]}),
        "key of a computer vision resource": field({**page_1, "computerVisionApiKey": CV_KEY}),
    }


NAMES = (
    *("A", "A with its path", "A with a slash", "B", "C", "D", "D in another case", "E", "F", "flat"),
    *("nested twice", "in letters of another case", "snake case", "both spellings of the key", "one url"),
    *("the page's placeholder url", "key of a computer vision resource"),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("route", [EXTENSIONS, CHAT])
def test_every_published_data_source(watching: Watching, name: str, route: str) -> None:
    assert set(variants(watching)) == set(NAMES)
    body = watching.ask(dataSources=None) | variants(watching)[name]
    assert_watched(content_of(watching.post(route, body)))


def test_trailing_commas_of_the_page(watching: Watching) -> None:
    body = json.dumps(watching.ask()).replace(f'"{SAS_URL}"]', f'"{SAS_URL}",],')
    assert_watched(content_of(watching.post(EXTENSIONS, body)))


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": [QUESTION, document()]}],
        [{"role": "user", "content": [{"acv_document_id": DOCUMENT}, "Describe this video:"]}],
        [{"role": "user", "content": [{"acv-document-id": DOCUMENT}, QUESTION]}],
        [{"role": "user", "content": [{"type": "acv-document-id", "acv-document-id": DOCUMENT}, QUESTION]}],
        [{"role": "user", "content": [document(), document(), QUESTION]}],
        [
            {"role": "system", "content": [{"type": "text", "text": "You are helpful."}]},
            {"role": "user", "content": [document()]},
            {"role": "assistant", "content": "I see it."},
            {"role": "user", "content": [document(), QUESTION]},
        ],
    ],
)
def test_the_id_may_stand_anywhere(watching: Watching, messages: Any) -> None:
    response = watching.post(EXTENSIONS, watching.ask(messages=messages))
    assert "Describe this video:" in content_of(response)
    assert response.json()["usage"]["prompt_tokens"] > 850
    assert response.json()["usage"]["prompt_tokens"] < 950


@pytest.mark.parametrize("first", [True, False])
def test_the_id_may_have_a_message_of_its_own(watching: Watching, first: bool) -> None:
    alone = {"role": "user", "content": [document()]}
    asked = {"role": "user", "content": [QUESTION]}
    response = watching.post(EXTENSIONS, watching.ask(messages=[alone, asked] if first else [asked, alone]))
    assert content_of(response).count("640×360 (low)") == 10
    assert response.json()["usage"]["prompt_tokens"] > 850


def test_the_notebook_asks_about_pieces(watching: Watching) -> None:
    content = content_of(watching.post(EXTENSIONS, watching.ask("How many scenes from 20s to 40s?")))
    assert "below is what it shows from 00:00:20 to 00:00:40" in content
    shown = [second for second in range(60) if f"Frame at 00:00:{second:02}:" in content]
    assert shown == list(range(20, 40, 2))
    assert "The ferry" not in content
    assert "Later the band" in content


def test_a_topic_asks_the_index_and_is_metered(watching: Watching) -> None:
    def queries() -> float:
        text = httpx.get(f"{watching.server.url}/metrics").text
        lines = [line for line in text.splitlines() if 'meter="video.query"' in line and "_total" in line]
        return float(lines[0].split()[-1]) if lines else 0.0

    before = queries()
    content_of(watching.post(EXTENSIONS, watching.ask("Describe this video:")))
    assert queries() == before
    content = content_of(watching.post(EXTENSIONS, watching.ask("When does the band play?")))
    assert queries() == before + 1
    assert "Frame at 00:00:30:" in content


def test_without_the_enhancement_the_id_is_enough(watching: Watching) -> None:
    for enhancements in (None, {}, {"ocr": {"enabled": True}, "video": {"enabled": True}}):
        response = watching.post(EXTENSIONS, watching.ask(enhancements=enhancements))
        assert_watched(content_of(response))
        assert "content_filter_results" not in response.text


def test_grounding_beside_a_video_finds_nothing(watching: Watching) -> None:
    body = watching.ask(enhancements={**VIDEO, "grounding": {"enabled": True}})
    (choice,) = watching.post(EXTENSIONS, body).json()["choices"]
    assert choice["enhancements"]["grounding"]["lines"][0]["spans"] == []


def test_an_openai_resource_with_a_computer_vision_resource(watching: Watching) -> None:
    body = watching.ask(dataSources=[watching.source(computerVisionApiKey=CV_KEY)])
    assert_watched(content_of(watching.post(EXTENSIONS, body, key=OPENAI_KEY)))


def test_the_page_s_python_tab(watching: Watching) -> None:
    with AzureOpenAI(
        api_key=KEY,
        api_version=API_VERSION,
        base_url=f"{watching.server.url}/openai/deployments/gpt-4v/extensions",
    ) as client:
        messages: Any = [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": [document(), QUESTION]},
        ]
        extra: Any = {"data_sources": [watching.source()], "enhancements": VIDEO}
        answer = client.chat.completions.create(
            model="gpt-4v", messages=messages, extra_body=extra, max_tokens=1000
        )
        assert_watched(answer.choices[0].message.content or "")
        assert answer.choices[0].finish_reason == "stop"
        stream = client.chat.completions.create(
            model="gpt-4v", messages=messages, extra_body=extra, max_tokens=1000, stream=True
        )
        assert_watched("".join(chunk.choices[0].delta.content or "" for chunk in stream))


def test_the_plain_route(watching: Watching) -> None:
    response = httpx.post(
        f"{watching.server.url}/v1/chat/completions",
        json={"model": "gpt-4v", **watching.ask()},
        headers={"authorization": f"Bearer {KEY}"},
    )
    assert_watched(content_of(response))


def test_langchain(watching: Watching) -> None:
    model = AzureChatOpenAI(
        azure_endpoint=watching.server.url,
        api_key=SecretStr(KEY),
        api_version=API_VERSION,
        azure_deployment="gpt-4v",
        max_retries=0,
        extra_body={"data_sources": [watching.source()], "enhancements": VIDEO},
    )
    answer = model.invoke([HumanMessage([document(), QUESTION])])
    assert_watched(str(answer.content))
