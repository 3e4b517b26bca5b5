"""A frame as the choice of frames sees it: a few grey values, straight from the decoder's brightness plane.

No colour is computed and the picture is not copied: rows are left out first (which costs nothing), then the
rest is averaged down to 64×36.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Grey = NDArray[np.uint8]  # (height, width), 0 black to 255 white

WIDE, HIGH = 64, 36
_ROWS = 180  # rows that are enough to average from
_SHARP_SIDE = 480  # the longer side of the picture in which sharpness is measured
_FLAT = 4.5  # standard deviation of grey values below which nothing is to be seen
_ENOUGH = 0.6  # likeness above which it does not matter how much
_GAIN = 4.0  # by how much more or less light the same view may have
_TILE_HIGH, _TILE_WIDE = 12, 16
_NEAR_Y, _NEAR_X = 8, 12  # how far a tile may have moved
_DARK, _DARK_SHARE = 40, 0.9  # grey value below which so much of a dark picture is


@dataclass(slots=True)
class Look:
    """A frame at a time, seen small. `frame` is there only while it may still be chosen."""

    at: float
    grey: Grey
    mean: float
    spread: float
    frame: VideoFrame | None = None

    @property
    def flat(self) -> bool:
        """Nothing but one colour."""
        return self.spread < _FLAT

    @property
    def dark(self) -> bool:
        """Black but for a little: a title, a light."""
        return self.mean < _DARK and float((self.grey < _DARK).mean()) > _DARK_SHARE


def look_at(frame: VideoFrame, at: float) -> Look:
    plane = brightness(frame)
    step = max(1, plane.shape[0] // _ROWS)
    small = cv2.resize(plane[::step], (WIDE, HIGH), interpolation=cv2.INTER_AREA)
    grey = small if small.dtype == np.uint8 else _to_bytes(small, _depth(frame))
    mean, spread = cv2.meanStdDev(grey)
    return Look(at, np.asarray(grey, np.uint8), float(mean[0, 0]), float(spread[0, 0]))


def brightness(frame: VideoFrame) -> NDArray[Any]:
    """The brightness plane, rows × columns, of 8 or up to 16 bits, not copied where the format has one."""
    if not _has_brightness(frame.format.name):
        frame = frame.reformat(format="gray8")
    plane: Any = frame.planes[0]
    kind = np.dtype(np.uint8 if _depth(frame) == 8 else np.uint16)
    rows: NDArray[Any] = np.frombuffer(plane, kind).reshape(plane.height, -1)
    whole = rows if plane.line_size > 0 else rows[::-1]
    return np.asarray(whole[:, : plane.width])


def detailed(frame: VideoFrame) -> Grey:
    """Grey, its longer side at most 480: enough to tell a sharp picture from a blurred one."""
    plane = brightness(frame)
    scale = min(1.0, _SHARP_SIDE / max(plane.shape))
    size = (max(1, round(plane.shape[1] * scale)), max(1, round(plane.shape[0] * scale)))
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small if small.dtype == np.uint8 else _to_bytes(small, _depth(frame)), np.uint8)


def likeness(one: Look, other: Look) -> float:
    """How much two pictures show the same view, 0..1; above 0.2 they do.

    Tile by tile: how well each is found near its place in the other picture (1 less the squared difference
    over what varies in the tile), and of that the median. So it is not disturbed by a move of the camera up
    to a fifth of the picture, nor by something large that moves before it, as long as half of the tiles are
    found; nor by light, since the better counts of the picture as it is and as bright as the first.
    """
    if one.flat or other.flat:
        return 1.0 if one.flat and other.flat and abs(one.mean - other.mean) < 40 else 0.0
    as_it_is = _by_tiles(one.grey, other.grey)
    if as_it_is > _ENOUGH:
        return as_it_is
    gain = min(_GAIN, max(1 / _GAIN, one.spread / other.spread))
    lit = np.clip((other.grey.astype(np.float32) - other.mean) * gain + one.mean, 0, 255).astype(np.uint8)
    return max(as_it_is, _by_tiles(one.grey, lit))


def _by_tiles(one: Grey, other: Grey) -> float:
    edges = (_NEAR_Y, _NEAR_Y, _NEAR_X, _NEAR_X)
    around = np.asarray(cv2.copyMakeBorder(other, *edges, cv2.BORDER_REPLICATE), np.uint8)
    tiled = one.reshape(HIGH // _TILE_HIGH, _TILE_HIGH, WIDE // _TILE_WIDE, _TILE_WIDE)
    varies = tiled.astype(np.float32).var(axis=(1, 3))
    found = []
    for row, column in np.argwhere(varies >= _FLAT**2):
        top, left = row * _TILE_HIGH, column * _TILE_WIDE
        tile = one[top : top + _TILE_HIGH, left : left + _TILE_WIDE]
        window = around[top : top + _TILE_HIGH + 2 * _NEAR_Y, left : left + _TILE_WIDE + 2 * _NEAR_X]
        off, *_ = cv2.minMaxLoc(cv2.matchTemplate(window, tile, cv2.TM_SQDIFF))
        found.append(max(0.0, 1 - off / (tile.size * float(varies[row, column]))))
    return median(found) if len(found) > 3 else 0.0


def difference(one: Look, other: Look) -> float:
    """The mean difference of the grey values, 0..255."""
    return float(cv2.norm(one.grey, other.grey, cv2.NORM_L1)) / (WIDE * HIGH)


class Reference:
    """A kept picture, ready to tell how much of another is new."""

    _ACROSS = 12.0  # grey values by which a place must leave the range of its old surroundings
    _GAIN = 2.0  # more or less light, as in a fade, is no news up to this factor

    def __init__(self, look: Look) -> None:
        kernel = np.ones((3, 3), np.uint8)
        self._mean, self._spread, self._flat = look.mean, max(1.0, look.spread), look.flat
        self._low = cv2.erode(look.grey, kernel).astype(np.float32) - self._ACROSS
        self._high = cv2.dilate(look.grey, kernel).astype(np.float32) + self._ACROSS

    def change(self, look: Look) -> float:
        """The share of the picture that is new, 0..1; a small move, grain and other light are not."""
        if look.flat != self._flat:
            return 1.0
        gain = min(self._GAIN, max(1 / self._GAIN, self._spread / max(1.0, look.spread)))
        grey = (look.grey.astype(np.float32) - look.mean) * gain + self._mean
        return float(np.count_nonzero((grey < self._low) | (grey > self._high))) / (WIDE * HIGH)


@lru_cache(maxsize=64)
def _has_brightness(name: str) -> bool:
    return name.startswith(("yuv4", "yuvj4", "yuva4", "nv12", "nv21", "gray", "p010"))


def _depth(frame: VideoFrame) -> int:
    return int(frame.format.components[0].bits)


def _to_bytes(grey: NDArray[Any], depth: int) -> Grey:
    return np.asarray(np.clip(grey >> (depth - 8), 0, 255), np.uint8)
