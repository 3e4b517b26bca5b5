"""Boxes: overlap, suppression, views, merging."""

from __future__ import annotations

import numpy as np
import pytest

from foveal.perception.boxes import Finding, View, merge, overlaps, place, suppress


def box(*corners: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(corners, dtype=np.float64)


def test_overlap_of_halves() -> None:
    iou, inside = overlaps(
        np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[0.0, 0.0, 0.5, 1.0], [2.0, 2.0, 3.0, 3.0]])
    )
    assert iou.tolist() == [[0.5, 0.0]]
    assert inside.tolist() == [[0.5, 0.0]]


def test_suppression_keeps_the_best_of_a_heap() -> None:
    boxes = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9], [0.0, 0.0, 0.2, 0.2]])
    assert suppress(boxes, np.array([0.5, 0.9, 0.4]), 0.6) == [1, 2]
    assert suppress(np.zeros((0, 4)), np.zeros(0), 0.6) == []


def test_a_mirrored_view_is_mirrored_back() -> None:
    placed, cut = place(
        np.array([[0.1, 0.2, 0.3, 0.4]], dtype=np.float32), View(0, 0, 1, 1, mirrored=True), edge=0.02
    )
    assert placed[0] == pytest.approx([0.7, 0.2, 0.9, 0.4])
    assert not cut[0]


def test_only_edges_inside_the_picture_cut() -> None:
    view = View(0.4, 0.0, 1.0, 0.6)
    boxes = np.array([[0.0, 0.1, 0.5, 0.5], [0.5, 0.0, 1.0, 0.5], [0.5, 0.5, 0.9, 1.0]], dtype=np.float32)
    placed, cut = place(boxes, view, edge=0.02)
    assert cut.tolist() == [True, False, True]
    assert placed[0] == pytest.approx([0.4, 0.06, 0.7, 0.3])


def test_views_that_agree_become_one_object_with_their_votes() -> None:
    findings = [
        Finding(box(0.1, 0.1, 0.5, 0.5), 0.8, 0, cut=False),
        Finding(box(0.12, 0.1, 0.52, 0.5), 0.4, 1, cut=False),
        Finding(box(0.7, 0.7, 0.9, 0.9), 0.3, 0, cut=False),
    ]
    first, second = merge(findings)
    assert first.votes == {0: 0.8, 1: 0.4}
    assert first.box == pytest.approx((0.1 + 0.02 / 3, 0.1, 0.5 + 0.02 / 3, 0.5))
    assert second.votes == {0: 0.3}


def test_a_cut_box_joins_the_fuller_one_and_does_not_move_it() -> None:
    findings = [
        Finding(box(0.0, 0.0, 1.0, 1.0), 0.6, 0, cut=False),
        Finding(box(0.4, 0.4, 0.7, 1.0), 0.9, 1, cut=True),
    ]
    [one] = merge(findings)
    assert one.box == pytest.approx((0.0, 0.0, 1.0, 1.0))
    assert one.votes == {0: 0.6, 1: 0.45}


def test_a_view_holds_what_lies_in_it() -> None:
    assert View(0.0, 0.0, 0.5, 0.5).holds((0.1, 0.1, 0.5, 0.5))
    assert not View(0.0, 0.0, 0.5, 0.5).holds((0.1, 0.1, 0.6, 0.6))
