"""A Computer Vision resource elsewhere that does the seeing: Azure AI Vision, or a second Foveal.

Only endpoints that the operator listed come here. One call of Image Analysis 4.0 gives lines, objects and
people; no redirect is followed, no proxy of the environment used, and the key appears in no message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import httpx
import msgspec

from foveal.enhancements.spans import Findings
from foveal.errors import InvalidDataSource, TooManyRequests
from foveal.images.detail import DetailedImage
from foveal.perception.base import Box, Point, TextLine, TextWord
from foveal.perception.facts import SeenObject
from foveal.perception.reading import language_of
from foveal.resources.callers import Endpoint

API_VERSION = "2023-10-01"
MAX_ANSWER = 16 * 1024 * 1024  # bytes; a page of ten thousand words is about two million
SURE_PERSON = 0.5  # below it the service's list of people is mostly noise
SAME = 0.5  # intersection over union from which a person is one of the objects

Json = Mapping[str, Any]


class ComputerVisionClient:
    """Makes a `Vision` of each data source; all share one pool of connections, opened with the first.

    `timeout` in seconds covers each of connecting, sending and reading.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._client: httpx.AsyncClient | None = None

    def __call__(self, endpoint: Endpoint, key: str, param: str) -> RemoteComputerVision:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._timeout, trust_env=False, follow_redirects=False)
        return RemoteComputerVision(self._client, endpoint, key, param)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


class RemoteComputerVision:
    """`Vision` over HTTP."""

    def __init__(self, client: httpx.AsyncClient, endpoint: Endpoint, key: str, param: str) -> None:
        self._client = client
        self._endpoint = endpoint
        self._key = key
        self._param = param

    async def look(self, image: DetailedImage, *, ocr: bool, grounding: bool) -> Findings:
        """Raises `InvalidDataSource`; `TooManyRequests` when the service says so."""
        features = "read,objects,people" if grounding else "read"
        try:
            answer = await self._ask(image.data, features)
        except httpx.HTTPError:
            raise self._refused("cannot be reached") from None
        try:
            return _findings(msgspec.json.decode(answer))
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError):
            raise self._refused("gave an answer that is not one of Image Analysis 4.0") from None

    async def _ask(self, data: bytes, features: str) -> bytes:
        async with self._client.stream(
            "POST",
            f"{self._endpoint.base}/computervision/imageanalysis:analyze",
            params={"api-version": API_VERSION, "features": features},
            headers={"Ocp-Apim-Subscription-Key": self._key, "Content-Type": "application/octet-stream"},
            content=data,
        ) as response:
            status = response.status_code
            if status == 429:
                raise TooManyRequests(
                    f"The data source ({self._param}) at {self._endpoint.host} has too many requests. "
                    "Please retry.",
                    headers={"retry-after": _whole(response.headers.get("retry-after"))},
                )
            if status in (401, 403):
                raise self._refused("refused its key")
            if status != 200:
                raise self._refused(f"answered with the status {status}")
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise self._refused("gave too long an answer")
            return bytes(body)

    def _refused(self, what: str) -> InvalidDataSource:
        return InvalidDataSource(
            f"The data source 'AzureComputerVision' ({self._param}): {self._endpoint.host} {what}.",
            param=self._param,
        )


def _whole(retry_after: str | None) -> str:
    text = retry_after or ""
    return text if text.isascii() and text.isdigit() and len(text) < 6 else "5"


def _findings(answer: Json) -> Findings:
    """Pixels of the service's metadata → 0..1."""
    size = float(answer["metadata"]["width"]), float(answer["metadata"]["height"])
    if min(size) <= 0:
        raise ValueError("a picture without size")
    objects = [
        SeenObject(str(tag["name"]).lower(), float(tag["confidence"]), _box(one["boundingBox"], size))
        for one in _values(answer, "objectsResult")
        for tag in one["tags"][:1]
    ]
    for one in _values(answer, "peopleResult"):
        box, confidence = _box(one["boundingBox"], size), float(one["confidence"])
        known = any(other.label == "person" and other.box.iou(box) > SAME for other in objects)
        if confidence >= SURE_PERSON and not known:
            objects.append(SeenObject("person", confidence, box))
    objects.sort(key=lambda one: -one.confidence)
    read = answer.get("readResult") or {"blocks": []}
    lines = tuple(_line(line, size) for block in read["blocks"] for line in block["lines"])
    return Findings(objects=tuple(objects), lines=lines)


def _values(answer: Json, name: str) -> Iterable[Any]:
    found = answer.get(name)
    return found["values"] if found is not None else ()


def _box(box: Json, size: tuple[float, float]) -> Box:
    left, top = _inside(box["x"], size[0]), _inside(box["y"], size[1])
    right, bottom = _inside(box["x"] + box["w"], size[0]), _inside(box["y"] + box["h"], size[1])
    return Box(left, top, right, bottom)


def _inside(pixels: float, length: float) -> float:
    return min(1.0, max(0.0, float(pixels) / length))


def _line(line: Json, size: tuple[float, float]) -> TextLine:
    words = tuple(
        TextWord(str(word["text"]), float(word["confidence"]), _polygon(word["boundingPolygon"], size))
        for word in line["words"]
    )
    sure = sum(word.confidence for word in words) / len(words) if words else 1.0
    text = str(line["text"])
    return TextLine(text, sure, _polygon(line["boundingPolygon"], size), language_of(text), words)


def _polygon(points: list[Json], size: tuple[float, float]) -> tuple[Point, Point, Point, Point]:
    a, b, c, d = ((_inside(point["x"], size[0]), _inside(point["y"], size[1])) for point in points)
    return a, b, c, d
