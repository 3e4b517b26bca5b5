"""`foveal usage`: what was spent, and what that costs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options, settings_from
from foveal.metering.base import METERS
from foveal.metering.ledger import FOLDER, take_over
from foveal.metering.prices import load_prices, shown_amount
from foveal.metering.usage import GROUPS, Report, UsageQuery, UsageRow, read_usage, report_csv, report_object

_DAY = click.DateTime(["%Y-%m-%d"])
_EMPTY = (
    "Nothing was spent yet. Requests to a server of this data directory are counted: start one with "
    "`foveal serve` and ask it something."
)
_NONE = "Nothing was spent there. Leave --from, --to and --resource out to see everything."


@click.command()
@click.option("--by", type=click.Choice(list(GROUPS)), default="deployment", show_default=True)
@click.option("--from", "since", type=_DAY, metavar="DAY", help="First day (UTC), like 2024-04-09.")
@click.option("--to", "until", type=_DAY, metavar="DAY", help="Last day (UTC).")
@click.option("--resource", metavar="NAME", help="Only what was spent with the keys of this resource.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@setting_options("data", "prices")
def usage(
    by: str,
    since: datetime | None,
    until: datetime | None,
    resource: str | None,
    as_csv: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Show what was spent, by deployment, key, day, kind or outcome, with what it costs.

    Every request that a server answers is counted, and every video that is added to an index; `foveal ask` is
    not. What a server has just answered is here within a second.

    \b
    Examples:
      foveal usage
      foveal usage --by day --from 2024-04-01 --to 2024-04-30
      foveal usage --by key --resource local --csv > usage.csv
      foveal usage --by outcome --json
      foveal usage --prices my-prices.toml
    """
    if as_csv and as_json:
        raise click.UsageError("choose one of --csv and --json")
    settings = settings_from(flags)
    prices = load_prices(settings.prices)
    query = UsageQuery(by, _day(since), _day(until), resource)
    with opened_database(flags, quiet=as_csv or as_json) as database:
        take_over(database, settings.data / FOLDER)
        report = read_usage(database, prices, query)
    if as_csv:
        click.echo(report_csv(report), nl=False)
    elif as_json:
        click.echo(json.dumps(report_object(report), indent=2))
    elif report.rows:
        _print(_table(report))
    else:
        click.echo(_NONE if query.since or query.until or resource else _EMPTY)


def _day(value: datetime | None) -> str:
    return "" if value is None else value.date().isoformat()


def _print(table: Table) -> None:
    """In a narrow window the lines are longer than it, but no number is cut."""
    console = Console()
    needed = Measurement.get(console, console.options.update(max_width=1000), table).maximum
    console.width = max(console.width, needed)
    console.print(table)


def _table(report: Report) -> Table:
    """The column of the resource is left out when there is only one: lines of 80 characters are short."""
    cost = f"cost ({report.currency})"
    skipped = 1 if report.columns[0] == "resource" and len({row.group[0] for row in report.rows}) == 1 else 0
    title = f"resource {report.rows[0].group[0]}" if skipped else None
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_footer=True,
        pad_edge=False,
        collapse_padding=True,
    )
    for place, name in enumerate(report.columns[skipped:]):
        table.add_column(name, footer="" if place else "total", no_wrap=True)
    for name, footer in zip(
        ("requests", *(meter.replace("_", " ") for meter in report.meters), cost),
        _cells(report, report.total),
        strict=True,
    ):
        table.add_column(name.replace(" ", "\n"), footer=footer, justify="right", no_wrap=True)
    for row in report.rows:
        names = (name.replace("[", r"\[") or "–" for name in row.group[skipped:])
        table.add_row(*names, *_cells(report, row))
    return table


def _cells(report: Report, row: UsageRow) -> list[str]:
    units = (f"{row.units.get(meter, 0):,}" for meter in METERS if meter in report.meters)
    return [f"{row.requests:,}", *units, shown_amount(row.cost)]
