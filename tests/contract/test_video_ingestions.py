"""Ingestions and documents over HTTP: how they stand, what they change, what is told of failures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.retrieval import THUMBNAIL, Workshop, workshop
from tests.support.retrieval_http import (
    MINE,
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


def test_what_happens_to_each_file_is_told(http: httpx.Client, house: Workshop) -> None:
    house.broken["b"] = ("VideoUrlNotAccessible", "The storage answered 403: the signature has expired.")
    put(http, MINE)
    body = added("a", "b", "c")
    body["videos"][0]["documentUrl"] += "?sig=secret"
    body["videos"][2]["documentUrl"] = "ftp://user:secret@files.test/c.mp4?sig=secret"
    put(http, f"{MINE}/ingestions/one", body)
    (a, _) = house.begin()
    house.worksheet.report(a, "looking", 0.4567)
    running = get(http, f"{MINE}/ingestions/one")
    assert running["state"] == "Running"
    assert "error" not in running
    first, second, third = running["fileStatusDetails"]
    assert (first["documentId"], first["state"], first["step"]) == ("a", "Running", "looking")
    assert (first["progress"], first["succeeded"]) == (0.457, False)
    assert first["documentUrl"] == "https://blobs.test/a"
    assert MOMENT.fullmatch(first["lastUpdateTime"])
    assert (second["state"], second["succeeded"]) == ("Running", False)
    # This one is known to be hopeless before anybody works on it.
    assert (third["state"], third["error"]["code"]) == ("Failed", "VideoUrlNotAccessible")
    assert third["documentUrl"] == "ftp://files.test/c.mp4"
    assert "secret" not in http.get(f"{MINE}/ingestions/one?{VERSION}").text

    house.work()
    over = get(http, f"{MINE}/ingestions/one")
    assert over["state"] == "PartiallySucceeded"
    reason = {
        "code": "VideoUrlNotAccessible",
        "message": "The storage answered 403: the signature has expired.",
    }
    assert over["fileStatusDetails"][1]["error"] == reason
    assert [one["succeeded"] for one in over["fileStatusDetails"]] == [True, False, False]
    assert over["error"]["message"] == "Failed to process 2 of 3 documents."
    assert over["error"]["details"][0] == {**reason, "target": "b"}
    (listed,) = get(http, f"{MINE}/ingestions")["value"]
    assert listed == {name: value for name, value in over.items() if name != "fileStatusDetails"}
    (listed,) = get(http, f"{MINE}/ingestions", "&detailLevel=full")["value"]
    assert listed == over
    assert "fileStatusDetails" not in get(http, f"{MINE}/ingestions/one", "&detailLevel=none")


def test_an_ingestion_of_which_nothing_succeeds(http: httpx.Client, house: Workshop) -> None:
    house.broken["a"] = ("UnsupportedCodec", "The video codec prores is not supported.")
    put(http, MINE)
    put(http, f"{MINE}/ingestions/one", added("a"))
    house.work()
    over = get(http, f"{MINE}/ingestions/one")
    assert over["state"] == "Failed"
    assert over["error"] == {
        "code": "FailedToProcessBatch",
        "message": "Failed to process the batch.",
        "details": [
            {
                "code": "UnsupportedCodec",
                "message": "The video codec prores is not supported.",
                "target": "a",
            }
        ],
    }


def test_an_ingestion_of_nothing_is_completed(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    bodies: list[dict[str, Any]] = [{}, {"videos": []}, {"videos": None}]
    for body in bodies:
        answer = put(http, f"{MINE}/ingestions/none", body)
        assert (answer.status_code, answer.json()["state"]) == (202, "Completed")
    assert house.queue.calls == []


def test_update_and_remove(http: httpx.Client, house: Workshop) -> None:
    http.put(f"{MINE}?{VERSION}", content=page("index"))
    http.put(f"{MINE}/ingestions/my-ingestion?{VERSION}", content=page("ingestion"))
    house.work()
    before = get(http, f"{MINE}/documents")["value"][0]
    change = {
        "mode": "Update",
        "documentId": FIRST,
        "metadata": {"CAMERAID": "camera9"},
        "userData": {"x": 1},
    }
    put(http, f"{MINE}/ingestions/change", {"videos": [change]})
    house.work()
    after = get(http, f"{MINE}/documents/{FIRST}")
    assert (after["metadata"], after["userData"]) == ({"cameraid": "camera9"}, {"x": 1})
    assert after["documentUrl"] == before["documentUrl"]
    assert after["createdDateTime"] == before["createdDateTime"]
    assert after["lastModifiedDateTime"] > before["lastModifiedDateTime"]
    # A client of the time removes documents by nothing but their address.
    by_url = {"mode": "remove", "documentUrl": f"{before['documentUrl']}?another=signature"}
    put(http, f"{MINE}/ingestions/delete-abcdefghijklmnopqrstuvwx", {"videos": [by_url]})
    house.work()
    assert [one["documentId"] for one in get(http, f"{MINE}/documents")["value"]] == [SECOND]
    # What is not there cannot be removed or changed.
    gone = [{"mode": "remove", "documentId": FIRST}, {"mode": "update", "documentId": "never"}, by_url]
    put(http, f"{MINE}/ingestions/gone", {"videos": gone})
    house.work()
    over = get(http, f"{MINE}/ingestions/gone")
    assert over["state"] == "Failed"
    assert {one["error"]["code"] for one in over["fileStatusDetails"]} == {"DocumentNotFound"}


def test_a_document_that_is_there_is_removed_first(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    for name in ("one", "two"):
        put(http, f"{MINE}/ingestions/{name}", added("a"))
        house.work()
    (status,) = get(http, f"{MINE}/ingestions/two")["fileStatusDetails"]
    assert status["error"]["code"] == "DocumentAlreadyExists"
    assert "Remove it first" in status["error"]["message"]


def test_a_document_without_an_id_gets_one(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    video = {"mode": "add", "documentUrl": "https://blobs.test/a.mp4?sig=1"}
    answer = put(http, f"{MINE}/ingestions/one", {"videos": [video, video]})
    assert answer.status_code == 202
    house.work()
    ids = {one["documentId"] for one in get(http, f"{MINE}/documents")["value"]}
    assert len(ids) == 2
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in ids)
    # Two documents came from there now: which is meant?
    put(http, f"{MINE}/ingestions/two", {"videos": [{**video, "mode": "remove"}]})
    (status,) = get(http, f"{MINE}/ingestions/two")["fileStatusDetails"]
    assert status["error"]["code"] == "DocumentAmbiguous"


def test_an_ingestion_that_runs_keeps_its_name(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    first = put(http, f"{MINE}/ingestions/one", added("a")).json()
    busy = put(http, f"{MINE}/ingestions/ONE", added("b"))
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "IngestionInProgress")
    house.work()
    again = put(http, f"{MINE}/ingestions/one", added("b"))
    assert again.status_code == 202
    assert again.json()["batchName"] != first["batchName"]
    (only,) = get(http, f"{MINE}/ingestions", "&detailLevel=full")["value"]
    assert [one["documentId"] for one in only["fileStatusDetails"]] == ["b"]


def test_ingestions_come_newest_first_and_are_paged(http: httpx.Client) -> None:
    put(http, MINE)
    for name in ("a", "b", "c"):
        put(http, f"{MINE}/ingestions/{name}", added(name))
    answer = get(http, f"{MINE}/ingestions", "&$top=2")
    assert [one["name"] for one in answer["value"]] == ["c", "b"]
    last = http.get(answer["nextLink"]).json()
    assert [one["name"] for one in last["value"]] == ["a"]
    assert "nextLink" not in last


def test_cancel_an_ingestion(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    put(http, f"{MINE}/ingestions/one", added("a", "b"))
    address = f"{MINE}/ingestions/one?{VERSION}"
    assert http.delete(address).status_code == 204
    assert [name for name, *_ in house.queue.calls] == ["submit", "cancel"]
    over = http.get(address).json()
    assert over["state"] == "Failed"
    assert over["error"]["details"][0]["code"] == "Cancelled"
    assert {one["state"] for one in over["fileStatusDetails"]} == {"Cancelled"}
    # What is over is forgotten; what was never there is no error.
    assert http.delete(address).status_code == 204
    assert http.get(address).status_code == 404
    assert http.delete(address).status_code == 204


def test_one_document_and_its_thumbnails(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    strange = "street/clip 1 한.mp4"
    put(http, f"{MINE}/ingestions/one", added(strange))
    assert http.get(f"{MINE}/documents/{strange}?{VERSION}").status_code == 404  # not published yet
    house.work()
    document = get(http, f"{MINE}/documents/{strange}")
    assert document["documentId"] == strange
    assert document["duration"] == "00:00:46.1300000"
    assert (document["frames"], document["segments"], document["bytes"]) == (12, 3, 345_678)
    picture = http.get(f"{MINE}/documents/{strange}/thumbnails/0?{VERSION}")
    assert (picture.content, picture.headers["content-type"]) == (THUMBNAIL, "image/jpeg")
    assert http.get(f"{MINE}/documents/{strange}/thumbnails/99?{VERSION}").status_code == 404
    assert http.get(f"{MINE}/documents/other/thumbnails/0?{VERSION}").status_code == 404


def test_documents_are_paged(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    put(http, f"{MINE}/ingestions/one", added("a", "b", "c"))
    house.work()
    answer = get(http, f"{MINE}/documents", "&$top=2")
    assert [one["documentId"] for one in answer["value"]] == ["a", "b"]
    assert [one["documentId"] for one in http.get(answer["nextLink"]).json()["value"]] == ["c"]


def test_options_reach_the_worker(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    options = {
        "filterDefectedFrames": True,
        "documentAuthenticationKind": "ManagedIdentity",
        "includespeechtranscript": "true",
        "generateInsightIntervals": True,
        "moderation": None,
        "somethingNew": [1],
    }
    assert put(http, f"{MINE}/ingestions/one", added("a", **options)).status_code == 202
    (task,) = house.begin()
    assert task.options == {
        "filterDefectedFrames": True,
        "documentAuthenticationKind": "managedIdentity",
        "includeSpeechTranscript": True,
        "generateInsightIntervals": True,
        "moderation": False,
    }
    assert task.wants_speech


def test_moderation_reaches_the_worker_when_it_is_asked_for(http: httpx.Client, house: Workshop) -> None:
    put(http, MINE)
    put(http, f"{MINE}/ingestions/one", added("a", moderation=True))
    put(http, f"{MINE}/ingestions/two", added("b"))
    assert [task.options["moderation"] for task in house.begin()] == [True, False]


def test_a_list_tells_the_first_reasons_only(http: httpx.Client) -> None:
    put(http, MINE)
    videos = [{"mode": "remove", "documentUrl": f"https://blobs.test/{n}"} for n in range(1000)]
    over = put(http, f"{MINE}/ingestions/many", {"videos": videos})
    assert over.json()["state"] == "Failed"
    (listed,) = get(http, f"{MINE}/ingestions")["value"]
    assert len(listed["error"]["details"]) == 20
    assert len(get(http, f"{MINE}/ingestions/many")["fileStatusDetails"]) == 1000
