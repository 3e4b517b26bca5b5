"""The examples of docs/metering.md run as they are printed, and what it says of prices is so."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.cli import runner
from tests.support.house import KEY, services
from tests.support.metering import open_office
from tests.support.server import live

from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.metering.prices import load_prices

PAGE = (Path(__file__).parents[2] / "docs" / "metering.md").read_text()


def test_the_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path))
    monkeypatch.setenv("FOVEAL_API_KEY", KEY)
    run = runner(monkeypatch, capsys)
    commands = [
        line for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
    ]
    assert len(commands) == 8
    for command in commands:
        name, *arguments = shlex.split(command)
        assert name == "foveal"
        ended = run(*arguments)
        assert (ended.code, ended.err) == (0, ""), command


def test_the_python(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    office = open_office(tmp_path)
    office.settle({"input_tokens": 355, "output_tokens": 100, "ocr": 1, "grounding": 1})
    printed = io.StringIO()
    app = build_app(services(EchoEngine(), meter=office.metering, usage=office.metering.usage))
    with live(app) as server, contextlib.redirect_stdout(printed):
        exec(code, {"BASE": server.url, "KEY": KEY})
    office.close()
    assert printed.getvalue() == "1 requests, USD 0.00955\n"


def test_the_table_of_ones_own(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "prices.toml"
    file.write_text(text)
    prices = load_prices(file)
    days = ("2026-12-31", "2027-01-01")
    assert [prices.unit("input_tokens", "local", "gpt-4v", day) for day in days] == [
        Decimal("0.000002"),
        Decimal("0.000003"),
    ]
    assert prices.unit("input_tokens", "local", "gpt-4-turbo", days[1]) == Decimal("0.000008")


def test_the_prices_that_the_page_lists() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+) \| \$([0-9.]+) (for 1,000|a minute)", PAGE, re.MULTILINE)
    listed = {
        meter: Decimal(amount) / (1000 if per == "for 1,000" else 1)
        for meters, amount, per in rows
        for meter in re.findall(r"`([a-z_]+)`", meters)
    }
    assert listed == {row.meter: row.unit for row in load_prices().rows}
