"""Smart crops: the largest window of a ratio, placed where it keeps most of what matters.

What matters, and how much: faces most, then people, other objects (by confidence), then text. A thing counts
by the square of the share of it that is inside, so that a whole thing beats two halves; among equally good
places the one that has the things in its middle wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveal.analysis.result import Crop, PixelBox
from foveal.perception.base import Box, TextLine
from foveal.perception.facts import Facts

FACE, PERSON, OBJECT, TEXT = 4.0, 2.0, 1.0, 0.5
_CENTRED = 0.02  # what being exactly in the middle is worth
_TEXT_SURE = 0.6


@dataclass(frozen=True, slots=True)
class Weighted:
    box: Box
    weight: float


def what_matters(facts: Facts, lines: Sequence[TextLine]) -> list[Weighted]:
    found = [Weighted(face.box, FACE * face.confidence) for face in facts.faces]
    for one in facts.objects:
        found.append(Weighted(one.box, (PERSON if one.label == "person" else OBJECT) * one.confidence))
    # A page of a hundred lines does not outweigh the people on it: text shares one weight.
    sure = [line for line in lines if line.confidence >= _TEXT_SURE]
    found += [Weighted(line.box, TEXT * line.confidence / len(sure) ** 0.5) for line in sure]
    return found


def fitting_ratio(width: int, height: int, things: Sequence[Weighted], least: float, most: float) -> float:
    """A ratio for who asked for none: that of the box around all that matters, else of the picture."""
    around = Box(0, 0, 1, 1)
    if things:
        around = Box(
            min(one.box.left for one in things),
            min(one.box.top for one in things),
            max(one.box.right for one in things),
            max(one.box.bottom for one in things),
        )
    ratio = (around.width * width) / max(around.height * height, 1e-9)
    return round(min(max(ratio, least), most), 2)


def crop(width: int, height: int, ratio: float, things: Sequence[Weighted]) -> Crop:
    """The window in whole pixels: its sides differ from the exact ratio by less than a pixel."""
    if width / height > ratio:
        wide, high = max(1, min(width, round(height * ratio))), height
    else:
        wide, high = width, max(1, min(height, round(width / ratio)))
    x = _best_place(width, wide, [(one.box.left, one.box.right, one.weight) for one in things])
    y = _best_place(height, high, [(one.box.top, one.box.bottom, one.weight) for one in things])
    return Crop(ratio, PixelBox(x, y, wide, high))


def _best_place(size: int, window: int, spans: Sequence[tuple[float, float, float]]) -> int:
    """Where the window starts along one side; the middle when nothing matters."""
    free = size - window
    if free <= 0:
        return 0
    starts = np.arange(free + 1, dtype=np.float64)
    score = np.zeros_like(starts)
    for low, high, weight in spans:
        score += weight * _kept(starts, window, low * size, high * size) ** 2
    middle = sum(weight * (low + high) / 2 for low, high, weight in spans)
    total = sum(weight for _, _, weight in spans)
    centre = middle / total * size if total > 0 else size / 2
    score -= _CENTRED * max(total, 1.0) * np.abs(starts + window / 2 - centre) / size
    return int(np.argmax(score))


def _kept(starts: NDArray[np.float64], window: int, low: float, high: float) -> NDArray[np.float64]:
    """The share of [low, high] inside each window."""
    inside = np.maximum(np.minimum(starts + window, high) - np.maximum(starts, low), 0.0)
    share: NDArray[np.float64] = inside / max(high - low, 1e-9)
    return share
