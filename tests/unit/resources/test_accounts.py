"""A fresh data directory's resource, its deployments and its keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from foveal.resources.accounts import Accounts, open_accounts
from foveal.resources.keys import find_key, hash_key
from foveal.store.database import FILE_NAME, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path)
    yield engine
    engine.dispose()


def accounts(database: Engine, key: str | None = None) -> tuple[Accounts, str | None]:
    return open_accounts(database, operator_key=key, engine="echo", strict=False)


def test_a_fresh_directory_holds_one_multi_service_resource_with_two_deployments(database: Engine) -> None:
    found, _ = accounts(database)
    (resource,) = found.resources.values()
    assert (resource.name, resource.kind, resource.region, resource.tier) == (
        "local",
        "AIServices",
        "swedencentral",
        "S0",
    )
    assert [(row.name, row.model, row.version, row.engine) for row in found.all("local")] == [
        ("gpt-4v", "gpt-4", "vision-preview", "echo"),
        ("gpt-4-turbo", "gpt-4", "turbo-2024-04-09", "echo"),
    ]
    assert found.find("local", "gpt-4v") is not None
    assert found.find("local", "gpt-5") is None
    assert found.find("other", "gpt-4v") is None


def test_a_key_is_generated_once_works_later_and_is_kept_only_hashed(
    database: Engine, tmp_path: Path
) -> None:
    found, generated = accounts(database)
    assert generated is not None
    assert len(generated) == 32
    who = found.check(generated)
    assert who is not None
    assert (who.resource.name, who.name) == ("local", "key1")
    assert not found.operator_has_set_keys

    again, second = accounts(database)
    assert second is None
    assert again.check(generated) is not None
    assert again.check(generated[:-1]) is None
    assert again.check("") is None
    stored = b"".join(path.read_bytes() for path in tmp_path.glob(f"{FILE_NAME}*"))
    assert generated.encode() not in stored


def test_the_operators_key_takes_the_place_of_key_1(database: Engine) -> None:
    _, generated = accounts(database)
    found, none = accounts(database, "chosen-by-the-operator")
    assert none is None
    assert generated is not None
    assert found.check(generated) is None
    assert found.check("chosen-by-the-operator") is not None
    assert found.operator_has_set_keys
    later, _ = accounts(database)
    assert later.check("chosen-by-the-operator") is not None


def test_equal_keys_are_hashed_differently() -> None:
    first = hash_key("a", 1, "same", by_operator=False)
    second = hash_key("b", 1, "same", by_operator=False)
    assert first.digest != second.digest
    assert find_key((first, second), "other") is None
    assert find_key((first,), "same") == first
