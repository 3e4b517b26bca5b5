"""Chat about videos that is refused: documents, data sources, strict mode; and videos without an index."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support.clips import Scene, picture, write_video
from tests.support.enhanced import FREE_KEY, OPENAI_KEY
from tests.support.house import KEY
from tests.support.videos import DOCUMENT, INDEX
from tests.support.watching import CHAT, EXTENSIONS, KIND, VIDEO, Watching, document, serve_watching
from tests.support.wire import image

ENHANCEMENT = "The 'video' enhancement requires a data source of type 'AzureComputerVisionVideoIndex'."
FAILED = "'Video sampling' failed: "
PARAMETERS = "dataSources.[0].parameters"
ID = "messages.[0].content.[0].acv_document_id"


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    with serve_watching(tmp_path_factory.mktemp("refusing")) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Six seconds: a cat, then a street."""
    place = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_video(place, [Scene(picture("cat"), 3), Scene(picture("street"), 3)], size=(320, 180))
    return place.read_bytes()


def refused(response: httpx.Response, status: int = 400) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error: dict[str, Any] = response.json()["error"]
    return error


def asking(document_id: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [document(document_id), "What is this?"]}]}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("document_id", "index", "code", "message"),
    [
        ("other", INDEX, "DocumentNotFound", "Document does not exist."),
        (DOCUMENT.upper(), INDEX, "DocumentNotFound", "Document does not exist."),
        (DOCUMENT, "second", "DocumentNotFound", "Document does not exist."),
        (
            DOCUMENT,
            "no-such-index",
            "IndexNotFound",
            "Document does not exist. The index 'no-such-index' does not exist.",
        ),
        ("cooking", INDEX, "DocumentNotReady", "The document is still being ingested (40% done)."),
        ("broken", INDEX, "DocumentNotFound", "Document does not exist: It has no picture."),
    ],
)
def test_documents_that_cannot_be_watched(
    watching: Watching, document_id: str, index: str, code: str, message: str, stream: bool
) -> None:
    body = watching.ask(**asking(document_id), dataSources=[watching.source(indexName=index)], stream=stream)
    error = refused(watching.post(EXTENSIONS, body))
    assert error == {"code": code, "message": FAILED + message, "param": ID, "type": None}


@pytest.mark.parametrize("route", [EXTENSIONS, CHAT])
@pytest.mark.parametrize("stream", [False, True])
def test_the_enhancement_needs_its_data_source(watching: Watching, route: str, stream: bool) -> None:
    other = {"type": "AzureComputerVision", "parameters": {"endpoint": watching.server.url, "key": KEY}}
    for sources in (None, [], [other]):
        body = watching.ask(dataSources=sources, stream=stream)
        error = refused(watching.post(route, body))
        assert (error["message"], error["param"]) == (ENHANCEMENT, "dataSources")
    without_id = watching.ask(messages=[{"role": "user", "content": "x"}], dataSources=None)
    assert refused(watching.post(route, without_id))["message"] == ENHANCEMENT


def test_the_enhancement_needs_a_video(watching: Watching) -> None:
    error = refused(watching.post(EXTENSIONS, watching.ask(messages=[{"role": "user", "content": "x"}])))
    assert "acv_document_id" in error["message"]


@pytest.mark.parametrize(
    ("changes", "param", "says"),
    [
        ({"indexName": None}, "indexName", "has no 'indexName'"),
        ({"indexName": ""}, "indexName", "has no 'indexName'"),
        ({"indexName": ["a"]}, "indexName", "has no 'indexName'"),
        ({"computerVisionApiKey": "no"}, "computerVisionApiKey", "not a key of a Computer Vision resource"),
        ({"computerVisionApiKey": OPENAI_KEY}, "computerVisionApiKey", "not a key of a Computer Vision"),
        ({"computerVisionApiKey": FREE_KEY}, "computerVisionApiKey", "tier F0"),
        (
            {"computerVisionApiKey": None},
            "computerVisionApiKey",
            "set its 'computerVisionApiKey'",
        ),
        ({"computerVisionApiKey": None, "key": "no"}, "key", "not a key of a Computer Vision resource"),
        (
            {"computerVisionBaseUrl": "https://other.example"},
            "computerVisionBaseUrl",
            "not this server",
        ),
        (
            {"computerVisionBaseUrl": "https://eyes.example"},
            "computerVisionBaseUrl",
            "only on the server",
        ),
        (
            {"computerVisionBaseUrl": None, "endpoint": "https://other.example"},
            "endpoint",
            "is other.example, which is not this server",
        ),
        ({"computerVisionBaseUrl": "file:///etc"}, "computerVisionBaseUrl", "must be an address"),
        ({"computerVisionBaseUrl": "<endpoint>"}, "computerVisionBaseUrl", "must be an address"),
        ({"documentAuthenticationKind": "magic"}, "documentAuthenticationKind", "'managedIdentity'"),
        ({"documentAuthenticationKind": 1}, "documentAuthenticationKind", "'managedIdentity'"),
        ({"videoUrls": 5}, "videoUrls", "array of URLs"),
        ({"videoUrls": [5]}, "videoUrls", "array of URLs"),
    ],
)
def test_data_sources_that_cannot_be_used(
    watching: Watching, changes: dict[str, Any], param: str, says: str
) -> None:
    response = watching.post(EXTENSIONS, watching.ask(dataSources=[watching.source(**changes)]))
    error = refused(response)
    assert (error["code"], error["param"]) == ("InvalidDataSource", f"{PARAMETERS}.{param}")
    assert says in error["message"]
    assert KEY not in response.text


