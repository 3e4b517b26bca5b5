"""Bodies as shells, careless people and chance write them: taken where they can be, never a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.retrieval import Workshop, workshop
from tests.support.retrieval_http import (
    INDEXES,
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


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"{'userData': {'a': 'it\\'s \"so\"'}}", 'it\'s "so"'),
        (b"{'userData': {'a': 'a // b, ] }',},}", "a // b, ] }"),
        (b'{\'userData\': {"a": "it\'s"}}', "it's"),
        (b"{'userData': {'a': True, }}", True),
        (b"\xef\xbb\xbf{'userData': {'a': None}}", None),
        ("{'userData': {'a': '카메라 1'}}".encode(), "카메라 1"),
        (b'{"userData": {"a": "True \'None\'"},}', "True 'None'"),
    ],
)
def test_relaxed_json(http: httpx.Client, body: bytes, name: object) -> None:
    answer = http.put(f"{INDEXES}/relaxed?{VERSION}", content=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["userData"] == {"a": name}
    http.delete(f"{INDEXES}/relaxed?{VERSION}")


@pytest.mark.parametrize(
    "body",
    [
        b"{'a'",
        b"'",
        b"{'a': 'b}",
        b"{'a': b'}",
        b"{a: 1}",
        b"[]",
        b"null",
        b"{'a': 1} x",
        b"\xff",
        b"{" * 5000,
    ],
)
def test_what_is_no_json(http: httpx.Client, body: bytes) -> None:
    answer = http.put(f"{MINE}?{VERSION}", content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["target"]) == (400, "InvalidRequest", "body")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def shaped(*names: str) -> st.SearchStrategy[Any]:
    """Objects that have some of these properties, with anything in them."""
    return st.dictionaries(st.sampled_from(names) | st.text(max_size=5), JSON, max_size=5)


VIDEO = shaped("mode", "documentId", "documentUrl", "metadata", "userData") | st.fixed_dictionaries(
    {"mode": st.sampled_from(["add", "remove", "update", "ADD"]), "documentUrl": st.text(max_size=30)},
    optional={"documentId": JSON, "metadata": shaped("cameraId", "timestamp"), "userData": JSON},
)
FILTERS = st.dictionaries(
    st.sampled_from(["stringFilters", "datetimeFilters", "featureFilters"]),
    st.lists(shaped("fieldName", "values", "startTime", "endTime") | JSON, max_size=3),
    max_size=3,
)
BODIES = {
    "PUT index": shaped("metadataSchema", "features", "userData"),
    "PATCH index": st.fixed_dictionaries(
        {}, optional={"metadataSchema": shaped("fields", "language"), "userData": JSON}
    ),
    "PUT ingestion": st.fixed_dictionaries(
        {}, optional={"videos": st.lists(VIDEO, max_size=3), "moderation": JSON, "other": JSON}
    ),
    "POST query": st.fixed_dictionaries(
        {"queryText": st.text(max_size=20) | JSON}, optional={"filters": FILTERS, "top": JSON, "skip": JSON}
    ),
}


@pytest.mark.parametrize("operation", BODIES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_json_makes_the_server_fail(http: httpx.Client, operation: str, data: st.DataObject) -> None:
    body = data.draw(JSON | BODIES[operation])
    text = json.dumps(body)
    if data.draw(st.booleans()):
        text = text.replace('"', "'")
    method, what = operation.split()
    path = {
        "index": f"{INDEXES}/garbage",
        "ingestion": f"{MINE}/ingestions/garbage",
        "query": f"{MINE}:queryByText",
    }[what]
    if operation == "PATCH index":
        path = MINE
    answer = http.request(method, f"{path}?{VERSION}", content=text.encode())
    assert answer.status_code < 500, (text, answer.text)
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) >= {"code", "message"}
    else:
        http.delete(f"{INDEXES}/garbage?{VERSION}")
        http.delete(f"{MINE}/ingestions/garbage?{VERSION}")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60) | st.text("'\"\\{}[],: aé\n", max_size=40).map(str.encode))
def test_no_bytes_make_the_server_fail(http: httpx.Client, body: bytes) -> None:
    answer = http.post(f"{MINE}:queryByText?{VERSION}", content=body)
    assert answer.status_code in (200, 400)


def test_the_index_of_the_page_is_still_whole(http: httpx.Client) -> None:
    """After everything above."""
    assert put(http, f"{MINE}/ingestions/last", added("z")).status_code == 202
    assert get(http, MINE)["name"] == "my-video-index"
