"""`foveal index` and its commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.cli.options import setting_options, settings_from
from foveal.cli.video_house import (
    HOUSE_SETTINGS,
    VideoHouse,
    json_option,
    length,
    open_house,
    plain,
    resource_option,
    show_json,
    size,
)
from foveal.errors import SetupError
from foveal.http.relaxed import read_relaxed
from foveal.http.retrieval_form import read_new_index
from foveal.http.retrieval_json import index_json
from foveal.video.retrieval.indexes import Holdings, Index, IndexNotFound

_PAGE = 1000


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def index() -> None:
    """Video indexes: what videos are put into, to be searched and talked about.

    \b
    Examples:
      foveal index create my-video-index
      foveal index create cameras --field cameraId:string:filterable --field timestamp:datetime:filterable
      foveal index ls
      foveal index show my-video-index
      foveal index rm my-video-index
    """


@index.command("create")
@click.argument("name")
@click.option(
    "--schema",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="JSON with the fields of the documents' metadata, as the API takes it.",
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME:TYPE[:filterable][:searchable]",
    help="A field of the documents' metadata, of type string or datetime; may be given several times.",
)
@click.option(
    "--feature",
    "features",
    multiple=True,
    default=("vision", "speech"),
    show_default=True,
    metavar="vision|speech",
    help="What is understood of a video; may be given several times. vision:surveillance names a domain.",
)
@json_option
@resource_option
@setting_options(*HOUSE_SETTINGS)
def create_command(
    name: str,
    schema: Path | None,
    fields: tuple[str, ...],
    features: tuple[str, ...],
    as_json: bool,
    resource: str | None,
    **flags: Any,
) -> None:
    """Make an index.

    \b
    Examples:
      foveal index create my-video-index
      foveal index create silent --feature vision
      foveal index create cameras --field cameraId:string:filterable --field place:string:searchable
      foveal index create cameras --schema fields.json
    """
    body: dict[str, Any] = {"features": [_feature(text) for text in features]}
    if schema is not None and fields:
        raise click.UsageError("--schema and --field say the same: give one of them")
    if schema is not None:
        given = read_relaxed(schema.read_bytes())
        body["metadataSchema"] = given.get("metadataSchema", given)
    if fields:
        body["metadataSchema"] = {"fields": [_field(text) for text in fields]}
    with open_house(settings_from(flags), resource) as (house, owner):
        made, new = house.indexes.create(owner, name, read_new_index(body, house.contract))
    if as_json:
        show_json(index_json(made))
    else:
        click.echo(f"index {made.name} is made" if new else f"index {made.name} is there already, the same")


@index.command("ls")
@json_option
@resource_option
@setting_options(*HOUSE_SETTINGS)
def list_command(as_json: bool, resource: str | None, **flags: Any) -> None:
    """List the indexes with what they hold.

    \b
    Examples:
      foveal index ls
      foveal index ls --json
    """
    with open_house(settings_from(flags), resource) as (house, owner):
        found = [(one, house.indexes.holdings(owner, one.name)) for one in _all(house, owner)]
    if as_json:
        show_json([_json(one, held) for one, held in found])
        return
    table = Table("index", "understands", "videos", "length", "frames", "disk")
    for one, held in found:
        table.add_row(
            one.name,
            ", ".join(feature.name for feature in one.features),
            f"{held.documents}",
            length(held.duration),
            f"{held.frames:,}",
            size(held.size),
        )
    Console().print(table)


@index.command("show")
@click.argument("name")
@json_option
@resource_option
@setting_options(*HOUSE_SETTINGS)
def show_command(name: str, as_json: bool, resource: str | None, **flags: Any) -> None:
    """Show an index: its features and metadata, how many videos and hours it holds, its disk use.

    \b
    Examples:
      foveal index show my-video-index
      foveal index show my-video-index --json
    """
    with open_house(settings_from(flags), resource) as (house, owner):
        one, held = house.indexes.get(owner, name), house.indexes.holdings(owner, name)
    if as_json:
        show_json(_json(one, held))
        return
    console = Console(highlight=False)
    console.print(f"[bold]{one.name}[/] of resource {plain(owner)}")
    console.print("understands: " + ", ".join(f"{row.name} ({row.domain})" for row in one.features))
    console.print(f"videos: {held.documents}, {held.duration / 3600:.2f} hours")
    console.print(f"frames: {held.frames:,}, segments of speech: {held.segments:,}")
    console.print(f"disk: {size(held.size)} of frames and thumbnails")
    if one.schema is not None:
        table = Table("field", "type", "searchable", "filterable", title="Metadata", title_justify="left")
        for field in one.schema.fields:
            table.add_row(plain(field.name), field.type, _yes(field.searchable), _yes(field.filterable))
        console.print(table)


@index.command("rm")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@resource_option
@setting_options(*HOUSE_SETTINGS)
def remove_command(name: str, yes: bool, resource: str | None, **flags: Any) -> None:
    """Delete an index with its videos' frames, thumbnails and transcripts.

    \b
    Examples:
      foveal index rm my-video-index
      foveal index rm my-video-index --yes
    """
    with open_house(settings_from(flags), resource) as (house, owner):
        held = house.indexes.holdings(owner, name)
        if not yes and held.documents and sys.stdin.isatty():
            click.confirm(f"Delete {name} with {held.documents} videos?", abort=True)
        if not house.indexes.delete(owner, name):  # somebody was quicker
            raise IndexNotFound(f"The index '{name}' does not exist.")
    click.echo(f"{name} is deleted ({held.documents} videos, {size(held.size)})")


def _all(house: VideoHouse, owner: str) -> list[Index]:
    found: list[Index] = []
    while True:
        page = house.indexes.list(owner, len(found), _PAGE)
        found += page.rows
        if not page.more:
            return found


def _json(index: Index, held: Holdings) -> dict[str, Any]:
    """As the API gives it, and what it holds."""
    holds = {
        "documents": held.documents,
        "frames": held.frames,
        "segments": held.segments,
        "seconds": held.duration,
        "bytes": held.size,
    }
    return {**index_json(index), "holds": holds}


def _feature(text: str) -> dict[str, str]:
    name, _, domain = text.partition(":")
    return {"name": name, "domain": domain} if domain else {"name": name}


def _field(text: str) -> dict[str, Any]:
    """`cameraId:string:filterable` as the API's JSON."""
    name, *rest = text.split(":")
    kind, *flags = rest or ["string"]
    for flag in flags:
        if flag.lower() not in ("filterable", "searchable"):
            raise SetupError(f"--field {text}: '{flag}' is neither filterable nor searchable")
    lowered = [flag.lower() for flag in flags]
    return {
        "name": name,
        "type": kind,
        "searchable": "searchable" in lowered,
        "filterable": "filterable" in lowered,
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"
