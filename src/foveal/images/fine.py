"""The fine view: a picture at its own resolution, for small print that the detail plan's view lost."""

from __future__ import annotations

import math

from foveal.images.decode import Limits, check, upright_pixels
from foveal.images.detail import DetailedImage, Pixels

# Above every A4 scan at 300 dpi (8.7 megapixels) and the usual phone photo (12.2). 36 MB as RGB.
MAX_PIXELS = 12_500_000


def is_fine(image: DetailedImage) -> bool:
    """Whether the plan's best view already is the whole picture, pixel for pixel."""
    return image.best.shape[:2] == (image.height, image.width) or not image.data


def fine_view(image: DetailedImage, limits: Limits | None = None) -> Pixels:
    """The upright picture, decoded again, with at most `MAX_PIXELS`; the plan's own view where that is as
    large (or where the original bytes are not at hand).

    Raises `InvalidImage` when the bytes cannot be decoded.
    """
    if is_fine(image):
        return image.best
    limits = limits or Limits()
    header = check(image.data, limits, param=None)
    size = _bounded(header.width, header.height)
    return upright_pixels(image.data, header, size, limits, param=None)


def _bounded(width: int, height: int) -> tuple[int, int]:
    if width * height <= MAX_PIXELS:
        return width, height
    scale = math.sqrt(MAX_PIXELS / (width * height))
    return max(1, math.floor(width * scale)), max(1, math.floor(height * scale))
