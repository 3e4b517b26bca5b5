"""Engines whose behaviour a test decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from foveal.engines.base import Abilities, Delta, FinishReason, Prompt, ToolCallDelta

ALL = Abilities(tools=True, json_object=True, json_schema=True, logit_bias=True, notes="A test's engine.")


class ScriptedEngine:
    """Answers with `pieces`, or with tool calls where tools must be called; remembers its prompts."""

    name = "scripted"

    def __init__(
        self,
        pieces: Sequence[str] = ("Hello", ", ", "world", "."),
        *,
        finish: FinishReason = "stop",
        abilities: Abilities = ALL,
        fail_at: tuple[int, Exception] | None = None,
    ) -> None:
        self.pieces = tuple(pieces)
        self.finish: FinishReason = finish
        self.abilities = abilities
        self.fail_at = fail_at
        self.prompts: list[Prompt] = []
        self.closed = 0

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        self.prompts.append(prompt)
        try:
            if prompt.tools and prompt.tool_choice.mode in ("required", "named"):
                for index, tool in enumerate(prompt.tools[:2]):
                    yield Delta(tool_call=ToolCallDelta(index, id=f"call_{index}", name=tool.name))
                    for piece in ('{"city": ', '"Seoul"}'):
                        yield Delta(tool_call=ToolCallDelta(index, arguments=piece))
                yield Delta(finish="tool_calls")
                return
            if prompt.response_format is not None:
                yield Delta(text='{"answer": ')
                yield Delta(text="42}", finish="stop")
                return
            for index, piece in enumerate(self.pieces):
                if self.fail_at is not None and self.fail_at[0] == index:
                    raise self.fail_at[1]
                yield Delta(text=piece)
                await asyncio.sleep(0)
            yield Delta(finish=self.finish)
        finally:
            self.closed += 1

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    async def ready(self) -> None:
        return None

    async def close(self) -> None:
        return None


class EndlessEngine(ScriptedEngine):
    """Gives one piece and then waits until `release` is set; `stopped` tells that it was closed early."""

    def __init__(self) -> None:
        super().__init__()
        self.started = asyncio.Event()
        self.release = asyncio.Event()
        self.stopped = asyncio.Event()

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        self.prompts.append(prompt)
        try:
            yield Delta(text="first")
            self.started.set()
            await self.release.wait()
            yield Delta(text=" last")
            yield Delta(finish="stop")
        except (GeneratorExit, asyncio.CancelledError):
            self.stopped.set()
            raise
