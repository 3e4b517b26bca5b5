"""What a straightened line of text says: PP-OCRv6's recogniser, read out by greedy CTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from foveal.images.detail import Pixels
from foveal.perception.runtime import Net

_HEIGHT = 48
_NARROWEST = 320  # widths below are padded to it, as in training: short words on photos are read better so
_STEP = 64  # widths are padded to multiples of it, so that few shapes occur
_WIDEST = 2400


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A run without spaces: text, mean confidence, from and to as shares of the line's width."""

    text: str
    confidence: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class ReadLine:
    """Confidence is the mean over the characters; 0 for no text."""

    text: str
    confidence: float
    words: tuple[ReadWord, ...] = ()


NOTHING = ReadLine("", 0.0)


class LineReader:
    """`characters`: the recogniser's classes; 0 is CTC's blank."""

    def __init__(self, net: Net, characters: Sequence[str]) -> None:
        self._net = net
        self._characters = characters

    def read(self, lines: Sequence[Pixels]) -> list[ReadLine]:
        """One result per line, in order."""
        used: list[float] = []

        def tensors() -> Iterator[NDArray[np.float32]]:
            for line in lines:  # made as they are needed: a dense page's would take 130 MB together
                tensor, share = _prepare(line)
                used.append(share)
                yield tensor

        outputs = self._net.reduced(tensors(), _best)
        return [self._decode(best, share) for best, share in zip(outputs, used, strict=True)]

    def _decode(self, best: tuple[NDArray[np.int64], NDArray[np.float32]], used: float) -> ReadLine:
        """`used`: the share of the padded width that the line fills."""
        classes, scores = best
        starts = np.flatnonzero((classes != 0) & (np.diff(classes, prepend=-1) != 0))
        text = "".join(self._characters[int(classes[step])] for step in starts)
        if not text.strip():
            return NOTHING
        places = (starts + 0.5) / (len(classes) * used)
        confidences = scores[starts]
        words = _words(text, places, confidences)
        return ReadLine(" ".join(text.split()), float(confidences.mean()), words)


def _best(maps: list[NDArray[np.float32]]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Steps × 18710 classes → the best class and its score per step, before anything is copied."""
    steps = maps[0][0]
    classes = steps.argmax(axis=1)
    return classes, steps[np.arange(len(classes)), classes].copy()


def _words(text: str, places: NDArray[np.floating], confidences: NDArray[np.float32]) -> tuple[ReadWord, ...]:
    """Runs between spaces. CTC gives one column per character, so a word ends half a character beyond its
    last.
    """
    gaps = [float(b - a) for a, b in pairwise(places)]
    pitch = float(np.median(gaps)) if gaps else 0.5
    words: list[ReadWord] = []
    start = 0
    for end in [place for place, letter in enumerate(text) if letter.isspace()] + [len(text)]:
        if end > start:
            words.append(
                ReadWord(
                    text[start:end],
                    float(confidences[start:end].mean()),
                    max(0.0, float(places[start]) - pitch / 2),
                    min(1.0, float(places[end - 1]) + pitch / 2),
                )
            )
        start = end + 1
    return tuple(words)


def _prepare(line: Pixels) -> tuple[NDArray[np.float32], float]:
    height, width = line.shape[:2]
    wide = min(max(1, round(width * _HEIGHT / height)), _WIDEST)
    canvas_width = max(_NARROWEST, -(-wide // _STEP) * _STEP)
    method = cv2.INTER_AREA if height > 2 * _HEIGHT else cv2.INTER_LINEAR
    resized = cv2.resize(line, (wide, _HEIGHT), interpolation=method)
    canvas = np.zeros((1, 3, _HEIGHT, canvas_width), dtype=np.float32)
    canvas[0, :, :, :wide] = (resized.astype(np.float32) / 127.5 - 1.0)[:, :, ::-1].transpose(2, 0, 1)
    return canvas, wide / canvas_width
