"""Accounts that change while a server runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from foveal.resources.accounts import open_accounts
from foveal.resources.content_filters import StoredFilter
from foveal.resources.deployment_register import DeploymentRow, put_deployment, remove_deployment
from foveal.resources.filter_register import attach_filter, put_filter
from foveal.resources.live import LiveAccounts
from foveal.resources.register import add_resource, regenerate_key, remove_resource
from foveal.store.database import open_database


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path)
    open_accounts(engine, operator_key="k" * 32, engine="echo", strict=False)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def live(database: Engine, clock: Clock) -> LiveAccounts:
    return LiveAccounts(database, engine="echo", strict=False, clock=clock)


def test_a_rotated_key_stops_and_the_other_goes_on(
    live: LiveAccounts, database: Engine, clock: Clock, tmp_path: Path
) -> None:
    other = open_database(tmp_path)  # as another process has it
    old, kept = (regenerate_key(other, "local", slot) for slot in (1, 2))
    clock.now += 1
    assert live.check(old) is not None
    new = regenerate_key(other, "local", 1)
    other.dispose()
    clock.now += 1
    principal = live.check(new)
    assert principal is not None
    assert (principal.resource.name, principal.name) == ("local", "key1")
    assert live.check(old) is None
    assert live.check(kept) is not None


def test_what_was_looked_at_just_now_is_not_looked_at_again(live: LiveAccounts, database: Engine) -> None:
    put_deployment(database, "local", DeploymentRow("mine"))
    assert live.find("local", "mine") is None
    live.changed()
    assert live.find("local", "mine") is not None


def test_resources_deployments_and_filters_come_and_go(
    live: LiveAccounts, database: Engine, clock: Clock
) -> None:
    def later() -> LiveAccounts:
        clock.now += 1
        return live

    _, (key, _) = add_resource(database, "other", "OpenAI", deployments=False)
    assert later().check(key) is not None
    put_deployment(database, "other", DeploymentRow("mine", capacity=3))
    assert [row.capacity for row in later().all("other")] == [3]
    put_deployment(database, "other", DeploymentRow("mine", capacity=4, parity="relaxed"))
    found = later().find("other", "mine")
    assert found is not None
    assert (found.capacity, found.relaxed) == (4, True)
    put_filter(database, "other", "loose", StoredFilter(streaming="asynchronous"))
    attach_filter(database, "other", "loose", "mine")
    found = later().find("other", "mine")
    assert found is not None
    assert found.content_filter.streaming == "asynchronous"
    remove_deployment(database, "other", "mine")
    assert later().find("other", "mine") is None
    remove_resource(database, "other")
    assert later().check(key) is None
    assert "other" not in live.resources
