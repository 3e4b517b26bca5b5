"""Short ways to ask an engine and to read its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from foveal.engines.base import Delta, FinishReason, ImagePart, Role, TextPart, Turn
from foveal.images.detail import DetailedImage


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    tool: str | None
    tool_id: str | None
    arguments: str
    finish: FinishReason | None
    deltas: Sequence[Delta]


def turn(text: str, *, role: Role = "user", images: Sequence[DetailedImage] = ()) -> Turn:
    return Turn(role, (TextPart(text), *(ImagePart(image) for image in images)))


async def gather(deltas: AsyncIterator[Delta]) -> Answer:
    """The whole answer; checks that `finish` comes once, at the end."""
    found = [delta async for delta in deltas]
    assert [delta.finish is not None for delta in found] == [False] * (len(found) - 1) + [True]
    calls = [delta.tool_call for delta in found if delta.tool_call is not None]
    return Answer(
        text="".join(delta.text for delta in found),
        tool=calls[0].name if calls else None,
        tool_id=calls[0].id if calls else None,
        arguments="".join(call.arguments for call in calls),
        finish=found[-1].finish,
        deltas=found,
    )
