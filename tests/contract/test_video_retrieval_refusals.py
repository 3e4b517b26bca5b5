"""What Video Retrieval refuses, and how precisely; nothing that is sent makes the server fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support.house import KEY, services
from tests.support.retrieval import Workshop, workshop
from tests.support.retrieval_http import (
    CHAT_KEY,
    INDEXES,
    MINE,
    VERSION,
    client,
    get,
    page,
    put,
    serve_retrieval,
)
from tests.support.server import LiveServer, live

from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with workshop(tmp_path_factory.mktemp("retrieval")) as made:
        yield made


@pytest.fixture(scope="module")
def server(house: Workshop) -> Iterator[LiveServer]:
    with serve_retrieval(house) as running:
        yield running


@pytest.fixture(scope="module")
def http(server: LiveServer) -> Iterator[httpx.Client]:
    """With an index of the page."""
    with client(server) as made:
        assert made.put(f"{MINE}?{VERSION}", content=page("index")).status_code == 201
        yield made


def refused(answer: httpx.Response, status: int = 400, code: str = "InvalidRequest") -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == answer.headers["x-ms-error-code"] == code
    assert "request-id" in answer.headers
    assert error["message"]
    return error


GOOD_NAMES = ["a", "7", "my-other-index", "A-B", "0-0", "x" * 64, "2f1c1e9a-0d5b-4e0a-9a55-0b6f5d1f3c11"]
BAD_NAMES = [
    "-a",
    "a-",
    "a--b",
    "a_b",
    "a.b",
    "a b",
    "a:b",
    "$top",
    "x" * 65,
    "인덱스",
    "ａ",
    "a%00",
    "a%0A",
    "%F0%9F%8E%A5",
    "..%2f..",
    "%ff%fe",
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_names_that_are_taken(http: httpx.Client, name: str) -> None:
    assert put(http, f"{INDEXES}/{name}").json()["name"] == name.lower()
    assert put(http, f"{INDEXES}/{name}/ingestions/{name}").json()["name"] == name.lower()
    assert http.delete(f"{INDEXES}/{name}?{VERSION}").status_code == 204


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_names_that_are_refused(http: httpx.Client, name: str, method: str) -> None:
    body = None if method in ("GET", "DELETE") else b"{}"
    answer = http.request(method, f"{INDEXES}/{name}?{VERSION}", content=body)
    if name == "..%2f..":  # the slash is one, to this server as to others
        assert answer.status_code in (400, 404)
        return
    error = refused(answer)
    assert (error["message"], error["target"]) == ("Value for indexName is invalid.", "indexName")
    assert error["innererror"]["code"] == "InvalidName"
    assert "up to 64" in error["innererror"]["message"]
    if method in ("GET", "PUT", "DELETE"):
        answer = http.request(method, f"{MINE}/ingestions/{name}?{VERSION}", content=body)
        assert refused(answer)["message"] == "Value for ingestionName is invalid."


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "", "IndexNotFound"),
        ("PATCH", "", "IndexNotFound"),
        ("GET", "/documents", "IndexNotFound"),
        ("GET", "/documents/a", "IndexNotFound"),
        ("GET", "/ingestions", "IndexNotFound"),
        ("GET", "/ingestions/a", "IndexNotFound"),
        ("PUT", "/ingestions/a", "IndexNotFound"),
        ("DELETE", "/ingestions/a", "IndexNotFound"),
    ],
)
def test_an_index_that_is_not_there(http: httpx.Client, method: str, path: str, code: str) -> None:
    body = None if method in ("GET", "DELETE") else b"{}"
    answer = http.request(method, f"{INDEXES}/nowhere{path}?{VERSION}", content=body)
    assert "'nowhere'" in refused(answer, 404, code)["message"]


def test_an_ingestion_and_a_document_that_are_not_there(http: httpx.Client) -> None:
    refused(http.get(f"{MINE}/ingestions/none?{VERSION}"), 404, "IngestionNotFound")
    refused(http.get(f"{MINE}/documents/none?{VERSION}"), 404, "DocumentNotFound")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "ApiVersionUnspecified"),
        ("api-version=", "ApiVersionUnspecified"),
        ("api-version=2024-02-01", "UnsupportedApiVersion"),
        ("api-version=2031-01-01", "UnsupportedApiVersion"),
    ],
)
def test_versions(http: httpx.Client, query: str, code: str) -> None:
    answer = http.get(f"{INDEXES}?{query}")
    refused(answer, 400, code)
    assert answer.headers["api-supported-versions"] == "2023-01-15-preview,2023-05-01-preview"


@pytest.mark.parametrize("path", [INDEXES, INDEXES.removeprefix("/computervision")])
@pytest.mark.parametrize("headers", [{}, {"ocp-apim-subscription-key": "wrong"}, {"api-key": CHAT_KEY}])
def test_keys(server: LiveServer, headers: dict[str, str], path: str) -> None:
    answer = httpx.get(f"{server.url}{path}?{VERSION}", headers=headers)
    assert answer.status_code == 401
    assert "Access denied due to invalid subscription key" in answer.json()["error"]["message"]
    flat = httpx.get(f"{server.url}{path}?{VERSION}", headers={"authorization": "Bearer nothing"})
    assert (flat.status_code, flat.json()["statusCode"]) == (401, 401)


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("$top=0", "$top"),
        ("$top=x", "$top"),
        ("$skip=-1", "$skip"),
        ("$top=1.5", "$top"),
        ("$skip=٣", "$skip"),
    ],
)
def test_pages_that_are_refused(http: httpx.Client, query: str, target: str) -> None:
    for path in (INDEXES, f"{MINE}/ingestions", f"{MINE}/documents"):
        assert refused(http.get(f"{path}?{VERSION}&{query}"))["target"] == target


@pytest.mark.parametrize("query", ["$top=", "$top=99999999999999999999", "$SKIP=0000", "=&=3&&", "%24top=1"])
def test_pages_that_are_taken(http: httpx.Client, query: str) -> None:
    assert "value" in get(http, f"{MINE}/ingestions", f"&{query}")


FIELD = {"name": "a", "searchable": True, "filterable": False, "type": "string"}


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ([], "body"),
        ({"features": {}}, "features"),
        ({"features": ["vision"]}, "features[0]"),
        ({"features": [{}]}, "features[0].name"),
        ({"features": [{"name": "smell"}]}, "features[0].name"),
        ({"features": [{"name": 1}]}, "features[0].name"),
        ({"features": [{"name": "vision"}, {"name": "Vision"}]}, "features[1].name"),
        ({"features": [{"name": "vision", "domain": "medical"}]}, "features[0].domain"),
        ({"features": [{"name": "speech", "domain": "surveillance"}]}, "features[0].domain"),
        ({"features": [{"name": "vision", "modelVersion": "1999-01-01"}]}, "features[0].modelVersion"),
        ({"features": [{"name": "vision"}] * 9}, "features"),
        ({"metadataSchema": []}, "metadataSchema"),
        ({"metadataSchema": {}}, "metadataSchema.fields"),
        ({"metadataSchema": {"fields": "a"}}, "metadataSchema.fields"),
        ({"metadataSchema": {"fields": [FIELD], "language": 1}}, "metadataSchema.language"),
        ({"metadataSchema": {"fields": [{**FIELD, "name": " "}]}}, "metadataSchema.fields[0].name"),
        ({"metadataSchema": {"fields": [{**FIELD, "name": "x" * 65}]}}, "metadataSchema.fields[0].name"),
        ({"metadataSchema": {"fields": [{**FIELD, "type": "int"}]}}, "metadataSchema.fields[0].type"),
        ({"metadataSchema": {"fields": [{**FIELD, "type": None}]}}, "metadataSchema.fields[0].type"),
        ({"metadataSchema": {"fields": [{**FIELD, "searchable": 1}]}}, "metadataSchema.fields[0].searchable"),
        (
            {"metadataSchema": {"fields": [{**FIELD, "filterable": None}]}},
            "metadataSchema.fields[0].filterable",
        ),
        ({"metadataSchema": {"fields": [FIELD, {**FIELD, "name": "A"}]}}, "metadataSchema.fields[1].name"),
        ({"metadataSchema": {"fields": [FIELD] * 65}}, "metadataSchema.fields"),
        ({"userData": "text"}, "userData"),
        ({"userData": {"a": "x" * 40_000}}, "userData"),
    ],
)
def test_indexes_that_are_refused(http: httpx.Client, body: Any, target: str) -> None:
    error = refused(put(http, f"{INDEXES}/refused", body))
    assert error["target"] == target
    assert http.get(f"{INDEXES}/refused?{VERSION}").status_code == 404
    if "features" not in target:
        assert refused(http.patch(f"{MINE}?{VERSION}", json=body))["target"] == target


def video(**changes: Any) -> dict[str, Any]:
    base = {"mode": "add", "documentId": "a", "documentUrl": "https://blobs.test/a.mp4", **changes}
    return {"videos": [{name: value for name, value in base.items() if value is not ...}]}


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({"videos": {}}, "videos"),
        ({"videos": ["a"]}, "videos[0]"),
        ({"videos": [None]}, "videos[0]"),
        (video(mode=...), "videos[0].mode"),
        (video(mode="delete"), "videos[0].mode"),
        (video(documentUrl=...), "videos[0].documentUrl"),
        (video(documentUrl=" "), "videos[0].documentUrl"),
        (video(documentUrl=["https://blobs.test/a"]), "videos[0].documentUrl"),
        (video(documentUrl="https://blobs.test/" + "a" * 8192), "videos[0].documentUrl"),
        (video(documentId=7), "videos[0].documentId"),
        (video(documentId="x" * 257), "videos[0].documentId"),
        (video(documentId="a\u0000b"), "videos[0].documentId"),
        (video(mode="remove", documentId=..., documentUrl=...), "videos[0].documentId"),
        (video(mode="update", documentId=" ", documentUrl=None), "videos[0].documentId"),
        (video(metadata="camera1"), "videos[0].metadata"),
        (video(metadata={"cameraId": 1}), "videos[0].metadata.cameraId"),
        (video(metadata={"cameraId": "x" * 2049}), "videos[0].metadata.cameraId"),
        (video(metadata={"lens": "wide"}), "videos[0].metadata.lens"),
        (video(metadata={"cameraId": "a", "CAMERAID": "b"}), "videos[0].metadata.CAMERAID"),
        (video(metadata={"timestamp": "yesterday"}), "videos[0].metadata.timestamp"),
        (video(metadata={"timestamp": "2023-02-30"}), "videos[0].metadata.timestamp"),
        (video(userData=[]), "videos[0].userData"),
        ({"videos": video()["videos"] * 2}, "videos[1].documentId"),
        ({"videos": [{"mode": "remove", "documentId": str(n)} for n in range(1001)]}, "videos"),
        ({"moderation": 1}, "moderation"),
        ({"generateInsightIntervals": 1}, "generateInsightIntervals"),
        ({"filterDefectedFrames": "yes"}, "filterDefectedFrames"),
        ({"includeSpeechTranscript": []}, "includeSpeechTranscript"),
        ({"includeSpeechTranscrpt": {}}, "includeSpeechTranscrpt"),
        ({"documentAuthenticationKind": "sas"}, "documentAuthenticationKind"),
        ({"documentAuthenticationKind": True}, "documentAuthenticationKind"),
    ],
)
def test_ingestions_that_are_refused(http: httpx.Client, house: Workshop, body: Any, target: str) -> None:
    house.queue.calls.clear()
    error = refused(put(http, f"{MINE}/ingestions/refused", body))
    assert error["target"] == target
    assert f"'{target}'" in error["message"]
    assert http.get(f"{MINE}/ingestions/refused?{VERSION}").status_code == 404
    assert house.queue.calls == []


@pytest.mark.parametrize(
    "moment",
    ["2023-06-30 17:40:33", "2023-06-30", "2023-06-30T17:40:33.1234567Z", "2023-06-30T17:40:33+09:00", None],
)
def test_datetimes_that_are_taken(http: httpx.Client, moment: str | None) -> None:
    answer = put(http, f"{MINE}/ingestions/when", video(metadata={"Timestamp": moment}))
    assert answer.status_code == 202, answer.text
    assert http.delete(f"{MINE}/ingestions/when?{VERSION}").status_code == 204


def test_metadata_needs_a_schema(http: httpx.Client) -> None:
    put(http, f"{INDEXES}/plain")
    error = refused(put(http, f"{INDEXES}/plain/ingestions/one", video(metadata={"a": "b"})))
    assert "no metadata schema" in error["message"]


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/xml", "image/png"])
def test_content_types_that_are_refused(http: httpx.Client, kind: str) -> None:
    answer = http.put(f"{MINE}?{VERSION}", content=b"{}", headers={"content-type": kind})
    refused(answer, 415, "UnsupportedMediaType")


def test_bodies_have_a_limit(http: httpx.Client) -> None:
    answer = http.put(f"{MINE}?{VERSION}", content=b" " * (8 * 1024 * 1024 + 1))
    refused(answer, 413, "RequestEntityTooLarge")


def test_methods_and_paths_that_are_not_there(http: httpx.Client) -> None:
    assert http.post(f"{MINE}?{VERSION}").status_code == 405
    assert http.get(f"/retrieval/nothing?{VERSION}").json()["error"] == {
        "code": "404",
        "message": "Resource not found",
    }


def test_a_server_without_video_says_so() -> None:
    with live(build_app(services(EchoEngine()))) as server:
        answer = httpx.get(f"{server.url}{INDEXES}?{VERSION}", headers={"api-key": KEY})
    refused(answer, 501, "NotImplemented")
