"""Lines of text that stand still from one frame of a video to the next are read once.

A line is known again when its box is where it was and the picture inside looks the same everywhere: one
digit of a clock that changed is enough to read it anew.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from foveal.images.detail import Pixels
from foveal.perception.textboxes import Quad, sides
from foveal.perception.textlines import ReadLine

_KEPT = 128  # lines; a screen of text has some 50
_MOVED = 0.2  # of the line's height, by which a corner of its box may be off: less than a thin letter
_HEIGHT = 24  # pixels of the copies that are compared
_WIDEST = 960
_PIECE = 10  # columns of a copy: about a letter
_ALIKE = (
    12.0  # grey values, the mean of a piece: what compression leaves is a third, another letter twice of it
)

Cut = Callable[[Quad], Pixels]
Copy = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Line:
    quad: Quad
    copy: Copy
    read: ReadLine


class LineMemory:
    """Of one video, whose frames have one size. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: deque[_Line] = deque(maxlen=_KEPT)

    def recall(self, quad: Quad, cut: Cut) -> ReadLine | None:
        """What was read in this place, if it looks the same; `cut` straightens the picture inside a box."""
        with self._lock:
            near = [line for line in self._lines if _near(line.quad, quad)]
        for line in reversed(near):
            if _alike(line.copy, _copy(cut(line.quad))):
                return line.read
        return None

    def keep(self, quad: Quad, straight: Pixels, read: ReadLine) -> None:
        line = _Line(quad, _copy(straight), read)
        with self._lock:
            self._lines.append(line)


def _near(one: Quad, other: Quad) -> bool:
    return float(np.abs(one - other).max()) <= _MOVED * min(sides(one))


def _copy(straight: Pixels) -> Copy:
    height, width = straight.shape[:2]
    wide = min(_WIDEST, max(_PIECE, round(width * _HEIGHT / height)))
    grey = cv2.cvtColor(np.ascontiguousarray(straight), cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (wide, _HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)


def _alike(one: Copy, other: Copy) -> bool:
    if one.shape != other.shape:
        return False
    columns = np.abs(one - other).mean(axis=0)
    pieces = np.convolve(columns, np.ones(_PIECE, dtype=np.float32) / _PIECE, mode="valid")
    return float(pieces.max()) <= _ALIKE
