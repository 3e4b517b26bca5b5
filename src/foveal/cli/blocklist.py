"""`foveal blocklist`: words and patterns of the operator's own that the content filter finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options
from foveal.errors import InvalidRequest
from foveal.resources.content_filters import Blocklist
from foveal.resources.filter_register import list_blocklists, put_blocklist, remove_blocklist

_resource = click.option("--resource", default="local", show_default=True, help="Resource that it is of.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def blocklist() -> None:
    """Blocklists: terms and patterns of your own.

    A configuration of the content filter names the lists that hold for it (`foveal content-filter put
    --blocklist`); a text in which something of them stands is filtered.

    \b
    Examples:
      foveal blocklist put competitors "Contoso" "Northwind Traders"
      foveal blocklist put numbers --pattern "[0-9]{4}-[0-9]{4}-[0-9]{4}"
      foveal blocklist list
    """


@blocklist.command("put")
@click.argument("name")
@click.argument("terms", nargs=-1)
@click.option(
    "--pattern", "patterns", multiple=True, help="Regular expression (RE2's syntax); may be repeated."
)
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with a term on each line.",
)
@_resource
@setting_options("data")
def put_command(
    name: str,
    terms: tuple[str, ...],
    patterns: tuple[str, ...],
    file: Path | None,
    resource: str,
    **flags: Any,
) -> None:
    """Make a blocklist, or put it in the place of the one of that name.

    Terms are found as whole words, whatever their case.

    \b
    Examples:
      foveal blocklist put competitors "Contoso" "Northwind Traders"
      foveal blocklist put words --file words.txt
      foveal blocklist put numbers --pattern "[0-9]{4}-[0-9]{4}-[0-9]{4}"
    """
    from foveal.safety.blocklists import compile_pattern

    for pattern in patterns:
        compile_pattern(pattern)
    entries = [*terms, *(_lines(file) if file is not None else ())]
    with opened_database(flags) as database:
        put_blocklist(database, resource, Blocklist(name, tuple(dict.fromkeys(entries)), patterns))
    click.echo(
        f"The blocklist {name} of {resource} is written. A server that is running sees this within a second."
    )


@blocklist.command("list")
@_resource
@click.option("--json", "as_json", is_flag=True, help="Print the lists, with all entries, as JSON.")
@setting_options("data")
def list_command(resource: str, as_json: bool, **flags: Any) -> None:
    """List the blocklists of a resource.

    \b
    Examples:
      foveal blocklist list
      foveal blocklist list --json
    """
    with opened_database(flags, as_json) as database:
        found = list_blocklists(database, resource)
    if as_json:
        rows = [{"name": one.name, "terms": list(one.terms), "patterns": list(one.patterns)} for one in found]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table("name", "terms", "patterns")
    for one in found:
        table.add_row(one.name, str(len(one.terms)), str(len(one.patterns)))
    Console().print(table)


@blocklist.command("remove")
@click.argument("name")
@_resource
@setting_options("data")
def remove_command(name: str, resource: str, **flags: Any) -> None:
    """Remove a blocklist that no configuration names.

    \b
    Examples:
      foveal blocklist remove competitors
    """
    with opened_database(flags) as database:
        remove_blocklist(database, resource, name)
    click.echo(f"The blocklist {name} of {resource} is removed.")


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file}: cannot be read as UTF-8 text: {error}", param="file") from None
    return [line.strip() for line in text.splitlines() if line.strip()]
