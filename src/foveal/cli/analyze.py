"""`foveal analyze`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.analysis.contract import Options, load_contract
from foveal.analysis.result import Analysis, PixelBox
from foveal.assembly.house import CAPTIONING, build_house
from foveal.chat.local import picture_url
from foveal.cli.options import ENGINE_SETTINGS, setting_options, settings_from
from foveal.cli.saving import check_target
from foveal.cli.saving import save as write
from foveal.http.analysis_form import analysis_json
from foveal.images.drawing import Mark, draw
from foveal.images.fine import fine_view
from foveal.settings import Settings

_ALL = "caption,denseCaptions,tags,objects,people,read,smartCrops"
_DRAWN = {"objects", "people", "read", "smartCrops"}


@click.command()
@click.argument("picture", metavar="IMAGE")
@click.option(
    "--features",
    multiple=True,
    default=(_ALL,),
    metavar="NAMES",
    help="What to look for, comma-separated: caption, denseCaptions, tags, objects, people, read, "
    "smartCrops. Default: everything.",
)
@click.option("--language", metavar="CODE", help="Language of captions and names: en (default) or ko.")
@click.option("--gender-neutral", is_flag=True, help="Captions without words like man or woman.")
@click.option(
    "--aspect-ratio",
    "ratios",
    multiple=True,
    metavar="R",
    help="A crop of this width divided by height, 0.75 to 1.8; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole response as the API gives it.")
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    metavar="FILE.png",
    help="Draw objects, people, text and crops on the picture, as a PNG file.",
)
@setting_options(*ENGINE_SETTINGS)
def analyze(
    picture: str,
    features: tuple[str, ...],
    language: str | None,
    gender_neutral: bool,
    ratios: tuple[str, ...],
    as_json: bool,
    save: Path | None,
    **flags: Any,
) -> None:
    """Look at a picture as the Computer Vision resource does, without a server.

    IMAGE is a file or an http(s) URL: PNG, JPEG, WEBP or GIF.

    \b
    Examples:
      foveal analyze photo.jpg
      foveal analyze photo.jpg --features objects,people --save boxes.png
      foveal analyze receipt.jpg --features read --json
      foveal analyze photo.jpg --features smartCrops --aspect-ratio 1 --aspect-ratio 1.78
      foveal analyze photo.jpg --features caption,tags --language ko
    """
    options = load_contract().options(
        features,
        language=language,
        gender_neutral=str(gender_neutral),
        aspect_ratios=ratios,
    )
    if save is not None:
        if not options.features & _DRAWN:
            raise click.UsageError("--save draws objects, people, read and smartCrops: ask for one of them")
        check_target(save)
    analysis, drawn = asyncio.run(
        _analyze(settings_from(flags), picture_url(picture), options, drawing=save is not None)
    )
    if as_json:
        body = analysis_json(analysis, load_contract().newest)
        click.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        _print(analysis)
    if save is not None:
        write(save, drawn)
        click.echo(f"({save} shows where)", err=True)


async def _analyze(
    settings: Settings, url: str, options: Options, *, drawing: bool
) -> tuple[Analysis, bytes]:
    """The analysis; and the picture with marks as PNG bytes, empty when nobody wants it."""
    captions = options.features & {"caption", "denseCaptions"} and settings.engine in CAPTIONING
    house = build_house(settings, [settings.engine] if captions else [])
    try:
        with Console(stderr=True).status("Looking …"):
            image = await house.analysis.open_url(url)
            analysis = await house.analysis.analyze(image, options)
            return analysis, draw(fine_view(image), list(marks(analysis))) if drawing else b""
    finally:
        await house.close()


def marks(analysis: Analysis) -> Iterator[Mark]:
    """What of an analysis can be drawn; people only where objects, which hold them, were not asked for."""
    width, height = analysis.width, analysis.height
    for thing in analysis.objects or ():
        yield Mark(f"{thing.name} {thing.confidence:.0%}", _corners(thing.box, width, height))
    if analysis.objects is None:
        for one in analysis.people or ():
            yield Mark(f"person {one.confidence:.0%}", _corners(one.box, width, height))
    for line in analysis.lines or ():
        yield Mark(line.text, tuple((x / width, y / height) for x, y in line.polygon), "text")
    for crop in analysis.crops or ():
        yield Mark(f"crop {crop.aspect_ratio:g}", _corners(crop.box, width, height))


def _corners(box: PixelBox, width: int, height: int) -> tuple[tuple[float, float], ...]:
    left, top = box.x / width, box.y / height
    right, bottom = (box.x + box.width) / width, (box.y + box.height) / height
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _print(analysis: Analysis) -> None:
    console = Console()
    console.print(f"{analysis.width} × {analysis.height} pixels", highlight=False)
    if analysis.caption is not None:
        console.print(
            f"Caption: {analysis.caption.text} ({analysis.caption.confidence:.0%})", highlight=False
        )
    if analysis.dense_captions is not None:
        rows = [(one.text, f"{one.confidence:.0%}", _place(one.box)) for one in analysis.dense_captions]
        _table(console, "Dense captions", ("caption", "confidence", "box"), rows)
    if analysis.tags is not None:
        _table(
            console, "Tags", ("tag", "confidence"), [(t.name, f"{t.confidence:.0%}") for t in analysis.tags]
        )
    if analysis.objects is not None:
        found = [(one.name, f"{one.confidence:.0%}", _place(one.box)) for one in analysis.objects]
        _table(console, "Objects", ("object", "confidence", "box"), found)
    if analysis.people is not None:
        people = [(f"{one.confidence:.0%}", _place(one.box)) for one in analysis.people]
        _table(console, "People", ("confidence", "box"), people)
    if analysis.lines is not None:
        lines = [(line.text, " ".join(f"{x},{y}" for x, y in line.polygon)) for line in analysis.lines]
        _table(console, "Text", ("line", "corners"), lines)
    if analysis.crops is not None:
        crops = [(f"{one.aspect_ratio:g}", _place(one.box)) for one in analysis.crops]
        _table(console, "Smart crops", ("aspect ratio", "box"), crops)


def _place(box: PixelBox) -> str:
    return f"x {box.x}, y {box.y}, {box.width} × {box.height}"


def _table(console: Console, title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        console.print(f"{title}: none")
        return
    table = Table(*columns, title=title, title_justify="left", title_style="bold")
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    console.print(table)
