"""Making, changing, upgrading and removing deployments."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from foveal.errors import FovealError, InvalidRequest, NotFound, QuotaExceeded
from foveal.resources.accounts import open_accounts
from foveal.resources.deployment_register import (
    ON_EXPIRY,
    ON_NEW_DEFAULT,
    DeploymentRow,
    find_deployment,
    list_deployments,
    put_deployment,
    remove_deployment,
    upgrade_deployment,
    upgrade_due,
)
from foveal.resources.quotas import list_quotas, set_quota
from foveal.resources.register import add_resource
from foveal.store.database import open_database

WANTED = DeploymentRow("mine", capacity=5)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path)
    open_accounts(engine, operator_key=None, engine="echo", strict=False)
    add_resource(engine, "west", "OpenAI", region="westus", deployments=False)
    add_resource(engine, "east", "OpenAI", region="eastus", deployments=False)
    yield engine
    engine.dispose()


def test_a_deployment_is_made_changed_and_removed(database: Engine) -> None:
    made, new = put_deployment(database, "west", WANTED)
    assert new
    assert made == replace(WANTED, created_at=made.created_at, updated_at=made.updated_at)
    changed, new = put_deployment(database, "west", replace(WANTED, capacity=20, parity="relaxed"))
    assert (new, changed.capacity, changed.parity) == (False, 20, "relaxed")
    assert changed.created_at == made.created_at
    assert list_deployments(database, "west") == [changed]
    remove_deployment(database, "west", "mine")
    assert list_deployments(database, "west") == []
    with pytest.raises(NotFound, match="no deployment 'mine'"):
        remove_deployment(database, "west", "mine")


@pytest.mark.parametrize(
    ("wanted", "param", "says"),
    [
        (replace(WANTED, name=""), "name", "not a name"),
        (replace(WANTED, name="-a"), "name", "not a name"),
        (replace(WANTED, name="a."), "name", "not a name"),
        (replace(WANTED, name="a b"), "name", "not a name"),
        (replace(WANTED, name="a" * 65), "name", "not a name"),
        (replace(WANTED, name="한국"), "name", "not a name"),
        (replace(WANTED, model="gpt-5"), "properties.model", "is not known"),
        (replace(WANTED, version="0613"), "properties.model", "is not known"),
        (replace(WANTED, version="0125-Preview"), "properties.model.version", "not available .* 'westus'"),
        (replace(WANTED, sku="ProvisionedManaged"), "sku.name", "supported: Standard"),
        (replace(WANTED, sku="GlobalBatch"), "sku.name", "supported: Standard"),
        (replace(WANTED, capacity=0), "sku.capacity", "1 or more"),
        (replace(WANTED, capacity=-4), "sku.capacity", "1 or more"),
        (replace(WANTED, capacity=31), "sku.capacity", "quota limit is 30"),
        (replace(WANTED, engine="claude"), "engine", "not one of evidence"),
        (replace(WANTED, content_filter="strict"), "properties.raiPolicyName", "no content filter"),
        (replace(WANTED, upgrade="Always"), "properties.versionUpgradeOption", "not one of"),
        (replace(WANTED, parity="better"), "parity", "not one of azure, relaxed"),
    ],
)
def test_what_cannot_be_made(database: Engine, wanted: DeploymentRow, param: str, says: str) -> None:
    with pytest.raises((InvalidRequest, QuotaExceeded), match=says) as refused:
        put_deployment(database, "west", wanted)
    assert refused.value.param == param
    assert list_deployments(database, "west") == []


def test_only_resources_that_chat_have_deployments(database: Engine) -> None:
    add_resource(database, "eyes", "ComputerVision")
    with pytest.raises(InvalidRequest, match="it has no deployments"):
        put_deployment(database, "eyes", WANTED)
    with pytest.raises(NotFound, match="no resource 'nobody'"):
        put_deployment(database, "nobody", WANTED)


def test_the_quota_of_a_region_is_of_all_its_resources(database: Engine) -> None:
    put_deployment(database, "west", replace(WANTED, capacity=30))  # exactly all of it
    add_resource(database, "west-2", "AIServices", region="westus", deployments=False)
    with pytest.raises(QuotaExceeded, match=r"capacity 0\. The current quota usage is 30 and the quota"):
        put_deployment(database, "west-2", replace(WANTED, capacity=1))
    put_deployment(database, "west", replace(WANTED, capacity=29))  # its own share is not counted twice
    put_deployment(database, "west-2", replace(WANTED, capacity=1))
    used = {quota.name: (quota.used, quota.limit) for quota in list_quotas(database, "westus")}
    assert used == {"GPT-4-Turbo-V": (30, 30), "GPT-4-Turbo": (0, 80)}


def test_the_operator_grants_quota(database: Engine) -> None:
    set_quota(database, "GPT-4-Turbo-V", "westus", 500)
    put_deployment(database, "west", replace(WANTED, capacity=500))
    set_quota(database, "GPT-4-Turbo-V", "westus", None)
    with pytest.raises(QuotaExceeded):
        put_deployment(database, "west", replace(WANTED, name="other"))
    for name, region, limit, says in (
        ("GPT-5", "westus", 1, "there are GPT-4-Turbo-V"),
        ("GPT-4-Turbo", "koreacentral", 1, "no model version"),
        ("GPT-4-Turbo", "westus", -1, "0 or more"),
    ):
        with pytest.raises(InvalidRequest, match=says):
            set_quota(database, name, region, limit)


@pytest.mark.parametrize(
    ("region", "limit"),
    [("eastus", 80), ("norwayeast", 150), ("southindia", 150), ("swedencentral", 1_000_000)],
)
def test_the_quotas_of_gpt_4_turbo(database: Engine, region: str, limit: int) -> None:
    found = {quota.name: quota.limit for quota in list_quotas(database, region)}
    assert found["GPT-4-Turbo"] == limit


def test_racing_creates_never_pass_the_quota(database: Engine) -> None:
    def make(number: int) -> bool:
        try:
            put_deployment(database, "west", replace(WANTED, name=f"d{number}", capacity=4))
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(make, range(16))) == 7  # 28 of 30
    assert sum(row.capacity for row in list_deployments(database, "west")) == 28


def test_an_upgrade_keeps_the_name(database: Engine) -> None:
    put_deployment(database, "east", replace(WANTED, version="0125-Preview", capacity=10))
    upgraded = upgrade_deployment(database, "east", "mine")
    assert (upgraded.name, upgraded.version, upgraded.capacity) == ("mine", "turbo-2024-04-09", 10)
    with pytest.raises(InvalidRequest, match="nothing to upgrade to"):
        upgrade_deployment(database, "east", "mine")
    with pytest.raises(NotFound):
        upgrade_deployment(database, "east", "nobody")
    put_deployment(database, "west", WANTED)
    with pytest.raises(InvalidRequest, match="not available in the region 'westus'"):
        upgrade_deployment(database, "west", "mine")


@pytest.mark.parametrize(
    ("option", "day", "version"),
    [
        ("NoAutoUpgrade", "2026-01-01", "vision-preview"),
        (ON_NEW_DEFAULT, "2024-04-30", "vision-preview"),
        (ON_NEW_DEFAULT, "2024-05-01", "turbo-2024-04-09"),
        (ON_EXPIRY, "2025-03-31", "vision-preview"),
        (ON_EXPIRY, "2025-04-01", "turbo-2024-04-09"),
    ],
)
def test_versions_move_on_as_their_option_says(database: Engine, option: str, day: str, version: str) -> None:
    put_deployment(database, "local", replace(WANTED, upgrade=option))
    today = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    with database.begin() as connection:
        upgrade_due(connection, today)
    found = find_deployment(database, "local", "mine")
    assert found is not None
    assert (found.version, found.upgrade) == (version, option)


def test_every_error_says_what_was_wrong() -> None:
    assert issubclass(QuotaExceeded, FovealError)
    assert QuotaExceeded("too much").status == 400
