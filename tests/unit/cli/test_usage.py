"""`foveal usage` and `foveal budget`: what they print, keep and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.cli import Ended, Run, runner
from tests.support.metering import open_office

from foveal.metering.journal import Journal
from foveal.metering.ledger import FOLDER


@pytest.fixture
def foveal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path))
    monkeypatch.setenv("FOVEAL_API_KEY", "k" * 32)
    monkeypatch.setenv("COLUMNS", "80")
    return runner(monkeypatch, capsys)


def spend(data: Path, **changes: object) -> None:
    """The page's worked example of a picture, once, and a search."""
    office = open_office(data)
    office.settle({"input_tokens": 355, "output_tokens": 100, "ocr": 1, "grounding": 1}, **changes)
    office.settle({"video_queries": 1}, kind="query", deployment=None, principal="key2")
    office.close()


def lines(ended: Ended) -> list[list[str]]:
    assert ended.code == 0, ended.err
    return [line.split() for line in ended.out.splitlines() if line.strip()]


def test_nothing_spent_says_what_to_do(foveal: Run) -> None:
    assert "start one with `foveal serve`" in foveal("usage").out
    assert lines(foveal("usage", "--csv")) == [
        [
            "resource,deployment,requests,input_tokens,output_tokens,ocr,grounding,video_minutes,video_queries,"
            "analysis,cost,currency"
        ]
    ]
    assert json.loads(foveal("usage", "--json").out)["data"] == []


def test_a_table_with_units_costs_and_a_total(foveal: Run, tmp_path: Path) -> None:
    spend(tmp_path)
    shown = foveal("usage")
    assert max(len(line) for line in shown.out.splitlines()) <= 80
    rows = lines(shown)
    assert ["–", "1", "0", "0", "0", "0", "1", "0.00025"] in rows
    assert ["gpt-4v", "1", "355", "100", "1", "1", "0", "0.00955"] in rows
    assert rows[-1] == ["total", "2", "355", "100", "1", "1", "1", "0.0098"]
    assert "resource local" in shown.out
    assert "(USD)" in shown.out


def test_several_resources_have_a_column(foveal: Run, tmp_path: Path) -> None:
    spend(tmp_path, resource="other")
    assert lines(foveal("usage", "--by", "key"))[-2][:2] == ["other", "key1"]


def test_days_and_resources_bound_it(foveal: Run, tmp_path: Path) -> None:
    spend(tmp_path)
    assert lines(foveal("usage", "--by", "day", "--from", "2024-04-09", "--to", "2024-04-09"))[-1][1] == "2"
    assert "Leave --from" in foveal("usage", "--from", "2024-04-10").out
    assert "Leave --from" in foveal("usage", "--resource", "absent").out


def test_csv_and_json(foveal: Run, tmp_path: Path) -> None:
    spend(tmp_path)
    assert foveal("usage", "--by", "key", "--csv").out.splitlines()[1:] == [
        "local,key1,1,355,100,1,1,0,0,0,0.00955,USD",
        "local,key2,1,0,0,0,0,0,1,0,0.00025,USD",
    ]
    assert json.loads(foveal("usage", "--json").out)["total"]["cost"] == "0.0098"
    assert foveal("usage", "--json", "--csv").code == 2


def test_what_a_killed_server_left_is_in_it(foveal: Run, tmp_path: Path) -> None:
    dead = Journal(tmp_path / FOLDER)
    dead.append(
        b'{"id":"one","at":1,"resource":"local","deployment":null,"principal":"key2","kind":"query",'
        b'"outcome":"answered","units":{"video_queries":4000}}\n'
    )
    dead.close()
    assert lines(foveal("usage", "--by", "key"))[-1] == ["total", "1", "4,000", "1.00"]


def test_prices_of_the_operators_own(foveal: Run, tmp_path: Path) -> None:
    spend(tmp_path)
    file = tmp_path / "prices.toml"
    file.write_text('currency = "KRW"\n[[price]]\nmeter = "output_tokens"\namount = 40\n')
    shown = foveal("usage", "--prices", str(file))
    assert lines(shown)[-1][-1] == "4,000.00"
    assert "(KRW)" in shown.out
    refused = foveal("usage", "--prices", str(tmp_path / "absent"))
    assert (refused.code, "cannot be read" in refused.err) == (2, True)


@pytest.mark.parametrize("arguments", [["--by", "moon"], ["--from", "yesterday"], ["--to", "2024-13-01"]])
def test_a_wrong_question(foveal: Run, arguments: list[str]) -> None:
    assert foveal("usage", *arguments).code == 2


def test_a_budget_is_set_listed_and_removed(foveal: Run, tmp_path: Path) -> None:
    assert "Make one:" in foveal("budget", "ls").out
    made = foveal("budget", "set", "vision", "--amount", "0.5", "--per", "month", "--deployment", "gpt-4v")
    assert made.out == "vision: USD 0.50 for the month, of */gpt-4v.\n"
    foveal("budget", "set", "all", "--amount", "10", "--per", "day", "--alert", "90", "--alert", "50")
    (everything, vision) = json.loads(foveal("budget", "ls", "--json").out)
    assert (everything["amount"], everything["alerts"], everything["resource"]) == ("10", [50, 90], None)
    assert (vision["amount"], vision["alerts"], vision["deployment"]) == ("0.5", [80], "gpt-4v")
    assert lines(foveal("budget", "ls"))[-2][1:8:2] == ["vision", "*/gpt-4v", "month", "0.50"]
    assert foveal("budget", "rm", "vision").out == "vision is removed.\n"
    again = foveal("budget", "rm", "vision")
    assert (again.code, again.err) == (2, "foveal: there is no budget 'vision'; see `foveal budget ls`\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--amount", "0", "--per", "day"], "above 0"),
        (["--amount", "ten", "--per", "day"], "above 0"),
        (["--amount", "1", "--per", "day", "--resource", "absent"], "there is no resource 'absent'"),
        (["--amount", "1", "--per", "day", "--deployment", "absent"], "there is no deployment 'absent'"),
        (["--amount", "1", "--per", "week"], "week"),
        (["--amount", "1"], "--per"),
        (["--amount", "1", "--per", "day", "--alert", "0"], "0"),
    ],
)
def test_a_budget_that_cannot_be(foveal: Run, arguments: list[str], says: str) -> None:
    refused = foveal("budget", "set", "all", *arguments)
    assert refused.code == 2
    assert says in refused.err
