"""The tagger: EfficientNet-Lite3 (uint8, ImageNet-1k) on a picture or a crop of one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from foveal.images.detail import Pixels
from foveal.perception.base import Tag
from foveal.perception.runtime import Net

_SIDE = 280


class ImageNetTagger:
    """`Tagger`: the mean of two looks, the whole picture squeezed into a square and its middle square.

    Tags below `floor` are left out; best first, at most `most`.
    """

    def __init__(self, net: Net, labels: Sequence[str], *, floor: float = 0.05, most: int = 5) -> None:
        self._net = net
        self._labels = labels
        self._floor = floor
        self._most = most

    def tag(self, pixels: Pixels) -> list[Tag]:
        height, width = pixels.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        looks = [_square(pixels)]
        if height != width:
            looks.append(_square(pixels[top : top + side, left : left + side]))
        outputs = [maps[0].reshape(-1).astype(np.float64) for maps in self._net.many(looks)]
        # The uint8 softmax loses what is below 1/256; its sum is what the quantisation kept.
        shares = np.mean([values / 256.0 for values in outputs], axis=0)
        best = np.argsort(-shares, kind="stable")[: self._most]
        return [Tag(self._labels[int(row)], float(shares[row])) for row in best if shares[row] >= self._floor]


def _square(pixels: Pixels) -> Pixels:
    shrinking = min(pixels.shape[:2]) > _SIDE
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(pixels), (_SIDE, _SIDE), interpolation=method)
    return np.asarray(resized, dtype=np.uint8)[None]
