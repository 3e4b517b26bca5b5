"""The control plane beside other processes, and what only it decides."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert
from tests.support.management import ADMIN_KEY, control_plane

from foveal.errors import Conflict, FovealError, QuotaExceeded
from foveal.resources.accounts import open_accounts
from foveal.resources.control import ControlPlane
from foveal.resources.wishes import AccountWish, DeploymentWish
from foveal.store.database import open_database
from foveal.store.tables import resource_keys, video_indexes

WEST = AccountWish(kind="openai", region="westus", tier="S0")
VISION = DeploymentWish(model="gpt-4", version="vision-preview", sku="Standard", capacity=10)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path)
    open_accounts(engine, operator_key=None, engine="scripted", strict=False)
    yield engine
    engine.dispose()


@pytest.fixture
def control(database: Engine) -> ControlPlane:
    return control_plane(database)[0]


def test_several_processes_never_pass_the_quota(database: Engine, tmp_path: Path) -> None:
    """Each has a lock and connections of its own; what they share is the database."""
    others = [open_database(tmp_path) for _ in range(4)]
    planes = [control_plane(one)[0] for one in others]

    def made(number: int) -> bool | str:
        plane = planes[number % 4]
        try:
            plane.put_account("mine", WEST)
            return plane.put_deployment("mine", f"d{number}", VISION)[1]
        except FovealError as error:
            return type(error).__name__

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(made, range(8)))
    assert sorted(map(str, found)) == [QuotaExceeded.__name__] * 5 + ["True"] * 3
    assert [(row.limit, row.used) for row in planes[0].quotas("westus") if row.name == "GPT-4-Turbo-V"] == [
        (30, 30)
    ]
    for one in others:
        one.dispose()


def test_a_resource_with_a_video_index_stays(control: ControlPlane, database: Engine) -> None:
    control.put_account("eyes", AccountWish(kind="ComputerVision", region="westus", tier="S1"))
    values: dict[str, Any] = {
        "schema": None,
        "features": [],
        "user_data": {},
        "etag": "1",
        "created_at": 1,
        "modified_at": 1,
    }
    with database.begin() as connection:
        connection.execute(insert(video_indexes).values(resource="eyes", name="films", **values))
    with pytest.raises(Conflict, match="video indexes/films"):
        control.remove_account("EYES")
    with database.begin() as connection:
        connection.execute(delete(video_indexes))
    assert control.remove_account("EYES")
    assert not control.remove_account("eyes")


def test_no_two_accounts_have_the_same_name_in_their_address(control: ControlPlane) -> None:
    control.put_account("mine", replace(WEST, subdomain="Ours"))
    with pytest.raises(Conflict, match="subdomain name 'OURS'"):
        control.put_account("OURS", WEST)
    with pytest.raises(Conflict, match="subdomain name 'ours'"):
        control.put_account("other", replace(WEST, subdomain="ours"))
    assert [one.resource.name for one in control.accounts()] == ["local", "mine"]
    assert control.put_account("mine", replace(WEST, subdomain="ours"))[0].subdomain == "ours"


def test_a_key_that_an_older_directory_lacks_is_made_when_it_is_asked_for(
    control: ControlPlane, database: Engine
) -> None:
    first, second = control.keys("local")
    with database.begin() as connection:
        connection.execute(delete(resource_keys).where(resource_keys.c.slot == 2))
    again, made = control.keys("local")
    assert again == first
    assert made != second
    assert control.keys("local") == (first, made)


def test_what_is_left_out_stays_as_it_was(control: ControlPlane) -> None:
    control.put_account("mine", WEST)
    wish = DeploymentWish(
        model="gpt-4",
        version="vision-preview",
        sku="Standard",
        capacity=7,
        engine="echo",
        upgrade="OnceCurrentVersionExpired",
        parity="relaxed",
        tags={"a": "b"},
    )
    first, made = control.put_deployment("mine", "D", wish)
    assert made
    again, made = control.put_deployment("mine", "d", DeploymentWish(model="gpt-4", sku="Standard"))
    assert not made
    assert (again.row.name, again.tags) == ("D", {"a": "b"})
    assert again.row == first.row
    back = control.patch_deployment("mine", "D", DeploymentWish(engine="default", tags={}))
    assert (back.row.engine, back.tags) == (None, {})


def test_a_change_is_seen_by_this_process_at_once(database: Engine) -> None:
    control, accounts = control_plane(database)
    assert accounts.find("mine", "d") is None
    control.put_account("mine", WEST)
    control.put_deployment("mine", "d", VISION)
    assert accounts.find("mine", "d") is not None
    key = control.keys("mine")[0]
    assert accounts.check(key) is not None
    control.regenerate_key("mine", 1)
    assert accounts.check(key) is None


def test_the_admin_key(database: Engine) -> None:
    opened, shut = control_plane(database)[0], control_plane(database, admin_key=None)[0]
    assert opened.opens(ADMIN_KEY)
    assert not any(opened.opens(key) for key in ("", ADMIN_KEY[:-1], ADMIN_KEY.upper(), "\udc80"))
    assert not shut.opens("")
    assert not shut.opens("None")
