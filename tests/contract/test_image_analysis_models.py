"""Image analysis of real pictures by the real nets, through Azure's SDK."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.ai.vision.imageanalysis import ImageAnalysisClient
from azure.ai.vision.imageanalysis.models import ImageAnalysisResult, VisualFeatures
from azure.core.credentials import AzureKeyCredential
from PIL import Image
from tests.support.house import KEY, analysis_service, services
from tests.support.server import live

from foveal.assembly.engines import build_finder
from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.settings import load_settings

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def client(models_folder: Path) -> Iterator[ImageAnalysisClient]:
    finder = build_finder(load_settings({"models": str(models_folder)}, {}))
    door = ImageDoor(MediaFetcher())
    parts = services(EchoEngine(), door=door, analysis=analysis_service(finder, door))
    with live(build_app(parts)) as server:
        with ImageAnalysisClient(server.url, AzureKeyCredential(KEY)) as sdk:
            yield sdk
        server.call(door.close())
    finder.close()


def analyzed(client: ImageAnalysisClient, path: Path) -> ImageAnalysisResult:
    result = client.analyze(path.read_bytes(), list(VisualFeatures), smart_crops_aspect_ratios=[0.8, 1.0])
    with Image.open(path) as picture:
        assert (result.metadata.width, result.metadata.height) == picture.size
    return result


def test_an_astronaut(client: ImageAnalysisClient, pictures: Path) -> None:
    result = analyzed(client, pictures / "astronaut.jpg")
    assert result.caption is not None
    assert result.caption.text.startswith("a person")
    assert result.caption.confidence > 0.5
    assert result.people is not None
    best = result.people.list[0].bounding_box
    assert best.x < 220 < best.x + best.width  # the face
    assert best.y < 110 < best.y + best.height
    assert result.tags is not None
    assert {"person", "human face"} <= {tag.name for tag in result.tags.list}
    assert result.smart_crops is not None
    for crop in result.smart_crops.list:
        assert crop.bounding_box.x <= 170
        assert crop.bounding_box.x + crop.bounding_box.width >= 280


def test_a_cup_on_a_table(client: ImageAnalysisClient, pictures: Path) -> None:
    result = analyzed(client, pictures / "coffee.jpg")
    assert result.objects is not None
    assert "cup" in {one.tags[0].name for one in result.objects.list}
    assert result.caption is not None
    assert "cup" in result.caption.text
    assert result.dense_captions is not None
    assert result.dense_captions.list[0].text == result.caption.text
    assert any("cup" in one.text for one in result.dense_captions.list[1:])


def test_a_page_of_text(client: ImageAnalysisClient, pictures: Path) -> None:
    result = analyzed(client, pictures / "page.jpg")
    assert result.read is not None
    (block,) = result.read.blocks
    text = " ".join(line.text for line in block.lines)
    assert "markers" in text
    words = [word for line in block.lines for word in line.words]
    assert len(words) >= 30
    assert all(0 <= word.confidence <= 1 for word in words)
    for line in block.lines:
        xs = [point.x for point in line.bounding_polygon]
        ys = [point.y for point in line.bounding_polygon]
        assert 0 <= min(xs) < max(xs) <= result.metadata.width
        assert 0 <= min(ys) < max(ys) <= result.metadata.height
