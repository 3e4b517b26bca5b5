"""A live server with the echo engine, the real media door, and documents on its shelf."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.support.enhanced import Keys
from tests.support.house import API_VERSION, KEY, enhancements, services
from tests.support.server import LiveServer, live
from tests.support.videos import DOCUMENT, INDEX, Shelf, WordFinder, made_video, open_shelf

from foveal.chat.videos import VideoDesk
from foveal.cl100k import Cl100k
from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.resources.callers import VisionResources
from foveal.video.chat.asking import load_asking
from foveal.video.chat.chatting import VideoChat
from foveal.video.chat.glance import Glance, Limits
from foveal.video.chat.instant import InstantVideos
from foveal.video.decode.client import ProcessDecoder
from foveal.video.fetch.fetching import MediaVideoFetcher

EXTENSIONS = "/openai/deployments/gpt-4v/extensions/chat/completions"
CHAT = "/openai/deployments/gpt-4v/chat/completions"
VIDEO = {"video": {"enabled": True}}
KIND = "AzureComputerVisionVideoIndex"
SAS_URL = "https://example.blob.core.windows.net/videos/clip.mp4?sv=2021&sig=secret"


@dataclass(frozen=True)
class Watching:
    server: LiveServer
    shelf: Shelf

    def post(self, path: str, body: Any, key: str = KEY, version: str = API_VERSION) -> httpx.Response:
        return httpx.post(
            self.server.url + path,
            content=body if isinstance(body, str) else json.dumps(body),
            params={"api-version": version},
            headers={"api-key": key, "content-type": "application/json"},
            timeout=60,
        )

    def source(self, **changes: Any) -> dict[str, Any]:
        """The data source as the page has it; a change to None leaves the parameter out."""
        parameters = {
            "computerVisionBaseUrl": f"{self.server.url}/computervision",
            "computerVisionApiKey": KEY,
            "indexName": INDEX,
            "videoUrls": [SAS_URL],
            **changes,
        }
        given = {name: value for name, value in parameters.items() if value is not None}
        return {"type": KIND, "parameters": given}

    def ask(self, question: str = "Describe this video:", **changes: Any) -> dict[str, Any]:
        body = {
            "enhancements": VIDEO,
            "dataSources": [self.source()],
            "messages": [{"role": "user", "content": [document(), {"type": "text", "text": question}]}],
            "max_tokens": 1000,
            **changes,
        }
        return {name: value for name, value in body.items() if value is not None}


def document(document_id: str = DOCUMENT) -> dict[str, str]:
    return {"type": "acv_document_id", "acv_document_id": document_id}


@contextmanager
def serve_watching(data: Path) -> Iterator[Watching]:
    """The document of the notebook's length, one that is being made, one that failed; a second index."""
    shelf = open_shelf(data)
    shelf.publish(made_video(46.13))
    shelf.index("second")
    shelf.ingesting("cooking")
    shelf.failed("broken", "It has no picture.")
    keys = Keys()
    door = ImageDoor(MediaFetcher())
    tokens, asking, decoder = Cl100k(), load_asking(), ProcessDecoder()
    glance = Glance(
        decoder,
        MediaVideoFetcher(),
        tokens.count,
        asking,
        work=data / "glance",
        limits=Limits(seconds=30, bytes=10_000_000),
    )
    instant = InstantVideos(glance, door)
    chat = VideoChat(shelf.library, door, tokens.count, asking, WordFinder(shelf.library))
    desk = VideoDesk(VisionResources(keys, vision_hosts=("eyes.example",)), chat, instant)
    parts = services(
        EchoEngine(), door=door, keys=keys, enhanced=enhancements(keys=keys), videos=desk, max_body=40_000_000
    )
    with live(build_app(parts)) as server:
        yield Watching(server, shelf)
        server.call(instant.close())
        server.call(door.close())
    decoder.close()
    shelf.close()
