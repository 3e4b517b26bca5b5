"""`foveal demo`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from importlib.resources import as_file, files
from typing import Any

import click
from rich.console import Console

from foveal.assembly.engines import require_models
from foveal.assembly.house import House, build_house
from foveal.chat.events import ChoiceEnded, TextPiece
from foveal.chat.local import ask, is_video, local_request
from foveal.chat.wire import read_chat_request
from foveal.cli.options import ENGINE_SETTINGS, setting_options, settings_from
from foveal.cli.saving import place
from foveal.demo.questions import Asked, demo_questions
from foveal.enhancements.spans import Span
from foveal.settings import Settings


@click.command()
@setting_options(*ENGINE_SETTINGS)
def demo(**flags: Any) -> None:
    """Ask about the pictures and the clip that come with Foveal; print question, answer and time.

    \b
    Examples:
      foveal demo
      foveal demo --engine openai --upstream-url http://127.0.0.1:8000/v1 --upstream-model qwen-vl
    """
    settings = settings_from(flags)
    require_models(settings)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    house = build_house(settings, [settings.engine])
    console = Console(stderr=True)
    try:
        with console.status("Loading the models …"):
            await house.engines[settings.engine].ready()
        with as_file(files("foveal.demo") / "pictures") as folder:
            for asked in demo_questions():
                with console.status(f"{asked.picture} …"):
                    await _ask(house, settings.engine, str(folder / asked.picture), asked)
    finally:
        await house.close()


async def _ask(house: House, engine: str, picture: str, asked: Asked) -> None:
    on = {name: {"enabled": True} for name in asked.enhancements} or None
    body = local_request([picture], asked.question, temperature=0, enhancements=on)
    start = time.perf_counter()
    text = ""
    spans: Sequence[Span] = ()
    async with aclosing(ask(house.chat, read_chat_request(body), engine)) as answer:
        async for event in answer:
            if isinstance(event, TextPiece):
                text += event.text
            elif isinstance(event, ChoiceEnded) and event.grounding is not None:
                spans = event.grounding.spans
    _show(asked, text, spans, time.perf_counter() - start)


def _show(asked: Asked, answer: str, spans: Sequence[Span], seconds: float) -> None:
    with_what = f"  (with {' and '.join(asked.enhancements)})" if asked.enhancements else ""
    kind = "video" if is_video(asked.picture) else "picture"
    click.echo(f"{kind:<9} {asked.picture}\nquestion  {asked.question}{with_what}\nanswer    {answer}")
    for span in spans:
        click.echo(f"where     {span.text}: {place(span)}")
    click.echo(f"time      {seconds:.2f} s\n")
