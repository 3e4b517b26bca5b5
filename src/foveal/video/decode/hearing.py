"""The sound of a video: mono, 16,000 samples a second, each at its time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from av import AudioFrame, AudioResampler
from av.error import FFmpegError
from numpy.typing import NDArray

from foveal.video.decode.formats import Formats
from foveal.video.decode.messages import Heard
from foveal.video.decode.opening import Opened, Refused, codec_of, packets_of

RATE = 16_000
_BEFORE = 0.5  # seconds read before a window, so that decoder and resampler have settled
_GAP = 0.04  # seconds by which a time stamp may be off before it counts as a gap
_PIECE = 60 * RATE

Floats = NDArray[np.float32]


def sound(opened: Opened, start: float, end: float, formats: Formats, emit: Callable[[Heard], None]) -> None:
    """Give the sound from `start` to `end` in pieces, in order: silence where the file has none in between,
    less at the end of the sound, nothing for a video without any. Raises `Refused`.
    """
    if opened.audio is None or end <= start:
        return
    name = codec_of(opened.audio)
    if name not in formats.audio:
        supported = ", ".join(name for name in formats.audio if not name.startswith("pcm_"))
        raise Refused(
            "UnsupportedCodec",
            f"The audio codec '{name}' is not supported. Supported are: pcm, {supported}.",
        )
    opened.only(opened.audio)
    out = _Pieces(round((end - start) * RATE), emit)
    for at, samples in _pieces(opened, start):
        first = round((at - start) * RATE)
        if first >= out.wanted:
            break
        out.add(first, samples)
    out.finish()


class _Pieces:
    """Puts samples at their places and gives them away a minute at a time."""

    def __init__(self, wanted: int, emit: Callable[[Heard], None]) -> None:
        self.wanted = wanted
        self._emit = emit
        self._reached = 0
        self._given = 0
        self._waiting: list[Floats] = []

    def add(self, first: int, samples: Floats) -> None:
        """Samples whose first belongs at a place; what is there already stays."""
        samples = samples[max(0, self._reached - first) : max(0, self.wanted - first)]
        if not len(samples):
            return
        if first > self._reached:
            self._silence(first)
        self._waiting.append(samples)
        self._reached += len(samples)
        if self._reached - self._given >= _PIECE:
            self.finish()

    def finish(self) -> None:
        if self._waiting:
            whole = np.nan_to_num(np.concatenate(self._waiting))
            self._emit(Heard(np.clip(whole, -1, 1, out=whole).tobytes()))
        self._waiting, self._given = [], self._reached

    def _silence(self, until: int) -> None:
        while self._reached < until:
            count = min(_PIECE, until - self._reached)
            self._waiting.append(np.zeros(count, np.float32))
            self._reached += count
            if self._reached - self._given >= _PIECE:
                self.finish()


def _pieces(opened: Opened, start: float) -> Iterator[tuple[float, Floats]]:
    """Resampled sound and the time of its first sample, from a little before `start` on."""
    resampler: AudioResampler | None = None
    kind: tuple[int, str, str] | None = None
    expected = at = 0.0
    for begin, frame in _frames(opened, start):
        now = (frame.sample_rate, frame.format.name, frame.layout.name)
        if resampler is None or now != kind or abs(begin - expected) > _GAP:
            if resampler is not None:
                for samples in _run(resampler, None):
                    yield at, samples
                resampler = None
            aligned = _aligned(begin, frame)
            if aligned is None:
                continue
            begin, frame = aligned
            resampler, kind, at = AudioResampler(format="flt", layout="mono", rate=RATE), now, begin
            expected = begin
        expected += frame.samples / frame.sample_rate
        frame.pts = None
        for samples in _run(resampler, frame):
            yield at, samples
            at += len(samples) / RATE
    if resampler is not None:
        for samples in _run(resampler, None):
            yield at, samples


def _aligned(begin: float, frame: AudioFrame) -> tuple[float, AudioFrame] | None:
    """The frame from the first sample on that falls on one of ours, so that windows are cut out of one sound;
    None when it has none.
    """
    rate = frame.sample_rate
    every = rate // math.gcd(rate, RATE)
    first = round(begin * rate)
    skip = -first % every
    if skip >= frame.samples:
        return None
    begin = (first + skip) / rate
    if skip == 0:
        return begin, frame
    samples: Any = frame.to_ndarray()
    wide = 1 if frame.format.is_planar else len(frame.layout.channels)
    rest = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples[:, skip * wide :]), format=frame.format.name, layout=frame.layout.name
    )
    rest.sample_rate = rate
    return begin, rest


def _run(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[Floats]:
    try:
        pieces = resampler.resample(frame)
    except (FFmpegError, ValueError):
        return
    for piece in pieces:
        yield piece.to_ndarray().reshape(-1).astype(np.float32, copy=False)


def _frames(opened: Opened, start: float) -> Iterator[tuple[float, AudioFrame]]:
    """Decoded frames with their times; damaged ones are left out."""
    assert opened.audio is not None
    opened.seek(max(0.0, start - _BEFORE), opened.audio)
    expected = 0.0
    for packet in packets_of(opened, opened.audio):
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except (FFmpegError, ValueError):
            continue
        for frame in frames:
            assert isinstance(frame, AudioFrame)
            stamp = opened.seconds(frame.pts if frame.pts is not None else frame.dts, frame.time_base)
            begin = expected if stamp is None else stamp
            if not frame.samples or not frame.sample_rate:
                continue
            expected = begin + frame.samples / frame.sample_rate
            if expected >= start - _BEFORE:
                yield begin, frame
