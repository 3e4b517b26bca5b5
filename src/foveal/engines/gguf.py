"""Engine `gguf`: any GGUF model in this process, with an mmproj file for pictures.

The model sees the views that the request's `detail` plan made: the overview at low detail; the overview and
then the tiles, row by row, at high.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from PIL import Image
from pybase64 import b64encode

from foveal.engines.base import Abilities, Delta, ImagePart, Prompt
from foveal.engines.llama import LlamaRuntime
from foveal.engines.read_text import with_read_text
from foveal.engines.tools import answer_text
from foveal.errors import InvalidRequest
from foveal.images.detail import DetailedImage, Pixels

NO_PICTURES = "Invalid content type. image_url is only supported by certain models."
JPEG_QUALITY = 92


class GgufEngine:
    """`path` is the language model, `mmproj` its picture encoder (without one it reads text only)."""

    def __init__(
        self,
        path: Path,
        *,
        mmproj: Path | None = None,
        threads: int = 2,
        context: int = 8192,
        slots: int = 1,
        max_waiting: int = 16,
        chat_template: str | None = None,
        idle_seconds: float | None = None,
        name: str = "gguf",
    ) -> None:
        self.name = name
        self.runtime = LlamaRuntime(
            path,
            mmproj=mmproj,
            threads=threads,
            context=context,
            slots=slots,
            max_waiting=max_waiting,
            chat_template=chat_template,
            idle_seconds=idle_seconds,
        )
        self.abilities = Abilities(
            images=mmproj is not None,
            tools=True,
            json_object=True,
            json_schema=True,
            logit_bias=True,
            notes=f"Runs {path.name} in this process"
            + (
                f" and sees pictures through {mmproj.name}."
                if mmproj is not None
                else "; it reads text only."
            ),
        )

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Delta]:
        views: dict[int, tuple[str, ...]] = {}
        if self.abilities.images:
            # Encoding takes milliseconds per view: in a thread, once, before the messages are put together.
            for image in prompt.images:
                views[id(image)] = await asyncio.to_thread(data_urls, image)
        else:
            _refuse_pictures(prompt)
        async with aclosing(
            answer_text(self.runtime, with_read_text(prompt), lambda image: views[id(image)])
        ) as deltas:
            async for delta in deltas:
                yield delta

    def count_tokens(self, text: str) -> int:
        return self.runtime.count_tokens(text)

    async def ready(self) -> None:
        await self.runtime.ready()

    async def close(self) -> None:
        await self.runtime.close()


def data_urls(image: DetailedImage) -> tuple[str, ...]:
    """The views of `image` as JPEG data URLs: the overview, then each tile of the working picture."""
    views = [image.overview]
    if image.scaled is not None:
        tiles = image.tiles if len(image.tiles) > 1 else ()  # one tile would show the overview again
        views += [image.scaled[t.y : t.y + t.height, t.x : t.x + t.width] for t in tiles]
    return tuple(_data_url(view) for view in views)


def _data_url(pixels: Pixels) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode("ascii")


def _refuse_pictures(prompt: Prompt) -> None:
    for number, turn in enumerate(prompt.turns):
        for index, part in enumerate(turn.parts):
            if isinstance(part, ImagePart):
                raise InvalidRequest(NO_PICTURES, param=f"messages.[{number}].content.[{index}].type")
