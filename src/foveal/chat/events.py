"""What the chat service tells while an answer is made. A choice starts, gives pieces, and ends."""

from __future__ import annotations

from dataclasses import dataclass

from foveal.engines.base import FinishReason, ToolCallDelta
from foveal.enhancements.spans import GroundedLine


@dataclass(frozen=True, slots=True)
class ChoiceStarted:
    index: int


@dataclass(frozen=True, slots=True)
class TextPiece:
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class ToolPiece:
    index: int
    call: ToolCallDelta


@dataclass(frozen=True, slots=True)
class ChoiceEnded:
    """`grounding` is None when that enhancement was not asked for."""

    index: int
    finish: FinishReason
    grounding: GroundedLine | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """In cl100k tokens; `image_tokens` (pictures, and frames of a video) are a part of `prompt_tokens`. `ocr`
    and `grounding` are the calls of each enhancement, one per picture, `video_queries` the searches of an
    index of videos: they are billed by themselves and cost no tokens.
    """

    prompt_tokens: int
    completion_tokens: int
    image_tokens: int = 0
    images: int = 0
    ocr: int = 0
    grounding: int = 0
    video_queries: int = 0

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    usage: Usage


Event = ChoiceStarted | TextPiece | ToolPiece | ChoiceEnded | AnswerEnded