def test_two_indexes(watching: Watching) -> None:
    body = watching.ask(dataSources=[watching.source(), watching.source(indexName="second")])
    assert refused(watching.post(EXTENSIONS, body))["param"] == "dataSources.[1]"


def test_an_openai_resource_must_name_a_computer_vision_resource(watching: Watching) -> None:
    def error(parameters: dict[str, Any]) -> dict[str, Any]:
        source = {"type": KIND, "parameters": {"indexName": INDEX, **parameters}}
        return refused(watching.post(EXTENSIONS, watching.ask(dataSources=[source]), key=OPENAI_KEY))

    assert "has no key" in error({})["message"]
    assert "tier F0" in error({"key": FREE_KEY})["message"]
    assert "not a key of a Computer Vision resource" in error({"key": OPENAI_KEY})["message"]


def test_two_videos_and_a_video_with_images(watching: Watching) -> None:
    for part, says in ((document("second"), "Too many videos"), (image(), "a video or images, not both")):
        messages = [{"role": "user", "content": [document(), part, "What is this?"]}]
        error = refused(watching.post(EXTENSIONS, watching.ask(messages=messages)))
        assert says in error["message"]
        assert error["param"].startswith("messages.[0].content.[1].")


@pytest.mark.parametrize("deployment", ["gpt-4-turbo", "strict-turbo", "gpt-4-text"])
def test_versions_without_enhancements(watching: Watching, deployment: str) -> None:
    route = EXTENSIONS.replace("gpt-4v", deployment)
    for body in (watching.ask(), watching.ask(enhancements=None)):
        error = refused(watching.post(route, body))
        assert "does not support Vision Enhancement" in error["message"]
    only_source = {"messages": [{"role": "user", "content": "x"}], "dataSources": [watching.source()]}
    assert "does not support" in refused(watching.post(route, only_source))["message"]


def test_strict_mode(watching: Watching) -> None:
    route = EXTENSIONS.replace("gpt-4v", "strict-v")
    assert watching.post(route, watching.ask()).status_code == 200
    error = refused(watching.post(route, watching.ask(enhancements=None)))
    assert error["param"] == ID
    assert "enhancements.video.enabled" in error["message"]
    error = refused(watching.post(route.replace("/extensions", ""), watching.ask()))
    assert "extra fields not permitted" in error["message"]
    by_url = {"role": "user", "content": [{"video_url": {"url": "https://a/b.mp4"}}]}
    error = refused(watching.post(route, {"messages": [by_url]}))
    assert "Invalid content type 'video_url'" in error["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "json_object"}},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
    ],
)
def test_what_does_not_go_with_a_video(watching: Watching, fields: dict[str, Any]) -> None:
    assert refused(watching.post(CHAT, watching.ask(**fields)))["param"] == next(iter(fields))


def by_url(url: object, question: str = "Describe it", **fields: Any) -> dict[str, Any]:
    part = {"type": "video_url", "video_url": {"url": url}}
    return {"messages": [{"role": "user", "content": [part, question]}], "max_tokens": 1000, **fields}


def test_a_video_without_an_index(watching: Watching, clip: bytes) -> None:
    body = by_url("data:video/mp4;base64," + b64encode(clip).decode())
    plain = httpx.post(
        f"{watching.server.url}/v1/chat/completions",
        json={"model": "gpt-4-turbo", **body},
        headers={"authorization": f"Bearer {KEY}"},
        timeout=60,
    )
    azure = watching.post(CHAT, {**body, "enhancements": VIDEO})
    for response in (plain, azure):
        assert response.status_code == 200, response.text
        content = response.json()["choices"][0]["message"]["content"]
        assert "A video of 00:00:06" in content
        assert content.count("320×180 (low)") == 10
        assert "Frame at 00:00:00.6000000:" in content
        assert response.json()["usage"]["prompt_tokens"] > 850


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("file:///etc/passwd", "an http(s) URL or a data URL"),
        ("concat:/etc/passwd|/etc/hosts", "an http(s) URL or a data URL"),
        ("rtsp://example.com/x", "an http(s) URL or a data URL"),
        ("", "an http(s) URL or a data URL"),
        ("http://127.0.0.1:1/a.mp4", ""),
        ("http://169.254.169.254/a.mp4", ""),
        ("data:video/mp4;base64,AAAA", ""),
        ("data:video/mp4;base64,####", "base64"),
        ("data:text/plain;base64," + b64encode(b"#EXTM3U\n/etc/passwd\n").decode(), ""),
    ],
)
def test_urls_that_lead_to_no_video(watching: Watching, url: str, says: str) -> None:
    error = refused(watching.post(CHAT, by_url(url)))
    assert error["param"] == "messages.[0].content.[0].video_url.url"
    assert says in error["message"]
    assert "root:" not in error["message"]


def test_a_server_without_video(server: Any) -> None:
    for body, param in (
        (by_url("https://a.example/b.mp4"), "messages.[0].content.[0].video_url.url"),
        (asking("x"), ID),
        ({"messages": [{"role": "user", "content": "x"}], "enhancements": VIDEO}, "enhancements.video"),
    ):
        response = httpx.post(
            f"{server.url}{CHAT}?api-version=2023-12-01-preview", json=body, headers={"api-key": KEY}
        )
        error = refused(response)
        assert (error["param"], "not set up" in error["message"]) == (param, True)
