"""What the real nets see in real pictures."""

from __future__ import annotations

import logging
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.unit.perception.helpers import load_pixels, picture_of

from foveal.errors import EngineUnavailable
from foveal.images.detail import Detail, Pixels
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.base import Box, TextLine
from foveal.perception.facts import Facts
from foveal.perception.finder import build_fact_finder
from foveal.perception.ocr import load_reader
from foveal.perception.runtime import Runtime
from foveal.perception.sight import Sight, assemble, load_sight

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def store(models_folder: Path) -> ModelStore:
    return ModelStore(models_folder, load_catalogue())


@pytest.fixture(scope="module")
def sight(store: ModelStore) -> Sight:
    return load_sight(store, threads=2)


def look(sight: Sight, path: Path, detail: Detail = "high") -> Facts:
    image = picture_of(load_pixels(path), detail)
    return assemble(image, sight.see(image), sight.read(image), 0.0)


def labels(facts: Facts) -> list[str]:
    return [one.label for one in facts.objects]


@pytest.mark.parametrize("detail", ["high", "low"])
def test_an_astronaut(sight: Sight, pictures: Path, detail: Detail) -> None:
    facts = look(sight, pictures / "astronaut.jpg", detail)
    person = facts.objects[0]
    assert person.label == "person"
    assert person.box.iou(Box(0.0, 0.0, 0.72, 1.0)) > 0.8
    assert "orange" in [colour.name for colour in person.colours]
    assert person.clothing
    [face] = facts.faces
    assert face.box.iou(Box(0.34, 0.12, 0.55, 0.33)) > 0.5
    assert facts.lines == ()


def test_a_cat(sight: Sight, pictures: Path) -> None:
    facts = look(sight, pictures / "chelsea.jpg")
    assert labels(facts) == ["cat"]
    assert facts.objects[0].colours[0].name == "brown"
    assert facts.objects[0].clothing == ()
    assert facts.tags[0].name in ("Egyptian cat", "tabby", "tiger cat")
    assert facts.faces == ()


def test_a_cup_of_coffee(sight: Sight, pictures: Path) -> None:
    facts = look(sight, pictures / "coffee.jpg")
    assert labels(facts)[0] == "cup"
    assert facts.tags[0].name == "espresso"
    assert {"spoon", "dining table"} <= {*labels(facts), *(one.label for one in facts.doubtful)}


def test_no_object_is_invented_in_a_landscape(sight: Sight, pictures: Path) -> None:
    for name in ("china.jpg", "rocket.jpg", "flower.jpg"):
        facts = look(sight, pictures / name)
        assert labels(facts) == [], name


async def test_the_finder_gives_the_same(store: ModelStore, sight: Sight, pictures: Path) -> None:
    finder = build_fact_finder(store, threads=2, queue=4, cache_size=4)
    await finder.warm()
    facts = await finder.facts(picture_of(load_pixels(pictures / "coffee.jpg")))
    finder.close()
    assert labels(facts) == labels(look(sight, pictures / "coffee.jpg"))
    assert all(seconds >= 0 for seconds in facts.stage_seconds.values())


def read(sight: Sight, path: Path) -> list[TextLine]:
    return sight.reader.read(load_pixels(path))


def test_a_scanned_page(sight: Sight, pictures: Path) -> None:
    lines = read(sight, pictures / "page.jpg")
    assert lines[0].text == "Region-based segmentation"
    assert lines[1].text == "Let us first determine markers of the coins and the"
    assert [one.box.top for one in lines] == sorted(one.box.top for one in lines)
    words = lines[0].words
    assert [word.text for word in words] == ["Region-based", "segmentation"]
    first, second = (max(x for x, _ in word.polygon) for word in words)
    assert lines[0].box.left < first < second <= lines[0].box.right + 0.01
    assert first == pytest.approx(0.37, abs=0.02)


@pytest.mark.parametrize(
    ("file", "language", "expected"),
    [
        (
            "text-ko.png",
            "ko",
            ["안녕하세요 세계", "서울특별시 강남구 테헤란로 152", "출입금지 관계자 외 출입을 금합니다"],
        ),
        ("text-zh.png", "zh", ["欢迎来到北京大学", "请勿吸烟", "营业时间 9:00-18:00"]),
        ("text-ja.png", "ja", ["東京タワーへようこそ", "立入禁止", "ありがとうございます"]),
        ("text-mixed.png", "ko", ["Exit 출구 出口", "Platform 3 승강장", "화장실 Toilet"]),
    ],
)
def test_scripts(sight: Sight, pictures: Path, file: str, language: str, expected: list[str]) -> None:
    lines = read(sight, pictures / file)
    # Tesseract's spaces inside Hangul are a matter of print; the letters are not.
    assert [one.text.replace(" ", "") for one in lines] == [text.replace(" ", "") for text in expected]
    assert {one.language for one in lines} == {language}


