"""Pulling models with a progress bar: for `foveal models pull` and `foveal serve --pull`."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from foveal.models.pull import PullPlan, pull
from foveal.models.store import ModelStore


def pull_with_progress(store: ModelStore, names: Sequence[str], plan: PullPlan) -> None:
    """Fetch what is missing of `names`, with bars on a terminal and a line per file elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
                if not console.is_terminal:
                    click.echo(f"{name}: fetching {total / 1e6:,.0f} MB …", err=True)
            bars.update(tasks[name], completed=done)

        pulled = pull(store, names, plan, progress)
    for one in pulled:
        click.echo(f"{one.name}: {'already there' if one.source is None else f'from {one.source}'}")
