"""Budgets at the edge: what is covered, exactly spent, one cent less, the turn of a period, alerts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.metering import Clock, Office, open_office

from foveal.errors import BudgetExceeded, InvalidRequest, NotFound
from foveal.metering.budgets import (
    Budget,
    list_budgets,
    period_of,
    read_amount,
    remove_budget,
    set_budget,
)
from foveal.metering.prices import load_prices
from foveal.metering.spending import FRESH, Spending, Told
from foveal.resources.accounts import open_accounts
from foveal.resources.register import add_resource

CENT: dict[str, float] = {"input_tokens": 1000}  # at the page's price


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = open_office(tmp_path)
    open_accounts(made.database, operator_key="k" * 32, engine="echo", strict=False)
    add_resource(made.database, "other", "OpenAI")
    yield made
    made.close()


def limit(office: Office, amount: str = "0.02", **changes: Any) -> Budget:
    budget = Budget(**{"name": "all", "amount": Decimal(amount), "per": "day", **changes})
    set_budget(office.database, budget)
    office.metering.spending.refresh()
    return budget


def refused(office: Office, resource: str = "local", deployment: str | None = "gpt-4v") -> bool:
    try:
        office.metering.admit(resource, deployment)
    except BudgetExceeded:
        return True
    return False


@pytest.mark.parametrize("moved", [False, True])
def test_exactly_spent_is_spent_and_one_token_less_is_not(office: Office, moved: bool) -> None:
    limit(office)
    office.settle(CENT)
    office.settle({"input_tokens": 999})
    if moved:
        office.flush()
    assert not refused(office)
    office.settle({"input_tokens": 1})
    if moved:
        office.flush()
    assert refused(office)


def test_what_is_on_its_way_into_sql_counts_once(office: Office) -> None:
    limit(office)
    office.settle(CENT)
    for _ in range(5):
        office.metering.ledger.flush()
        assert not refused(office)
    office.settle(CENT)
    for _ in range(5):
        office.metering.ledger.flush()
        assert refused(office)


def test_the_refusal_says_which_budget_and_until_when(office: Office) -> None:
    limit(office, "0.01")
    office.settle(CENT)
    with pytest.raises(BudgetExceeded) as refusal:
        office.metering.admit("local", "gpt-4v")
    error = refusal.value
    assert (error.status, error.code, error.type) == (429, "BudgetExceeded", "insufficient_quota")
    assert error.message.startswith("The budget 'all' of USD 0.01 for the day is spent.")
    assert "2024-04-10 (UTC)" in error.message
    assert error.headers["retry-after"] == str(12 * 3600)
    assert error.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({}, [("local", "gpt-4v"), ("local", "gpt-4-turbo"), ("local", None), ("other", "gpt-4v")]),
        ({"resource": "local"}, [("local", "gpt-4v"), ("local", "gpt-4-turbo"), ("local", None)]),
        ({"deployment": "gpt-4v"}, [("local", "gpt-4v"), ("other", "gpt-4v")]),
        ({"resource": "local", "deployment": "gpt-4v"}, [("local", "gpt-4v")]),
    ],
)
def test_a_budget_covers_what_it_names(
    office: Office, scope: dict[str, str], covered: list[tuple[str, str | None]]
) -> None:
    limit(office, "0.01", **scope)
    everything = [("local", "gpt-4v"), ("local", "gpt-4-turbo"), ("local", None), ("other", "gpt-4v")]
    outside = [one for one in everything if one not in covered]
    for resource, deployment in outside:
        office.settle(CENT, resource=resource, deployment=deployment)
    assert not any(refused(office, *one) for one in everything)
    office.flush()
    assert not any(refused(office, *one) for one in everything)
    office.settle(CENT, resource="local", deployment="gpt-4v")
    assert [one for one in everything if refused(office, *one)] == [
        one for one in everything if one in covered
    ]


@pytest.mark.parametrize(
    ("per", "last", "next_one"),
    [
        ("day", "2024-04-09T23:59:59.999999", "2024-04-10T00:00"),
        ("month", "2024-04-30T23:59:59.999999", "2024-05-01T00:00"),
        ("month", "2024-12-31T23:59:59.999999", "2025-01-01T00:00"),
    ],
)
@pytest.mark.parametrize("moved", [False, True])
def test_a_new_period_begins_with_nothing_spent(
    office: Office, per: Any, last: str, next_one: str, moved: bool
) -> None:
    office.clock.turn(last)
    limit(office, "0.01", per=per)
    office.settle(CENT)
    if moved:
        office.flush()
    assert refused(office)
    office.clock.turn(next_one)
    assert not refused(office)
    office.flush()
    assert not refused(office)
    office.settle(CENT)
    assert refused(office)
    office.flush()
    assert refused(office)


def test_a_month_is_the_sum_of_its_days(office: Office) -> None:
    limit(office, per="month")
    for day in ("2024-03-31T23:59", "2024-04-01T00:00", "2024-04-30T23:59"):
        assert not refused(office)
        office.clock.turn(day)
        office.settle(CENT)
        office.flush()
    assert refused(office)


def test_what_another_process_spent_counts_within_a_second(office: Office, tmp_path: Path) -> None:
    limit(office, "0.01")
    other = open_office(tmp_path, office.clock)
    other.settle(CENT)
    other.close()
    assert not refused(office)
    office.metering.spending.refresh()
    assert refused(office)


def test_sql_is_asked_at_most_once_a_second(office: Office) -> None:
    seconds = [100.0]
    spending = Spending(office.database, load_prices(), office.clock, Told(), monotonic=lambda: seconds[0])
    spending.moved()
    set_budget(office.database, Budget("all", Decimal("0.01"), "day"))
    office.settle(CENT)
    office.metering.ledger.flush()
    spending.moved()
    spending.admit("local", None)
    seconds[0] += FRESH
    spending.moved()
    with pytest.raises(BudgetExceeded):
        spending.admit("local", None)


def test_a_budget_can_be_raised_and_removed_while_the_server_runs(office: Office) -> None:
    limit(office, "0.01")
    office.settle(CENT)
    assert refused(office)
    limit(office, "0.02")
    office.flush()
    assert not refused(office)
    office.settle(CENT)
    assert refused(office)
    remove_budget(office.database, "all")
    office.flush()
    assert not refused(office)


def test_alerts_are_told_once_in_a_period_whoever_sees_them(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limit(office, "0.10", alerts=(50, 80))
    for _ in range(4):
        office.settle(CENT)
    office.flush()
    assert office.alerts == []
    office.settle(CENT)
    with caplog.at_level(logging.WARNING):
        office.flush()
        office.flush()
    assert office.alerts == [("all", 50)]
    assert "budget all: 50 % of USD 0.10 for the day is spent (0.05)" in caplog.text
    for _ in range(5):
        office.settle(CENT)
    other = open_office(tmp_path, office.clock)
    office.flush()
    other.flush()
    other.close()
    assert [*office.alerts, *other.alerts] == [("all", 50), ("all", 80), ("all", 100)]
    office.clock.turn("2024-04-10T00:00")
    for _ in range(10):
        office.settle(CENT)
    office.flush()
    assert len(office.alerts) == 6


def test_free_units_spend_nothing(office: Office) -> None:
    limit(office, "0.000001")
    office.settle({"analysis": 1000})
    assert not refused(office)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "ten", "", "1e99", "0.0"])
def test_an_amount_that_is_none(text: str) -> None:
    with pytest.raises(InvalidRequest, match="above 0"):
        read_amount(text)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "the name"),
        ({"name": "a b"}, "the name"),
        ({"name": "x" * 65}, "the name"),
        ({"alerts": (0,)}, "percent"),
        ({"alerts": (101,)}, "percent"),
        ({"resource": "absent"}, "there is no resource 'absent'; there are local, other"),
        ({"deployment": "absent"}, "there is no deployment 'absent'; there are gpt-4-turbo, gpt-4v"),
    ],
)
def test_a_budget_that_cannot_be(office: Office, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        limit(office, **changes)
    assert list_budgets(office.database) == []


def test_removing_what_is_not_there(office: Office) -> None:
    with pytest.raises(NotFound, match="there is no budget 'x'"):
        remove_budget(office.database, "x")


def test_a_leap_days_period() -> None:
    clock = Clock()
    clock.turn("2024-02-29T12:00")
    assert (period_of("month", clock.at).first, period_of("month", clock.at).last) == (
        "2024-02-01",
        "2024-02-29",
    )
