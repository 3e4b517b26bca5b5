"""Usage: grouped, bounded by days, of one resource, as JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.metering import Office, open_office, requests_of

from foveal.errors import InvalidRequest
from foveal.metering.prices import Price, Prices
from foveal.metering.usage import report_csv, report_object


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = open_office(tmp_path)
    made.settle({"input_tokens": 355, "output_tokens": 100, "ocr": 1, "grounding": 1})
    made.settle({"input_tokens": 10}, outcome="filtered", principal="key2")
    made.clock.turn("2024-04-10T00:00")
    made.settle({"video_queries": 1}, kind="query", deployment=None)
    made.settle({"analysis": 3}, kind="analysis", deployment=None, resource="other")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("by", "requests"),
    [
        ("deployment", {("local", ""): 1, ("local", "gpt-4v"): 2, ("other", ""): 1}),
        ("key", {("local", "key1"): 2, ("local", "key2"): 1, ("other", "key1"): 1}),
        ("day", {("2024-04-09",): 2, ("2024-04-10",): 2}),
        ("kind", {("analysis",): 1, ("chat",): 2, ("query",): 1}),
        ("outcome", {("answered",): 3, ("filtered",): 1}),
    ],
)
def test_every_way_to_tell_it(office: Office, by: str, requests: dict[tuple[str, ...], int]) -> None:
    report = office.usage(by=by)
    assert requests_of(report) == requests
    assert report.total.requests == 4
    assert (
        report.total.cost == sum(row.cost for row in report.rows) == Decimal("0.00955") + Decimal("0.00035")
    )


def test_days_are_bounds_and_included(office: Office) -> None:
    assert office.usage(since="2024-04-10").total.requests == 2
    assert office.usage(until="2024-04-09").total.requests == 2
    assert office.usage(since="2024-04-09", until="2024-04-10").total.requests == 4
    assert office.usage(since="2024-04-11").rows == []


def test_of_one_resource(office: Office) -> None:
    assert requests_of(office.usage(resource="other")) == {("other", ""): 1}
    assert office.usage(resource="absent").rows == []


def test_a_price_that_changes_from_a_day_on(tmp_path: Path) -> None:
    new = Price("video_queries", Decimal(2), since="2024-04-10")
    office = open_office(tmp_path, prices=Prices("EUR", (Price("video_queries", Decimal(1)), new)))
    for at in ("2024-04-09T23:59", "2024-04-10T00:00"):
        office.clock.turn(at)
        office.settle({"video_queries": 1}, kind="query", deployment=None)
    assert [row.cost for row in office.usage(by="day").rows] == [1, 2]
    assert [row.cost for row in office.usage(by="kind").rows] == [3]
    office.close()


def test_tenths_of_minutes_add_up(tmp_path: Path) -> None:
    office = open_office(tmp_path)
    for _ in range(10):
        office.settle({"video_minutes": 0.1}, kind="ingestion", deployment=None)
    total = office.usage().total
    assert (total.units, total.cost) == ({"video_minutes": 1}, Decimal("0.05"))
    office.close()


def test_as_json(office: Office) -> None:
    found = report_object(office.usage(by="kind", since="2024-04-10"))
    assert found == {
        "object": "usage",
        "by": "kind",
        "from": "2024-04-10",
        "to": None,
        "currency": "USD",
        "data": [
            {"kind": "analysis", "requests": 1, "units": {"analysis": 3}, "cost": "0"},
            {"kind": "query", "requests": 1, "units": {"video_queries": 1}, "cost": "0.00025"},
        ],
        "total": {"requests": 2, "units": {"video_queries": 1, "analysis": 3}, "cost": "0.00025"},
    }


def test_as_csv(office: Office) -> None:
    office.settle({"video_minutes": 1.5}, kind="ingestion", deployment=None, principal="=SUM(A1)")
    lines = report_csv(office.usage(by="key")).splitlines()
    assert lines == [
        "resource,key,requests,input_tokens,output_tokens,ocr,grounding,video_minutes,video_queries,analysis,"
        "cost,currency",
        "local,'=SUM(A1),1,0,0,0,0,1.5,0,0,0.075,USD",
        "local,key1,2,355,100,1,1,0,1,0,0.0098,USD",
        "local,key2,1,10,0,0,0,0,0,0,0.0001,USD",
        "other,key1,1,0,0,0,0,0,0,3,0,USD",
    ]


def test_an_unknown_way(office: Office) -> None:
    with pytest.raises(InvalidRequest, match="not by 'moon'"):
        office.usage(by="moon")
