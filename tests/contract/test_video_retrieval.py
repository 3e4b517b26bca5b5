"""Video Retrieval over HTTP: what the page, its notebooks and the reference send, and what they read back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.house import KEY
from tests.support.retrieval import Workshop, workshop
from tests.support.retrieval_http import (
    INDEXES,
    MINE,
    OTHER_KEY,
    VERSION,
    added,
    client,
    get,
    page,
    put,
    serve_retrieval,
)
from tests.support.server import LiveServer

FIRST, SECOND = "02a504c9cd28296a8b74394ed7488045", "043ad56daad86cdaa6e493aa11ebdab3"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path) as made:
        yield made


@pytest.fixture
def server(house: Workshop) -> Iterator[LiveServer]:
    with serve_retrieval(house) as running:
        yield running


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    with client(server) as made:
        yield made


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", None])
def test_the_flow_of_the_page_as_printed(
    http: httpx.Client, house: Workshop, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    made = http.put(f"/{MINE}?{VERSION}", content=page("index"), headers=headers)
    assert made.status_code == 201, made.text
    index = made.json()
    assert list(index) == [
        "name",
        "metadataSchema",
        "userData",
        "features",
        "eTag",
        "createdDateTime",
        "lastModifiedDateTime",
    ]
    assert index["metadataSchema"] == {
        "language": "en",
        "fields": [
            {"name": "cameraid", "searchable": False, "filterable": True, "type": "string"},
            {"name": "timestamp", "searchable": False, "filterable": True, "type": "datetime"},
        ],
    }
    assert index["features"] == [
        {"name": "vision", "modelVersion": "2023-05-31", "domain": "surveillance"},
        {"name": "speech", "modelVersion": "2023-06-30", "domain": "generic"},
    ]
    assert (index["name"], index["userData"]) == ("my-video-index", {})
    assert re.fullmatch(r'"[0-9a-f]{32}"', index["eTag"])
    assert MOMENT.fullmatch(index["createdDateTime"])

    started = http.put(
        f"{MINE}/ingestions/my-ingestion?{VERSION}", content=page("ingestion"), headers=headers
    )
    assert started.status_code == 202, started.text
    ingestion = started.json()
    assert list(ingestion) == ["name", "state", "batchName", "createdDateTime", "lastModifiedDateTime"]
    assert (ingestion["name"], ingestion["state"]) == ("my-ingestion", "Running")
    assert house.queue.calls == [("submit", house.ingestion_keys()[0])]
    location = started.headers["operation-location"]
    assert urlsplit(location).path == f"{MINE}/ingestions/my-ingestion"
    assert http.get(location).json()["batchName"] == ingestion["batchName"]

    # A Unix shell makes nothing of $top between double quotes.
    (running,) = get(http, f"{MINE}/ingestions", "&=20")["value"]
    assert running["state"] == "Running"
    house.work()
    (over,) = get(http, f"{MINE}/ingestions", "&$top=20")["value"]
    assert over["state"] == "Completed"
    assert over["batchName"] == ingestion["batchName"]
    assert over["lastModifiedDateTime"] > ingestion["lastModifiedDateTime"]

    first, second = get(http, f"{MINE}/documents")["value"]
    assert first["documentId"] == FIRST
    assert first["documentUrl"] == f"https://example.blob.core.windows.net/videos/{FIRST}.mp4"
    assert first["metadata"] == {"cameraid": "camera1", "timestamp": "2023-06-30 17:40:33"}
    # The second address of the page begins with a bracket that does not belong to it.
    assert second["documentUrl"] == f"https://example.blob.core.windows.net/videos/{SECOND}.mp4"
    assert "sas_token" not in http.get(f"{MINE}/documents?{VERSION}").text


def test_the_sequence_of_the_notebooks(http: httpx.Client, house: Workshop) -> None:
    features = [{"name": "vision", "domain": "surveillance"}, {"name": "speech"}]
    made = put(http, f"{INDEXES}/new-test-zhi-v5", {"features": features})
    assert made.status_code == 201
    assert "metadataSchema" not in made.json()
    clip = "https://gpt4vsamples.blob.core.windows.net/videos/Microsoft%20Copilot.mp4"
    body = {
        "videos": [{"mode": "add", "documentId": "copilot video 1.0", "documentUrl": clip}],
        "generateInsightIntervals": False,
        "moderation": False,
        "filterDefectedFrames": False,
        "includeSpeechTranscrpt": True,
    }
    started = put(http, f"{INDEXES}/new-test-zhi-v5/ingestions/my-ingestion", body)
    assert started.status_code == 202, started.text
    (task,) = house.begin()
    assert (task.document_id, task.url, task.wants_speech) == ("copilot video 1.0", clip, True)
    listed = f"{INDEXES}/new-test-zhi-v5/ingestions?{VERSION}&$top=20"
    assert http.get(listed).json()["value"][0]["state"] == "Running"
    house.work()
    assert http.get(listed).json()["value"][0]["state"] == "Completed"


@pytest.mark.parametrize("prefix", ["", "/computervision", "//computervision", "/computervision/"])
def test_paths_with_and_without_computervision(http: httpx.Client, prefix: str) -> None:
    assert put(http, f"{prefix}/retrieval/indexes/here").status_code == 201
    assert get(http, f"{prefix}/retrieval/indexes/here")["name"] == "here"


@pytest.mark.parametrize(
    "header",
    [{"ocp-apim-subscription-key": KEY}, {"API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}],
)
@pytest.mark.parametrize("version", ["2023-05-01-preview", "2023-01-15-preview"])
def test_every_header_and_version(server: LiveServer, header: dict[str, str], version: str) -> None:
    answer = httpx.get(f"{server.url}{INDEXES}?API-Version={version}", headers=header)
    assert answer.status_code == 200
    assert answer.json() == {"value": []}
    assert answer.headers["api-supported-versions"] == "2023-01-15-preview,2023-05-01-preview"
    assert answer.headers["request-id"] == answer.headers["apim-request-id"]


def test_names_are_the_same_in_any_case(http: httpx.Client, house: Workshop) -> None:
    made = put(http, f"{INDEXES}/ind-26Feb2024-171414")
    assert made.json()["name"] == "ind-26feb2024-171414"
    assert get(http, f"{INDEXES}/IND-26FEB2024-171414") == made.json()
    body = added("A.Clip", "a.clip")
    assert put(http, f"{INDEXES}/Ind-26feb2024-171414/ingestions/First", body).json()["name"] == "first"
    house.work()
    assert get(http, f"{INDEXES}/ind-26feb2024-171414/ingestions/FIRST")["state"] == "Completed"
    ids = [one["documentId"] for one in get(http, f"{INDEXES}/ind-26feb2024-171414/documents")["value"]]
    assert ids == ["A.Clip", "a.clip"]


def test_an_index_with_nothing_said(http: httpx.Client) -> None:
    answer = http.put(f"{INDEXES}/plain?{VERSION}")
    assert answer.status_code == 201
    assert answer.json()["features"] == [
        {"name": "vision", "modelVersion": "2022-04-11", "domain": "generic"}
    ]


def test_an_index_that_is_there(http: httpx.Client) -> None:
    body = {"userData": {"team": "가나다", "n": [1, None]}, "features": [{"name": "Speech"}]}
    made = put(http, MINE, body)
    again = put(http, MINE, body)
    assert (made.status_code, again.status_code) == (201, 200)
    assert again.json() == made.json()
    other = put(http, MINE, {"features": [{"name": "vision"}]})
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "IndexAlreadyExists"
    assert get(http, MINE) == made.json()


def test_indexes_are_paged(http: httpx.Client) -> None:
    names = [f"index-{number}" for number in range(5)]
    for name in names:
        put(http, f"{INDEXES}/{name}")
    link, found = f"{INDEXES}?{VERSION}&$top=2", []
    sizes = []
    while link:
        answer = http.get(link).json()
        sizes.append(len(answer["value"]))
        found += [one["name"] for one in answer["value"]]
        link = answer.get("nextLink")
        if link:
            assert link.startswith(str(http.base_url))
            assert f"{INDEXES}?{VERSION}&$skip=" in link
    assert sizes == [2, 2, 1]
    assert found == names
    assert [one["name"] for one in get(http, INDEXES, "&$skip=3")["value"]] == names[3:]
    assert "nextLink" not in get(http, INDEXES, "&$skip=3&$top=2")
    assert get(http, INDEXES, "&$skip=9") == {"value": []}


def test_update_of_an_index(http: httpx.Client, house: Workshop) -> None:
    made = http.put(f"{MINE}?{VERSION}", content=page("index")).json()
    http.put(f"{MINE}/ingestions/first?{VERSION}", content=page("ingestion"))
    house.work()
    camera, when = made["metadataSchema"]["fields"]
    place = {"name": "Place", "searchable": True, "filterable": True, "type": "String"}

    def patch(**body: Any) -> httpx.Response:
        return http.patch(f"{MINE}?{VERSION}", json=body)

    assert patch().json() == made
    changed = patch(userData={"a": 1}, metadataSchema={"fields": [place, camera, when], "language": "ko"})
    assert changed.status_code == 200
    now = changed.json()
    assert [one["name"] for one in now["metadataSchema"]["fields"]] == ["place", "cameraid", "timestamp"]
    assert now["metadataSchema"]["language"] == "ko"
    assert now["userData"] == {"a": 1}
    assert now["eTag"] != made["eTag"]
    assert now["createdDateTime"] == made["createdDateTime"]
    assert now["lastModifiedDateTime"] > made["lastModifiedDateTime"]
    # A field that documents have stays as it is; one that none has may go.
    refused = patch(metadataSchema={"fields": [place, when]})
    assert refused.status_code == 400
    assert "'cameraid'" in refused.json()["error"]["message"]
    assert patch(metadataSchema={"fields": [{**camera, "type": "datetime"}, when]}).status_code == 400
    assert patch(metadataSchema={"fields": [camera, when]}).status_code == 200
    searchable = {**camera, "searchable": True, "filterable": False}
    assert patch(metadataSchema={"fields": [searchable, when]}).json()["metadataSchema"]["fields"] == [
        searchable,
        when,
    ]


def test_delete_of_an_index(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    put(http, f"{MINE}/ingestions/one", added("a"))
    house.work()
    house.queue.calls.clear()
    for _ in range(2):  # the second time there is none
        answer = http.delete(f"{MINE}?{VERSION}")
        assert (answer.status_code, answer.content) == (204, b"")
    assert [name for name, *_ in house.queue.calls] == ["discard"]
    assert http.get(f"{MINE}?{VERSION}").status_code == 404
    assert house.worksheet.documents() == set()
    # The same name again is another index: nothing of the old one is in it.
    assert put(http, MINE).status_code == 201
    assert get(http, f"{MINE}/documents") == {"value": []}
    assert get(http, f"{MINE}/ingestions") == {"value": []}


def test_a_resource_sees_only_what_is_its_own(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    put(http, f"{MINE}/ingestions/one", added("a"))
    house.work()
    other = {"Ocp-Apim-Subscription-Key": OTHER_KEY}
    for path in (MINE, f"{MINE}/documents", f"{MINE}/ingestions", f"{MINE}/ingestions/one"):
        assert http.get(f"{path}?{VERSION}", headers=other).status_code == 404
    assert http.get(f"{INDEXES}?{VERSION}", headers=other).json() == {"value": []}
    assert http.delete(f"{MINE}?{VERSION}", headers=other).status_code == 204
    assert get(http, MINE)["name"] == "my-video-index"
    assert put(http, MINE, {"features": [{"name": "speech"}]}, headers=other).status_code == 201
