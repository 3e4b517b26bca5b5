"""Making, listing and removing resources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from foveal.errors import InvalidRequest
from foveal.resources.accounts import Accounts, Principal, open_accounts
from foveal.resources.register import add_resource, list_resources, regenerate_key, remove_resource
from foveal.store.database import open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path)
    open_accounts(engine, operator_key=None, engine="echo", strict=False)
    yield engine
    engine.dispose()


def accounts(database: Engine) -> Accounts:
    return open_accounts(database, operator_key=None, engine="echo", strict=False)[0]


def test_a_computer_vision_resource_has_two_keys_and_no_deployments(database: Engine) -> None:
    made, keys = add_resource(database, "my-vision", "ComputerVision")
    assert (made.kind, made.region, made.tier) == ("ComputerVision", "swedencentral", "S1")
    found = accounts(database)
    assert len(set(keys)) == 2
    assert [found.check(key) for key in keys] == [Principal(made, "key1"), Principal(made, "key2")]
    assert found.all("my-vision") == []


def test_an_openai_resource_starts_with_the_two_deployments(database: Engine) -> None:
    made, _ = add_resource(database, "my-openai", "OpenAI")
    assert (made.region, made.tier) == ("swedencentral", "S0")
    assert [row.name for row in accounts(database).all("my-openai")] == ["gpt-4v", "gpt-4-turbo"]


def test_it_starts_with_what_its_region_has_within_the_quota(database: Engine) -> None:
    for region, expected in {
        "westus": [("gpt-4v", 30)],
        "eastus": [("gpt-4-turbo", 80)],
        "koreacentral": [],
    }.items():
        add_resource(database, f"in-{region}", "OpenAI", region=region)
        found = [(row.name, row.capacity) for row in accounts(database).all(f"in-{region}")]
        assert found == expected
    add_resource(database, "second-in-westus", "OpenAI", region="westus")
    assert accounts(database).all("second-in-westus") == []  # its quota is used up


def test_a_resource_may_start_empty(database: Engine) -> None:
    add_resource(database, "empty", "AIServices", deployments=False)
    assert accounts(database).all("empty") == []


def test_the_first_resource_stays_the_first(database: Engine) -> None:
    add_resource(database, "another", "OpenAI")
    assert [one.name for one in list_resources(database)] == ["local", "another"]
    _, generated = open_accounts(database, operator_key="the-operators-own-key", engine="echo", strict=False)
    assert generated is None
    found = accounts(database).check("the-operators-own-key")
    assert found is not None
    assert found.resource.name == "local"


def test_a_new_key_replaces_one_and_leaves_the_other(database: Engine) -> None:
    _, (first, second) = add_resource(database, "my-vision", "ComputerVision")
    new = regenerate_key(database, "my-vision", 1)
    found = accounts(database)
    assert found.check(first) is None
    assert found.check(second) is not None
    assert found.check(new) is not None


def test_a_removed_resource_takes_its_keys_and_deployments_along(database: Engine) -> None:
    _, keys = add_resource(database, "my-openai", "OpenAI")
    remove_resource(database, "my-openai")
    found = accounts(database)
    assert found.check(keys[0]) is None
    assert found.all("my-openai") == []
    with pytest.raises(InvalidRequest, match="only resource"):
        remove_resource(database, "local")


@pytest.mark.parametrize(
    ("name", "kind", "changes", "param", "says"),
    [
        ("x", "ComputerVision", {}, "name", "2 to 64"),
        ("-x", "ComputerVision", {}, "name", "2 to 64"),
        ("a" * 65, "ComputerVision", {}, "name", "2 to 64"),
        ("a b", "ComputerVision", {}, "name", "2 to 64"),
        ("LOCAL", "ComputerVision", {}, "name", "already"),
        ("good", "Face", {}, "kind", "AIServices, OpenAI, ComputerVision"),
        ("good", "ComputerVision", {"tier": "S0"}, "tier", "S1, F0"),
        ("good", "OpenAI", {"tier": "F0"}, "tier", "S0"),
        ("good", "OpenAI", {"region": "atlantis"}, "region", "no known region"),
    ],
)
def test_what_cannot_be_made(
    database: Engine, name: str, kind: str, changes: dict[str, Any], param: str, says: str
) -> None:
    with pytest.raises(InvalidRequest, match=says) as refused:
        add_resource(database, name, kind, **changes)
    assert refused.value.param == param
    assert [one.name for one in list_resources(database)] == ["local"]


def test_unknown_names(database: Engine) -> None:
    for work in (lambda: remove_resource(database, "nobody"), lambda: regenerate_key(database, "nobody", 1)):
        with pytest.raises(InvalidRequest, match="no resource 'nobody'"):
            work()
