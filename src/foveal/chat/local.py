"""Asking without a server: local files and a question become the same request that the API would get."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from foveal.chat.events import Event
from foveal.chat.request import ChatRequest
from foveal.chat.service import ChatService
from foveal.errors import InvalidImage, InvalidVideo
from foveal.images.data_url import local_image_to_data_url
from foveal.resources.callers import Caller
from foveal.resources.deployments import Deployment

# How the names of video files end, of the containers that ingestion takes.
VIDEO_SUFFIXES = (
    *(".3g2", ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mj2", ".mkv", ".mov", ".mp4", ".mpeg"),
    *(".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"),
)
# What video files that are named otherwise begin with: place, bytes.
_SIGNATURES = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (8, b"AVI "), (0, b"FLV"))


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


def is_video(place: str) -> bool:
    """By its name; a data URL by its type, a file by its first bytes too."""
    lowered = place[:16].lower()
    if lowered.startswith("data:"):
        return lowered.startswith("data:video/")
    is_url = lowered.startswith(("http://", "https://"))
    if Path(urlsplit(place).path if is_url else place).suffix.lower() in VIDEO_SUFFIXES:
        return True
    if is_url:
        return False
    try:
        with Path(place).expanduser().open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return any(head[at:].startswith(signature) for at, signature in _SIGNATURES)


def video_url(place: str) -> str:
    """An http(s) URL or data URL as it is, a local file as a file URL: only the operator's are opened."""
    if place.lower().startswith(("http://", "https://", "data:")):
        return place
    path = Path(place).expanduser().absolute()
    if not path.is_file():
        raise InvalidVideo(f"{place}: there is no such file", code="VideoNotFound")
    return path.as_uri()


def local_request(
    places: Sequence[str], question: str, *, detail: str = "auto", system: str | None = None, **fields: Any
) -> bytes:
    """The request body for pictures or a video (paths or URLs) and a question; `fields` without None."""
    parts: list[Mapping[str, Any]] = [{"type": "text", "text": question}]
    for place in places:
        if is_video(place):
            parts.append({"type": "video_url", "video_url": {"url": video_url(place)}})
        else:
            parts.append({"type": "image_url", "image_url": {"url": picture_url(place), "detail": detail}})
    messages = [{"role": "user", "content": parts}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": [{"type": "text", "text": system}]})
    given = {name: value for name, value in fields.items() if value is not None}
    return msgspec.json.encode({"messages": messages, **given})


def ask(service: ChatService, request: ChatRequest, engine: str) -> AsyncGenerator[Event, None]:
    """The answer's events; close it to stop the engine."""
    return service.complete(request, service.rules(local_deployment(engine)), Caller())
