"""Whether a picture is sexual or graphic: image-safety-classifier-s on the whole picture.

The graph takes 224×224 pixels of 0..255 and has its own normalisation and softmax; its classes are graphic
("not safe for life"), sexual ("not safe for work") and safe, in this order. The picture keeps its shape: what
is left of the square shows the picture itself, stretched and blurred, as the package it comes in does it.
"""

from __future__ import annotations

import cv2
import numpy as np

from foveal.images.detail import Pixels
from foveal.models.store import ModelStore
from foveal.perception.base import Odds
from foveal.perception.runtime import Array, Net, Runtime

MODEL = "image-safety-classifier-s"

_SIDE = 224
_BLUR = 10.0  # pixels, the sigma


class SafetyRater:
    """`PictureRater`."""

    def __init__(self, net: Net) -> None:
        self._net = net

    def rate(self, pixels: Pixels) -> Odds:
        graphic, sexual, safe = (float(share) for share in self._net(framed(pixels))[0].reshape(-1))
        return Odds(safe=safe, sexual=sexual, graphic=graphic)


def load_rater(models: ModelStore, *, threads: int) -> SafetyRater:
    """Raises `EngineUnavailable`, saying what to run, when the weights are missing."""
    runtime = Runtime(threads=threads, cache=models.folder / ".converted")
    model = runtime.read(models.path(MODEL))
    model.reshape([1, 3, _SIDE, _SIDE])  # a tenth quicker than for any number
    return SafetyRater(runtime.compile(model))


def framed(pixels: Pixels) -> Array:
    """1×3×224×224, the picture in the middle."""
    height, width = pixels.shape[:2]
    scale = _SIDE / max(width, height)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    inner = _resized(pixels, wide, high)
    if (wide, high) == (_SIDE, _SIDE):
        square = inner
    else:
        square = _stretched(inner)
        top, left = (_SIDE - high) // 2, (_SIDE - wide) // 2
        square[top : top + high, left : left + wide] = inner
    return np.ascontiguousarray(square.transpose(2, 0, 1)[None], dtype=np.float32)


def _stretched(inner: Pixels) -> Pixels:
    """Blurred at a quarter of the size: nobody can see the difference, and it takes a fifth of the time."""
    side = _SIDE // 4
    small = cv2.GaussianBlur(_resized(inner, side, side), (0, 0), _BLUR / 4)
    return _resized(np.asarray(small, dtype=np.uint8), _SIDE, _SIDE)


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    smaller = width * height < pixels.shape[0] * pixels.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=method)
    return np.asarray(resized, dtype=np.uint8)
