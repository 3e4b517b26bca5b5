"""A picture as an engine gets it: the views that `detail` asks for.

low   one view that fits into 512×512.
high  the same overview, and the picture itself at the working size of OpenAI's token rule (fit into
      2048×2048, then shortest side at most 768, never enlarged), which `tiles` cuts into 512 px tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # height × width × 3, RGB
Detail = Literal["low", "high"]
ImageFormat = Literal["png", "jpeg", "webp", "gif"]


@dataclass(frozen=True, slots=True)
class Tile:
    """A 512×512 (or smaller, at the right and lower edge) window of `DetailedImage.scaled`, in pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class DetailedImage:
    """One checked picture, upright, with the views its `detail` plan asks for.

    `width` and `height` are those of the original, after EXIF orientation. `overview` fits into 512×512.
    `scaled` and `tiles` exist only when `detail` is `high`. `data` are the checked original bytes, for
    engines that take the picture on (never the client's URL). `tokens` follows OpenAI's formula.
    """

    sha256: str
    format: ImageFormat
    width: int
    height: int
    detail: Detail
    tokens: int
    overview: Pixels
    scaled: Pixels | None
    tiles: tuple[Tile, ...]
    data: bytes

    @property
    def best(self) -> Pixels:
        """The sharpest view this plan allows: `scaled` at high detail, else `overview`."""
        return self.overview if self.scaled is None else self.scaled

    @property
    def media_type(self) -> str:
        return f"image/{self.format}"
