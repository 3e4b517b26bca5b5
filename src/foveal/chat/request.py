"""A chat request after it has been read: typed, checked, and free of every spelling it may have come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from foveal.engines.base import ResponseFormat, Sampling, Tool, ToolCall, ToolChoice

MessageRole = Literal["system", "developer", "user", "assistant", "tool", "function"]
RequestedDetail = Literal["low", "high", "auto"]

MAX_IMAGES = 10


@dataclass(frozen=True, slots=True)
class TextContent:
    text: str


@dataclass(frozen=True, slots=True)
class ImageContent:
    """A picture as the client sent it: a URL (http, https, data), or base64 without the `data:` prefix.

    `param` names where it stands in the request, for error messages.
    """

    source: str
    bare_base64: bool
    detail: RequestedDetail
    param: str


@dataclass(frozen=True, slots=True)
class DocumentContent:
    """A video of an index, by its document id; the data source of the request names the index."""

    document_id: str
    param: str


@dataclass(frozen=True, slots=True)
class VideoContent:
    """A video by a URL: http, https, data."""

    url: str
    param: str


Video = DocumentContent | VideoContent
Content = TextContent | ImageContent | Video


@dataclass(frozen=True, slots=True)
class Message:
    role: MessageRole
    content: tuple[Content, ...]
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    @property
    def images(self) -> tuple[ImageContent, ...]:
        return tuple(part for part in self.content if isinstance(part, ImageContent))

    @property
    def videos(self) -> tuple[Video, ...]:
        return tuple(part for part in self.content if isinstance(part, Video))

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.content if isinstance(part, TextContent))


@dataclass(frozen=True, slots=True)
class DataSource:
    """One of `dataSources`. `parameters` holds its values from whatever depth they stood at; `param` names
    where it stood.
    """

    param: str
    type: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def is_a(self, type: str) -> bool:
        """`AzureComputerVision` also as `azure_computer_vision`, and in any letter case."""
        return self.type.replace("_", "").lower() == type.lower()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request. `sampling.max_tokens` is not filled here: `max_tokens` is None when it was missing.

    `fields` are the names that stood in the body and `nulls` those whose value was null: strict mode
    judges by them. `enhancements` are the names of those that are enabled.
    """

    messages: tuple[Message, ...]
    sampling: Sampling
    max_tokens: int | None = None
    n: int = 1
    stream: bool = False
    include_usage: bool = False
    model: str | None = None
    response_format: ResponseFormat | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = field(default_factory=ToolChoice)
    functions_form: bool = False  # `functions`, the older spelling of tools: answered in the same spelling
    parallel_tool_calls: bool = True
    logprobs: bool = False
    enhancements: tuple[str, ...] = ()
    data_sources: tuple[DataSource, ...] = ()
    user: str | None = None
    fields: frozenset[str] = frozenset()
    nulls: frozenset[str] = frozenset()

    @property
    def images(self) -> tuple[ImageContent, ...]:
        return tuple(image for message in self.messages for image in message.images)

    @property
    def video(self) -> Video | None:
        """The video that the request is about, where it stands first. There is only one."""
        return next((video for message in self.messages for video in message.videos), None)

    @property
    def question(self) -> str:
        """What the user said last."""
        said = (message.text for message in reversed(self.messages) if message.role == "user")
        return next((text for text in said if text.strip()), "")
