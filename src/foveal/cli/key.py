"""`foveal key`: the two keys of each resource."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options
from foveal.resources.keys import KeyLimit
from foveal.resources.register import limit_key, list_keys, regenerate_key


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def key() -> None:
    """Keys of resources: two each, so that one can be replaced while the other is in use.

    To rotate without downtime: move your programs to key 2, regenerate key 1, move them back.

    \b
    Examples:
      foveal key list
      foveal key regenerate local 1
      foveal key limit local 2 --tokens 20000 --requests 60
    """


@key.command("list")
@click.argument("resource", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@setting_options("data")
def list_command(resource: str | None, as_json: bool, **flags: Any) -> None:
    """List which keys there are and when they were made. The keys themselves are kept as hashes only.

    \b
    Examples:
      foveal key list
      foveal key list my-vision --json
    """
    with opened_database(flags, as_json) as database:
        rows = list_keys(database, resource)
    if as_json:
        made = [
            {
                "resource": row.resource,
                "key": row.slot,
                "created_at": row.created_at,
                "set_by": row.set_by,
                "tokens_per_minute": row.limit.tokens,
                "requests_per_minute": row.limit.requests,
            }
            for row in rows
        ]
        click.echo(json.dumps(made, indent=2))
        return
    table = Table("resource", "key", "made", "by", "tokens/min", "requests/min")
    for row in rows:
        when = datetime.fromtimestamp(row.created_at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        limits = (_shown(row.limit.tokens), _shown(row.limit.requests))
        table.add_row(row.resource, str(row.slot), when, row.set_by, *limits)
    Console().print(table)


@key.command("regenerate")
@click.argument("resource")
@click.argument("slot", type=click.IntRange(1, 2), metavar="1|2")
@setting_options("data")
def regenerate_command(resource: str, slot: int, **flags: Any) -> None:
    """Replace key 1 or key 2 of a resource; the other key goes on working.

    A server that is running sees this within a second.

    \b
    Examples:
      foveal key regenerate local 2
    """
    with opened_database(flags) as database:
        made = regenerate_key(database, resource, slot)
    click.echo(f"key {slot} of {resource} (shown this once): {made}")


@key.command("limit")
@click.argument("resource")
@click.argument("slot", type=click.IntRange(1, 2), metavar="1|2")
@click.option("--tokens", type=int, metavar="N", help="Tokens in a minute, of all deployments together.")
@click.option(
    "--requests", type=int, metavar="N", help="Requests in a minute, judged in slices of 10 seconds."
)
@setting_options("data")
def limit_command(resource: str, slot: int, tokens: int | None, requests: int | None, **flags: Any) -> None:
    """Give a key rate limits of its own, beside those of deployments; without a number it has none.

    \b
    Examples:
      foveal key limit local 2 --tokens 20000
      foveal key limit local 2
    """
    with opened_database(flags) as database:
        limit_key(database, resource, slot, KeyLimit(tokens, requests))
    click.echo(
        f"Key {slot} of {resource}: {_shown(tokens)} tokens and {_shown(requests)} requests in a minute."
    )


def _shown(limit: int | None) -> str:
    return "any" if limit is None else f"{limit:,}"
