"""`foveal media`: files that Foveal serves itself, at addresses with an expiring signature."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options, settings_from
from foveal.errors import Conflict, InvalidRequest, NotFound, SetupError
from foveal.resources.register import list_resources
from foveal.settings import Settings
from foveal.store.media import Media, MediaNotFound, MediaStore, open_media

_SPAN = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ANYWHERE = ("0.0.0.0", "::")  # what a server listens on, and nobody connects to


class Span(click.ParamType[timedelta]):
    """`30m`, `12h`, `7d`, `2w`."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = _SPAN.fullmatch(str(value).strip())
        if found is None or not 0 < int(found.group(1)) <= 10_000:
            self.fail(f"'{value}' is no time; examples: 30m, 12h, 7d, 2w", param, ctx)
        return timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})


expires_option = click.option(
    "--expires",
    type=Span(),
    default="7d",
    show_default=True,
    help="How long the URL works: 30m, 12h, 7d, 2w.",
)
base_option = click.option(
    "--base",
    metavar="URL",
    help="What the URL begins with; the setting base_url or this machine's own address by default.",
)
resource_option = click.option(
    "--resource", metavar="NAME", help="Whose files (see `foveal resource list`); the first by default."
)
data_options = setting_options("data", "blobs", "host", "port")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The uploaded files of one resource."""

    settings: Settings
    store: MediaStore
    resource: str

    def found(self, name: str) -> Media:
        try:
            return self.store.find(self.resource, name)
        except MediaNotFound:
            raise NotFound(
                f"there is no uploaded file '{name}' of {self.resource}; `foveal media list` shows them"
            ) from None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def media() -> None:
    """Videos for ingestions, without a cloud: upload a file, get a URL that expires.

    The URL works like one of a storage account with a SAS: it reads that one file, until it expires.
    `foveal serve` answers it. Each resource has files of its own.

    \b
    Examples:
      foveal media upload clip.mp4
      foveal media url clip.mp4 --expires 2h
      foveal media list --resource my-vision
      foveal media remove clip.mp4
    """


@media.command("upload")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--name", metavar="NAME", help="Name to keep the file under (of one file); its own by default.")
@click.option("--replace", is_flag=True, help="Replace a file of the same name.")
@expires_option
@base_option
@click.option("--json", "as_json", is_flag=True, help="Print names, sizes and URLs as JSON.")
@resource_option
@data_options
def upload_command(
    files: tuple[Path, ...],
    name: str | None,
    replace: bool,
    expires: timedelta,
    base: str | None,
    as_json: bool,
    resource: str | None,
    **flags: Any,
) -> None:
    """Keep files and print a URL for each.

    \b
    Examples:
      foveal media upload clip.mp4
      foveal media upload *.mp4 --expires 2w --json
      foveal media upload "street 1.mp4" --name street.mp4 --base https://foveal.example.com
    """
    if name is not None and len(files) > 1:
        raise InvalidRequest("--name is for one file", param="name")
    with _opened(flags, resource) as shelf:
        kept = _upload(shelf, [(name or file.name, file) for file in files], replace=replace)
        address = _base(base, shelf.settings)
        urls = {one.name: shelf.store.url(address, shelf.resource, one.name, expires) for one in kept}
    if as_json:
        click.echo(json.dumps([_row(one, urls[one.name]) for one in kept], indent=2))
        return
    for one in kept:
        click.echo(urls[one.name] if len(kept) == 1 else f"{one.name}: {urls[one.name]}")


@media.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@resource_option
@setting_options("data", "blobs")
def list_command(as_json: bool, resource: str | None, **flags: Any) -> None:
    """List the uploaded files of a resource.

    \b
    Examples:
      foveal media list
      foveal media list --resource my-vision --json
    """
    with _opened(flags, resource) as shelf:
        found = shelf.store.all(shelf.resource)
    if as_json:
        click.echo(json.dumps([_row(one) for one in found], indent=2))
        return
    table = Table("name", "MB", "uploaded")
    for one in found:
        uploaded = datetime.fromtimestamp(one.modified, UTC)
        table.add_row(one.name, f"{one.size / 1e6:,.1f}", f"{uploaded:%Y-%m-%d %H:%M} UTC")
    Console().print(table)
    if found:
        click.echo(f"{sum(one.size for one in found) / 1e6:,.1f} MB in {len(found)} files")


@media.command("url")
@click.argument("name")
@expires_option
@base_option
@resource_option
@data_options
def url_command(name: str, expires: timedelta, base: str | None, resource: str | None, **flags: Any) -> None:
    """Print a new URL of an uploaded file; earlier ones go on until they expire.

    \b
    Examples:
      foveal media url clip.mp4
      foveal media url clip.mp4 --expires 30m
    """
    with _opened(flags, resource) as shelf:
        found = shelf.found(name)
        click.echo(shelf.store.url(_base(base, shelf.settings), shelf.resource, found.name, expires))


@media.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@resource_option
@setting_options("data", "blobs")
def remove_command(names: tuple[str, ...], resource: str | None, **flags: Any) -> None:
    """Remove uploaded files; their URLs end. Documents that were made of them stay.

    \b
    Examples:
      foveal media remove clip.mp4
    """
    with _opened(flags, resource) as shelf:
        for name in names:
            shelf.found(name)
        for name in names:
            shelf.store.remove(shelf.resource, name)
            click.echo(f"{name} is removed.")


def _upload(shelf: Shelf, files: Sequence[tuple[str, Path]], *, replace: bool) -> list[Media]:
    """Keep files, with a bar for each on a terminal."""
    for _, file in files:
        if file.stat().st_size > shelf.store.max_bytes:
            most = shelf.store.max_bytes / 1e6
            raise InvalidRequest(f"{file} is larger than {most:,.0f} MB (FOVEAL_MAX_VIDEO)")
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    kept: list[Media] = []
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        for name, file in files:
            task = bars.add_task(name, total=file.stat().st_size)
            kept.append(_keep(shelf, name, file, replace, partial(bars.advance, task)))
    return kept


def _keep(shelf: Shelf, name: str, file: Path, replace: bool, told: Callable[[int], None]) -> Media:
    try:
        return shelf.store.add(shelf.resource, name, file, replace=replace, told=told)
    except Conflict as error:
        raise Conflict(f"{error.message}; --replace replaces it, --name gives this one another") from None


@contextmanager
def _opened(flags: Mapping[str, Any], wanted: str | None) -> Iterator[Shelf]:
    """The files of the resource of this name, in any letter case; of the first without one. Raises
    `SetupError`.
    """
    from foveal.store.object_blobs import open_blobs

    settings = settings_from(flags)
    with opened_database(flags, quiet=True) as database:
        names = [one.name for one in list_resources(database)]
        named = [one for one in names if wanted is None or one.lower() == wanted.lower()]
        if not named:
            raise SetupError(f"there is no resource '{wanted}'; there are {', '.join(names)}")
        blobs = open_blobs(settings.blobs or settings.data / "blobs")
        store = open_media(blobs, settings.data, database, max_bytes=settings.max_video)
        yield Shelf(settings, store, named[0])


def _base(given: str | None, settings: Settings) -> str:
    base = given or settings.base_url
    if base is not None:
        if not base.startswith(("http://", "https://")):
            raise InvalidRequest(f"'{base}' is no address: it begins with http:// or https://", param="base")
        return base
    host = "127.0.0.1" if settings.host in _ANYWHERE else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port or 8450}"


def _row(media: Media, url: str | None = None) -> dict[str, Any]:
    row = {"name": media.name, "size": media.size, "modified": _time(media.modified)}
    return row if url is None else {**row, "url": url}


def _time(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
