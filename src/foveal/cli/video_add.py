"""`foveal video add`, `watch`, `cancel` and `rm`: what changes an index, and how far it is."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from foveal.cli.options import setting_options, settings_from
from foveal.cli.video_house import (
    HOUSE_SETTINGS,
    VideoHouse,
    index_option,
    json_option,
    named_values,
    open_house,
    plain,
    resource_option,
    show_json,
)
from foveal.errors import FovealError, NotFound, SetupError
from foveal.http.retrieval_json import ingestion_json
from foveal.settings import Settings
from foveal.video.retrieval.indexes import IndexNotFound
from foveal.video.retrieval.ingestion_request import IngestionOptions, NewIngestion, VideoRequest
from foveal.video.retrieval.ingestion_state import FileStatus, Ingestion

_PAUSE = 0.3  # seconds between two looks at how far it is
_GOES_ON = "the work goes on when a server runs on this data directory, or with `foveal video watch {name}`"


@click.command("add")
@click.argument("sources", nargs=-1, required=True, metavar="FILE|URL...")
@index_option
@click.option("--id", "document_id", metavar="ID", help="Id of the document; the file's name by default.")
@click.option(
    "--metadata",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Metadata of the videos; may be given several times.",
)
@click.option("--no-speech", is_flag=True, help="Do not listen to the videos.")
@click.option("--drop-defective", is_flag=True, help="Leave out frames that are black or blurred.")
@click.option("--moderation", is_flag=True, help="Leave out frames that are sexual or violent.")
@click.option("--managed-identity", is_flag=True, help="Ask the storage account as the resource's identity.")
@click.option("--watch/--no-watch", default=True, show_default=True, help="Wait, with a progress bar.")
@click.option("--name", metavar="INGESTION", help="Name of the ingestion; made up by default.")
@json_option
@resource_option
@setting_options(*HOUSE_SETTINGS)
def add_command(
    sources: tuple[str, ...],
    index_name: str,
    document_id: str | None,
    metadata: tuple[str, ...],
    no_speech: bool,
    drop_defective: bool,
    moderation: bool,
    managed_identity: bool,
    watch: bool,
    name: str | None,
    as_json: bool,
    resource: str | None,
    **flags: Any,
) -> None:
    """Add videos to an index: files of this machine, or http(s) URLs such as those of a blob storage.

    A server that runs on the same data directory does the work; without one this command does it itself.
    Ctrl-C leaves it as it is: what was done is kept, and whoever comes next goes on. Exits with 1 when a
    video failed.

    \b
    Examples:
      foveal video add clip.mp4 --index my-video-index
      foveal video add *.mp4 --index cameras --metadata cameraId=camera1
      foveal video add "https://account.blob.core.windows.net/videos/a.mp4?SAS" --index cameras --id a
      foveal video add clip.mp4 --index my-video-index --no-watch --name night-shift
    """
    if document_id is not None and len(sources) > 1:
        raise click.UsageError("--id names one video, but there are several")
    values = named_values(metadata, "--metadata")
    _check_files(sources)
    settings = settings_from(flags)
    with open_house(settings, resource, work=watch) as (house, owner):
        _check_index(house, owner, index_name)
        copies = {source: _copy(house, owner, Path(source)) for source in sources if not _is_url(source)}
        urls = {source: house.media.url(_here(settings), owner, copy) for source, copy in copies.items()}
        videos = tuple(
            VideoRequest("add", document_id or _default_id(one), urls.get(one, one), values or None)
            for one in sources
        )
        options = IngestionOptions(
            filter_defected_frames=drop_defective,
            managed_identity=managed_identity,
            moderation=moderation,
            speech=False if no_speech else None,
        )
        made = house.ingestions.create(
            owner, index_name, name or _made_up("add"), NewIngestion(videos, options)
        )
        ended = made
        if watch:
            ended = _follow(house, owner, index_name, made)
            for copy in copies.values():  # its frames are kept; the video itself nobody needs any more
                with suppress(NotFound):
                    house.media.remove(owner, copy)
    _tell(ended, as_json)


@click.command("watch")
@click.argument("ingestion", metavar="INGESTION")
@index_option
@json_option
@resource_option
@setting_options(*HOUSE_SETTINGS)
def watch_command(ingestion: str, index_name: str, as_json: bool, resource: str | None, **flags: Any) -> None:
    """Watch an ingestion until it is over, and go on with it where no server does.

    \b
    Examples:
      foveal video watch my-ingestion --index my-video-index
    """
    with open_house(settings_from(flags), resource, work=True) as (house, owner):
        ended = _follow(house, owner, index_name, house.ingestions.get(owner, index_name, ingestion))
    _tell(ended, as_json)


@click.command("cancel")
@click.argument("ingestion", metavar="INGESTION")
@index_option
@resource_option
@setting_options(*HOUSE_SETTINGS)
def cancel_command(ingestion: str, index_name: str, resource: str | None, **flags: Any) -> None:
    """Stop an ingestion. Videos that were added before stay.

    \b
    Examples:
      foveal video cancel my-ingestion --index my-video-index
    """
    with open_house(settings_from(flags), resource) as (house, owner):
        found = house.ingestions.get(owner, index_name, ingestion)
        if found.state != "Running":
            click.echo(f"{found.name} is over already: {found.state}")
            return
        house.ingestions.cancel(owner, index_name, ingestion)
    click.echo(f"{found.name} is cancelled")


@click.command("rm")
@click.argument("documents", nargs=-1, required=True, metavar="ID...")
@index_option
@resource_option
@setting_options(*HOUSE_SETTINGS)
def remove_command(documents: tuple[str, ...], index_name: str, resource: str | None, **flags: Any) -> None:
    """Remove videos from an index, with their frames, thumbnails and transcripts.

    \b
    Examples:
      foveal video rm clip --index my-video-index
    """
    wanted = tuple(VideoRequest("remove", one) for one in dict.fromkeys(documents))
    with open_house(settings_from(flags), resource, work=True) as (house, owner):
        for one in wanted:  # told before anything is removed
            house.documents.get(owner, index_name, str(one.document_id))
        made = house.ingestions.create(owner, index_name, _made_up("remove"), NewIngestion(wanted))
        ended = _wait(house, owner, index_name, made)
        house.ingestions.cancel(owner, index_name, made.name)  # it is over: nobody needs its record
    for file in ended.files or ():
        if file.error is not None:
            raise FovealError(f"{file.document_id}: {file.error['message']}")
        click.echo(f"{file.document_id} is removed")


def _check_files(sources: Sequence[str]) -> None:
    for source in sources:
        if not _is_url(source) and not Path(source).is_file():
            raise SetupError(f"there is no file {source}")


def _check_index(house: VideoHouse, owner: str, index: str) -> None:
    """Before anything is copied."""
    try:
        house.indexes.get(owner, index)
    except IndexNotFound as error:
        raise IndexNotFound(f"{error.message} `foveal index create {index}` makes it.") from None


def _is_url(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def _default_id(source: str) -> str:
    """The name of the file without its ending."""
    path = unquote(urlsplit(source).path) if _is_url(source) else Path(source).name
    return PurePosixPath(path).stem or "video"


def _copy(house: VideoHouse, owner: str, file: Path) -> str:
    """The name under which a file is kept with the uploaded media: one that no other has."""
    name = f"{file.stem[:150].replace('#', '_')}-{uuid.uuid4().hex[:8]}{file.suffix[:20]}"
    with Console(stderr=True).status(f"Copying {plain(file.name)} …"):
        house.media.add(owner, name, file)
    return name


def _here(settings: Settings) -> str:
    """The worker knows its own addresses and reads the file where it lies."""
    return f"http://127.0.0.1:{settings.port}"


def _made_up(what: str) -> str:
    return f"{what}-{datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"


def _follow(house: VideoHouse, owner: str, index: str, ingestion: Ingestion) -> Ingestion:
    """Show how far it is until it is over; Ctrl-C ends the watching, not the work."""
    console = Console(stderr=True)
    try:
        with _bars(console, ingestion) as show:
            return _wait(house, owner, index, ingestion, show)
    except KeyboardInterrupt:
        click.echo(_GOES_ON.format(name=f"{ingestion.name} --index {index}"), err=True)
        raise


class _Show:
    """A bar a video on a terminal; elsewhere a line whenever a video begins another step."""

    def __init__(self, console: Console, bars: Progress) -> None:
        self._lines = not console.is_terminal
        self._bars = bars
        self._tasks: dict[int, TaskID] = {}
        self._said: dict[int, str] = {}

    def __call__(self, files: Sequence[FileStatus]) -> None:
        for at, file in enumerate(files):
            step = _step(file)
            if at not in self._tasks:
                self._tasks[at] = self._bars.add_task(plain(file.document_id), total=1.0, step=step)
            self._bars.update(self._tasks[at], completed=file.progress, step=step)
            if self._lines and self._said.get(at) != step:
                click.echo(f"{file.document_id}: {step}", err=True)
            self._said[at] = step


@contextmanager
def _bars(console: Console, ingestion: Ingestion) -> Iterator[_Show]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[step]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        show = _Show(console, bars)
        show(ingestion.files or ())
        yield show


def _step(file: FileStatus) -> str:
    match file.state:
        case "NotStarted":
            return "waiting"
        case "Running":
            return file.step or "beginning"
        case "Succeeded":
            return "done"
    return file.state.lower()


def _wait(
    house: VideoHouse, owner: str, index: str, ingestion: Ingestion, show: _Show | None = None
) -> Ingestion:
    while True:
        ingestion = house.ingestions.get(owner, index, ingestion.name)
        if show is not None:
            show(ingestion.files or ())
        if ingestion.state != "Running":
            return ingestion
        time.sleep(_PAUSE)


def _tell(ingestion: Ingestion, as_json: bool) -> None:
    """Say how it ended; exits with 1 when a video failed."""
    if as_json:
        show_json(ingestion_json(ingestion, detail=True))
    elif ingestion.state == "Running":
        click.echo(f"ingestion {ingestion.name} is written down: {_GOES_ON.format(name=ingestion.name)}")
    else:
        for file in ingestion.files or ():
            reason = "done" if file.error is None else f"{_step(file)}: {file.error['message']}"
            click.echo(f"{file.document_id}: {reason}")
    if ingestion.failed:
        sys.exit(1)
