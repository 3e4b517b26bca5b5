"""`foveal resource` and its commands."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options, settings_from
from foveal.resources.identity import identities, list_roles, set_identity
from foveal.resources.register import (
    add_resource,
    list_resources,
    load_kinds,
    remove_resource,
)

LATER = "A server that is running sees this within a second."


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def resource() -> None:
    """Resources of the data directory: Azure OpenAI, Computer Vision and multi-service ones.

    A fresh data directory has one multi-service resource, `local`, which needs no other. Vision enhancements
    of an OpenAI resource need a Computer Vision resource of tier S1 in the same region.

    \b
    Examples:
      foveal resource list
      foveal resource add my-vision --kind ComputerVision --region swedencentral
      foveal resource add my-openai --kind OpenAI --json
      foveal resource identity local on
      foveal resource remove my-vision
    """


@resource.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@setting_options("data")
def list_command(as_json: bool, **flags: Any) -> None:
    """List the resources with kind, region, tier and whether their managed identity is on.

    \b
    Examples:
      foveal resource list
      foveal resource list --json
    """
    with opened_database(flags, as_json) as database:
        found, on = list_resources(database), identities(database)
    if as_json:
        rows = [
            {"name": r.name, "kind": r.kind, "region": r.region, "tier": r.tier, "identity": r.name in on}
            for r in found
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table("name", "kind", "region", "tier", "identity")
    for one in found:
        table.add_row(one.name, one.kind, one.region, one.tier, "on" if one.name in on else "off")
    Console().print(table)


@resource.command("add")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(list(load_kinds())),
    default="ComputerVision",
    show_default=True,
    help="What it is.",
)
@click.option(
    "--region", metavar="REGION", help="Azure's name of a region; that of the first resource by default."
)
@click.option(
    "--tier", metavar="TIER", help="S0 (AIServices, OpenAI), S1 or F0 (ComputerVision; S1 by default)."
)
@click.option("--json", "as_json", is_flag=True, help="Print the resource and its keys as JSON.")
@setting_options("data")
def add_command(
    name: str, kind: str, region: str | None, tier: str | None, as_json: bool, **flags: Any
) -> None:
    """Make a resource and print its two keys, this once.

    \b
    Examples:
      foveal resource add my-vision
      foveal resource add free-vision --kind ComputerVision --tier F0
      foveal resource add my-openai --kind OpenAI --region westus
    """
    with opened_database(flags, as_json) as database:
        made, keys = add_resource(database, name, kind, region=region, tier=tier)
    if as_json:
        row = {"name": made.name, "kind": made.kind, "region": made.region, "tier": made.tier}
        click.echo(json.dumps({**row, "key1": keys[0], "key2": keys[1]}, indent=2))
        return
    click.echo(f"{made.kind} resource {made.name} ({made.region}, {made.tier})")
    for slot, key in enumerate(keys, start=1):
        click.echo(f"key {slot} (shown this once): {key}")
    click.echo(LATER)


@resource.command("remove")
@click.argument("name")
@setting_options("data", "blobs", "vectors")
def remove_command(name: str, **flags: Any) -> None:
    """Forget a resource with its keys, deployments, video indexes and uploaded files.

    \b
    Examples:
      foveal resource remove my-vision
    """
    # Imported here: no other of these commands has to do with videos.
    from foveal.cli.video_house import build

    with opened_database(flags) as database:
        remove_resource(database, name)
    with build(settings_from(flags), work=False) as house:
        house.sweep()
    click.echo(f"{name} is removed. {LATER}")


@resource.command("identity")
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]), metavar="on|off")
@setting_options("data")
def identity_command(name: str, state: str, **flags: Any) -> None:
    """Switch the managed identity of a resource on or off.

    With it, and with a role on a storage account (`foveal role assign`), the resource reads videos of that
    account without a SAS. A server that is running sees this at once.

    \b
    Examples:
      foveal resource identity local on
      foveal resource identity local off
    """
    with opened_database(flags) as database:
        set_identity(database, name, state == "on")
        accounts = sorted({row.account for row in list_roles(database) if row.resource == name})
    click.echo(f"The managed identity of {name} is {state}.")
    if state == "on" and accounts:
        click.echo(f"It has a role on: {', '.join(accounts)}")
    elif state == "on":
        click.echo("It has no role on any storage account yet: see `foveal role assign --help`.")
