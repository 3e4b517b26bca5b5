"""`foveal content-filter`: configurations of the content filter, and which deployment has which."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options
from foveal.errors import InvalidRequest
from foveal.resources.content_filters import DETECTIONS, FILTERED, THRESHOLDS, StoredFilter, StoredSide
from foveal.resources.filter_register import (
    FilterRow,
    attach_filter,
    list_filters,
    put_filter,
    remove_filter,
)

_RESTART = "A server that is running sees this within a second."

_resource = click.option("--resource", default="local", show_default=True, help="Resource that it is of.")


@click.group("content-filter", context_settings={"help_option_names": ["-h", "--help"]})
def content_filter() -> None:
    """Configurations of the content filter: from which severity on contents are filtered.

    The configuration `default` filters all four categories from medium on, in prompts and answers, as
    Azure's does. Deployments have it until another is attached to them.

    \b
    Examples:
      foveal content-filter put strict --prompt hate=low,violence=low --completion sexual=low
      foveal content-filter put guarded --prompt jailbreak=filter --blocklist competitors
      foveal content-filter attach strict gpt-4v
      foveal content-filter list
    """


@content_filter.command("list")
@_resource
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@setting_options("data")
def list_command(resource: str, as_json: bool, **flags: Any) -> None:
    """List the configurations of a resource.

    \b
    Examples:
      foveal content-filter list
      foveal content-filter list --resource vision-test --json
    """
    with opened_database(flags, as_json) as database:
        found = list_filters(database, resource)
    if as_json:
        click.echo(json.dumps([_json(one) for one in found], indent=2))
        return
    table = Table("name", "prompt", "completion", "streaming", "deployments")
    for one in found:
        stored = one.configuration
        table.add_row(
            one.name,
            _told(stored.prompt),
            _told(stored.completion),
            stored.streaming,
            ", ".join(one.deployments),
        )
    Console().print(table)


@content_filter.command("put")
@click.argument("name")
@click.option("--prompt", default="", metavar="NAME=VALUE,…", help="What holds for prompts.")
@click.option("--completion", default="", metavar="NAME=VALUE,…", help="What holds for answers.")
@click.option(
    "--blocklist", "blocklists", multiple=True, help="Blocklist for both directions; may be repeated."
)
@click.option(
    "--asynchronous",
    is_flag=True,
    help="Streamed text is sent at once and judged afterwards; what is harmful may be seen for a moment.",
)
@_resource
@setting_options("data")
def put_command(
    name: str,
    prompt: str,
    completion: str,
    blocklists: tuple[str, ...],
    asynchronous: bool,
    resource: str,
    **flags: Any,
) -> None:
    """Make a configuration, or change it.

    NAME=VALUE: hate, sexual, violence and self_harm are filtered from low, medium or high on, or not at all
    (off); what is not named has medium. profanity and, for prompts, jailbreak are off, annotate or filter.

    \b
    Examples:
      foveal content-filter put strict --prompt hate=low,violence=low --completion sexual=low
      foveal content-filter put guarded --prompt jailbreak=filter,profanity=annotate
      foveal content-filter put quick --asynchronous
    """
    stored = StoredFilter(
        _side(prompt, blocklists, "--prompt"),
        _side(completion, blocklists, "--completion"),
        "asynchronous" if asynchronous else "default",
    )
    with opened_database(flags) as database:
        put_filter(database, resource, name, stored)
    click.echo(f"The content filter {name} of {resource} is written. {_RESTART}")


@content_filter.command("attach")
@click.argument("name")
@click.argument("deployment")
@_resource
@setting_options("data")
def attach_command(name: str, deployment: str, resource: str, **flags: Any) -> None:
    """Give a deployment a configuration; `default` takes its own away.

    \b
    Examples:
      foveal content-filter attach strict gpt-4v
      foveal content-filter attach default gpt-4v
    """
    with opened_database(flags) as database:
        attach_filter(database, resource, name, deployment)
    click.echo(f"The deployment {deployment} of {resource} has the content filter {name}. {_RESTART}")


@content_filter.command("remove")
@click.argument("name")
@_resource
@setting_options("data")
def remove_command(name: str, resource: str, **flags: Any) -> None:
    """Remove a configuration that no deployment has.

    \b
    Examples:
      foveal content-filter remove strict
    """
    with opened_database(flags) as database:
        remove_filter(database, resource, name)
    click.echo(f"The content filter {name} of {resource} is removed.")


def _side(text: str, blocklists: Sequence[str], option: str) -> StoredSide:
    values: dict[str, object] = {"blocklists": tuple(blocklists)}
    for item in filter(None, (one.strip() for one in text.split(","))):
        name, _, value = item.partition("=")
        name, value = name.strip().lower().replace("-", "_"), value.strip().lower()
        allowed: Sequence[str] = THRESHOLDS if name in FILTERED else DETECTIONS
        if name not in (*FILTERED, "profanity", "jailbreak"):
            raise InvalidRequest(
                f"{option}: '{name[:40]}' is not one of {', '.join(FILTERED)}, profanity, jailbreak"
            )
        if value not in allowed:
            raise InvalidRequest(f"{option}: {name} is one of {', '.join(allowed)}, not '{value[:40]}'")
        values[name] = value
    return msgspec.convert(values, StoredSide)


def _told(side: StoredSide) -> str:
    """What differs from the default, in the words of `put`."""
    usual = StoredSide()
    names = (*FILTERED, "profanity", "jailbreak")
    other = [f"{name}={getattr(side, name)}" for name in names if getattr(side, name) != getattr(usual, name)]
    return " ".join([*other, *(f"blocklist {name}" for name in side.blocklists)]) or "medium"


def _json(row: FilterRow) -> dict[str, Any]:
    return {
        "name": row.name,
        **msgspec.to_builtins(row.configuration),
        "deployments": list(row.deployments),
    }
