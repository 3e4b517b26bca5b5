"""Pictures as the media door gives them, and a `Sight` that sees nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from foveal.images.detail import Detail, DetailedImage, Pixels


def load_pixels(path: Path) -> Pixels:
    """RGB."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None, path
    return np.ascontiguousarray(picture[:, :, ::-1]).astype(np.uint8)


def picture_of(pixels: Pixels, detail: Detail = "high") -> DetailedImage:
    height, width = pixels.shape[:2]
    scale = min(1.0, 512 / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    overview = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return DetailedImage(
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
        format="png",
        width=width,
        height=height,
        detail=detail,
        tokens=85,
        overview=overview,
        scaled=pixels if detail == "high" else None,
        tiles=(),
        data=b"",
    )


def plain(number: int = 0, detail: Detail = "high") -> DetailedImage:
    """A picture of one colour; a different number is a different picture."""
    return picture_of(np.full((40, 60, 3), number % 256, dtype=np.uint8), detail)
