"""Searches over HTTP: the reference's samples as printed, every field, pages, and how hits are written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.house import KEY
from tests.support.retrieval import HARM, Workshop, workshop
from tests.support.retrieval_http import INDEXES, MINE, VERSION, client, put, serve_retrieval
from tests.support.server import LiveServer

from foveal.errors import InvalidRequest
from foveal.video.retrieval.indexes import IndexNotFound
from foveal.video.retrieval.query import DatetimeFilter, Filters, Hit, Query, StringFilter

SEARCH = f"{MINE}:queryByText"
PAGE_OF_SEARCH = b"""
{
  'queryText': 'a man with black hoodie',
  'filters': {
    'stringFilters': [
      {
        'fieldName': 'cameraId',
        'values': [
          'camera1'
        ]
      }
    ],
    'featureFilters': ['vision']
  }
}"""


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


def hit(**changes: Any) -> Hit:
    base = Hit("02a504c9cd28296a8b74394ed7488045", "VideoFrame", 118.0, 129.0, 123.0, 0.2380, index_name="x")
    return dataclasses.replace(base, **changes)


def ask(http: httpx.Client, body: Any, query: str = "", path: str = SEARCH) -> httpx.Response:
    return http.post(f"{path}?{VERSION}{query}", json=body)


def test_the_sample_of_the_reference(http: httpx.Client, house: Workshop) -> None:
    house.search.hits = [hit()]
    answer = http.post(f"/{SEARCH}?{VERSION}", content=PAGE_OF_SEARCH)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "value": [
            {
                "documentId": "02a504c9cd28296a8b74394ed7488045",
                "documentKind": "VideoFrame",
                "start": "00:01:58",
                "end": "00:02:09",
                "best": "00:02:03",
                "relevance": 0.2380,
            }
        ]
    }
    assert answer.headers["api-supported-versions"] == "2023-05-01-preview"
    (asked,) = house.search.asked
    filters = Filters((StringFilter("cameraId", ("camera1",)),), (), ("vision",))
    assert asked == ("local", "my-video-index", Query("a man with black hoodie", filters))


def test_every_field_of_a_query(http: httpx.Client, house: Workshop) -> None:
    body = {
        "queryText": "빨간 자동차",
        "filters": {
            "stringFilters": [{"fieldName": "A", "values": ["x", "y"]}],
            "datetimeFilters": [
                {"fieldName": "when", "startTime": "2023-06-30 00:00:00", "endTime": "2023-07-01T00:00:00Z"},
                {"fieldName": "when", "endTime": None},
            ],
            "featureFilters": ["Vision", "speech", "vision"],
        },
        "moderation": False,
        "top": 7,
        "skip": 3,
        "additionalIndexNames": ["two", "three"],
        "dedup": False,
        "dedupMaxDocumentCount": 4,
        "disableMetadataSearch": True,
        "unknown": {"a": 1},
    }
    assert ask(http, body).json() == {"value": []}
    (asked,) = house.search.asked
    assert asked[2] == Query(
        query_text="빨간 자동차",
        filters=Filters(
            (StringFilter("A", ("x", "y")),),
            (DatetimeFilter("when", "2023-06-30 00:00:00", "2023-07-01T00:00:00Z"), DatetimeFilter("when")),
            ("vision", "speech"),
        ),
        top=7,
        skip=3,
        additional_index_names=("two", "three"),
        dedup=False,
        dedup_max_document_count=4,
        disable_metadata_search=True,
    )


def test_what_is_not_said_and_null(http: httpx.Client, house: Workshop) -> None:
    nothing = dict.fromkeys(["filters", "top", "skip", "additionalIndexNames", "dedup", "moderation"])
    for body in ({"queryText": "x"}, {"QUERYTEXT": "x", **nothing}, {"queryText": "x", "filters": {}}):
        assert ask(http, body).status_code == 200
    assert {query for _, _, query in house.search.asked} == {Query("x")}


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "00:00:00"),
        (427.84, "00:07:07.8400000"),
        (59.9999999, "00:01:00"),
        (3661.000001, "01:01:01.0000010"),
        (93_784.5, "1.02:03:04.5000000"),
    ],
)
def test_times_are_written_as_dotnet_does(
    http: httpx.Client, house: Workshop, seconds: float, written: str
) -> None:
    speech = hit(
        document_kind="SpeechTextSegment",
        start=seconds,
        end=seconds,
        best=seconds,
        additional_metadata={"a": 1},
    )
    house.search.hits = [speech]
    (found,) = ask(http, {"queryText": "leave the area"}).json()["value"]
    assert [found["start"], found["end"], found["best"]] == [written] * 3
    assert (found["documentKind"], found["additionalMetadata"]) == ("SpeechTextSegment", {"a": 1})


def test_pages_of_hits(http: httpx.Client, house: Workshop) -> None:
    house.search.hits = [hit(document_id=str(number)) for number in range(12)]
    body = {"queryText": "x", "top": 5, "skip": 1}
    answer = ask(http, body).json()
    found = [one["documentId"] for one in answer["value"]]
    while "nextLink" in answer:
        answer = http.post(answer["nextLink"], json=body).json()
        found += [one["documentId"] for one in answer["value"]]
    assert found == [str(number) for number in range(1, 12)]


def test_searches_are_counted(http: httpx.Client) -> None:
    for text in ("x", "y", ""):
        ask(http, {"queryText": text})
    assert 'foveal_units_total{meter="video.query"} 2.0' in http.get("/metrics").text


def test_what_the_search_refuses_is_told(http: httpx.Client, house: Workshop) -> None:
    house.search.error = InvalidRequest(
        "There is no field 'a' to filter by.", param="filters.stringFilters[0]"
    )
    answer = ask(http, {"queryText": "x"})
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": "InvalidRequest",
        "message": "There is no field 'a' to filter by.",
        "target": "filters.stringFilters[0]",
    }
    house.search.error = IndexNotFound("The index 'x' does not exist.")
    assert ask(http, {"queryText": "x"}).json()["error"]["code"] == "IndexNotFound"


def test_only_the_newer_version_searches(http: httpx.Client) -> None:
    answer = http.post(f"{SEARCH}?api-version=2023-01-15-preview", json={"queryText": "x"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "UnsupportedApiVersion"
    assert answer.headers["api-supported-versions"] == "2023-05-01-preview"


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({}, "queryText"),
        ({"queryText": "  "}, "queryText"),
        ({"queryText": 5}, "queryText"),
        ({"queryText": "x" * 2001}, "queryText"),
        ({"queryText": "x", "top": 0}, "top"),
        ({"queryText": "x", "top": 1001}, "top"),
        ({"queryText": "x", "top": "5"}, "top"),
        ({"queryText": "x", "skip": -1}, "skip"),
        ({"queryText": "x", "moderation": "always"}, "moderation"),
        ({"queryText": "x", "dedup": "perhaps"}, "dedup"),
        ({"queryText": "x", "dedupMaxDocumentCount": 0}, "dedupMaxDocumentCount"),
        ({"queryText": "x", "additionalIndexNames": "a"}, "additionalIndexNames"),
        ({"queryText": "x", "additionalIndexNames": [1]}, "additionalIndexNames[0]"),
        ({"queryText": "x", "filters": []}, "filters"),
        ({"queryText": "x", "filters": {"featureFilters": ["smell"]}}, "filters.featureFilters[0]"),
        ({"queryText": "x", "filters": {"stringFilters": {}}}, "filters.stringFilters"),
        (
            {"queryText": "x", "filters": {"stringFilters": [{"values": ["a"]}]}},
            "filters.stringFilters[0].fieldName",
        ),
        (
            {"queryText": "x", "filters": {"stringFilters": [{"fieldName": "a"}]}},
            "filters.stringFilters[0].values",
        ),
        (
            {"queryText": "x", "filters": {"stringFilters": [{"fieldName": "a", "values": ["b", 1]}]}},
            "filters.stringFilters[0].values[1]",
        ),
        (
            {"queryText": "x", "filters": {"datetimeFilters": [{"fieldName": "a", "startTime": 1}]}},
            "filters.datetimeFilters[0].startTime",
        ),
    ],
)
def test_queries_that_are_refused(http: httpx.Client, house: Workshop, body: Any, target: str) -> None:
    answer = ask(http, body)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["target"]) == ("InvalidRequest", target)
    assert house.search.asked == []


def test_a_harmful_query_is_refused_when_moderation_is_asked_for(http: httpx.Client, house: Workshop) -> None:
    answer = ask(http, {"queryText": f"a man with a {HARM}", "moderation": True})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["target"]) == ("ResponsibleAIPolicyViolation", "queryText")
    assert answer.headers["x-ms-error-code"] == error["code"]
    assert HARM not in answer.text
    assert house.search.asked == []


def test_harmless_queries_and_those_without_moderation_are_searched_for(
    http: httpx.Client, house: Workshop
) -> None:
    for body in ({"queryText": "a dog", "moderation": True}, {"queryText": HARM, "moderation": False}):
        assert ask(http, body).status_code == 200
    assert [query.query_text for _, _, query in house.search.asked] == ["a dog", HARM]


def test_without_weights_moderation_is_unavailable_and_says_what_to_run(
    http: httpx.Client, house: Workshop
) -> None:
    house.guard.missing = True
    answer = ask(http, {"queryText": "a dog", "moderation": True})
    assert answer.status_code == 503
    assert "foveal models pull" in answer.json()["error"]["message"]
    assert house.search.asked == []


def test_names_of_indexes_are_checked(http: httpx.Client) -> None:
    answer = ask(http, {"queryText": "x"}, path=f"{INDEXES}/no_index:queryByText")
    assert answer.json()["error"]["message"] == "Value for indexName is invalid."


def test_a_search_needs_a_key(http: httpx.Client) -> None:
    del http.headers["Ocp-Apim-Subscription-Key"]
    assert ask(http, {"queryText": "x"}).status_code == 401
    http.headers["api-key"] = KEY
    assert put(http, MINE).status_code == 201
    assert ask(http, {"queryText": "x"}).status_code == 200
