"""A request and its opened pictures → the `Prompt` that an engine gets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from foveal.chat.request import (
    ChatRequest,
    Content,
    ImageContent,
    Message,
    MessageRole,
    RequestedDetail,
    TextContent,
)
from foveal.engines.base import ImagePart, Part, Prompt, Role, TextPart, Tool, Turn, VideoPart
from foveal.images.detail import DetailedImage

_ROLES: dict[MessageRole, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


Opened = Mapping[str, DetailedImage]  # by `ImageContent.param`: where the picture stood in the request


class Door(Protocol):
    """The media door: the one place that fetches and decodes. `param` is named in its errors."""

    async def open(self, url: str, detail: RequestedDetail, /, *, param: str) -> DetailedImage: ...

    async def open_base64(self, text: str, detail: RequestedDetail, /, *, param: str) -> DetailedImage: ...


async def open_images(request: ChatRequest, door: Door) -> Opened:
    """All pictures of the request, opened concurrently; the first that fails cancels the others."""
    wanted = request.images
    if not wanted:
        return {}
    tasks = [asyncio.ensure_future(_open(image, door)) for image in wanted]
    try:
        opened = await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    return {image.param: picture for image, picture in zip(wanted, opened, strict=True)}


async def _open(image: ImageContent, door: Door) -> DetailedImage:
    open_it = door.open_base64 if image.bare_base64 else door.open
    return await open_it(image.source, image.detail, param=image.param)


def build_turns(request: ChatRequest, images: Opened, video: VideoPart | None = None) -> tuple[Turn, ...]:
    """The video stands where it is named first; where it is named again, as in a conversation, is nothing."""
    turns: list[Turn] = []
    for message in request.messages:
        turn = _turn(message, images, video)
        if message.videos:
            video = None
            if not turn.parts:
                continue
        turns.append(turn)
    return tuple(turns)


def frames_of(turns: Sequence[Turn]) -> list[DetailedImage]:
    """The frames of the video that an engine is shown."""
    videos = [part for turn in turns for part in turn.parts if isinstance(part, VideoPart)]
    return [frame.image for video in videos for frame in video.frames]


def offered_tools(request: ChatRequest) -> tuple[Tool, ...]:
    """The tools that the engine may call: none of them when the client said so."""
    return request.tools if request.tool_choice.mode != "none" else ()


def build_prompt(request: ChatRequest, turns: tuple[Turn, ...], max_tokens: int) -> Prompt:
    return Prompt(
        turns=turns,
        sampling=replace(request.sampling, max_tokens=max_tokens),
        response_format=request.response_format,
        tools=offered_tools(request),
        tool_choice=request.tool_choice,
    )


def with_seed(prompt: Prompt, index: int) -> Prompt:
    """The prompt of choice `index`: with a seed given, each choice has its own, so that choices differ."""
    seed = prompt.sampling.seed
    if seed is None or index == 0:
        return prompt
    return replace(prompt, sampling=replace(prompt.sampling, seed=_wrap(seed + index)))


def _wrap(seed: int) -> int:
    return (seed + (1 << 63)) % (1 << 64) - (1 << 63)


def _turn(message: Message, images: Opened, video: VideoPart | None) -> Turn:
    return Turn(
        role=_ROLES[message.role],
        parts=tuple(_parts(message.content, images, video)),
        name=message.name,
        tool_calls=message.tool_calls,
        tool_call_id=message.tool_call_id,
    )


def _parts(content: Sequence[Content], images: Opened, video: VideoPart | None) -> Iterator[Part]:
    for part in content:
        if isinstance(part, TextContent):
            yield TextPart(part.text)
        elif isinstance(part, ImageContent):
            yield ImagePart(images[part.param])
        elif video is not None:
            yield video
            video = None
