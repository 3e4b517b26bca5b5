"""The object detector: SSD over several views of one picture, merged."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np

from foveal.images.detail import Pixels
from foveal.perception import ssd
from foveal.perception.base import Box, DetectedObject
from foveal.perception.boxes import Finding, Merged, View, merge, place, suppress
from foveal.perception.runtime import Net

_EDGE = 0.02  # of a view: a box that ends this near to an inner edge was cut by it
_OVERLAP = 0.6  # suppression inside one view
_SMALL = 0.35  # square root of a box's share of the picture: smaller things are found in windows
_HINT = 0.25  # raw score from which such a thing is worth a closer look
FLOOR = 0.1  # raw scores below this are noise in every view


def grid(steps: int, size: float) -> list[View]:
    """`steps`×`steps` windows of `size`, evenly spread so that neighbours overlap."""
    gap = (1.0 - size) / (steps - 1)
    return [
        View(x * gap, y * gap, x * gap + size, y * gap + size) for y in range(steps) for x in range(steps)
    ]


def views() -> list[View]:
    """The whole picture, mirrored too, and two grids of windows: each adds recall (docs/perception.md)."""
    whole = [View(0.0, 0.0, 1.0, 1.0), View(0.0, 0.0, 1.0, 1.0, mirrored=True)]
    return [*whole, *grid(2, 0.6), *grid(3, 0.45)]


def frame_views() -> tuple[list[View], list[View]]:
    """Of a frame of a video: the whole, and when that shows something small, its left and right too."""
    return [View(0.0, 0.0, 1.0, 1.0)], [View(0.0, 0.0, 0.6, 1.0), View(0.4, 0.0, 1.0, 1.0)]


@dataclass(frozen=True, slots=True)
class Confidence:
    """The logistic regression of data/merge.toml, which explains every weight."""

    constant: float
    best: float
    whole: float
    windows: float
    in_no_window: float
    size: float
    whole_size: float
    windows_size: float
    sure: float
    faint: float

    def of(self, one: Merged, plan: Sequence[View]) -> float:
        whole = [one.votes.get(number, 0.0) for number, view in enumerate(plan) if view.whole]
        windows = [
            one.votes.get(number, 0.0)
            for number, view in enumerate(plan)
            if not view.whole and view.holds(one.box)
        ]
        left, top, right, bottom = one.box
        size = math.log(math.sqrt(max(1e-6, (right - left) * (bottom - top))))
        in_whole = _logit(sum(whole) / len(whole)) if whole else 0.0
        in_windows = _logit(sum(windows) / len(windows)) if windows else 0.0
        total = self.constant + self.best * _logit(max(one.votes.values()))
        total += self.whole * in_whole + self.windows * in_windows + self.in_no_window * (not windows)
        total += self.size * size + self.whole_size * in_whole * size + self.windows_size * in_windows * size
        return 1.0 / (1.0 + math.exp(-total))


def _logit(score: float) -> float:
    return math.log((score + 0.02) / (1.02 - score))


def load_confidence() -> Confidence:
    text = (resources.files("foveal.perception") / "data" / "merge.toml").read_text(encoding="utf-8")
    return Confidence(**tomllib.loads(text))


class SsdDetector:
    """`Detector`: COCO-80 objects with a confidence of at least `confidence.faint`, best first.

    The views of `plan` are looked at always, those of `closer` (given for pictures that are wider than high)
    when the first show something small.
    """

    def __init__(
        self,
        net: Net,
        labels: Mapping[int, str],
        confidence: Confidence,
        *,
        plan: Sequence[View] | None = None,
        closer: Sequence[View] = (),
    ) -> None:
        self._net = net
        self._labels = labels
        self._confidence = confidence
        self._plan = tuple(views() if plan is None else plan)
        self._closer = tuple(closer)
        self._anchors = ssd.anchors()

    def with_plan(self, plan: Sequence[View], closer: Sequence[View] = ()) -> SsdDetector:
        """The same detector with other views."""
        return SsdDetector(self._net, self._labels, self._confidence, plan=plan, closer=closer)

    def detect(self, pixels: Pixels) -> list[DetectedObject]:
        plan = self._plan
        findings: dict[int, list[Finding]] = {}
        self._look(pixels, plan, 0, findings)
        if self._closer and any(_is_small(one) for group in findings.values() for one in group):
            upright = pixels.shape[0] > pixels.shape[1]
            closer = tuple(map(_turned, self._closer)) if upright else self._closer
            plan += closer
            self._look(pixels, closer, len(self._plan), findings)
        objects = [
            DetectedObject(self._labels[coco], self._confidence.of(one, plan), Box(*one.box))
            for coco, group in findings.items()
            if coco in self._labels
            for one in merge(group)
        ]
        likely = [one for one in objects if one.confidence >= self._confidence.faint]
        return sorted(likely, key=lambda one: -one.confidence)

    def _look(
        self, pixels: Pixels, plan: Sequence[View], first: int, findings: dict[int, list[Finding]]
    ) -> None:
        """Add what these views show; `first` is the number of the first of them."""
        maps = self._net.many([look(pixels, view) for view in plan])
        for number, (view, outputs) in enumerate(zip(plan, maps, strict=True), start=first):
            found = ssd.decode(outputs, self._anchors, FLOOR)
            placed, cut = place(found.boxes, view, edge=_EDGE)
            for coco in np.unique(found.classes):
                rows = np.flatnonzero(found.classes == coco)
                for kept in suppress(placed[rows], found.scores[rows], _OVERLAP):
                    row = rows[kept]
                    finding = Finding(placed[row], float(found.scores[row]), number, bool(cut[row]))
                    findings.setdefault(int(coco), []).append(finding)


def _turned(view: View) -> View:
    """Left and right made top and bottom."""
    return View(view.top, view.left, view.bottom, view.right, view.mirrored)


def _is_small(one: Finding) -> bool:
    left, top, right, bottom = one.box
    return one.score >= _HINT and (right - left) * (bottom - top) < _SMALL**2


def look(pixels: Pixels, view: View) -> Pixels:
    """One view as the net wants it: 1×300×300×3, RGB."""
    height, width = pixels.shape[:2]
    left, top = min(round(view.left * width), width - 1), min(round(view.top * height), height - 1)
    right, bottom = max(round(view.right * width), left + 1), max(round(view.bottom * height), top + 1)
    window = pixels[top:bottom, left:right]
    shrinking = window.shape[0] > ssd.SIDE and window.shape[1] > ssd.SIDE
    resized = cv2.resize(
        window, (ssd.SIDE, ssd.SIDE), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    )
    if view.mirrored:
        resized = resized[:, ::-1]
    return np.ascontiguousarray(resized, dtype=np.uint8)[None]
