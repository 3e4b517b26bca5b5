"""`foveal demo`."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from importlib.resources import as_file, files
from typing import Any

import click
from rich.console import Console

from foveal.assembly import build_house, require_models
from foveal.chat.events import TextPiece
from foveal.chat.local import ask, local_request
from foveal.chat.wire import read_chat_request
from foveal.cli.options import ENGINE_SETTINGS, setting_options, settings_from
from foveal.demo.questions import Asked, demo_questions
from foveal.settings import Settings


@click.command()
@setting_options(*ENGINE_SETTINGS)
def demo(**flags: Any) -> None:
    """Ask about the pictures that come with Foveal; print picture, question, answer and time.

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
                body = local_request([str(folder / asked.picture)], asked.question, temperature=0)
                start = time.perf_counter()
                with console.status(f"{asked.picture} …"):
                    async with aclosing(ask(house.chat, read_chat_request(body), settings.engine)) as answer:
                        text = "".join([event.text async for event in answer if isinstance(event, TextPiece)])
                _show(asked, text, time.perf_counter() - start)
    finally:
        await house.close()


def _show(asked: Asked, answer: str, seconds: float) -> None:
    click.echo(f"picture   {asked.picture}\nquestion  {asked.question}")
    click.echo(f"answer    {answer}\ntime      {seconds:.2f} s\n")
