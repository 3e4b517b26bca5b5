"""Looking twice for text, with a net that takes every dark pixel for print."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foveal.images.detail import Pixels
from foveal.perception.quiet_openvino import opset13, ov
from foveal.perception.runtime import Array, Net, Runtime
from foveal.perception.textboxes import Cutter, TextBoxFinder, first_scale


class Watched(Net):
    """A net that notes the sizes it is shown, width × height."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, pixels: Array) -> list[Array]:
        self.sizes.append((pixels.shape[3], pixels.shape[2]))
        return self.net(pixels)


@pytest.fixture
def net(tmp_path: Path) -> Watched:
    """Darkness, 0 for white and 1 for black, of [1,3,h,w] with values -1..1."""
    picture = opset13.parameter(ov.PartialShape([1, 3, -1, -1]), ov.Type.f32)
    grey = opset13.reduce_mean(picture, np.array([1]), keep_dims=True)
    dark = opset13.multiply(opset13.subtract(np.float32(1.0), grey), np.float32(0.5))
    model = ov.Model([opset13.result(dark)], [picture], "dark")
    return Watched(Runtime(threads=1, cache=tmp_path).compile(model))


def paper(width: int, height: int, *bars: tuple[int, int, int, int]) -> Pixels:
    """White, with black bars (left, top, right, bottom)."""
    pixels = np.full((height, width, 3), 255, dtype=np.uint8)
    for left, top, right, bottom in bars:
        pixels[top:bottom, left:right] = 0
    return pixels


def middles(net: Net, pixels: Pixels) -> list[tuple[int, int]]:
    return sorted(
        (round(float(x)), round(float(y)))
        for x, y in (box.quad.mean(axis=0) for box in TextBoxFinder(net).find(pixels))
    )


def test_without_text_one_look_is_all(net: Watched) -> None:
    assert middles(net, paper(1280, 720)) == []
    assert len(net.sizes) == 1


def test_large_print_needs_no_second_look(net: Watched) -> None:
    assert middles(net, paper(1280, 720, (100, 100, 600, 140))) == [(350, 120)]
    assert len(net.sizes) == 1


def test_small_print_is_looked_at_again_where_it_is(net: Watched) -> None:
    lines = [(400, top, 900, top + 5) for top in (300, 312, 324)]
    found = middles(net, paper(2400, 1600, *lines))
    assert [x for x, _ in found] == pytest.approx([650] * 3, abs=2)
    assert [y for _, y in found] == pytest.approx([302, 314, 326], abs=1)
    (first, _), (fine, high) = net.sizes
    assert first < 1600
    assert fine * high < 2400 * 1600 / 4, "the lines' surroundings, not the whole picture"


def test_large_print_beside_small_is_not_broken_up(net: Watched) -> None:
    found = middles(net, paper(4000, 2600, (300, 200, 1200, 320), (300, 500, 900, 506)))
    assert len(net.sizes) == 2
    assert [x for x, _ in found] == pytest.approx([600, 750], abs=2)
    assert [y for _, y in found] == pytest.approx([503, 260], abs=3)


def test_the_far_corner_of_a_large_scan(net: Watched) -> None:
    [(x, y)] = middles(net, paper(2480, 3508, (2000, 3400, 2400, 3414)))
    assert [x, y] == pytest.approx([2200, 3407], abs=2)


@pytest.mark.parametrize("size", [(1, 1), (640, 480), (3508, 2480), (20000, 40), (60, 9000)])
def test_the_first_look_is_bounded(size: tuple[int, int]) -> None:
    width, height = size
    scale = first_scale(width, height)
    assert scale > 0
    assert width * height * scale**2 < 1_410_000
    assert max(width, height) * scale <= 2000


def test_small_pictures_are_enlarged_and_large_ones_brought_down() -> None:
    assert first_scale(640, 480) == pytest.approx(736 / 480)
    assert first_scale(1280, 800) == 1
    assert 0.3 < first_scale(2480, 3508) < 0.5


def test_large_lines_are_cut_from_a_smaller_copy() -> None:
    pixels = paper(3000, 1000, (1500, 200, 2800, 800))
    quad = np.array([[200, 200], [2800, 200], [2800, 800], [200, 800]], dtype=np.float32)
    cut, order = Cutter(pixels).cut(quad)
    assert cut.shape[0] in range(64, 129)
    assert cut.shape[1] / cut.shape[0] == pytest.approx(2600 / 600, rel=0.02)
    assert cut[40, 10].mean() > 250
    assert cut[40, -10].mean() < 5
    assert order.tolist() == quad.tolist()


def glanced(net: Net, pixels: Pixels) -> list[tuple[int, int]]:
    found = TextBoxFinder(net).glance(pixels)
    return sorted((round(float(x)), round(float(y))) for x, y in (box.quad.mean(axis=0) for box in found))


def test_a_frame_of_a_video_gets_one_coarse_look(net: Watched) -> None:
    assert glanced(net, paper(1280, 720, (100, 600, 900, 632))) == [(500, 616)]
    [(width, height)] = net.sizes
    assert width * height < 0.3 * 1280 * 720


def test_a_speck_on_a_frame_is_not_worth_a_closer_look(net: Watched) -> None:
    glanced(net, paper(1280, 720, (100, 600, 160, 606), (800, 100, 860, 106)))
    assert len(net.sizes) == 1


def test_a_frame_full_of_small_print_is(net: Watched) -> None:
    lines = [(200, top, 800, top + 4) for top in range(200, 340, 20)]
    found = glanced(net, paper(1280, 720, *lines))
    assert [x for x, _ in found] == pytest.approx([500] * 7, abs=2)
    assert [y for _, y in found] == pytest.approx([top + 2 for top in range(200, 340, 20)], abs=1)
    assert len(net.sizes) == 2
