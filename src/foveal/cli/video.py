"""`foveal video` and its commands; adding and watching are in `video_add`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.cli.options import setting_options, settings_from
from foveal.cli.video_add import add_command, cancel_command, remove_command, watch_command
from foveal.cli.video_house import (
    HOUSE_SETTINGS,
    VideoHouse,
    index_option,
    json_option,
    length,
    open_house,
    plain,
    resource_option,
    show_json,
    size,
)
from foveal.errors import NotFound, SetupError
from foveal.http.retrieval_form import read_query
from foveal.http.retrieval_json import document_json, hit_json, ingestion_json, timespan
from foveal.video.base import FrameRecord, VideoRecord
from foveal.video.retrieval.documents import Document
from foveal.video.retrieval.ingestion_state import Ingestion
from foveal.video.retrieval.query import Hit

_PAGE = 1000


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def video() -> None:
    """Videos of an index: add, watch, list, show, search, remove.

    \b
    Examples:
      foveal index create my-video-index
      foveal video add clip.mp4 --index my-video-index
      foveal video ls --index my-video-index
      foveal video search "a red car" --index my-video-index --save thumbnails
      foveal video show clip --index my-video-index
    """


video.add_command(add_command)
video.add_command(watch_command)
video.add_command(cancel_command)
video.add_command(remove_command)


@video.command("ls")
@index_option
@json_option
@resource_option
@setting_options(*HOUSE_SETTINGS)
def list_command(index_name: str, as_json: bool, resource: str | None, **flags: Any) -> None:
    """List the videos of an index, and what is being added to it.

    \b
    Examples:
      foveal video ls --index my-video-index
      foveal video ls --index my-video-index --json
    """
    with open_house(settings_from(flags), resource) as (house, owner):
        documents = _documents(house, owner, index_name)
        running = [
            one for one in house.ingestions.list(owner, index_name, files=True).rows if one.state == "Running"
        ]
    if as_json:
        show_json(
            {
                "documents": [document_json(one, detail=True) for one in documents],
                "ingestions": [ingestion_json(one, detail=True) for one in running],
            }
        )
        return
    table = Table("video", "length", "frames", "speech", "disk", "from")
    for one in documents:
        table.add_row(
            plain(one.document_id),
            length(one.duration),
            f"{one.frames:,}",
            f"{one.segments:,}",
            size(one.size),
            plain(one.url),
        )
    console = Console(highlight=False)
    console.print(table)
    _show_running(console, running)


def _show_running(console: Console, running: Sequence[Ingestion]) -> None:
    for ingestion in running:
        for file in ingestion.files or ():
            if file.state in ("NotStarted", "Running"):
                step = file.step or "waiting"
                console.print(f"{ingestion.name}: {plain(file.document_id)} {step}, {file.progress:.0%}")


@video.command("show")
@click.argument("document", metavar="ID")
@index_option
@json_option
@resource_option
@setting_options(*HOUSE_SETTINGS)
def show_command(document: str, index_name: str, as_json: bool, resource: str | None, **flags: Any) -> None:
    """Show a video: its times, its scenes with what they show, what is said in it.

    \b
    Examples:
      foveal video show clip --index my-video-index
      foveal video show clip --index my-video-index --json
    """
    with open_house(settings_from(flags), resource) as (house, owner):
        found = house.documents.get(owner, index_name, document)
        record = house.library.record(found.key)
    if as_json:
        show_json({**document_json(found, detail=True), **_record_json(record)})
        return
    info = record.info
    console = Console(highlight=False)
    console.print(f"[bold]{plain(found.document_id)}[/] {plain(found.url)}")
    console.print(
        f"{length(info.duration)}, {info.width} × {info.height}, {info.frame_rate:g} frames/s, "
        f"{info.video_codec}{'' if info.audio_codec is None else f' and {info.audio_codec}'}; "
        f"{found.frames:,} frames kept, {size(found.size)}"
        f"{f'; moderation left {record.withheld:,} frames out' if record.withheld else ''}"
    )
    for name, value in found.metadata.items():
        console.print(f"{plain(name)}: {plain(str(value))}")
    scenes = Table("scene", "from", "to", "shows", title="Scenes", title_justify="left")
    for number, frames in enumerate(_scenes(record.frames), start=1):
        shows = plain(_first(frames[0].text))
        scenes.add_row(str(number), length(frames[0].start), length(frames[-1].end), shows)
    console.print(scenes)
    if record.speech is None:
        console.print("Speech: it was not listened to")
    elif not record.speech:
        console.print("Speech: none")
    else:
        speech = Table("from", "to", "said", title="Speech", title_justify="left")
        for segment in record.speech:
            speech.add_row(length(segment.start), length(segment.end), plain(segment.text))
        console.print(speech)


@video.command("search")
@click.argument("text")
@index_option
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Only videos whose metadata has this value; several values of one field: any of them.",
)
@click.option(
    "--feature",
    "features",
    multiple=True,
    type=click.Choice(["vision", "speech"]),
    help="Only what is seen, or only what is said.",
)
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True, help="Hits at most.")
@click.option(
    "--save",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a thumbnail of every hit into this folder.",
)
@json_option
@resource_option
@setting_options(*HOUSE_SETTINGS)
def search_command(
    text: str,
    index_name: str,
    filters: tuple[str, ...],
    features: tuple[str, ...],
    top: int,
    save: Path | None,
    as_json: bool,
    resource: str | None,
    **flags: Any,
) -> None:
    """Find moments of the videos of an index by what is seen or said.

    \b
    Examples:
      foveal video search "a man with a black hoodie" --index my-video-index
      foveal video search "빨간 자동차" --index my-video-index --filter cameraId=camera1 --top 3
      foveal video search "leave the area" --index my-video-index --feature speech
      foveal video search "a dog" --index my-video-index --save thumbnails
    """
    values: dict[str, list[str]] = {}
    for one in filters:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--filter {one}: write it as field=value")
        values.setdefault(name, []).append(value)
    body = {
        "queryText": text,
        "top": top,
        "filters": {
            "stringFilters": [{"fieldName": name, "values": given} for name, given in values.items()],
            "featureFilters": list(features),
        },
    }
    with open_house(settings_from(flags), resource) as (house, owner):
        index = house.contract.name(index_name, "indexName")
        page = house.search.search(owner, index, read_query(body, house.contract.limits))
        saved = [] if save is None else [_save(house, hit, save, at) for at, hit in enumerate(page.hits, 1)]
    if as_json:
        pictures = [{} if path is None else {"thumbnail": str(path)} for path in saved]
        show_json([{**hit_json(hit), **extra} for hit, extra in _together(page.hits, pictures)])
        return
    table = Table("#", "video", "from", "to", "best", "relevance", "shows or says")
    for number, hit in enumerate(page.hits, start=1):
        table.add_row(
            str(number),
            plain(hit.document_id),
            *(length(moment) for moment in (hit.start, hit.end, hit.best)),
            f"{hit.relevance:.3f}",
            plain(_first(hit.text)),
        )
    Console(highlight=False).print(table)
    if save is not None:
        click.echo(f"({sum(path is not None for path in saved)} thumbnails in {save})", err=True)


def _together(hits: Sequence[Hit], extras: Sequence[dict[str, str]]) -> list[tuple[Hit, dict[str, str]]]:
    return list(zip(hits, extras or [{} for _ in hits], strict=True))


def _save(house: VideoHouse, hit: Hit, folder: Path, number: int) -> Path | None:
    """The thumbnail of the frame that a hit stands for; None when there is none (a video without frames)."""
    try:
        frame = hit.number if hit.document_kind == "VideoFrame" else _frame_at(house, hit)
        if frame is None:
            return None
        picture = house.library.thumbnail(hit.document, frame)
    except NotFound:  # removed meanwhile
        return None
    name = re.sub(r"[^\w.-]+", "_", hit.document_id)[:60]
    path = folder / f"{number:02d}-{name}-{hit.best:.1f}s.jpg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
    except OSError as error:
        raise SetupError(f"--save {folder}: {error.strerror or error}") from None
    return path


def _frame_at(house: VideoHouse, hit: Hit) -> int | None:
    """The frame that is shown while something is said."""
    frames = house.library.record(hit.document).frames
    nearest = min(frames, key=lambda one: max(one.start - hit.best, hit.best - one.end, 0.0), default=None)
    return None if nearest is None else nearest.number


def _documents(house: VideoHouse, owner: str, index: str) -> list[Document]:
    found: list[Document] = []
    while True:
        page = house.documents.list(owner, index, len(found), _PAGE)
        found += page.rows
        if not page.more:
            return found


def _scenes(frames: Sequence[FrameRecord]) -> list[list[FrameRecord]]:
    scenes: dict[int, list[FrameRecord]] = {}
    for frame in frames:
        scenes.setdefault(frame.scene, []).append(frame)
    return list(scenes.values())


def _first(text: str, most: int = 120) -> str:
    """A text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _record_json(record: VideoRecord) -> dict[str, Any]:
    info = record.info
    return {
        "video": {
            "container": info.container,
            "width": info.width,
            "height": info.height,
            "frameRate": info.frame_rate,
            "videoCodec": info.video_codec,
            "audioCodec": info.audio_codec,
        },
        "framesWithheld": record.withheld,
        "scenes": [
            {
                "start": timespan(frames[0].start),
                "end": timespan(frames[-1].end),
                "frames": [
                    {"at": timespan(one.at), "number": one.number, "shows": one.text} for one in frames
                ],
            }
            for frames in _scenes(record.frames)
        ],
        "speech": None
        if record.speech is None
        else [
            {
                "start": timespan(one.start),
                "end": timespan(one.end),
                "text": one.text,
                "language": one.language,
            }
            for one in record.speech
        ],
    }
