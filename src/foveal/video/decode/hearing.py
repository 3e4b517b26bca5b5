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
_FAR = 5.0  # seconds behind a window at which reading ends where time stamps jump

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
    given, wanted = 0, round((end - start) * RATE)
    waiting: Floats = np.zeros(0, np.float32)
    for at, samples in _pieces(opened, start):
        first = round((at - start) * RATE)
        if first >= wanted:
            break
        samples = samples[max(0, given + len(waiting) - first) :]
        first = max(first, given + len(waiting))
        if not len(samples):
            continue
        silence = np.zeros(first - given - len(waiting), np.float32)
        waiting = np.concatenate([waiting, silence, samples])[: wanted - given]
        while len(waiting) >= _PIECE:
            emit(Heard(waiting[:_PIECE].tobytes()))
            waiting, given = waiting[_PIECE:], given + _PIECE
    if len(waiting):
        emit(Heard(waiting.tobytes()))


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
        yield np.clip(np.nan_to_num(piece.to_ndarray().reshape(-1).astype(np.float32)), -1, 1)


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
