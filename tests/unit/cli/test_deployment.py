"""`foveal deployment`, `key` and `quota`: what they print, keep and refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.support.cli import Run, runner

from foveal.resources.accounts import Accounts, open_accounts
from foveal.resources.keys import KeyLimit
from foveal.store.database import open_database


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(monkeypatch, capsys, "deployment")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(monkeypatch, capsys, "key")


@pytest.fixture
def quota(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(monkeypatch, capsys, "quota")


@pytest.fixture
def resource(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(monkeypatch, capsys, "resource")


def accounts(folder: Path) -> Accounts:
    database = open_database(folder)
    try:
        return open_accounts(database, operator_key=None, engine="echo", strict=False)[0]
    finally:
        database.dispose()


def keys_in(text: str) -> list[str]:
    return re.findall(r"\b[0-9a-f]{32}\b", text)


def test_a_deployment_from_its_making_to_its_end(deployment: Run) -> None:
    deployment("list")
    made = json.loads(deployment("create", "mine", "--capacity", "20", "--json").out)
    assert (made["version"], made["capacity"], made["parity"]) == ("vision-preview", 20, "azure")
    table = deployment("update", "mine", "--parity", "relaxed", "--engine", "echo").out
    assert "relaxed" in table
    assert "echo" in table
    changed = json.loads(deployment("update", "mine", "--engine", "default", "--json").out)
    assert (changed["engine"], changed["parity"], changed["capacity"]) == (None, "relaxed", 20)
    assert json.loads(deployment("upgrade", "mine", "--json").out)["version"] == "turbo-2024-04-09"
    listed = json.loads(deployment("list", "--json").out)
    assert [row["name"] for row in listed] == ["gpt-4-turbo", "gpt-4v", "mine"]
    assert deployment("delete", "mine").out == "The deployment mine of local is deleted.\n"
    assert "mine" not in deployment("list").out


def test_a_resource_without_deployments_says_what_to_do(deployment: Run, resource: Run) -> None:
    resource("add", "far", "--kind", "OpenAI", "--region", "koreacentral")
    assert "foveal deployment create --help" in deployment("list", "--resource", "far").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create", "gpt-4v"), "already"),
        (("create", "a b"), "not a name"),
        (("create", "x", "--version", "0613"), "is not known"),
        (("create", "x", "--version", "0125-Preview"), "not available in the region 'swedencentral'"),
        (("create", "x", "--sku", "ProvisionedManaged"), "supported: Standard"),
        (("create", "x", "--capacity", "0"), "1 or more"),
        (("create", "x", "--capacity", "many"), "not a valid integer"),
        (("create", "x", "--capacity", "1000000"), "quota limit is 1000000"),
        (("create", "x", "--engine", "magic"), "magic"),
        (("create", "x", "--resource", "nobody"), "no resource 'nobody'"),
        (("update", "nobody", "--capacity", "1"), "no deployment 'nobody'"),
        (("upgrade", "gpt-4-turbo"), "nothing to upgrade to"),
        (("delete", "nobody"), "no deployment 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    deployment: Run, arguments: tuple[str, ...], says: str
) -> None:
    deployment("list")
    refused = deployment(*arguments)
    assert refused.code == 2
    assert says in refused.err
    assert "Traceback" not in refused.err


def test_keys_are_rotated_one_at_a_time(key: Run, resource: Run, folder: Path) -> None:
    resource("list")  # tells the key of the first resource
    first, second = keys_in(resource("add", "eyes").out)
    (newer,) = keys_in(key("regenerate", "eyes", "1").out)
    found = accounts(folder)
    assert [found.check(one) is not None for one in (first, second, newer)] == [False, True, True]
    rows = json.loads(key("list", "eyes", "--json").out)
    assert [(row["resource"], row["key"], row["set_by"]) for row in rows] == [
        ("eyes", 1, "operator"),
        ("eyes", 2, "operator"),
    ]
    table = key("list").out
    assert "foveal" in table
    assert keys_in(table) == []
    for arguments in (("regenerate", "eyes", "3"), ("regenerate", "nobody", "1"), ("list", "nobody")):
        assert key(*arguments).code == 2


def test_quotas_are_listed_and_granted(quota: Run) -> None:
    quota("list")
    rows = json.loads(quota("list", "--json").out)
    assert {(row["region"], row["name"], row["used"], row["limit"]) for row in rows} == {
        ("swedencentral", "GPT-4-Turbo-V", 100_000, 1_000_000),
        ("swedencentral", "GPT-4-Turbo", 100_000, 1_000_000),
    }
    assert quota("set", "GPT-4-Turbo-V", "westus", "300").out == "GPT-4-Turbo-V in westus: 0 of 300 used.\n"
    assert "300" in quota("list", "--region", "westus").out
    assert "0 of 30 used" in quota("set", "GPT-4-Turbo-V", "westus", "default").out
    assert "No model version" in quota("list", "--region", "koreacentral").out
    for arguments in (
        ("GPT-5", "westus", "1"),
        ("GPT-4-Turbo", "mars", "1"),
        ("GPT-4-Turbo", "westus", "-1"),
    ):
        assert quota("set", *arguments).code == 2


def test_a_key_is_limited_and_freed(key: Run, folder: Path) -> None:
    key("list")
    done = key("limit", "local", "1", "--tokens", "20000", "--requests", "60")
    assert done.out == "Key 1 of local: 20,000 tokens and 60 requests in a minute.\n"
    (row, *_) = json.loads(key("list", "local", "--json").out)
    assert (row["key"], row["tokens_per_minute"], row["requests_per_minute"]) == (1, 20_000, 60)
    (newer,) = keys_in(key("regenerate", "local", "1").out)
    principal = accounts(folder).check(newer)
    assert principal is not None
    assert principal.limit == KeyLimit(20_000, 60)
    assert "20,000" in key("list").out
    assert "any tokens" in key("limit", "local", "1").out
    principal = accounts(folder).check(newer)
    assert principal is not None
    assert principal.limit is None
    for arguments in (("local", "1", "--tokens", "0"), ("nobody", "1", "--tokens", "5"), ("local", "3")):
        assert key("limit", *arguments).code == 2
