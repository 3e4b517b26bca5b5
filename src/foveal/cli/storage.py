"""`foveal storage`: the storage accounts that managed identities may read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options
from foveal.errors import InvalidRequest
from foveal.resources.identity import add_storage_account, list_storage_accounts, remove_storage_account


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def storage() -> None:
    """Storage accounts of your own, whose blobs resources may read without a SAS.

    An account is added with its key; a resource reads its blobs when its identity is on and it has a role
    on the account. Foveal then signs each address for a short time, for reading that one blob. A server
    that is running sees every change at once.

    \b
    Examples:
      foveal storage add myvideos --key-file key.txt
      foveal resource identity local on
      foveal role assign local "Storage Blob Data Reader" --account myvideos
      foveal storage list
    """


@storage.command("add")
@click.argument("account")
@click.option(
    "--endpoint",
    metavar="URL",
    help="Address of its blobs; https://ACCOUNT.blob.core.windows.net by default.",
)
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File that holds the account's key; without it the key is read from the standard input.",
)
@click.option("--replace", is_flag=True, help="Give an account that is there already this key and endpoint.")
@setting_options("data")
def add_command(
    account: str, endpoint: str | None, key_file: Path | None, replace: bool, **flags: Any
) -> None:
    """Keep a storage account and its key (in the data directory's database, readable by you only).

    The key is never given as an argument: others on this machine could see it.

    \b
    Examples:
      foveal storage add myvideos --key-file key.txt
      az storage account keys list -n myvideos --query '[0].value' -o tsv | foveal storage add myvideos
      foveal storage add azurite --endpoint http://127.0.0.1:10000/azurite --key-file key.txt
    """
    key = _key(key_file)
    with opened_database(flags) as database:
        made = add_storage_account(database, account, key, endpoint=endpoint, replace=replace)
    click.echo(f"{made.name}: {made.endpoint}")


@storage.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@setting_options("data")
def list_command(as_json: bool, **flags: Any) -> None:
    """List the accounts with their addresses; keys are never shown.

    \b
    Examples:
      foveal storage list
      foveal storage list --json
    """
    with opened_database(flags, as_json) as database:
        found = list_storage_accounts(database)
    if as_json:
        click.echo(json.dumps([{"name": one.name, "endpoint": one.endpoint} for one in found], indent=2))
        return
    table = Table("name", "endpoint")
    for one in found:
        table.add_row(one.name, one.endpoint)
    Console().print(table)


@storage.command("remove")
@click.argument("account")
@setting_options("data")
def remove_command(account: str, **flags: Any) -> None:
    """Forget an account, its key and the roles on it. Nothing in the account itself is touched.

    \b
    Examples:
      foveal storage remove myvideos
    """
    with opened_database(flags) as database:
        remove_storage_account(database, account)
    click.echo(f"{account} is removed.")


def _key(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text("ascii").strip()
        except (OSError, ValueError):
            raise InvalidRequest(f"{file} cannot be read as a key") from None
    if sys.stdin.isatty():
        return str(click.prompt("Key of the account", hide_input=True)).strip()
    return sys.stdin.read().strip()
