"""`foveal role`: what the managed identities of resources may read."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options
from foveal.resources.identity import assign_role, identities, list_roles, remove_role


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def role() -> None:
    """Roles of the managed identities of resources, on storage accounts.

    A server that is running sees every change at once.

    \b
    Examples:
      foveal role assign local "Storage Blob Data Reader" --account myvideos
      foveal role list
      foveal role remove local "Storage Blob Data Reader" --account myvideos
    """


@role.command("assign")
@click.argument("resource")
@click.argument("role_name", metavar="ROLE")
@click.option("--account", required=True, metavar="ACCOUNT", help="Storage account that it is a role on.")
@setting_options("data")
def assign_command(resource: str, role_name: str, account: str, **flags: Any) -> None:
    """Let the identity of a resource read the blobs of a storage account.

    \b
    Examples:
      foveal role assign local "Storage Blob Data Reader" --account myvideos
    """
    with opened_database(flags) as database:
        made = assign_role(database, resource, role_name, account)
        on = resource in identities(database)
    click.echo(f"{made.resource} has the role {made.role} on {made.account}.")
    if not on:
        click.echo(f"Its managed identity is off: `foveal resource identity {resource} on` switches it on.")


@role.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@setting_options("data")
def list_command(as_json: bool, **flags: Any) -> None:
    """List who has which role on which account.

    \b
    Examples:
      foveal role list
      foveal role list --json
    """
    with opened_database(flags, as_json) as database:
        found = list_roles(database)
    if as_json:
        rows = [{"resource": one.resource, "role": one.role, "account": one.account} for one in found]
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table("resource", "role", "account")
    for one in found:
        table.add_row(one.resource, one.role, one.account)
    Console().print(table)


@role.command("remove")
@click.argument("resource")
@click.argument("role_name", metavar="ROLE")
@click.option("--account", required=True, metavar="ACCOUNT", help="Storage account that it is a role on.")
@setting_options("data")
def remove_command(resource: str, role_name: str, account: str, **flags: Any) -> None:
    """Take a role away again.

    \b
    Examples:
      foveal role remove local "Storage Blob Data Reader" --account myvideos
    """
    with opened_database(flags) as database:
        remove_role(database, resource, role_name, account)
    click.echo(f"{resource} has no longer the role {role_name} on {account}.")
