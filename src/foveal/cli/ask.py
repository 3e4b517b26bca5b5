"""`foveal ask`."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import click
from rich.console import Console

from foveal.assembly import build_house, require_models
from foveal.chat.events import ChoiceEnded, TextPiece
from foveal.chat.local import ask as ask_service
from foveal.chat.local import local_deployment, local_request
from foveal.chat.wire import read_chat_request
from foveal.cli.options import ENGINE_SETTINGS, setting_options, settings_from
from foveal.http.chat import local_form
from foveal.http.render import Completion
from foveal.settings import Settings


@click.command()
@click.argument("pictures", nargs=-1, metavar="[IMAGE]...")
@click.argument("question")
@click.option(
    "--detail",
    type=click.Choice(["auto", "low", "high"]),
    default="auto",
    show_default=True,
    help="How closely the pictures are looked at.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole response as the API gives it.")
@click.option("--system", metavar="TEXT", help="A system message before the question.")
@click.option("--max-tokens", type=int, metavar="N", help="Cut the answer after N tokens.")
@click.option("--temperature", type=float, default=0.0, show_default=True, help="0: always the same answer.")
@click.option("--seed", type=int, metavar="N", help="Makes a temperature above 0 repeatable.")
@setting_options(*ENGINE_SETTINGS)
def ask(
    pictures: tuple[str, ...],
    question: str,
    detail: str,
    as_json: bool,
    system: str | None,
    max_tokens: int | None,
    temperature: float,
    seed: int | None,
    **flags: Any,
) -> None:
    """Ask a question about pictures, without a server.

    IMAGE is a file or an http(s) URL: PNG, JPEG, WEBP or GIF. Without one the question is plain text chat.

    \b
    Examples:
      foveal ask photo.jpg "How many people are there?"
      foveal ask left.png right.png "Which image has a dog?"
      foveal ask receipt.jpg "What is the total?" --detail high
      foveal ask photo.jpg "이 사진에 뭐가 있나요?" --json
    """
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
    )
    asyncio.run(_print_answer(settings, body, as_json))


async def _print_answer(settings: Settings, body: bytes, as_json: bool) -> None:
    house = build_house(settings, [settings.engine])
    request = read_chat_request(body)
    completion = Completion(local_form(request, local_deployment(settings.engine)))
    cut = False
    try:
        with Console(stderr=True).status("Looking and thinking …") as status:
            async with aclosing(ask_service(house.chat, request, settings.engine)) as answer:
                async for event in answer:
                    completion.add(event)
                    cut |= isinstance(event, ChoiceEnded) and event.finish == "length"
                    if isinstance(event, TextPiece) and not as_json:
                        status.stop()
                        click.echo(event.text, nl=False)
    finally:
        await house.close()
    if as_json:
        click.echo(json.dumps(json.loads(completion.encode()), ensure_ascii=False, indent=2))
        return
    click.echo()
    if cut:
        click.echo("(cut: --max-tokens was reached)", err=True)
