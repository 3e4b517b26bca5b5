"""Enhancements with real perception: on one server, and with the seeing done by a second one.

The echo engine answers with the question's own words, so that a test decides what there is to be grounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.server import LiveServer, live
from tests.support.wire import ask, image

from foveal import local_image_to_data_url
from foveal.assembly.server import assemble_server
from foveal.resources.accounts import open_accounts
from foveal.resources.register import add_resource
from foveal.settings import Settings
from foveal.store.database import open_database

pytestmark = pytest.mark.models
KEY = "the-key-of-the-operator"
BOTH = {"ocr": {"enabled": True}, "grounding": {"enabled": True}}
ROUTE = "/openai/deployments/gpt-4v/extensions/chat/completions?api-version=2023-12-01-preview"


@dataclass(frozen=True)
class Foveal:
    """A server on a data directory of its own; the keys are those of resources that were added to it."""

    server: LiveServer
    openai: str
    paid: str
    free: str
    far: str

    def ask(self, key: str, picture: Path, text: str, **fields: Any) -> httpx.Response:
        body = ask(text, image(local_image_to_data_url(picture)), enhancements=BOTH, **fields)
        return httpx.post(self.server.url + ROUTE, json=body, headers={"api-key": key}, timeout=120)


@contextmanager
def foveal(data: Path, models: Path, **settings: Any) -> Iterator[Foveal]:
    database = open_database(data)
    try:
        open_accounts(database, operator_key=KEY, engine="echo", strict=False)
        openai = add_resource(database, "my-openai", "OpenAI")[1][0]
        paid = add_resource(database, "my-vision", "ComputerVision")[1][0]
        free = add_resource(database, "free-vision", "ComputerVision", tier="F0")[1][0]
        far = add_resource(database, "far-vision", "ComputerVision", region="westus")[1][0]
        chosen = Settings(data=data, models=models, engine="echo", **settings)
        with live(assemble_server(chosen, database)) as server:
            yield Foveal(server, openai, paid, free, far)
    finally:
        database.dispose()


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Foveal]:
    with foveal(tmp_path_factory.mktemp("one"), models_folder) as running:
        yield running


def source(endpoint: str, key: str) -> list[dict[str, Any]]:
    return [{"type": "AzureComputerVision", "parameters": {"endpoint": endpoint, "key": key}}]


def spans_of(response: httpx.Response) -> dict[str, list[tuple[float, float]]]:
    assert response.status_code == 200, response.text
    (choice,) = response.json()["choices"]
    (line,) = choice["enhancements"]["grounding"]["lines"]
    assert line["text"] == choice["message"]["content"]
    for span in line["spans"]:
        assert line["text"][span["offset"] : span["offset"] + span["length"]].lower() == span["text"]
    return {span["text"]: [(p["x"], p["y"]) for p in span["polygon"]] for span in line["spans"]}


def assert_the_page_was_read(response: httpx.Response) -> None:
    spans = spans_of(response)
    assert "region-based segmentation" in spans
    (left, top), (right, _), (_, bottom), _ = spans["region-based segmentation"]
    assert left < 0.1 < 0.4 < right < 0.8
    assert 0 <= top < bottom < 0.25
    assert (
        "unambiguously as either object or background" in response.json()["choices"][0]["message"]["content"]
    )


QUOTE = 'The page is about "Region-based segmentation". There is no dog.'


def test_a_multi_service_resource_needs_nothing_else(one: Foveal, pictures: Path) -> None:
    assert_the_page_was_read(one.ask(KEY, pictures / "page.jpg", QUOTE))
    spans = spans_of(one.ask(KEY, pictures / "astronaut.jpg", "A person in orange; no cat, no horse."))
    assert [name for name in spans if "person" in name]
    assert not [name for name in spans if "cat" in name or "horse" in name]


def test_an_openai_resource_with_a_computer_vision_resource(one: Foveal, pictures: Path) -> None:
    page, url = pictures / "page.jpg", one.server.url
    assert_the_page_was_read(one.ask(one.openai, page, QUOTE, dataSources=source(url, one.paid)))
    assert_the_page_was_read(one.ask(one.openai, page, QUOTE, dataSources=source(url, KEY)))
    for sources, says in (
        (source(url, one.free), "tier F0"),
        (source(url, one.far), "westus"),
        (source(url, one.openai), "not a key of a Computer Vision resource"),
        (source("http://127.0.0.1:9/", one.paid), "neither this server nor listed"),
        ([], "tier S1"),
    ):
        refused = one.ask(one.openai, page, QUOTE, dataSources=sources)
        assert refused.status_code == 400, says
        assert says in refused.json()["error"]["message"]


def test_a_second_foveal_does_the_seeing(
    one: Foveal, tmp_path: Path, models_folder: Path, pictures: Path
) -> None:
    """The first has no weights at all: whatever is seen, the second saw it."""
    where = f"127.0.0.1:{one.server.port}"
    unjudged = {"vision_hosts": (where,), "filter_failure": "open"}
    with foveal(tmp_path / "data", tmp_path / "no-weights", **unjudged) as first:
        there = source(one.server.url, one.paid)
        assert_the_page_was_read(first.ask(KEY, pictures / "page.jpg", QUOTE, dataSources=there))
        spans = spans_of(first.ask(KEY, pictures / "astronaut.jpg", "A person smiles.", dataSources=there))
        assert "a person" in spans
        alone = first.ask(KEY, pictures / "page.jpg", QUOTE)
        assert alone.status_code == 503
        assert "foveal models pull" in alone.json()["error"]["message"]
        wrong = first.ask(KEY, pictures / "page.jpg", QUOTE, dataSources=source(one.server.url, "wrong"))
        assert wrong.status_code == 400
        assert "refused its key" in wrong.json()["error"]["message"]