@pytest.mark.parametrize("scale", [0.8, 0.96, 1.0])
def test_a_korean_line_that_is_mostly_digits(sight: Sight, scale: float) -> None:
    """The first recogniser is sure of the digits and makes Han of the Hangul; Tesseract is the other way."""
    notice = load_pixels(Path(str(files("foveal.demo") / "pictures" / "notice-ko.jpg")))
    pixels = cv2.resize(notice, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    lines = [one.text.replace(" ", "") for one in sight.reader.read(pixels)]
    assert lines[-1] == "문의전화:02-123-4567"
    assert lines[:2] == ["도서관이용안내", "운영시간:오전9시~오후6시"]


def test_text_upside_down_and_on_its_side(sight: Sight, pictures: Path) -> None:
    upright = load_pixels(pictures / "text-zh.png")
    turned = sight.reader.read(np.ascontiguousarray(upright[::-1, ::-1]))
    assert sorted(one.text.replace(" ", "") for one in turned) == sorted(
        ["欢迎来到北京大学", "请勿吸烟", "营业时间9:00-18:00"]
    )
    top_left = next(one for one in turned if one.text == "请勿吸烟").polygon[0]
    assert top_left[0] > 0.5, "the polygon starts at the top left of the text itself"


def sheet(pages: list[tuple[Pixels, int, int]], width: int, height: int) -> Pixels:
    """Pictures laid on paper, by their left and top."""
    pixels = np.full((height, width, 3), 235, dtype=np.uint8)
    for page, x, y in pages:
        pixels[y : y + page.shape[0], x : x + page.shape[1]] = page
    return pixels


def test_small_print_on_a_large_scan_column_by_column(sight: Sight, pictures: Path) -> None:
    """Two columns of 12 pixel print in the middle of a sheet of 9 megapixels."""
    page = load_pixels(pictures / "page.jpg")[:150]
    spots = [(1000 + 420 * column, 900 + 170 * row) for column in range(2) for row in range(2)]
    image = picture_of(sheet([(page, x, y) for x, y in spots], 2500, 3500))
    found = [one.text for one in sight.read_closely(image)]
    first = [one.text for one in sight.reader.read(page)]
    assert first[0] == "Region-based segmentation"
    assert len(found) == 4 * len(first)
    assert [text for text in found if text == first[0]] == [first[0]] * 4
    assert found[: len(first)] == first
    assert "".join(found[len(first) : 2 * len(first)]) == "".join(first)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_pages_on_their_side_and_on_their_head(sight: Sight, pictures: Path, quarters: int) -> None:
    upright = load_pixels(pictures / "page.jpg")
    turned = np.ascontiguousarray(np.rot90(upright, -quarters))
    lines = sight.reader.read(turned)
    assert [one.text for one in lines][:2] == [
        "Region-based segmentation",
        "Let us first determine markers of the coins and the",
    ]
    (x, y), (to_x, to_y) = lines[1].polygon[:2]
    run = {1: to_y - y, 2: x - to_x, 3: y - to_y}[quarters]
    assert run > 0.8, "the polygon runs as the text does"


def test_korean_upside_down(sight: Sight, pictures: Path) -> None:
    upright = load_pixels(pictures / "text-ko.png")
    lines = sight.reader.read(np.ascontiguousarray(upright[::-1, ::-1]))
    assert [one.text.replace(" ", "") for one in lines] == [
        "안녕하세요세계",
        "서울특별시강남구테헤란로152",
        "출입금지관계자외출입을금합니다",
    ]
    assert {one.language for one in lines} == {"ko"}


def test_without_korean_weights_the_rest_is_read(
    store: ModelStore, pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        reader = load_reader(ModelStore(tmp_path, store.catalogue), Runtime(threads=1, cache=tmp_path))
    assert "Korean text cannot be read" in caplog.text
    assert "foveal models pull tesseract-kor" in caplog.text
    assert reader.read(load_pixels(pictures / "text-zh.png"))[1].text == "请勿吸烟"


def test_missing_weights_are_named(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="foveal models pull ssd-mobilenet-v2-coco"):
        load_sight(ModelStore(tmp_path, store.catalogue), threads=1)


def test_nothing_breaks_on_the_smallest_and_oddest_pictures(sight: Sight) -> None:
    for shape in ((1, 1), (1, 700), (900, 2), (17, 16)):
        pixels = np.full((*shape, 3), 127, dtype=np.uint8)
        image = picture_of(pixels)
        assert sight.see(image).faces == ()
        assert sight.read(image) == ()
