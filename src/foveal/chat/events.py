"""What the chat service tells while an answer is made. A choice starts, gives pieces, and ends."""

from __future__ import annotations

from dataclasses import dataclass

from foveal.engines.base import FinishReason, ToolCallDelta
from foveal.enhancements.spans import GroundedLine
from foveal.safety.verdict import Verdict


@dataclass(frozen=True, slots=True)
class PromptJudged:
    """What the content filter says of the prompt; None: it could not judge. Comes first, when it comes."""

    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class ChoiceStarted:
    index: int


@dataclass(frozen=True, slots=True)
class TextPiece:
    """`verdict` None: this was not judged, or will be told of by `Judged`."""

    index: int
    text: str
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What the content filter says of text that was given on already: characters `start` to `end` of the
    choice; everything up to `checked` was judged.
    """

    index: int
    verdict: Verdict | None
    checked: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ToolPiece:
    index: int
    call: ToolCallDelta


@dataclass(frozen=True, slots=True)
class ChoiceEnded:
    """`grounding` is None when that enhancement was not asked for; `verdict` is that of the whole answer."""

    index: int
    finish: FinishReason
    grounding: GroundedLine | None = None
    verdict: Verdict | None = None


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


@dataclass(slots=True)
class Tally:
    """What one request has spent so far, for who settles it however it ends. The service writes it: `usage`
    once the prompt is counted, `writing` when the engine begins.
    """

    usage: Usage | None = None
    writing: bool = False


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    usage: Usage


Event = PromptJudged | ChoiceStarted | TextPiece | Judged | ToolPiece | ChoiceEnded | AnswerEnded
