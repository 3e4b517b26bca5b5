"""`foveal ask`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.status import Status

from foveal.assembly.engines import require_models
from foveal.assembly.house import House, build_house
from foveal.chat.events import ChoiceEnded, TextPiece
from foveal.chat.local import ask as ask_service
from foveal.chat.local import is_video, local_deployment, local_request, picture_url
from foveal.chat.wire import read_chat_request
from foveal.cli.options import ENGINE_SETTINGS, setting_options, settings_from
from foveal.cli.saving import check_target, place
from foveal.cli.saving import save as write
from foveal.enhancements.spans import Span
from foveal.http.chat import local_form
from foveal.http.render import Completion
from foveal.images.drawing import Mark, draw
from foveal.images.fine import fine_view
from foveal.settings import Settings

# What is done with a video before it can be asked about.
STEPS = {
    "fetching": "Fetching the video",
    "sampling": "Finding its scenes",
    "looking": "Looking at its frames",
    "listening": "Listening",
}


@click.command()
@click.argument("pictures", nargs=-1, metavar="[IMAGE|VIDEO]...")
@click.argument("question")
@click.option(
    "--detail",
    type=click.Choice(["auto", "low", "high"]),
    default="auto",
    show_default=True,
    help="How closely the pictures are looked at.",
)
@click.option(
    "--ocr", is_flag=True, help="Read the text of the pictures closely first (the OCR enhancement)."
)
@click.option("--grounding", is_flag=True, help="Tell where in the picture the things of the answer are.")
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    metavar="FILE.png",
    help="Draw what --grounding found on the picture, as a PNG file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole response as the API gives it.")
@click.option("--system", metavar="TEXT", help="A system message before the question.")
@click.option("--max-tokens", type=int, metavar="N", help="Cut the answer after N tokens.")
@click.option("--temperature", type=float, default=0.0, show_default=True, help="0: always the same answer.")
@click.option("--seed", type=int, metavar="N", help="Makes a temperature above 0 repeatable.")
@setting_options(*ENGINE_SETTINGS, "inline_seconds")
def ask(
    pictures: tuple[str, ...],
    question: str,
    detail: str,
    ocr: bool,
    grounding: bool,
    save: Path | None,
    as_json: bool,
    system: str | None,
    max_tokens: int | None,
    temperature: float,
    seed: int | None,
    **flags: Any,
) -> None:
    """Ask a question about pictures or a video, without a server.

    IMAGE is a file or an http(s) URL: PNG, JPEG, WEBP or GIF. VIDEO is one too (MP4, MOV, MKV, WEBM, AVI …);
    it is looked at and listened to first. Without either the question is plain text chat.

    \b
    Examples:
      foveal ask photo.jpg "How many people are there?"
      foveal ask left.png right.png "Which image has a dog?"
      foveal ask receipt.jpg "What is the total?" --detail high
      foveal ask photo.jpg "이 사진에 뭐가 있나요?" --json
      foveal ask invoice.png "What is the invoice number?" --ocr
      foveal ask photo.jpg "Describe this picture." --grounding --save boxes.png
      foveal ask clip.mp4 "What happens from 0:20 to 0:40?"
    """
    if any(map(is_video, pictures)):
        if len(pictures) > 1:
            raise click.UsageError("ask about one video at a time, and without pictures beside it")
        if ocr or grounding:
            raise click.UsageError("--ocr and --grounding are for pictures; text in a video is read anyway")
    if save is not None:
        if not grounding or len(pictures) != 1:
            raise click.UsageError("--save needs --grounding and one picture")
        check_target(save)
    settings = settings_from(flags)
    require_models(settings)
    body = local_request(
        pictures,
        question,
        detail=detail,
        system=system,
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
        enhancements=_enhancements(ocr, grounding),
    )
    ground = asyncio.run(_answer(settings, body, as_json, pictures[0] if save is not None else None))
    if save is not None and ground is not None:
        write(save, ground)
        click.echo(f"({save} shows where)", err=True)


def _enhancements(ocr: bool, grounding: bool) -> dict[str, dict[str, bool]] | None:
    wanted = {"ocr": ocr, "grounding": grounding}
    return {name: {"enabled": True} for name, asked in wanted.items() if asked} or None


async def _answer(settings: Settings, body: bytes, as_json: bool, drawn_on: str | None) -> bytes | None:
    """Print the answer; returns the picture `drawn_on` with the answer's spans drawn, as PNG bytes."""
    house = build_house(settings, [settings.engine])
    request = read_chat_request(body)
    completion = Completion(local_form(request, local_deployment(settings.engine)))
    ended: ChoiceEnded | None = None
    try:
        with Console(stderr=True).status("Looking and thinking …") as status:
            house.instant.tell(partial(_tell, status))
            async with aclosing(ask_service(house.chat, request, settings.engine)) as answer:
                async for event in answer:
                    completion.add(event)
                    if isinstance(event, ChoiceEnded):
                        ended = event
                    if isinstance(event, TextPiece) and not as_json:
                        status.stop()
                        click.echo(event.text, nl=False)
        spans = ended.grounding.spans if ended is not None and ended.grounding is not None else ()
        drawn = None if drawn_on is None else await _draw(house, drawn_on, spans)
    finally:
        await house.close()
    if as_json:
        click.echo(json.dumps(json.loads(completion.encode()), ensure_ascii=False, indent=2))
        return drawn
    click.echo()
    for span in spans:
        click.echo(f"  {span.text}: {place(span)}")
    if ended is not None and ended.finish == "length":
        click.echo("(cut: --max-tokens was reached)", err=True)
    if ended is not None and ended.finish == "content_filter":
        click.echo("(cut: the content filter stopped the answer)", err=True)
    return drawn


def _tell(status: Status, step: str, done: float) -> None:
    """Show how far the work on a video is."""
    status.update(f"{STEPS.get(step, step)} {done:.0%} …")


async def _draw(house: House, place: str, spans: Sequence[Span]) -> bytes:
    image = await house.door.open(picture_url(place), "high", param=None)
    marks = [Mark(span.text, span.polygon) for span in spans]
    return await asyncio.to_thread(lambda: draw(fine_view(image), marks))
