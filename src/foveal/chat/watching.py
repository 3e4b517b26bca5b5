"""An answer under the content filter's eyes: nothing of it is given on before it was judged.

Text is held back up to the end of its sentence, at most a few words more, and judged together with what came
before it. In the asynchronous way of a configuration it is given on at once and told of afterwards.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from foveal.chat.events import ChoiceEnded, Event, Judged, TextPiece, ToolPiece
from foveal.resources.content_filters import ContentFilter, Side
from foveal.safety.verdict import Verdict, gravest

_END = re.compile(r"""(?:[.!?…]["'”’)\]]*(?=\s)|[。！？\n])""")
_MOST = 160  # characters that are held back while no sentence ends
_BEFORE = 240  # characters of what was given on that the next is judged with


class CompletionJudge(Protocol):
    async def completion(self, side: Side, text: str) -> Verdict | None: ...


@dataclass(slots=True)
class Watched:
    """One choice. `stopped`: the filter ended it; the engine is not asked on."""

    judge: CompletionJudge
    filter: ContentFilter
    held: str = ""
    given: str = ""
    calls: list[ToolPiece] = field(default_factory=list)
    verdicts: list[Verdict | None] = field(default_factory=list)

    async def events(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """The same events, each text with its verdict; the end carries that of the whole."""
        asynchronous = self.filter.streaming == "asynchronous"
        async with aclosing(events):
            async for event in events:
                match event:
                    case TextPiece():
                        pieces = self._told(event) if asynchronous else self._held(event)
                    case ToolPiece():
                        self.calls.append(event)
                        continue
                    case ChoiceEnded():
                        pieces = self._ended(event)
                    case _:
                        yield event
                        continue
                async for piece in pieces:
                    yield piece
                    if isinstance(piece, ChoiceEnded):
                        return

    async def _held(self, event: TextPiece) -> AsyncGenerator[Event, None]:
        self.held += event.text
        cut = release_point(self.held)
        if cut:
            async for piece in self._release(event.index, cut):
                yield piece

    async def _release(self, index: int, cut: int) -> AsyncGenerator[Event, None]:
        """Give on the first `cut` characters of what is held, or end the choice."""
        text, self.held = self.held[:cut], self.held[cut:]
        verdict = await self._judge(self.given[-_BEFORE:] + text)
        if verdict is not None and verdict.blocked:
            yield self._filtered(index)
            return
        self.given += text
        yield TextPiece(index, text, verdict)

    async def _told(self, event: TextPiece) -> AsyncGenerator[Event, None]:
        """Give on at once; judge at the ends of sentences and tell what was found."""
        self.held += event.text
        self.given += event.text
        yield event
        if release_point(self.held):
            async for piece in self._tell(event.index):
                yield piece

    async def _tell(self, index: int) -> AsyncGenerator[Event, None]:
        end = len(self.given)
        start = end - len(self.held)
        verdict = await self._judge(self.given[max(0, start - _BEFORE) :])
        self.held = ""
        yield Judged(index, verdict, end, start, end)
        if verdict is not None and verdict.blocked:
            yield self._filtered(index)

    async def _ended(self, event: ChoiceEnded) -> AsyncGenerator[Event, None]:
        if self.held:
            asynchronous = self.filter.streaming == "asynchronous"
            rest = self._tell(event.index) if asynchronous else self._release(event.index, len(self.held))
            async for piece in rest:
                yield piece
                if isinstance(piece, ChoiceEnded):
                    return
        if self.calls:
            said = "\n".join(f"{call.call.name or ''}{call.call.arguments}" for call in self.calls)
            verdict = await self._judge(said)
            if verdict is not None and verdict.blocked:
                yield self._filtered(event.index)
                return
            for call in self.calls:
                yield call
        yield replace(event, verdict=self._whole())

    async def _judge(self, text: str) -> Verdict | None:
        verdict = await self.judge.completion(self.filter.completion, text)
        self.verdicts.append(verdict)
        return verdict

    def _filtered(self, index: int) -> ChoiceEnded:
        return ChoiceEnded(index, "content_filter", verdict=self._whole())

    def _whole(self) -> Verdict | None:
        known = [one for one in self.verdicts if one is not None]
        if self.verdicts and not known:
            return None
        return gravest(known)


def release_point(text: str) -> int:
    """Up to where held text is judged and given on: the end of its last sentence, or all of it but the last
    word when no sentence ends for long; 0 when it is held on.
    """
    ends = [found.end() for found in _END.finditer(text)]
    if ends:
        return ends[-1]
    if len(text) < _MOST:
        return 0
    blank = text.rfind(" ")
    return blank if blank > 0 else len(text)
