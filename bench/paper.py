"""Paper to draw documents on, and what happens to it before a camera."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

NOTO = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
MONO = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
SERIF = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"
INDEX = {"ja": 0, "ko": 1, "zh": 2}


class Sheet:
    """White paper and a pen. Positions are in pixels; `at` is where the next row begins."""

    def __init__(
        self, width: int, height: int, *, font: str = DEJAVU, language: str = "", size: int = 24
    ) -> None:
        self.image = Image.new("L", (width, height), 255)
        self.draw = ImageDraw.Draw(self.image)
        self.width = width
        self.at = size
        self.size = size
        self._font = NOTO if language else font
        self._index = INDEX.get(language, 0)

    def font(self, size: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(self._font, size, index=self._index)

    def text(self, x: int, text: str, *, size: int = 0, right: bool = False) -> None:
        self.draw.text(
            (x, self.at), text, font=self.font(size or self.size), fill=20, anchor="ra" if right else "la"
        )

    def centred(self, text: str, *, size: int = 0) -> None:
        size = size or self.size
        self.draw.text((self.width // 2, self.at), text, font=self.font(size), fill=20, anchor="ma")
        self.at += int(1.6 * size)

    def row(
        self, cells: Sequence[str], xs: Sequence[int], *, right: Sequence[int] = (), size: int = 0
    ) -> None:
        """`right`: numbers of the columns whose x is their right edge."""
        for number, (cell, x) in enumerate(zip(cells, xs, strict=True)):
            self.text(x, cell, size=size, right=number in right)
        self.at += int(1.6 * (size or self.size))

    def rule(self) -> None:
        self.draw.line((20, self.at, self.width - 20, self.at), fill=120, width=2)
        self.at += self.size // 2

    def space(self, share: float = 1.0) -> None:
        self.at += int(share * self.size)


def turned(image: Image.Image, degrees: float) -> Image.Image:
    """Counter-clockwise, on a desk of another colour."""
    return image.rotate(degrees, expand=True, fillcolor=96, resample=Image.Resampling.BICUBIC)


def in_perspective(image: Image.Image) -> Image.Image:
    """Seen from the lower left, with noise and a fall of light."""
    width, height = image.size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    placed = np.array([[170, 60], [960, 190], [900, 1130], [60, 1240]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, placed)
    warped = cv2.warpPerspective(
        np.asarray(image), matrix, (1060, 1320), flags=cv2.INTER_AREA, borderValue=70
    )
    light = np.linspace(1.0, 0.72, warped.shape[1], dtype=np.float32)[None, :]
    noise = np.random.default_rng(7).normal(0, 5, warped.shape)
    return Image.fromarray(np.clip(warped * light + noise, 0, 255).astype(np.uint8))
