"""One choice: the engine's deltas → events, with stops and the token budget applied."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import cast

from foveal.chat.events import ChoiceEnded, ChoiceStarted, Event, TextPiece, ToolPiece
from foveal.chat.trim import StopFinder, TokenBudget, Tokens
from foveal.engines.base import Delta, Engine, FinishReason, Prompt, ToolCallDelta
from foveal.errors import EngineError


class Choice:
    """Runs the engine once. `spent` is the number of cl100k tokens that the client was given."""

    def __init__(self, index: int, prompt: Prompt, tokens: Tokens, *, only_one_call: bool = False) -> None:
        self._index = index
        self._prompt = prompt
        self._stops = StopFinder(prompt.sampling.stop)
        self._budget = TokenBudget(tokens, prompt.sampling.max_tokens)
        self._only_one_call = only_one_call
        self._open_call = -1

    @property
    def spent(self) -> int:
        return self._budget.given

    async def events(self, engine: Engine) -> AsyncGenerator[Event, None]:
        """The events of this choice. However it is left, the engine's generator is closed."""
        finish: FinishReason | None = None
        started = False
        answer = cast(AsyncGenerator[Delta, None], engine.answer(self._prompt))
        async with aclosing(answer) as deltas:
            async for delta in deltas:
                if not started:
                    started = True
                    yield ChoiceStarted(self._index)
                if delta.text:
                    text = self._budget.feed(self._stops.feed(delta.text))
                    if text:
                        yield TextPiece(self._index, text)
                if delta.tool_call is not None:
                    for event in self._call(delta.tool_call):
                        yield event
                finish = self._finish_now() or delta.finish
                if finish is not None:
                    break
        if finish is None:
            raise EngineError("The engine ended its answer without saying how it ended.")
        for event in self._rest():
            yield event
        yield ChoiceEnded(self._index, "length" if self._budget.exhausted else finish)

    def _finish_now(self) -> FinishReason | None:
        if self._budget.exhausted:
            return "length"
        return "stop" if self._stops.found else None

    def _rest(self) -> Iterator[Event]:
        """Text that was held back while it could still have become a stop, or too much."""
        text = self._budget.feed(self._stops.close()) + self._budget.close()
        if not text:
            return
        if self._open_call >= 0:
            yield ToolPiece(self._index, ToolCallDelta(self._open_call, arguments=text))
        else:
            yield TextPiece(self._index, text)

    def _call(self, call: ToolCallDelta) -> Iterator[Event]:
        if self._only_one_call and call.index > 0:
            return
        if call.index != self._open_call:
            yield from self._rest()
            self._open_call = call.index
            if not self._budget.charge(call.name or ""):
                return
            yield ToolPiece(self._index, ToolCallDelta(call.index, call.id, call.name))
        arguments = self._budget.feed(call.arguments)
        if arguments:
            yield ToolPiece(self._index, ToolCallDelta(call.index, arguments=arguments))
