"""Video Retrieval over HTTP for contract tests: a live server, and short ways to speak to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.support.house import KEY, services
from tests.support.retrieval import OTHER, Workshop
from tests.support.server import LiveServer, live

from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.resources.accounts import Principal, Resource

VERSION = "api-version=2023-05-01-preview"
INDEXES = "/computervision/retrieval/indexes"
MINE = f"{INDEXES}/my-video-index"
OTHER_KEY, CHAT_KEY = "b" * 32, "c" * 32


class Keys:
    def check(self, presented: str) -> Principal | None:
        known = {
            KEY: Resource("local", "AIServices", "swedencentral", "S0"),
            OTHER_KEY: Resource(OTHER, "ComputerVision", "swedencentral", "S1"),
            CHAT_KEY: Resource("chatter", "OpenAI", "swedencentral", "S0"),
        }
        return Principal(known[presented], "key1") if presented in known else None


@contextmanager
def serve_retrieval(house: Workshop) -> Iterator[LiveServer]:
    with live(build_app(services(EchoEngine(), keys=Keys(), retrieval=house.retrieval))) as running:
        yield running


@contextmanager
def client(server: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Ocp-Apim-Subscription-Key": KEY}, timeout=30) as made:
        yield made


def page(name: str) -> bytes:
    """A body as the page prints it."""
    return (Path(__file__).parents[1] / "fixtures" / f"page_video_{name}.txt").read_bytes()


def put(http: httpx.Client, path: str, body: Any = None, **options: Any) -> httpx.Response:
    return http.put(f"{path}?{VERSION}", json={} if body is None else body, **options)


def get(http: httpx.Client, path: str, query: str = "") -> Any:
    answer = http.get(f"{path}?{VERSION}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def added(*ids: str, **fields: Any) -> dict[str, Any]:
    """An ingestion that adds videos of these ids."""
    videos = [{"mode": "add", "documentId": one, "documentUrl": f"https://blobs.test/{one}"} for one in ids]
    return {"videos": videos, **fields}
