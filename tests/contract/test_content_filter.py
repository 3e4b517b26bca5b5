"""Where the content filter's verdicts stand, and what happens to what it filters, on the wire and in SDKs."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import openai
import pytest
from openai import AzureOpenAI, OpenAI
from PIL import Image
from tests.support.house import API_VERSION, KEY, Table, deployment, services
from tests.support.safety import Brightness, WrittenSigns, written_safety
from tests.support.server import LiveServer, live
from tests.support.wire import CHAT, ask, chunks, image

from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.http.metrics import Metrics
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.resources.content_filters import Blocklist, ContentFilter, Side
from foveal.safety.base import Signs
from foveal.safety.service import ContentSafety

LOOSE = Side("off", "off", "off", "off")
SAFE = {"filtered": False, "severity": "safe"}
ALL_SAFE = {"hate": SAFE, "self_harm": SAFE, "sexual": SAFE, "violence": SAFE}
OWN = Side(profanity="annotate", jailbreak="filter", blocklists=(Blocklist("names", ("Contoso",)),))
FILTERS = {
    "gpt-4v": ContentFilter(),
    "loose": ContentFilter("loose", prompt=LOOSE),
    "async": ContentFilter("async", prompt=LOOSE, streaming="asynchronous"),
    "own": ContentFilter("own", prompt=OWN),
}


def serve(**changes: Any) -> Any:
    rows = [deployment(name, "vision-preview", content_filter=one) for name, one in FILTERS.items()]
    door = ImageDoor(MediaFetcher())
    parts = {"safety": written_safety(), "deployments": Table(rows), **changes}
    return live(build_app(services(EchoEngine(), door=door, **parts)))


@pytest.fixture(scope="module")
def filtering() -> Iterator[LiveServer]:
    with serve() as running:
        yield running


@pytest.fixture
def http(filtering: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=filtering.url, headers={"api-key": KEY}, params={"api-version": API_VERSION}, timeout=30
    ) as client:
        yield client


@pytest.fixture
def client(filtering: LiveServer) -> Iterator[AzureOpenAI]:
    with AzureOpenAI(
        azure_endpoint=filtering.url, api_key=KEY, api_version=API_VERSION, max_retries=0
    ) as made:
        yield made


def chat(name: str) -> str:
    return CHAT.replace("gpt-4v", name)


def red(level: int) -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (level, 0, 0)).save(out, "PNG")
    return image("data:image/png;base64," + base64.b64encode(out.getvalue()).decode())


def with_one(category: str, severity: str, *, filtered: bool) -> Mapping[str, Any]:
    return {**ALL_SAFE, category: {"filtered": filtered, "severity": severity}}


def test_a_plain_answer_carries_both_verdicts(http: httpx.Client) -> None:
    response = http.post(CHAT, json=ask("say hate:low", red(70), max_tokens=100))
    assert response.headers["x-ms-rai-invoked"] == "true"
    answer = response.json()
    [prompt] = answer["prompt_filter_results"]
    assert prompt["prompt_index"] == 0
    assert prompt["content_filter_results"] == {
        **ALL_SAFE,
        "hate": {"filtered": False, "severity": "low"},
        "violence": {"filtered": False, "severity": "low"},
    }
    assert list(prompt["content_filter_results"]) == ["hate", "self_harm", "sexual", "violence"]
    [choice] = answer["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["content_filter_results"] == with_one("hate", "low", filtered=False)


@pytest.mark.parametrize("category", ["hate", "self_harm", "sexual", "violence"])
@pytest.mark.parametrize("severity", ["medium", "high"])
def test_a_prompt_over_the_threshold(client: AzureOpenAI, category: str, severity: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="gpt-4v", messages=[{"role": "user", "content": f"{category}:{severity}"}]
        )
    assert caught.value.status_code == 400
    assert caught.value.code == "content_filter"
    assert caught.value.param == "prompt"
    body: Any = caught.value.body
    assert body["status"] == 400
    assert body["type"] is None
    assert body["message"].startswith("The response was filtered due to the prompt triggering")
    assert body["innererror"] == {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": with_one(category, severity, filtered=True),
    }


def test_every_turn_and_every_picture_counts(http: httpx.Client) -> None:
    messages = [
        {"role": "system", "content": "violence:high"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "and now?"},
    ]
    assert http.post(CHAT, json={"messages": messages}).status_code == 400
    pictures = http.post(CHAT, json=ask("what is this?", red(10), red(255)))
    assert pictures.status_code == 400
    found = pictures.json()["error"]["innererror"]["content_filter_result"]
    assert found == with_one("violence", "high", filtered=True)
    assert http.post(CHAT, json=ask("what is this?", red(10), max_tokens=50)).status_code == 200


def test_a_filtered_prompt_is_refused_before_a_stream_begins(client: AzureOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="gpt-4v", messages=[{"role": "user", "content": "sexual:high"}], stream=True
        )
    assert caught.value.code == "content_filter"


def test_an_answer_over_the_threshold_is_cut(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(
        model="loose",
        messages=[{"role": "user", "content": "A fine day. It is violence:high now. More."}],
        max_tokens=100,
    )
    [choice] = answer.choices
    assert choice.finish_reason == "content_filter"
    assert "A fine day." in (choice.message.content or "")
    assert "violence" not in (choice.message.content or "")
    assert choice.model_extra is not None
    assert choice.model_extra["content_filter_results"] == with_one("violence", "high", filtered=True)
    assert choice.model_extra["finish_details"] == {"type": "content_filter"}


def test_a_stream_carries_verdicts_with_its_content(http: httpx.Client) -> None:
    text = "One sentence. Another is hate:low today. " + "word " * 60
    response = http.post(CHAT, json=ask(text, stream=True, max_tokens=200))
    assert response.headers["x-ms-rai-invoked"] == "true"
    first, role, *pieces, last = chunks(response.text)
    assert first["choices"] == []
    assert first["prompt_filter_results"] == [
        {"prompt_index": 0, "content_filter_results": with_one("hate", "low", filtered=False)}
    ]
    assert role["choices"][0]["delta"] == {"role": "assistant"}
    told = [piece["choices"][0]["content_filter_results"] for piece in pieces]
    assert told[0] == ALL_SAFE
    assert with_one("hate", "low", filtered=False) in told
    assert "".join(piece["choices"][0]["delta"]["content"] for piece in pieces).endswith("word")
    assert len(pieces) > 3
    assert last["choices"][0]["finish_reason"] == "stop"
    assert "content_filter_results" not in last["choices"][0]


def test_nothing_harmful_is_streamed(http: httpx.Client) -> None:
    text = "A fine day. Then, at the very end of a longer sentence, it is violence:high for all. More."
    response = http.post(chat("loose"), json=ask(text, stream=True, max_tokens=100))
    _, _, *pieces, last = chunks(response.text)
    sent = "".join(piece["choices"][0]["delta"]["content"] for piece in pieces)
    assert sent.endswith("A fine day.")
    assert last["choices"][0]["finish_reason"] == "content_filter"
    assert last["choices"][0]["content_filter_results"] == with_one("violence", "high", filtered=True)


def test_the_asynchronous_way_tells_afterwards(http: httpx.Client) -> None:
    text = "A fine day. Then it is violence:high here. Never said. " + "word " * 50
    response = http.post(chat("async"), json=ask(text, stream=True, max_tokens=200))
    _, _, *pieces, last = chunks(response.text)
    choices = [piece["choices"][0] for piece in pieces]
    texts = [one for one in choices if "content" in one["delta"]]
    told = [one for one in choices if "content_filter_offsets" in one]
    assert all("content_filter_results" not in one for one in texts)
    assert all(one["delta"] == {} for one in told)
    sent = "".join(one["delta"]["content"] for one in texts)
    assert "violence:high" in sent
    assert "Never said" not in sent
    offsets = [one["content_filter_offsets"] for one in told]
    assert offsets[0]["start_offset"] == 0
    assert [one["start_offset"] for one in offsets[1:]] == [one["end_offset"] for one in offsets[:-1]]
    assert all(one["check_offset"] == one["end_offset"] for one in offsets)
    assert told[0]["content_filter_results"] == ALL_SAFE
    assert told[-1]["content_filter_results"] == with_one("violence", "high", filtered=True)
    assert last["choices"][0]["finish_reason"] == "content_filter"


def test_the_sdk_reads_a_filtered_stream(client: AzureOpenAI) -> None:
    finish, said = None, ""
    for chunk in client.chat.completions.create(
        model="loose",
        messages=[{"role": "user", "content": "Fine. Now sexual:medium follows."}],
        stream=True,
        max_tokens=100,
    ):
        for choice in chunk.choices:
            finish, said = choice.finish_reason or finish, said + (choice.delta.content or "")
    assert finish == "content_filter"
    assert "Fine." in said
    assert "sexual" not in said


def test_detections_and_blocklists_are_told_where_they_are_looked_for(http: httpx.Client) -> None:
    told = http.post(chat("own"), json=ask("profanity:yes", max_tokens=50)).json()
    found = told["prompt_filter_results"][0]["content_filter_results"]
    assert found["profanity"] == {"filtered": False, "detected": True}
    assert found["jailbreak"] == {"filtered": False, "detected": False}
    assert found["custom_blocklists"] == []
    assert set(told["choices"][0]["content_filter_results"]) == set(ALL_SAFE)
    attack = http.post(chat("own"), json=ask("jailbreak:yes"))
    assert attack.json()["error"]["innererror"]["content_filter_result"]["jailbreak"] == {
        "filtered": True,
        "detected": True,
    }
    listed = http.post(chat("own"), json=ask("tell me of contoso"))
    assert listed.status_code == 400
    assert listed.json()["error"]["innererror"]["content_filter_result"]["custom_blocklists"] == [
        {"filtered": True, "id": "names"}
    ]


def test_newer_api_versions_have_blocklist_details(http: httpx.Client) -> None:
    answer = http.post(
        chat("own"), json=ask("hello", max_tokens=50), params={"api-version": "2024-10-21"}
    ).json()
    found = answer["prompt_filter_results"][0]["content_filter_results"]
    assert found["custom_blocklists"] == {"filtered": False, "details": []}
    refused = http.post(chat("own"), json=ask("contoso"), params={"api-version": "2024-10-21"})
    found = refused.json()["error"]["innererror"]["content_filter_result"]["custom_blocklists"]
    assert found == {"filtered": True, "details": [{"filtered": True, "id": "names"}]}


def test_the_plain_openai_route_filters_without_annotations(filtering: LiveServer) -> None:
    with OpenAI(base_url=f"{filtering.url}/v1", api_key=KEY, max_retries=0) as plain:
        answer = plain.chat.completions.create(
            model="gpt-4v", messages=[{"role": "user", "content": "hello"}], max_tokens=50
        )
        assert answer.model_extra is not None
        assert "prompt_filter_results" not in answer.model_extra
        with pytest.raises(openai.BadRequestError) as caught:
            plain.chat.completions.create(
                model="gpt-4v", messages=[{"role": "user", "content": "hate:high"}], max_tokens=50
            )
        assert caught.value.code == "content_filter"


def test_enhanced_answers_carry_none_but_are_filtered(http: httpx.Client) -> None:
    path = "/openai/deployments/gpt-4v/extensions/chat/completions"
    enhanced = {"enhancements": {"grounding": {"enabled": True}}, "max_tokens": 50}
    answer = http.post(path, json=ask("what is this?", red(10), **enhanced)).json()
    assert "prompt_filter_results" not in answer
    assert "content_filter_results" not in answer["choices"][0]
    assert http.post(path, json=ask("hate:high", red(10), **enhanced)).status_code == 400


@pytest.mark.parametrize("annotations", ["compact", "off"])
def test_annotations_are_switchable(annotations: str) -> None:
    with serve(annotations=annotations) as running:
        response = httpx.post(
            running.url + CHAT,
            params={"api-version": API_VERSION},
            headers={"api-key": KEY},
            json=ask("a hate:low day", stream=True, max_tokens=50),
        )
    first, *_, last = chunks(response.text)
    assert first["choices"][0]["delta"] == {"role": "assistant"}
    if annotations == "off":
        assert "filter" not in response.text
        return
    [prompt] = first["prompt_filter_results"]
    assert prompt["content_filter_results"] == with_one("hate", "low", filtered=False)
    found = last["choices"][0]["content_filter_results"]
    assert found == with_one("hate", "low", filtered=False)


@pytest.mark.parametrize("closed", [True, False])
def test_a_filter_that_fails(closed: bool) -> None:
    with serve(safety=written_safety(closed=closed)) as running:
        response = httpx.post(
            running.url + CHAT,
            params={"api-version": API_VERSION},
            headers={"api-key": KEY},
            json=ask("broken:yes", max_tokens=50),
        )
    body = response.json()
    if closed:
        assert response.status_code == 503
        assert body["error"]["code"] == "ContentFilterUnavailable"
        return
    unjudged = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}
    assert response.status_code == 200
    assert body["prompt_filter_results"][0]["content_filter_results"] == unjudged
    assert body["choices"][0]["content_filter_results"] == unjudged


class FailsInTheMiddle(WrittenSigns):
    """It judges the prompt and the beginning of an answer, and fails at what comes later."""

    def judge(self, texts: Sequence[str]) -> list[Signs]:
        if any("later" in text and "begins" not in text[:20] for text in texts):
            raise RuntimeError("the judge is broken")
        return super().judge(texts)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("name", ["gpt-4v", "async"])
def test_a_filter_that_fails_in_the_middle_of_a_stream(name: str, closed: bool) -> None:
    """What was judged was sent; what could not be is not, or goes on marked as unjudged."""
    safety = ContentSafety(FailsInTheMiddle(), closed=closed)
    text = f"It begins well. {'And on and on. ' * 20}It comes later. The end."
    with serve(safety=safety) as running:
        response = httpx.post(
            running.url + chat(name),
            params={"api-version": API_VERSION},
            headers={"api-key": KEY},
            json=ask(text, stream=True, max_tokens=500),
        )
    assert response.status_code == 200
    assert "begins" in response.text
    if closed:
        error = json.loads(response.text.strip().splitlines()[-1].removeprefix("data: "))["error"]
        assert error["code"] == "ContentFilterUnavailable"
        assert ("later" in response.text) == (name == "async")
        return
    *_, told, last = [chunk["choices"][0] for chunk in chunks(response.text) if chunk["choices"]]
    unjudged = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}
    assert told["content_filter_results"] == unjudged
    assert last["finish_reason"] == "stop"


def test_what_is_filtered_is_counted() -> None:
    metrics = Metrics()
    safety = ContentSafety(WrittenSigns(), Brightness(), blocked=metrics.filtered)
    with serve(safety=safety, metrics=metrics) as running:
        for name in ("gpt-4v", "loose"):
            httpx.post(
                running.url + chat(name),
                params={"api-version": API_VERSION},
                headers={"api-key": KEY},
                json=ask("self_harm:high", max_tokens=50),
            )
        text = httpx.get(f"{running.url}/metrics").text
    assert 'foveal_filtered_total{category="self_harm",direction="prompt"} 1.0' in text
    assert 'foveal_filtered_total{category="self_harm",direction="completion"} 1.0' in text
