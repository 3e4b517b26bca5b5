"""The fine view: the whole picture upright, as far as memory allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.images.pictures import corners, encode, oriented

from foveal.errors import InvalidImage
from foveal.images.decode import Limits, check, decode
from foveal.images.detail import Detail, DetailedImage
from foveal.images.fine import MAX_PIXELS, fine_view, is_fine


def door(data: bytes, detail: Detail = "high") -> DetailedImage:
    limits = Limits()
    header = check(data, limits, param=None)
    return decode(data, header, detail, limits, sha256=lambda: "a", param=None)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_format_at_its_own_size(kind: str) -> None:
    image = door(encode(corners(1400, 1000), kind))
    assert image.best.shape == (768, 1075, 3)
    pixels = fine_view(image)
    assert pixels.shape == (1000, 1400, 3)
    for x, y, colour in ((300, 200, (220, 30, 30)), (1100, 200, (30, 200, 30)), (300, 800, (30, 30, 220))):
        assert np.abs(pixels[y, x].astype(int) - colour).max() < 12


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_it_is_upright(orientation: int) -> None:
    image = replace(door(oriented("JPEG", orientation), "low"), overview=np.zeros((8, 12, 3), np.uint8))
    pixels = fine_view(image)
    assert pixels.shape == (64, 96, 3)
    assert np.abs(pixels[10, 10].astype(int) - (220, 30, 30)).max() < 12


def test_a_view_that_is_the_whole_picture_is_used_again() -> None:
    image = door(encode(corners(700, 500), "PNG"))
    assert is_fine(image)
    assert fine_view(image) is image.best
    low = door(encode(corners(700, 500), "PNG"), "low")
    assert not is_fine(low)
    assert fine_view(low).shape == (500, 700, 3)


def test_memory_is_bounded() -> None:
    pixels = fine_view(door(encode(corners(5000, 4000), "PNG")))
    height, width = pixels.shape[:2]
    assert MAX_PIXELS * 0.99 < width * height <= MAX_PIXELS
    assert width / height == pytest.approx(5 / 4, abs=0.001)


def test_broken_bytes_are_an_invalid_image() -> None:
    image = door(encode(corners(1400, 1000), "PNG"))
    with pytest.raises(InvalidImage, match="Invalid image data"):
        fine_view(replace(image, data=image.data[:200]))
    assert fine_view(replace(image, data=b"")) is image.best
