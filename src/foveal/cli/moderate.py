"""`foveal moderate`: what the content filter finds in a text or a picture."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.assembly.safety import SafetyHouse, build_safety_house
from foveal.chat.local import picture_url
from foveal.cli.options import setting_options, settings_from
from foveal.errors import InvalidRequest
from foveal.resources.content_filters import Side
from foveal.safety.results import results
from foveal.safety.verdict import Verdict

_SIDE = Side(profanity="annotate", jailbreak="annotate")
_MOST = 1024 * 1024  # characters


@click.command()
@click.argument("content", metavar="TEXT|IMAGE|-")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as the API writes it.")
@setting_options("models", "threads", "allow_hosts", "fetch_seconds")
def moderate(content: str, as_json: bool, **flags: Any) -> None:
    """Judge a text or a picture as the content filter does, without a server.

    IMAGE is a file or an http(s) URL; anything else is the text itself, and - reads it from standard input.
    A picture's text is read and judged too. "filtered" is what the default configuration would do.

    \b
    Examples:
      foveal moderate "I will break every bone in your body."
      foveal moderate "이 멍청한 놈들아"
      foveal moderate photo.jpg
      foveal moderate - --json < letter.txt
    """
    house = build_safety_house(settings_from(flags))
    with Console(stderr=True).status("Judging …"):
        verdict = asyncio.run(_judge(house, content))
    if as_json:
        click.echo(json.dumps(results(verdict), indent=2))
    else:
        _print(verdict)


async def _judge(house: SafetyHouse, content: str) -> Verdict:
    try:
        if not _is_picture(content):
            verdict = await house.guard.safety.prompt(_SIDE, [_text(content)])
        else:
            image = await house.door.open(picture_url(content), "high", param=None)
            text = await house.read(image)
            verdict = await house.guard.safety.prompt(_SIDE, [text], [image])
    finally:
        await house.close()
    assert verdict is not None  # what could not be judged was raised
    return verdict


def _is_picture(content: str) -> bool:
    if content[:8].lower().startswith(("http://", "https://", "data:")):
        return "\n" not in content and " " not in content
    try:
        return Path(content).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # a text can be too long for a path, or hold a zero byte
        return False


def _text(content: str) -> str:
    if content == "-":
        content = sys.stdin.buffer.read(4 * _MOST + 1).decode("utf-8", "replace")
    if not content.strip():
        raise InvalidRequest("there is nothing to judge: the text is empty", param="content")
    if len(content) > _MOST:
        raise InvalidRequest(f"the text has more than {_MOST} characters", param="content")
    return content


def _print(verdict: Verdict) -> None:
    table = Table("category", "severity", "filtered")
    for name, found in results(verdict).items():
        told = found["severity"] if "severity" in found else ("found" if found["detected"] else "not found")
        table.add_row(name, told, "yes" if found["filtered"] else "no")
    Console().print(table)
