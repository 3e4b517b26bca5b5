"""A live server with the echo engine and the real media door, for clients that know only its address."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.support.azurite import Azurite, azurite
from tests.support.enhanced import Enhanced, serve_enhanced
from tests.support.house import API_VERSION, KEY, services
from tests.support.server import LiveServer, live

from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    door = ImageDoor(MediaFetcher())
    with live(build_app(services(EchoEngine(), door=door, max_body=40_000_000))) as running:
        yield running
        running.call(door.close())


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    """A raw client with the key and the api-version of the page."""
    with httpx.Client(
        base_url=server.url, headers={"api-key": KEY}, params={"api-version": API_VERSION}, timeout=30
    ) as client:
        yield client


@pytest.fixture(scope="session")
def enhanced() -> Iterator[Enhanced]:
    with serve_enhanced() as running:
        yield running


@pytest.fixture(scope="session")
def storage() -> Iterator[Azurite]:
    """A storage account as Azure's, with `azure-storage-blob` beside it."""
    with azurite() as running:
        yield running
