"""How good a frame is to look at: its sharpness, and whether it is worth looking at at all."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from foveal.video.decode.looks import Grey

_BLACK_MEAN, _BLACK_BRIGHT = 32, 60  # of 0..255, where video's own black is 16
_BLACK_SHARE = 0.01  # of the picture that may be brighter
_BLURRED = 0.62  # see `blur`
_EMPTY = 2.0  # standard deviation of a picture of one colour


def sharpness(grey: Grey) -> float:
    """Larger is sharper; comparable between frames of one shot."""
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def blur(grey: Grey) -> float:
    """How little is lost when the picture is blurred once more: 0 (very sharp) to 1.

    After Crété-Roffet and others, "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric" (SPIE 2007): what was sharp loses its steps between neighbours, what was blurred
    hardly does. It does not depend on how much contrast there is.
    """
    picture = grey.astype(np.float32)
    worst = 0.0
    for axis, size in ((0, (1, 9)), (1, (9, 1))):
        again = cv2.blur(picture, size)
        steps = np.abs(np.diff(picture, axis=axis))
        lost = np.maximum(0, steps - np.abs(np.diff(again, axis=axis)))
        total = float(steps.sum())
        worst = max(worst, 1 - float(lost.sum()) / total if total > 0 else 1.0)
    return worst


def defect_of(grey: Grey) -> Literal["black", "blurred"] | None:
    """What is wrong with a frame, if anything: nothing to see in the dark, or nothing sharp."""
    if float(grey.mean()) < _BLACK_MEAN and float((grey > _BLACK_BRIGHT).mean()) < _BLACK_SHARE:
        return "black"
    if float(grey.std()) < _EMPTY or blur(grey) > _BLURRED:
        return "blurred"
    return None
