"""Where in a sound somebody speaks: silero's voice detector, and what its likelihoods are used for.

The net travels in the faster-whisper wheel. It says for every 32 ms how likely a voice is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foveal.perception.base import Samples

RATE = 16_000  # samples a second
FRAME = 512  # samples that one likelihood stands for
_BLOCK = 2_000  # frames of one run of the net: a minute; five took 80 MB more
_RUN_UP = 16  # frames that a run begins earlier: the net listens for a moment before it is right

# The net's makers take 0.5 and 0.35. Music and crowds reach these for a moment; a voice goes well beyond.
_VOICE = 0.5  # likelihood: a voice begins
_GONE = 0.35  # below for `_PAUSE`: it ended
_SURE = 0.7  # what a stretch must reach to be one
_PAUSE = 0.3  # seconds
_SHORTEST = 0.2  # seconds; shorter is a click
_MARGIN = 0.25  # seconds kept around a stretch: breath and soft consonants are below the line

_TAIL = 0.2  # share of a sound in which it may be cut
_LONGEST_TAIL = 30.0  # seconds
_QUIET = 0.3  # seconds of quiet that hurt no word
_SOFT = 5  # frames that a cut looks at around it

Likelihoods = NDArray[np.float32]  # one a frame, 0..1


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one sample to another."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


class VoiceDetector:
    def __init__(self, net: Callable[[Samples], NDArray[np.float32]]) -> None:
        """`net`: samples, a multiple of `FRAME`, to a likelihood a frame."""
        self._net = net

    def likelihoods(self, samples: Samples) -> Likelihoods:
        """Of every frame; the last may be cut short."""
        parts = []
        for start in range(0, len(samples), _BLOCK * FRAME):
            early = min(start, _RUN_UP * FRAME)
            block = samples[start - early : start + _BLOCK * FRAME]
            padded = np.pad(block, (0, -len(block) % FRAME))  # a copy: the net writes into what it gets
            found = np.asarray(self._net(padded), dtype=np.float32).reshape(-1)
            parts.append(found[early // FRAME :])
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def load_voice_detector() -> VoiceDetector:
    import faster_whisper
    from faster_whisper.vad import SileroVADModel

    assert faster_whisper.__file__ is not None
    return VoiceDetector(SileroVADModel(str(Path(faster_whisper.__file__).parent / "assets" / _NET)))


_NET = "silero_vad_v6.onnx"


def stretches(likelihoods: Likelihoods, samples: int) -> list[Stretch]:
    """Where somebody speaks, in order, with a margin around; `samples`: how many there are of the sound."""
    found: list[tuple[int, int]] = []
    start, quiet = -1, 0  # frame a voice began at; frames since it was last heard
    for place, likelihood in enumerate([*likelihoods.tolist(), *[0.0] * _frames(_PAUSE)]):
        if start < 0:
            if likelihood >= _VOICE:
                start, quiet = place, 0
            continue
        quiet = quiet + 1 if likelihood < _GONE else 0
        if quiet >= _frames(_PAUSE):
            end = place + 1 - quiet
            if end - start >= _frames(_SHORTEST) and likelihoods[start:end].max() >= _SURE:
                found.append((start, end))
            start = -1
    margin = round(_MARGIN * RATE)
    raw = [Stretch(start * FRAME, min(samples, end * FRAME)) for start, end in found]
    lefts = [0, *((one.end + other.start) // 2 for one, other in pairwise(raw)), samples]
    return [
        Stretch(max(left, one.start - margin), min(right, one.end + margin))
        for one, left, right in zip(raw, lefts, lefts[1:], strict=False)
    ]


def split(stretch: Stretch, likelihoods: Likelihoods, longest: int) -> list[Stretch]:
    """Parts of at most `longest` samples, cut where a voice is least likely in their last third."""
    parts = []
    while stretch.length > longest:
        first, last = (stretch.start + 2 * longest // 3) // FRAME, (stretch.start + longest) // FRAME
        cut = (first + _softest(likelihoods[first:last])) * FRAME
        parts.append(Stretch(stretch.start, cut))
        stretch = Stretch(cut, stretch.end)
    return [*parts, stretch]


def quietest(likelihoods: Likelihoods, samples: int) -> float:
    """The second at which a sound can be cut without hurting a word: in the middle of the last pause of its
    tail, else where a voice is least likely there, else at its end.
    """
    length = samples / RATE
    first = _frames(length - min(_LONGEST_TAIL, _TAIL * length))
    tail = likelihoods[first:]
    if len(tail) == 0:
        return length
    pauses = _runs(tail < _GONE, _frames(_QUIET))
    place = sum(pauses[-1]) / 2 if pauses else _softest(tail) + 0.5
    return min(length, (first + place) * FRAME / RATE)


def _frames(seconds: float) -> int:
    return round(seconds * RATE / FRAME)


def _softest(likelihoods: Likelihoods) -> int:
    """The frame around which a voice is least likely; the later of equals."""
    smooth = np.convolve(likelihoods, np.ones(_SOFT) / _SOFT, mode="same")
    edge = min(_SOFT // 2, (len(smooth) - 1) // 2)
    inner = smooth[edge : len(smooth) - edge]
    return edge + len(inner) - 1 - int(np.argmin(inner[::-1]))


def _runs(flags: NDArray[np.bool_], shortest: int) -> Sequence[tuple[int, int]]:
    """From and to of every run of at least so many true ones."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    pairs = [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
    return [(start, end) for start, end in pairs if end - start >= shortest]
