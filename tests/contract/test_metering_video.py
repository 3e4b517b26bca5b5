"""What searches and ingestions spend, and budgets that refuse them, in Video Retrieval's shapes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tests.support.house import services
from tests.support.metering import Office, open_office
from tests.support.retrieval import HARM, Workshop, workshop
from tests.support.retrieval_http import MINE, VERSION, Keys, added, client, put
from tests.support.server import live

from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.metering.budgets import Budget, set_budget
from foveal.store.ledger_tables import ledger

SEARCH = f"{MINE}:queryByText?{VERSION}"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path / "house") as made:
        yield made


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = open_office(tmp_path / "office")
    yield made
    made.close()


@pytest.fixture
def http(house: Workshop, office: Office) -> Iterator[httpx.Client]:
    app = build_app(services(EchoEngine(), keys=Keys(), retrieval=house.retrieval, meter=office.metering))
    with live(app) as server, client(server) as made:
        put(made, MINE)
        yield made


def entries(office: Office) -> list[tuple[Any, ...]]:
    office.metering.ledger.flush()
    columns = (ledger.c.resource, ledger.c.principal, ledger.c.kind, ledger.c.outcome, ledger.c.units)
    with office.database.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(ledger.c.id))]


def test_a_search_is_one_query(http: httpx.Client, office: Office) -> None:
    assert http.post(SEARCH, json={"queryText": "a man"}).status_code == 200
    assert entries(office) == [("local", "key1", "query", "answered", {"video_queries": 1})]


def test_a_search_that_is_refused_or_filtered_costs_nothing(http: httpx.Client, office: Office) -> None:
    assert http.post(SEARCH, json={"queryText": ""}).status_code == 400
    assert http.post(SEARCH.replace("my-video", "other"), json={"queryText": "a"}).status_code in (200, 404)
    assert http.post(SEARCH, json={"queryText": HARM, "moderation": True}).status_code == 400
    assert ("local", "key1", "query", "filtered", {}) in entries(office)


def test_lists_and_indexes_cost_nothing(http: httpx.Client, office: Office) -> None:
    assert http.get(f"{MINE}?{VERSION}").status_code == 200
    assert http.get(f"{MINE}/documents?{VERSION}").status_code == 200
    assert entries(office) == []


def test_an_ingestion_knows_by_which_key_it_was_asked_for(http: httpx.Client, house: Workshop) -> None:
    put(http, f"{MINE}/ingestions/one", added("a"))
    assert [task.principal for task in house.begin()] == ["key1"]


def test_a_spent_budget_refuses_searches_and_new_ingestions(http: httpx.Client, office: Office) -> None:
    set_budget(office.database, Budget("all", Decimal("0.00025"), "day"))
    office.metering.spending.refresh()
    assert http.post(SEARCH, json={"queryText": "a man"}).status_code == 200
    search = http.post(SEARCH, json={"queryText": "a man"})
    ingestion = put(http, f"{MINE}/ingestions/one", added("a"))
    for refusal in (search, ingestion):
        assert refusal.status_code == 429
        assert refusal.json()["error"]["code"] == "BudgetExceeded"
        assert int(refusal.headers["retry-after"]) > 0
    assert http.get(f"{MINE}/ingestions?{VERSION}").status_code == 200
    assert len(entries(office)) == 1
