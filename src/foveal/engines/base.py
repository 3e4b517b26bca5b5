"""What every engine receives and gives: `Prompt` in, a stream of `Delta` out.

An engine writes the answer. It never fetches anything, never sees the client's URLs and never
renders HTTP: images arrive decoded (see `foveal.images`), text goes back piece by piece.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from foveal.images.detail import DetailedImage
from foveal.perception.base import SpeechSegment, TextLine
from foveal.perception.facts import Facts

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class TextPart:
    text: str


@dataclass(frozen=True, slots=True)
class ReadText:
    """What the OCR enhancement read in one picture: every line in reading order, and `text`, what of it fits
    into the prompt. An engine that knows text only as text puts `text` beside the picture.
    """

    lines: tuple[TextLine, ...]
    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """`read` is None when the OCR enhancement was not asked for."""

    image: DetailedImage
    read: ReadText | None = None


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """What was shown at `at` seconds, at low detail, and what is known of it already; `facts` None: nothing.
    `scene` counts camera shots from 0.
    """

    at: float
    image: DetailedImage
    facts: Facts | None = None
    scene: int = 0


@dataclass(frozen=True, slots=True)
class VideoPart:
    """The frames of a video that are looked at, in order, and what is said in it, with its times.

    `start` and `end` are the seconds that the question is about: all of the video (0 to `duration`), or a
    range that it names. `scenes` are the camera shots that begin within them: (start, end) each. `speech` is
    what is said within them; None when the video was not listened to. `sound` is False when it has no sound
    track.
    """

    duration: float
    start: float
    end: float
    frames: tuple[VideoFrame, ...]
    scenes: tuple[tuple[float, float], ...]
    speech: tuple[SpeechSegment, ...] | None
    sound: bool = True


Part = TextPart | ImagePart | VideoPart


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model made; `arguments` is JSON text, as on the wire."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `tool_call_id` is set on `tool` turns, `tool_calls` on assistant turns."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def images(self) -> tuple[DetailedImage, ...]:
        return tuple(part.image for part in self.parts if isinstance(part, ImagePart))


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen. Ranges are checked before an engine sees them.

    `max_tokens` is a budget in cl100k tokens that the chat service enforces on the text; an engine
    uses it only to stop early. `stop` is likewise enforced by the chat service.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    max_tokens: int = 4096


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """`json_object`, or `json_schema` with its schema."""

    type: Literal["json_object", "json_schema"]
    schema: Mapping[str, Any] | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`auto`, `none`, `required` (some tool) or `named` (the tool `name`)."""

    mode: Literal["auto", "none", "required", "named"] = "auto"
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    turns: tuple[Turn, ...]
    sampling: Sampling = Sampling()
    response_format: ResponseFormat | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()

    @property
    def images(self) -> tuple[DetailedImage, ...]:
        return tuple(image for turn in self.turns for image in turn.images)


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call: the first piece of an `index` has `id` and `name`."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer. The last delta of an answer, and only it, has `finish`."""

    text: str = ""
    tool_call: ToolCallDelta | None = None
    finish: FinishReason | None = None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an engine can do; the chat service refuses by name what it cannot."""

    images: bool = True  # looks at pixels itself (evidence reads what perception found: see `notes`)
    video: bool = (
        False  # takes a `VideoPart` as it is; else the chat service spells it out: times, frames, speech
    )
    tools: bool = False
    json_object: bool = False
    json_schema: bool = False
    logit_bias: bool = False
    notes: str = ""  # one honest sentence for /v1/models and the docs


class Engine(Protocol):
    """`answer` is an async generator: closing it (`aclose`) stops the work behind it at once."""

    name: str
    abilities: Abilities

    def answer(self, prompt: Prompt) -> AsyncIterator[Delta]: ...

    def count_tokens(self, text: str) -> int:
        """The engine's own count of `text` (its tokenizer, not cl100k)."""
        ...

    async def ready(self) -> None:
        """Load what is needed; raises `EngineUnavailable` that says what to do."""
        ...

    async def close(self) -> None: ...
