"""`foveal quota`: how much capacity the deployments of a region may have."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options
from foveal.resources.quotas import list_quotas, set_quota
from foveal.resources.register import list_resources


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def quota() -> None:
    """Quotas of regions, in thousands of tokens per minute.

    Azure's defaults hold until you grant more; the region of the first resource starts with plenty.

    \b
    Examples:
      foveal quota list
      foveal quota set GPT-4-Turbo-V westus 300
    """


@quota.command("list")
@click.option("--region", metavar="REGION", help="One region; by default those of your resources.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@setting_options("data")
def list_command(region: str | None, as_json: bool, **flags: Any) -> None:
    """List the quotas with what deployments use of them.

    \b
    Examples:
      foveal quota list
      foveal quota list --region eastus --json
    """
    with opened_database(flags, as_json) as database:
        regions = dict.fromkeys([region] if region else [one.region for one in list_resources(database)])
        rows = [row for one in regions for row in list_quotas(database, one)]
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    if not rows:
        click.echo("No model version is available there; example: foveal quota list --region swedencentral")
        return
    table = Table("region", "quota", "used", "limit")
    for row in rows:
        table.add_row(row.region, row.name, f"{row.used:,}", f"{row.limit:,}")
    Console().print(table)


@quota.command("set")
@click.argument("name")
@click.argument("region")
@click.argument("limit")
@setting_options("data")
def set_command(name: str, region: str, limit: str, **flags: Any) -> None:
    """Grant a quota: LIMIT thousands of tokens per minute, or `default` for Azure's own.

    \b
    Examples:
      foveal quota set GPT-4-Turbo-V westus 300
      foveal quota set GPT-4-Turbo-V westus default
    """
    if limit != "default" and not limit.isdecimal():
        raise click.BadParameter(f"'{limit}' is neither a whole number nor 'default'", param_hint="LIMIT")
    with opened_database(flags) as database:
        set_quota(database, name, region, None if limit == "default" else int(limit))
        (now,) = (row for row in list_quotas(database, region) if row.name == name)
    click.echo(f"{name} in {region}: {now.used:,} of {now.limit:,} used.")
