"""Asking without a server: local files and a question become the same request that the API would get."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from foveal.chat.events import Event
from foveal.chat.request import ChatRequest
from foveal.chat.service import ChatService
from foveal.errors import InvalidImage
from foveal.images.data_url import local_image_to_data_url
from foveal.resources.callers import Caller
from foveal.resources.deployments import Deployment


def local_deployment(engine: str) -> Deployment:
    """What `foveal ask` talks to: the page's model version, on the chosen engine."""
    return Deployment(name="local", model="gpt-4", version="vision-preview", engine=engine)


def picture_url(place: str) -> str:
    """An http(s) URL or data URL as it is, a local file as a data URL."""
    if place.lower().startswith(("http://", "https://", "data:")):
        return place
    path = Path(place).expanduser()
    try:
        return local_image_to_data_url(path)
    except OSError as error:
        raise InvalidImage(f"{place}: {error.strerror or 'cannot be read'}") from None


def local_request(
    pictures: Sequence[str], question: str, *, detail: str = "auto", system: str | None = None, **fields: Any
) -> bytes:
    """The request body for pictures (paths or URLs) and a question; `fields` that are None are left out."""
    parts: list[Mapping[str, Any]] = [{"type": "text", "text": question}]
    for place in pictures:
        parts.append({"type": "image_url", "image_url": {"url": picture_url(place), "detail": detail}})
    messages = [{"role": "user", "content": parts}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": [{"type": "text", "text": system}]})
    given = {name: value for name, value in fields.items() if value is not None}
    return msgspec.json.encode({"messages": messages, **given})


def ask(service: ChatService, request: ChatRequest, engine: str) -> AsyncGenerator[Event, None]:
    """The answer's events; close it to stop the engine."""
    return service.complete(request, service.rules(local_deployment(engine)), Caller())
