"""`foveal deployment` and its commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options
from foveal.errors import InvalidRequest
from foveal.resources.deployment_register import (
    ENGINES,
    PARITIES,
    UPGRADES,
    DeploymentRow,
    find_deployment,
    list_deployments,
    no_such_deployment,
    put_deployment,
    remove_deployment,
    upgrade_deployment,
)

_resource = click.option(
    "--resource", default="local", show_default=True, metavar="NAME", help="Resource that it belongs to."
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def deployment() -> None:
    """Deployments: names under which a resource offers a model version.

    A server that is running sees every change within a second.

    \b
    Examples:
      foveal deployment list
      foveal deployment create my-vision --version vision-preview --capacity 30
      foveal deployment update my-vision --capacity 60 --parity relaxed
      foveal deployment upgrade my-vision
      foveal deployment delete my-vision
    """


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What `create` and `update` take."""
    for option in reversed(
        (
            click.option("--model", metavar="NAME", help="gpt-4."),
            click.option("--version", metavar="VERSION", help="Model version, such as vision-preview."),
            click.option("--sku", metavar="SKU", help="Standard or ProvisionedManaged."),
            click.option(
                "--capacity", type=int, help="Thousands of tokens per minute; of ProvisionedManaged, PTUs."
            ),
            click.option(
                "--engine",
                type=click.Choice([*ENGINES, "default"]),
                help="What writes the answers; default: as the setting says.",
            ),
            click.option(
                "--upgrade", type=click.Choice(UPGRADES), help="When the version moves on by itself."
            ),
            click.option(
                "--parity",
                type=click.Choice(PARITIES),
                help="What it may do: what Azure's model version could, or (relaxed) what its engine can.",
            ),
        )
    ):
        command = option(command)
    return command


@deployment.command("list")
@_resource
@_as_json
@setting_options("data")
def list_command(resource: str, as_json: bool, **flags: Any) -> None:
    """List the deployments of a resource.

    \b
    Examples:
      foveal deployment list
      foveal deployment list --resource my-openai --json
    """
    with opened_database(flags, as_json) as database:
        rows = list_deployments(database, resource)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    elif rows:
        _show(rows)
    else:
        click.echo(f"{resource} has no deployments: see `foveal deployment create --help`.")


@deployment.command("create")
@click.argument("name")
@_options
@_resource
@_as_json
@setting_options("data")
def create_command(name: str, resource: str, as_json: bool, **given: Any) -> None:
    """Make a deployment, where the region has the model version and within its quota.

    \b
    Examples:
      foveal deployment create my-vision
      foveal deployment create provisioned --version turbo-2024-04-09 --sku ProvisionedManaged --capacity 100
      foveal deployment create tools --parity relaxed --engine openai
    """
    with opened_database(_flags(given), as_json) as database:
        if find_deployment(database, resource, name) is not None:
            raise InvalidRequest(
                f"there is a deployment '{name}' already; `foveal deployment update` changes it"
            )
        row, _ = put_deployment(database, resource, _changed(DeploymentRow(name, capacity=10), given))
    _tell(row, as_json)


@deployment.command("update")
@click.argument("name")
@_options
@_resource
@_as_json
@setting_options("data")
def update_command(name: str, resource: str, as_json: bool, **given: Any) -> None:
    """Change what is named and leave the rest.

    \b
    Examples:
      foveal deployment update gpt-4v --capacity 500
      foveal deployment update gpt-4-turbo --parity relaxed
      foveal deployment update gpt-4v --upgrade OnceCurrentVersionExpired
    """
    with opened_database(_flags(given), as_json) as database:
        known = find_deployment(database, resource, name)
        if known is None:
            raise no_such_deployment(resource, name)
        row, _ = put_deployment(database, resource, _changed(known, given))
    _tell(row, as_json)


@deployment.command("upgrade")
@click.argument("name")
@click.option("--version", metavar="VERSION", help="The version to move to; by default the one that follows.")
@_resource
@_as_json
@setting_options("data")
def upgrade_command(name: str, version: str | None, resource: str, as_json: bool, **flags: Any) -> None:
    """Move a deployment to a newer model version; its name and the keys stay.

    turbo-2024-04-09, which follows the three previews, has no Vision enhancements.

    \b
    Examples:
      foveal deployment upgrade gpt-4v
      foveal deployment upgrade gpt-4v --version turbo-2024-04-09
    """
    with opened_database(flags, as_json) as database:
        row = upgrade_deployment(database, resource, name, version)
    _tell(row, as_json)


@deployment.command("delete")
@click.argument("name")
@_resource
@setting_options("data")
def delete_command(name: str, resource: str, **flags: Any) -> None:
    """Remove a deployment; requests for it get 404 then.

    \b
    Examples:
      foveal deployment delete my-vision
    """
    with opened_database(flags) as database:
        remove_deployment(database, resource, name)
    click.echo(f"The deployment {name} of {resource} is deleted.")


_FIELDS = ("model", "version", "sku", "capacity", "engine", "upgrade", "parity")


def _flags(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in _FIELDS}


def _changed(row: DeploymentRow, given: dict[str, Any]) -> DeploymentRow:
    changes = {name: given[name] for name in _FIELDS if given[name] is not None}
    if changes.get("engine") == "default":
        changes["engine"] = None
    return replace(row, **changes)


def _tell(row: DeploymentRow, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(row), indent=2))
    else:
        _show([row])


def _show(rows: Sequence[DeploymentRow]) -> None:
    table = Table("name", "model", "version", "sku", "capacity", "engine", "filter", "upgrade", "parity")
    for row in rows:
        table.add_row(
            row.name,
            row.model,
            row.version,
            row.sku,
            f"{row.capacity:,}",
            row.engine or "default",
            row.content_filter or "default",
            row.upgrade,
            row.parity,
        )
    Console().print(table)
