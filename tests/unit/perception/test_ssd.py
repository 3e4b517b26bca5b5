"""The detector's arithmetic, on maps made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from foveal.perception import ssd
from foveal.perception.boxes import Merged, View
from foveal.perception.objects import SsdDetector, frame_views, grid, load_confidence, look, views
from foveal.perception.runtime import Array, Net


def empty_maps() -> list[Array]:
    maps: list[Array] = []
    for layer, cells in enumerate((19, 10, 5, 3, 2, 1)):
        boxes = 3 if layer == 0 else 6
        maps.append(np.zeros((1, cells, cells, boxes * 4), dtype=np.float32))
        maps.append(np.full((1, cells, cells, boxes * ssd.CLASSES), -10.0, dtype=np.float32))
    return maps


def test_the_published_number_of_anchors() -> None:
    anchors = ssd.anchors()
    assert anchors.shape == (1917, 4)
    assert anchors[0] == pytest.approx([0.5 / 19, 0.5 / 19, 0.1, 0.1])
    assert anchors[-6] == pytest.approx([0.5, 0.5, 0.95, 0.95])


def test_a_zero_move_is_the_anchor_itself() -> None:
    maps = empty_maps()
    maps[11][0, 0, 0, 17] = 3.0  # the last layer's first anchor says: class 17
    found = ssd.decode(maps, ssd.anchors(), 0.1)
    assert found.classes.tolist() == [17]
    assert found.scores[0] == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert found.boxes[0] == pytest.approx([0.025, 0.025, 0.975, 0.975])


def test_moves_shift_and_scale() -> None:
    maps = empty_maps()
    maps[11][0, 0, 0, 1] = 0.0
    maps[10][0, 0, 0, :4] = [
        1.0,
        -1.0,
        5 * np.log(0.5),
        0.0,
    ]  # down and left by a tenth of the anchor, half as high
    [found] = ssd.decode(maps, ssd.anchors(), 0.1).boxes
    centre_y, centre_x = (found[1] + found[3]) / 2, (found[0] + found[2]) / 2
    assert centre_y == pytest.approx(0.595)
    assert found[3] - found[1] == pytest.approx(0.475)
    assert centre_x == pytest.approx((0.0 + 0.88) / 2, abs=0.01), "clipped to the picture"


def test_background_is_no_object() -> None:
    maps = empty_maps()
    maps[11][0, 0, 0, 0] = 9.0
    assert len(ssd.decode(maps, ssd.anchors(), 0.1).scores) == 0


def test_views_cover_the_picture_and_overlap() -> None:
    windows = grid(3, 0.45)
    assert len(windows) == 9
    assert min(view.left for view in windows) == 0.0
    assert max(view.right for view in windows) == pytest.approx(1.0)
    assert windows[1].left < windows[0].right
    assert sum(view.whole for view in views()) == 2


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (768, 1365), (300, 300)])
def test_a_look_has_the_net_s_size(size: tuple[int, int]) -> None:
    pixels = np.zeros((*size, 3), dtype=np.uint8)
    for view in views():
        assert look(pixels, view).shape == (1, 300, 300, 3)


def test_a_mirrored_look_is_mirrored() -> None:
    pixels = np.zeros((300, 300, 3), dtype=np.uint8)
    pixels[:, :150] = 255
    assert look(pixels, View(0, 0, 1, 1, mirrored=True))[0, 0, 0, 0] == 0


def test_confidence_grows_with_agreement() -> None:
    confidence, plan = load_confidence(), views()
    box = (0.1, 0.1, 0.4, 0.4)
    alone = confidence.of(Merged(box, {0: 0.5}), plan)
    agreed = confidence.of(Merged(box, {0: 0.5, 1: 0.5}), plan)
    everywhere = confidence.of(Merged(box, dict.fromkeys(range(len(plan)), 0.5)), plan)
    assert alone < agreed < everywhere < 1.0
    assert 0.0 < confidence.faint < confidence.sure < 1.0


class Remembering(Net):
    """A net that finds one thing of class 1 on every view, as large as it is told, and counts the views."""

    def __init__(self, layer: int) -> None:
        self.layer = layer
        self.views: list[int] = []

    def many(self, inputs: Sequence[Array]) -> list[list[Array]]:
        self.views.append(len(inputs))
        maps = empty_maps()
        maps[2 * self.layer + 1][0, 0, 0, 1] = 2.0
        return [maps for _ in inputs]


@pytest.mark.parametrize(("layer", "views"), [(0, [1, 2]), (5, [1])])
@pytest.mark.parametrize("shape", [(720, 1280, 3), (1280, 720, 3)])
def test_a_frame_is_looked_at_closer_when_it_shows_something_small(
    layer: int, views: list[int], shape: tuple[int, int, int]
) -> None:
    net = Remembering(layer)
    plan, closer = frame_views()
    detector = SsdDetector(net, {1: "person"}, load_confidence(), plan=plan, closer=closer)
    found = detector.detect(np.zeros(shape, dtype=np.uint8))
    assert net.views == views
    assert found[0].label == "person"
    if layer == 0:  # one in each view's corner: those of the windows are half way along the longer side
        places = sorted(one.box.left if shape[1] > shape[0] else one.box.top for one in found)
        assert places[-1] > 0.35
