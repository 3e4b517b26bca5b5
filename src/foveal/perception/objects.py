"""The object detector: SSD over several views of one picture, merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from foveal.images.detail import Pixels
from foveal.perception import ssd
from foveal.perception.base import Box, DetectedObject
from foveal.perception.boxes import Finding, View, merge, place, suppress
from foveal.perception.runtime import Net

_EDGE = 0.02  # of a view: a box that ends this near to an inner edge was cut by it
_OVERLAP = 0.6  # suppression inside one view
FLOOR = 0.1  # raw scores below this are noise in every view


def grid(steps: int, size: float) -> list[View]:
    """`steps`×`steps` windows of `size`, evenly spread so that neighbours overlap."""
    gap = (1.0 - size) / (steps - 1)
    return [
        View(x * gap, y * gap, x * gap + size, y * gap + size) for y in range(steps) for x in range(steps)
    ]


def views() -> list[View]:
    """The whole picture, mirrored too, and a 2×2 grid: each adds recall (docs/perception.md)."""
    return [View(0.0, 0.0, 1.0, 1.0), View(0.0, 0.0, 1.0, 1.0, mirrored=True), *grid(2, 0.6)]


class SsdDetector:
    """`Detector`: COCO-80 objects with a merged confidence of at least `floor`, best first."""

    def __init__(
        self, net: Net, labels: Mapping[int, str], *, floor: float, plan: Sequence[View] | None = None
    ) -> None:
        self._net = net
        self._labels = labels
        self._floor = floor
        self._plan = tuple(views() if plan is None else plan)
        self._anchors = ssd.anchors()

    def detect(self, pixels: Pixels) -> list[DetectedObject]:
        maps = self._net.many([look(pixels, view) for view in self._plan])
        findings: dict[int, list[Finding]] = {}
        for number, (view, outputs) in enumerate(zip(self._plan, maps, strict=True)):
            found = ssd.decode(outputs, self._anchors, FLOOR)
            placed, cut = place(found.boxes, view, edge=_EDGE)
            for coco in np.unique(found.classes):
                rows = np.flatnonzero(found.classes == coco)
                for kept in suppress(placed[rows], found.scores[rows], _OVERLAP):
                    row = rows[kept]
                    finding = Finding(placed[row], float(found.scores[row]), number, bool(cut[row]))
                    findings.setdefault(int(coco), []).append(finding)
        objects = [
            DetectedObject(self._labels[coco], min(1.0, one.score), Box(*one.box))
            for coco, group in findings.items()
            if coco in self._labels
            for one in merge(group)
            if one.score >= self._floor
        ]
        return sorted(objects, key=lambda seen: -seen.confidence)


def look(pixels: Pixels, view: View) -> Pixels:
    """One view as the net wants it: 1×300×300×3, RGB."""
    height, width = pixels.shape[:2]
    left, right = round(view.left * width), max(round(view.right * width), round(view.left * width) + 1)
    top, bottom = round(view.top * height), max(round(view.bottom * height), round(view.top * height) + 1)
    window = pixels[top:bottom, left:right]
    shrinking = window.shape[0] > ssd.SIDE and window.shape[1] > ssd.SIDE
    resized = cv2.resize(
        window, (ssd.SIDE, ssd.SIDE), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    )
    if view.mirrored:
        resized = resized[:, ::-1]
    return np.ascontiguousarray(resized, dtype=np.uint8)[None]
