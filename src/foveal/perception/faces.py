"""Faces: MediaPipe's full-range BlazeFace (192×192, one 48×48 grid of anchors), decoded here.

One pass finds faces down to about a fifteenth of the view; at high detail overlapping windows find small
ones.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from foveal.images.detail import Pixels
from foveal.perception.base import Box, Face
from foveal.perception.boxes import View, place, suppress
from foveal.perception.objects import grid
from foveal.perception.runtime import Array, Net

_SIDE = 192
_CELLS = 48
_FLOOR = 0.6
_OVERLAP = 0.3
_EDGE = 0.02
_TILED_FROM = 400  # pixels of the shorter side: below, windows hold nothing that the whole view lacks


class BlazeFaceFinder:
    """`FaceFinder`: best first."""

    def __init__(self, net: Net) -> None:
        self._net = net
        ticks = (np.arange(_CELLS, dtype=np.float32) + 0.5) / _CELLS
        self._anchors = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)  # x, y; row by row

    def find(self, pixels: Pixels) -> list[Face]:
        plan = [View(0.0, 0.0, 1.0, 1.0)]
        if min(pixels.shape[:2]) >= _TILED_FROM:
            plan += grid(2, 0.6) + grid(3, 0.4)
        prepared = [_letterbox(pixels, view) for view in plan]
        boxes: list[NDArray[np.float64]] = []
        scores: list[NDArray[np.float32]] = []
        outputs = self._net.many([tensor for tensor, _, _ in prepared])
        for view, (_, wide, high), maps in zip(plan, prepared, outputs, strict=True):
            found, score = self._decode(maps, wide, high)
            placed, cut = place(found, view, edge=_EDGE)
            boxes.append(placed[~cut])
            scores.append(score[~cut])
        every, rated = np.concatenate(boxes), np.concatenate(scores)
        return [
            Face(float(rated[row]), Box(*(float(v) for v in np.clip(every[row], 0.0, 1.0))))
            for row in suppress(every, rated, _OVERLAP)
        ]

    def _decode(
        self, maps: list[Array], wide: float, high: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes relative to the view; `wide` and `high` are the share of the letterbox that the view
        fills.
        """
        moves, logits = maps[0].reshape(-1, 16), maps[1].reshape(-1)
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits, -80.0, 80.0)))
        rows = np.flatnonzero(scores >= _FLOOR)
        centre = moves[rows, 0:2] / _SIDE + self._anchors[rows]
        half = moves[rows, 2:4] / _SIDE / 2
        boxes = np.concatenate([centre - half, centre + half], axis=1)
        # A letterbox centres the view: take the bars off again.
        boxes -= np.array([(1 - wide) / 2, (1 - high) / 2] * 2, dtype=np.float32)
        boxes /= np.array([wide, high] * 2, dtype=np.float32)
        return boxes.astype(np.float32), scores[rows].astype(np.float32)


def _letterbox(pixels: Pixels, view: View) -> tuple[NDArray[np.float32], float, float]:
    """1×192×192×3 in -1..1 with the view centred, and the shares of width and height that it fills."""
    height, width = pixels.shape[:2]
    window = pixels[
        round(view.top * height) : round(view.bottom * height),
        round(view.left * width) : round(view.right * width),
    ]
    scale = _SIDE / max(window.shape[:2])
    wide, high = max(1, round(window.shape[1] * scale)), max(1, round(window.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(window), (wide, high), interpolation=method)
    canvas = np.zeros((_SIDE, _SIDE, 3), dtype=np.float32)
    top, left = (_SIDE - high) // 2, (_SIDE - wide) // 2
    canvas[top : top + high, left : left + wide] = resized.astype(np.float32) / 127.5 - 1.0
    return canvas[None], wide / _SIDE, high / _SIDE
