"""A prompt's tokens, as Azure bills them.

The rule (documented in docs/api.md): 3 per message, its role, its text, 1 + the name where there is one, the
formula tokens of its pictures, name and arguments of its tool calls; of a video its frames (85 each) and what
is said in it; the JSON of the tools; 3 for the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from foveal.cl100k import Cl100k
from foveal.engines.base import Tool, Turn, VideoPart

PER_MESSAGE = 3
PER_ANSWER = 3
_ROLE = 1  # every role is one token of cl100k


def count_prompt(tokens: Cl100k, turns: Sequence[Turn], tools: Sequence[Tool] = ()) -> int:
    pictures = count_pictures(turns)
    texts = sum(_count_turn(tokens, turn) for turn in turns)
    return texts + pictures + sum(_count_tool(tokens, tool) for tool in tools) + PER_ANSWER


def count_pictures(turns: Sequence[Turn]) -> int:
    """The formula tokens of all pictures and of the frames of videos."""
    images = sum(image.tokens for turn in turns for image in turn.images)
    return images + sum(frame.image.tokens for video in _videos(turns) for frame in video.frames)


def _videos(turns: Sequence[Turn]) -> Iterator[VideoPart]:
    for turn in turns:
        yield from (part for part in turn.parts if isinstance(part, VideoPart))


def _count_turn(tokens: Cl100k, turn: Turn) -> int:
    return PER_MESSAGE + _ROLE + sum(map(tokens.count, _texts(turn))) + (turn.name is not None)


def _count_tool(tokens: Cl100k, tool: Tool) -> int:
    form = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return tokens.count(msgspec.json.encode(form).decode())


def _texts(turn: Turn) -> Iterator[str]:
    yield turn.text
    for video in _videos([turn]):
        yield "\n".join(segment.text for segment in video.speech or ())
    if turn.name is not None:
        yield turn.name
    for call in turn.tool_calls:
        yield call.name
        yield call.arguments
