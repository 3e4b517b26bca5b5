"""Smart crops keep what matters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.evidence import facts, line, seen

from foveal.analysis.crops import Weighted, crop, fitting_ratio, what_matters
from foveal.analysis.result import PixelBox
from foveal.perception.base import Box, Face

RATIOS = (0.75, 0.9, 1.0, 1.33, 1.5, 1.78, 1.8)
SIZES = ((640, 480), (480, 640), (50, 50), (16_000, 50), (1279, 721))


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_crop_is_as_large_as_can_be_and_exact_to_a_pixel(width: int, height: int, ratio: float) -> None:
    box = crop(width, height, ratio, []).box
    assert box.width == width or box.height == height
    assert abs(box.width - ratio * box.height) <= 1 or abs(box.height - box.width / ratio) <= 1
    assert box.x >= 0
    assert box.y >= 0
    assert box.x + box.width <= width
    assert box.y + box.height <= height


def test_nothing_to_keep_is_cropped_in_the_middle() -> None:
    assert crop(800, 400, 1.0, []).box == PixelBox(200, 0, 400, 400)


@pytest.mark.parametrize("left", [0.0, 0.3, 0.55, 0.8])
def test_one_thing_is_inside_wherever_it_is(left: float) -> None:
    thing = Weighted(Box(left, 0.2, left + 0.2, 0.9), 1.0)
    box = crop(1600, 800, 0.8, [thing]).box
    assert box.x <= left * 1600 + 1
    assert box.x + box.width >= (left + 0.2) * 1600 - 1


def test_a_face_beats_a_chair_where_both_do_not_fit() -> None:
    pictured = facts([seen("chair", (0.0, 0.2, 0.2, 0.9)), seen("person", (0.75, 0.1, 0.95, 0.9))])
    pictured = replace(pictured, faces=(Face(0.95, Box(0.8, 0.1, 0.9, 0.25)),))
    box = crop(1600, 480, 0.75, what_matters(pictured, ())).box
    assert box.x <= 0.75 * 1600
    assert box.x + box.width >= 0.95 * 1600


def test_text_counts_when_nothing_else_is_there() -> None:
    words = line("SALE", (0.7, 0.4, 0.95, 0.6))
    box = crop(1000, 400, 1.0, what_matters(facts(), [words])).box
    assert box.x + box.width >= 950


def test_a_hundred_lines_do_not_outweigh_a_person() -> None:
    lines = [line("word", (0.0, n / 100, 0.2, (n + 1) / 100)) for n in range(100)]
    matter = what_matters(facts([seen("person", (0.7, 0.1, 0.95, 0.9))], faces=1), lines)
    people = sum(one.weight for one in matter if one.weight >= 1)
    assert people < sum(one.weight for one in matter) < 3 * people


def test_a_ratio_that_fits_is_that_of_what_matters() -> None:
    tall = [Weighted(Box(0.4, 0.1, 0.6, 0.9), 1.0)]
    assert fitting_ratio(1000, 1000, tall, 0.5, 2.0) == 0.5
    assert fitting_ratio(2000, 1000, tall, 0.5, 2.0) == 0.5
    assert fitting_ratio(4000, 1000, tall, 0.5, 2.0) == 1.0
    assert fitting_ratio(1600, 900, [], 0.5, 2.0) == 1.78
    assert fitting_ratio(9000, 900, [], 0.5, 2.0) == 2.0
