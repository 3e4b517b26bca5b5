"""The caption from an engine: one question about one picture, at temperature 0, within a time limit."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Protocol, cast

from foveal.analysis.contract import Language
from foveal.analysis.wording import Wording
from foveal.engines.base import Delta, Engine, ImagePart, Prompt, Sampling, TextPart, Turn
from foveal.errors import FovealError
from foveal.images.detail import DetailedImage

log = logging.getLogger("foveal.analysis")

_MAX_TOKENS = 80
_MOST_LETTERS = 300
_END = re.compile(r"(?<=[.!?])\s|\n")


class Turns(Protocol):
    """The gate before the engine: a place in its queue (refused with 429 when it is full), then a turn."""

    def admit(self) -> AbstractAsyncContextManager[None]: ...
    def turn(self) -> AbstractAsyncContextManager[None]: ...


class EngineCaptioner:
    """Asks `engine`. Whatever goes wrong there, the caller falls back to facts."""

    def __init__(
        self,
        engine: Engine,
        gate: Turns,
        wording: Wording,
        *,
        seconds: float = 30.0,
    ) -> None:
        self._engine = engine
        self._gate = gate
        self._wording = wording
        self._seconds = seconds

    async def caption(self, image: DetailedImage, language: Language) -> str | None:
        """A caption in lower case without a full stop; None when the engine has none (in time)."""
        try:
            async with asyncio.timeout(self._seconds), self._gate.admit(), self._gate.turn():
                answer = await self._ask(image, language)
        except (FovealError, TimeoutError) as error:
            log.warning("no caption from the engine %s: %s", self._engine.name, error or "timed out")
            return None
        return tidy(answer, str(self._wording.table["lead"][language]))

    async def _ask(self, image: DetailedImage, language: Language) -> str:
        question = Turn("user", (TextPart(self._wording.table["ask"][language]), ImagePart(image)))
        prompt = Prompt((question,), Sampling(temperature=0.0, seed=0, max_tokens=_MAX_TOKENS))
        text: list[str] = []
        answer = cast(AsyncGenerator[Delta, None], self._engine.answer(prompt))  # closed, it stops the engine
        async with aclosing(answer) as deltas:
            async for delta in deltas:
                text.append(delta.text)
        return "".join(text)


def tidy(answer: str, lead: str) -> str | None:
    """The first sentence of an answer as a caption: without what engines begin with, quotes and full stop."""
    sentence = _END.split(answer.strip(), maxsplit=1)[0].strip(" \"'“”*")
    sentence = re.sub(lead, "", sentence, flags=re.IGNORECASE).rstrip(" .!。").lower()
    return sentence[:_MOST_LETTERS].strip() or None
