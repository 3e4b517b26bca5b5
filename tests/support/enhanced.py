"""A live server with fixed facts behind the enhancements, and keys of every kind of resource."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from tests.support.engines import ScriptedEngine
from tests.support.facts import FixedFinder, line
from tests.support.house import API_VERSION, KEY, OneKey, enhancements, services
from tests.support.server import LiveServer, live

from foveal.http.app import build_app
from foveal.resources.accounts import Principal, Resource

ANSWER = "The image shows a street.\nThe person waits beside a red car; the dog sleeps."
CV_KEY = "c" * 32
FREE_KEY = "f" * 32
OPENAI_KEY = "a" * 32
CHAT = "/openai/deployments/gpt-4v/chat/completions"
EXTENSIONS = "/openai/deployments/gpt-4v/extensions/chat/completions"
BOTH = {"ocr": {"enabled": True}, "grounding": {"enabled": True}}


@dataclass(frozen=True)
class Keys(OneKey):
    """The multi-service resource, an Azure OpenAI one, and Computer Vision resources of both tiers.

    All have the name of the one resource with deployments, so that each can chat.
    """

    def check(self, presented: str) -> Principal | None:
        others = {
            CV_KEY: Resource("local", "ComputerVision", "swedencentral", "S1"),
            FREE_KEY: Resource("free", "ComputerVision", "swedencentral", "F0"),
            OPENAI_KEY: Resource("local", "OpenAI", "swedencentral", "S0"),
        }
        if presented in others:
            return Principal(others[presented], "key1")
        return super().check(presented)


@dataclass(frozen=True)
class Enhanced:
    server: LiveServer
    engine: ScriptedEngine
    finder: FixedFinder

    def post(self, path: str, body: Any, key: str = KEY, version: str = API_VERSION) -> httpx.Response:
        content = body if isinstance(body, str) else json.dumps(body)
        return httpx.post(
            self.server.url + path,
            content=content,
            params={"api-version": version},
            headers={"api-key": key, "content-type": "application/json"},
            timeout=30,
        )


@contextmanager
def serve_enhanced() -> Iterator[Enhanced]:
    engine = ScriptedEngine(ANSWER.splitlines(keepends=True))
    finder = FixedFinder(close_lines=(line("CENTRAL STATION", 0.4, 0.05, 0.8, 0.12),))
    keys = Keys()
    parts = services(engine, enhanced=enhancements(finder, keys), keys=keys)
    with live(build_app(parts)) as server:
        yield Enhanced(server, engine, finder)


def source(enhanced: Enhanced, key: str = CV_KEY, **changes: Any) -> dict[str, Any]:
    return {
        "type": "AzureComputerVision",
        "parameters": {"endpoint": enhanced.server.url, "key": key, **changes},
    }


def spans_of(choice: dict[str, Any]) -> list[dict[str, Any]]:
    """The spans of an answer; every published promise about them is checked on the way."""
    grounding = choice["enhancements"]["grounding"]
    assert grounding["status"] == "Success"
    (only,) = grounding["lines"]
    for span in only["spans"]:
        piece = only["text"][span["offset"] : span["offset"] + span["length"]]
        assert piece.lower() == span["text"]
        assert len(span["polygon"]) == 4
        assert all(0 <= point[axis] <= 1 for point in span["polygon"] for axis in ("x", "y"))
    found: list[dict[str, Any]] = only["spans"]
    return found
