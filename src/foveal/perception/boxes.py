"""Boxes as arrays: overlap, suppression, and the merging of one picture's candidates from several views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


def overlaps(a: NDArray[np.floating], b: NDArray[np.floating]) -> tuple[Doubles, Doubles]:
    """For n and m boxes: intersection over union n×m, and the share of each `a` that lies inside each `b`
    n×m.
    """
    left = np.maximum(a[:, None, 0], b[None, :, 0])
    top = np.maximum(a[:, None, 1], b[None, :, 1])
    right = np.minimum(a[:, None, 2], b[None, :, 2])
    bottom = np.minimum(a[:, None, 3], b[None, :, 3])
    shared = np.clip(right - left, 0, None) * np.clip(bottom - top, 0, None)
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area_a[:, None] + area_b[None] - shared
    return shared / np.maximum(union, 1e-9), shared / np.maximum(area_a[:, None], 1e-9)


def suppress(boxes: NDArray[np.floating], scores: NDArray[np.floating], limit: float) -> list[int]:
    """Greedy non-maximum suppression: the rows kept, best first."""
    if len(boxes) == 0:
        return []
    iou, _ = overlaps(boxes, boxes)
    dead = np.zeros(len(boxes), dtype=bool)
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable"):
        if not dead[row]:
            kept.append(int(row))
            dead |= iou[row] > limit
    return kept


@dataclass(frozen=True, slots=True)
class View:
    """A window of the picture (relative) that the net looks at, perhaps mirrored."""

    left: float
    top: float
    right: float
    bottom: float
    mirrored: bool = False

    @property
    def whole(self) -> bool:
        return (self.left, self.top, self.right, self.bottom) == (0.0, 0.0, 1.0, 1.0)

    def holds(self, box: tuple[float, float, float, float]) -> bool:
        """Whether nearly all (95 %) of a box lies in the view."""
        wide = min(box[2], self.right) - max(box[0], self.left)
        high = min(box[3], self.bottom) - max(box[1], self.top)
        area = (box[2] - box[0]) * (box[3] - box[1])
        return max(0.0, wide) * max(0.0, high) > 0.95 * area


@dataclass(frozen=True, slots=True)
class Finding:
    """One candidate of one view in picture coordinates. `cut`: it ends at an edge of the view inside the
    picture.
    """

    box: Doubles
    score: float
    view: int
    cut: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """One object: its box and the best score that each view gave it."""

    box: tuple[float, float, float, float]
    votes: dict[int, float]


def place(boxes: Floats, view: View, *, edge: float) -> tuple[Doubles, NDArray[np.bool_]]:
    """Boxes relative to a view → relative to the picture, and which of them an inner edge of the view
    cuts.
    """
    placed = boxes.astype(np.float64)
    if view.mirrored:
        placed = placed[:, [2, 1, 0, 3]]
        placed[:, [0, 2]] = 1.0 - placed[:, [0, 2]]
    cut = np.zeros(len(placed), dtype=bool)
    if view.left > 0.0:
        cut |= placed[:, 0] < edge
    if view.top > 0.0:
        cut |= placed[:, 1] < edge
    if view.right < 1.0:
        cut |= placed[:, 2] > 1.0 - edge
    if view.bottom < 1.0:
        cut |= placed[:, 3] > 1.0 - edge
    wide, high = view.right - view.left, view.bottom - view.top
    placed *= np.array([wide, high, wide, high])
    placed += np.array([view.left, view.top, view.left, view.top])
    return placed, cut


@dataclass(slots=True)
class _Cluster:
    box: Doubles
    weight: float
    votes: dict[int, float]

    def add(self, finding: Finding, score: float) -> None:
        self.votes[finding.view] = max(self.votes.get(finding.view, 0.0), score)
        if not finding.cut:
            self.box = (self.box * self.weight + finding.box * score) / (self.weight + score)
            self.weight += score


def merge(
    findings: list[Finding], *, same: float = 0.5, inside: float = 0.7, cut_penalty: float = 0.5
) -> list[Merged]:
    """Findings of one class → objects.

    Boxes that overlap by `same` are one object, and so is a cut box that lies to `inside` in a fuller one.
    The box is the mean weighted by score; a cut box votes with `cut_penalty` of its score and moves no other
    box.
    """
    clusters: list[_Cluster] = []
    weighed = [(finding.score * (cut_penalty if finding.cut else 1.0), finding) for finding in findings]
    for score, finding in sorted(weighed, key=lambda pair: -pair[0]):
        home = _home(finding, clusters, same, inside)
        if home is None:
            clusters.append(_Cluster(finding.box.copy(), score, {finding.view: score}))
        else:
            home.add(finding, score)
    return [Merged(_corners(cluster.box), cluster.votes) for cluster in clusters]


def _corners(box: Doubles) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(value) for value in np.clip(box, 0.0, 1.0))
    return left, top, right, bottom


def _home(finding: Finding, clusters: list[_Cluster], same: float, inside: float) -> _Cluster | None:
    if not clusters:
        return None
    iou, share = overlaps(finding.box[None], np.array([cluster.box for cluster in clusters]))
    closest = int(np.argmax(iou[0]))
    if iou[0, closest] >= same:
        return clusters[closest]
    if finding.cut:
        fullest = int(np.argmax(share[0]))
        if share[0, fullest] >= inside:
            return clusters[fullest]
    return None
