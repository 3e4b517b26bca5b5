"""Colour names of colours that nobody argues about, and the discount of the background."""

from __future__ import annotations

import numpy as np
import pytest

from foveal.images.detail import Pixels
from foveal.perception.base import Box
from foveal.perception.colours import brightness, clothing_colours, load_namer, object_colours

NAMED = {
    "black": [(0, 0, 0), (25, 25, 30), (40, 38, 36)],
    "white": [(255, 255, 255), (240, 240, 235), (225, 228, 230)],
    "grey": [(128, 128, 128), (90, 92, 95), (180, 180, 185)],
    "red": [(220, 20, 60), (200, 30, 30), (139, 0, 0), (255, 40, 20)],
    "orange": [(255, 140, 0), (240, 120, 20), (230, 100, 30)],
    "yellow": [(255, 230, 0), (240, 210, 60), (255, 255, 120)],
    "green": [(0, 128, 0), (60, 160, 60), (85, 107, 47), (30, 70, 35)],
    "blue": [(0, 0, 255), (30, 60, 140), (0, 0, 110), (100, 160, 230)],
    "purple": [(128, 0, 128), (100, 50, 160), (150, 90, 200)],
    "pink": [(255, 192, 203), (255, 105, 180), (240, 150, 170)],
    "brown": [(139, 69, 19), (101, 67, 33), (120, 80, 50), (90, 55, 40)],
}
CASES = [(name, colour) for name, colours in NAMED.items() for colour in colours]


def block(colour: tuple[int, int, int], height: int = 40, width: int = 40) -> Pixels:
    return np.full((height, width, 3), colour, dtype=np.uint8)


@pytest.mark.parametrize(("name", "colour"), CASES)
def test_the_eleven_names(name: str, colour: tuple[int, int, int]) -> None:
    assert load_namer().measure(block(colour))[0].name == name


def test_shares_are_of_the_region_and_small_ones_are_left_out() -> None:
    pixels = block((200, 30, 30), 100, 100)
    pixels[:30] = (0, 0, 255)
    pixels[95:] = (0, 128, 0)
    shares = load_namer().measure(pixels)
    assert [(one.name, round(one.share, 2)) for one in shares] == [("red", 0.65), ("blue", 0.3)]


def test_the_background_inside_a_box_is_discounted() -> None:
    pixels = block((60, 160, 60), 200, 200)  # a lawn
    ys, xs = np.mgrid[0:200, 0:200]
    pixels[(ys - 100) ** 2 + (xs - 100) ** 2 < 45**2] = (200, 30, 30)  # a ball, whose box is a fifth lawn
    shares = object_colours(load_namer(), pixels, Box(0.27, 0.27, 0.73, 0.73))
    assert shares[0].name == "red"
    assert shares[0].share > 0.95


def test_a_box_that_fills_the_picture_has_no_surroundings() -> None:
    assert object_colours(load_namer(), block((0, 0, 255)), Box(0.0, 0.0, 1.0, 1.0))[0].name == "blue"
    assert object_colours(load_namer(), block((0, 0, 255)), Box(0.99, 0.99, 1.0, 1.0))[0].name == "blue"


def test_clothing_is_measured_on_the_torso() -> None:
    pixels = block((240, 240, 235), 300, 200)
    pixels[20:75, 80:120] = (230, 180, 150)  # a face
    pixels[75:160, 60:140] = (30, 60, 140)  # a shirt
    pixels[160:290, 70:130] = (40, 38, 36)  # trousers
    [shirt] = clothing_colours(load_namer(), pixels, Box(0.3, 0.06, 0.7, 0.97))
    assert shirt.name == "blue"


def test_clothing_of_somebody_cut_off_at_the_waist_lies_below_the_face() -> None:
    pixels = block((200, 205, 210), 200, 200)
    pixels[20:90, 60:140] = (120, 85, 60)  # hair
    pixels[40:85, 75:125] = (230, 180, 150)  # a face
    pixels[90:200, 40:160] = (235, 100, 30)  # an orange suit
    pixels[90:125, 80:120] = (20, 20, 22)  # a dark collar
    shares = clothing_colours(load_namer(), pixels, Box(0.2, 0.08, 0.8, 1.0))
    assert shares[0].name == "orange"
    assert shares[0].share > 0.6


def test_brightness() -> None:
    assert brightness(block((0, 0, 0))) == 0.0
    assert brightness(block((255, 255, 255))) == pytest.approx(1.0)
