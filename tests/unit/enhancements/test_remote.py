"""A Computer Vision resource elsewhere: what it is asked, what its answers become, what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.support.house import PaperDoor
from tests.support.server import LiveServer, live

from foveal.enhancements.remote import MAX_ANSWER, ComputerVisionClient
from foveal.enhancements.spans import Findings
from foveal.errors import FovealError, InvalidDataSource, TooManyRequests
from foveal.perception.base import Box
from foveal.resources.callers import Endpoint

PARAM = "dataSources.[0]"
KEY = "k" * 32


def polygon(left: int, top: int, right: int, bottom: int) -> list[dict[str, int]]:
    return [{"x": x, "y": y} for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]


ANALYSIS = {
    "modelVersion": "2023-10-01",
    "metadata": {"width": 200, "height": 100},
    "readResult": {
        "blocks": [
            {
                "lines": [
                    {
                        "text": "오늘 TODAY",
                        "boundingPolygon": polygon(20, 10, 100, 20),
                        "words": [
                            {"text": "오늘", "boundingPolygon": polygon(20, 10, 50, 20), "confidence": 0.9},
                            {"text": "TODAY", "boundingPolygon": polygon(60, 10, 100, 20), "confidence": 0.8},
                        ],
                    }
                ]
            }
        ]
    },
    "objectsResult": {
        "values": [
            {
                "boundingBox": {"x": 0, "y": 50, "w": 50, "h": 50},
                "tags": [{"name": "Dog", "confidence": 0.7}],
            },
            {
                "boundingBox": {"x": 100, "y": 0, "w": 100, "h": 120},
                "tags": [{"name": "person", "confidence": 0.9}],
            },
        ]
    },
    "peopleResult": {
        "values": [
            {"boundingBox": {"x": 102, "y": 0, "w": 96, "h": 100}, "confidence": 0.95},
            {"boundingBox": {"x": 60, "y": 0, "w": 20, "h": 50}, "confidence": 0.8},
            {"boundingBox": {"x": 0, "y": 0, "w": 5, "h": 5}, "confidence": 0.01},
        ]
    },
}


@dataclass
class Service:
    """Answers as it is told; remembers what it was asked."""

    status: int = 200
    body: bytes = json.dumps(ANALYSIS).encode()
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.asked.append((str(request.url), dict(request.headers), await request.body()))
        return Response(self.body, self.status, headers=self.headers)

    def app(self) -> Starlette:
        path = "/computervision/imageanalysis:analyze"
        return Starlette(routes=[Route(path, self.answer, methods=["POST"])])


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service) -> Iterator[LiveServer]:
    with live(service.app()) as running:
        yield running


async def look(server: LiveServer, *, grounding: bool = True, base: str | None = None) -> Findings:
    image = await PaperDoor().open("http://x/picture.png", "high", param="p")
    client = ComputerVisionClient(5)
    endpoint = Endpoint(base or server.url, "vision.example", server.port)
    try:
        return await client(endpoint, KEY, PARAM).look(image, ocr=True, grounding=grounding)
    finally:
        await client.close()


async def refused(server: LiveServer, base: str | None = None) -> FovealError:
    with pytest.raises(FovealError) as error:
        await look(server, base=base)
    assert PARAM in error.value.message
    assert "vision.example" in error.value.message
    assert KEY not in error.value.message
    return error.value


async def test_pixels_become_shares_of_the_picture(server: LiveServer) -> None:
    found = await look(server)
    assert [(one.label, one.confidence) for one in found.objects] == [
        ("person", 0.9),
        ("person", 0.8),  # of the people: the first is one of the objects, the last is noise
        ("dog", 0.7),
    ]
    assert found.objects[0].box == Box(0.5, 0.0, 1.0, 1.0)
    assert found.objects[2].box == Box(0.0, 0.5, 0.25, 1.0)
    (line,) = found.lines
    assert (line.text, line.language) == ("오늘 TODAY", "ko")
    assert line.polygon == ((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2))
    assert [word.text for word in line.words] == ["오늘", "TODAY"]


async def test_what_is_asked(server: LiveServer, service: Service) -> None:
    await look(server)
    await look(server, grounding=False)
    (first, headers, body), (second, _, _) = service.asked
    assert "features=read%2Cobjects%2Cpeople" in first or "features=read,objects,people" in first
    assert "api-version=2023-10-01" in first
    assert second.endswith("features=read")
    assert headers["ocp-apim-subscription-key"] == KEY
    assert headers["content-type"] == "application/octet-stream"
    assert body == b""


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "refused its key"),
        (403, "refused its key"),
        (404, "status 404"),
        (500, "status 500"),
        (302, "302"),
    ],
)
async def test_a_refusal_is_a_400_that_names_the_source(
    server: LiveServer, service: Service, status: int, says: str
) -> None:
    service.status, service.headers = status, {"location": "http://elsewhere.example/"}
    service.body = f"secret {KEY}".encode()
    error = await refused(server)
    assert isinstance(error, InvalidDataSource)
    assert (error.status, error.param) == (400, PARAM)
    assert says in error.message
    assert "secret" not in error.message


async def test_too_many_requests_are_passed_on(server: LiveServer, service: Service) -> None:
    service.status, service.headers = 429, {"retry-after": "7"}
    error = await refused(server)
    assert isinstance(error, TooManyRequests)
    assert error.headers["retry-after"] == "7"
    service.headers = {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}
    assert (await refused(server)).headers["retry-after"] == "5"


async def test_nobody_there(server: LiveServer) -> None:
    assert "cannot be reached" in (await refused(server, base="http://127.0.0.1:1")).message


@pytest.mark.parametrize(
    "changes",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        {"metadata": {"width": 0, "height": 0}},
        {"metadata": None},
        {"objectsResult": {"values": [{}]}},
        {"peopleResult": {"values": [{"boundingBox": {"x": "a", "y": 0, "w": 1, "h": 1}, "confidence": 1}]}},
        {"objectsResult": {"values": 5}},
        {"readResult": {"blocks": [{"lines": [{"text": "x", "boundingPolygon": [], "words": []}]}]}},
        {"peopleResult": {"values": [{"boundingBox": None, "confidence": 1}]}},
    ],
)
async def test_an_answer_of_another_shape(server: LiveServer, service: Service, changes: Any) -> None:
    service.body = changes if isinstance(changes, bytes) else json.dumps({**ANALYSIS, **changes}).encode()
    assert "not one of Image Analysis 4.0" in (await refused(server)).message


async def test_an_endless_answer_is_cut_off(server: LiveServer, service: Service) -> None:
    service.body = b" " * (MAX_ANSWER + 1)
    assert "too long" in (await refused(server)).message


async def test_nothing_found(server: LiveServer, service: Service) -> None:
    service.body = json.dumps({"metadata": {"width": 10, "height": 10}}).encode()
    assert await look(server) == Findings()
