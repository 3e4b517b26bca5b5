"""Engine `echo`: answers from the request alone, for tests of everything around an engine."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from foveal.engines.base import Abilities, Delta, Prompt, Tool, ToolCallDelta
from foveal.engines.grammar import SchemaError
from foveal.engines.instance import minimal_instance
from foveal.engines.read_text import with_read_text
from foveal.errors import InvalidRequest

OPENINGS = ("You said:", "I heard:", "Your words:", "In short:", "To repeat:")  # chosen by the seed
_WORDS = re.compile(r"\s*\S+\s*?(?=\s|$)|\s+")


class EchoEngine:
    """Deterministic. With `hold`, every answer waits for that event before its first word.

    `on_enter` is called when an answer begins, and `active` counts those under way, so that a test knows
    without waiting how many requests are in flight.
    """

    def __init__(
        self,
        *,
        hold: asyncio.Event | None = None,
        on_enter: Callable[[], None] | None = None,
        name: str = "echo",
    ) -> None:
        self.name = name
        self.active = 0
        self.abilities = Abilities(
            images=True,
            tools=True,
            json_object=True,
            json_schema=True,
            logit_bias=True,
            notes="Repeats what it was sent; for tests.",
        )
        self._hold = hold
        self._on_enter = on_enter

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Delta]:
        self.active += 1
        try:
            if self._on_enter is not None:
                self._on_enter()
            if self._hold is not None:
                await self._hold.wait()
            call = _tool_to_call(prompt)
            if call is not None:
                number, tool = call
                arguments = _instance({"type": "object", **tool.parameters}, tool.name, f"tools[{number}]")
                for delta in _tool_call(prompt, tool, arguments):
                    yield delta
                return
            for word in _WORDS.findall(_text(with_read_text(prompt))):
                yield Delta(text=word)
            yield Delta(finish="stop")
        finally:
            self.active -= 1

    def count_tokens(self, text: str) -> int:
        """In words: it has no tokenizer."""
        return len(_WORDS.findall(text))

    async def ready(self) -> None:
        return None

    async def close(self) -> None:
        return None


def _tool_to_call(prompt: Prompt) -> tuple[int, Tool] | None:
    """The named tool, or the first one unless a result has just come."""
    choice = prompt.tool_choice
    if choice.mode == "none" or not prompt.tools:
        return None
    if choice.mode == "named":
        return next((found for found in enumerate(prompt.tools) if found[1].name == choice.name), None)
    if choice.mode == "auto" and prompt.turns and prompt.turns[-1].role == "tool":
        return None
    return 0, prompt.tools[0]


def _tool_call(prompt: Prompt, tool: Tool, arguments: Any) -> list[Delta]:
    seed = f"{prompt.sampling.seed}\n{tool.name}\n{_said(prompt)}"
    call_id = "call_" + hashlib.sha256(seed.encode()).hexdigest()[:24]
    text = json.dumps(arguments, ensure_ascii=False)
    half = len(text) // 2
    return [
        Delta(tool_call=ToolCallDelta(0, id=call_id, name=tool.name)),
        *[
            Delta(tool_call=ToolCallDelta(0, arguments=piece))
            for piece in (text[:half], text[half:])
            if piece
        ],
        Delta(finish="tool_calls"),
    ]


def _text(prompt: Prompt) -> str:
    wanted = prompt.response_format
    if wanted is not None and wanted.schema is not None:
        return json.dumps(_instance(wanted.schema, wanted.name or "response", "response_format"))
    pictures = [f"{image.width}×{image.height} ({image.detail})" for image in prompt.images]
    if wanted is not None:
        return json.dumps({"said": _said(prompt), "pictures": pictures}, ensure_ascii=False)
    opening = OPENINGS[(prompt.sampling.seed or 0) % len(OPENINGS)]
    text = f"{opening} {_said(prompt)}".rstrip()
    if pictures:
        text += f"\nPictures: {', '.join(pictures)}"
    return text


def _said(prompt: Prompt) -> str:
    return next((turn.text for turn in reversed(prompt.turns) if turn.role in ("user", "tool")), "")


def _instance(schema: Mapping[str, Any], name: str, where: str) -> Any:
    try:
        return minimal_instance(schema)
    except SchemaError as error:
        kind = "response_format" if where == "response_format" else "function"
        param = where if where == "response_format" else f"{where}.function.parameters"
        raise InvalidRequest(f"Invalid schema for {kind} '{name}': {error}", param=param) from error
