"""Test videos, made with PyAV: real pictures as scenes that move, real speech or tones as sound, known times.

    clip = write_video(tmp_path / "clip.mp4", [Scene(picture("cat"), 4), Scene(picture("street"), 3)],
                       sounds=[(1.0, speech("0880"))])

A scene lasts exactly as long as it says, and cuts to the next are hard. Everything is deterministic.
Broken and hostile files are in `broken_clips.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from foveal.perception.base import Samples

Picture = NDArray[np.uint8]  # (height, width, 3), RGB
Motion = Literal["pan", "zoom", "still"]

SPEECH_RATE = 16_000
_ROOT = Path(__file__).parents[2]
_PICTURES = (_ROOT / "src/foveal/demo/pictures", _ROOT / "tests/fixtures/pictures")
_SPEECH = _ROOT / "tests/fixtures/speech"
_TICKS = Fraction(1, 90_000)
_SOUND_PIECE = 1024


@dataclass(frozen=True, slots=True)
class Scene:
    """`picture` for `seconds`; a pan or zoom goes over a tenth of it, so that it is video and not a slide.

    `noise` is the grain of a cheap camera, as the standard deviation of grey values of 0..255.
    """

    picture: Picture
    seconds: float
    motion: Motion = "pan"
    noise: float = 0.0


@cache
def picture(name: str) -> Picture:
    """A bundled picture by its name without ending: astronaut, cat, coffee, notice-ko, page, receipt, street,
    temple, or one of tests/fixtures/pictures (rocket, flower, china, …).
    """
    for folder in _PICTURES:
        for path in sorted(folder.glob(f"{name}.*")):
            pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
            assert pixels is not None
            return np.asarray(pixels, np.uint8)
    raise FileNotFoundError(name)


def plain(colour: tuple[int, int, int] = (0, 0, 0), size: tuple[int, int] = (640, 360)) -> Picture:
    """One colour, black when nothing is said."""
    return np.full((size[1], size[0], 3), colour, np.uint8)


def blurred(pixels: Picture, sigma: float = 12.0) -> Picture:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def speech(name: str) -> Samples:
    """A LibriVox clip by its number: 0870, 0880, 0890, 0920 or 0930; mono, 16,000 samples a second."""
    with av.open(str(_SPEECH / f"{name}.flac")) as container:
        pieces = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.asarray(np.concatenate(pieces), np.float32) / np.float32(32_768)


def transcripts() -> dict[str, str]:
    """What is said in each LibriVox clip, lower-case without punctuation, as its readers wrote it down."""
    words: dict[str, str] = json.loads((_SPEECH / "transcripts.json").read_text("utf-8"))
    return words


def tone(seconds: float, hertz: float = 440.0, loudness: float = 0.3) -> Samples:
    times = np.arange(round(seconds * SPEECH_RATE)) / SPEECH_RATE
    return (loudness * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SPEECH_RATE), np.float32)


def fit(pixels: Picture, size: tuple[int, int]) -> Picture:
    """Cropped and scaled to fill `size` (width, height)."""
    width, height = size
    scale = max(width / pixels.shape[1], height / pixels.shape[0])
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    across, down = max(width, round(pixels.shape[1] * scale)), max(height, round(pixels.shape[0] * scale))
    scaled = cv2.resize(pixels, (across, down), interpolation=smooth)
    left, top = (across - width) // 2, (down - height) // 2
    return np.asarray(scaled[top : top + height, left : left + width], np.uint8)


def frames(scenes: Iterable[Scene], size: tuple[int, int], fps: float) -> Iterator[Picture]:
    """Every picture of the video in order; scene k begins at the frame nearest to the sum of those before."""
    grain = np.random.default_rng(7).standard_normal((size[1] + 64, size[0] + 64), np.float32)[..., None]
    shown, ends = 0, 0.0
    for scene in scenes:
        ends += scene.seconds
        count = round(ends * fps) - shown
        large = fit(scene.picture, (round(size[0] * 1.1), round(size[1] * 1.1)))
        for index in range(count):
            view = _view(large, size, scene.motion, index / max(1, count - 1))
            if scene.noise:
                down, across = index * 29 % 64, index * 37 % 64  # another part of one grain each time
                part = grain[down : down + size[1], across : across + size[0]]
                view = np.clip(view + scene.noise * part, 0, 255).astype(np.uint8)
            yield view
        shown += count


def _view(large: Picture, size: tuple[int, int], motion: Motion, way: float) -> Picture:
    width, height = size
    spare_x, spare_y = large.shape[1] - width, large.shape[0] - height
    scale, left, top = 1.0, spare_x / 2, spare_y / 2
    if motion == "pan":
        left = spare_x * way
    elif motion == "zoom":
        scale = 1 - 0.09 * way
        left, top = (large.shape[1] - width * scale) / 2, (large.shape[0] - height * scale) / 2
    matrix = np.array([[scale, 0, left], [0, scale, top]], np.float64)
    moved = cv2.warpAffine(large, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(moved, np.uint8)


def write_video(
    path: Path,
    scenes: Sequence[Scene],
    *,
    size: tuple[int, int] = (640, 360),
    fps: float = 25,
    codec: str = "libx264",
    sounds: Sequence[tuple[float, Samples]] | None = None,
    sound_codec: str = "aac",
    sound_rate: int = 48_000,
    sound_layout: str = "stereo",
    rotation: int = 0,
    variable: bool = False,
    keyframes: int = 60,
    container: str | None = None,
    options: dict[str, str] | None = None,
    pixel_format: str | None = None,
    standard: bool = False,
) -> Path:
    """Write the scenes one after another, and return `path`, whose ending chooses the container.

    sounds         what is heard from which second on, at 16,000 samples a second; between them the file has
                   silence. None: the file has no sound track.
    rotation       degrees clockwise by which a player turns the stored picture, as phones write it
    variable       two frames of five are left out, so that the others are shown for uneven times
    keyframes      a key frame at least every so many frames
    standard       colours as HD video means them (BT.709) in what is larger than 576 rows, and not as the
                   scaler takes them when nobody says (BT.601)
    """
    seconds = sum(scene.seconds for scene in scenes)
    with av.open(str(path), "w", format=container) as output:
        video = output.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        assert isinstance(video, VideoStream)
        video.width, video.height = size
        video.pix_fmt = pixel_format or ("yuvj420p" if codec == "mjpeg" else "yuv420p")
        video.codec_context.gop_size = keyframes
        video.codec_context.time_base = _clock(codec, fps)
        video.options = {**(_options(codec) if options is None else options)}
        if rotation:
            video.set_display_rotation(-rotation)
        writer = None
        if sounds is not None:
            writer = _Sound(output, sound_codec, sound_rate, sound_layout, _track(sounds, seconds))
        for index, pixels in enumerate(frames(scenes, size, fps)):
            if variable and index % 5 in (1, 3):
                continue
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if standard and size[1] > 576:
                frame = frame.reformat(format=video.pix_fmt, dst_colorspace="ITU709")
            frame.time_base = video.codec_context.time_base
            frame.pts = round(index / fps / frame.time_base)
            output.mux(video.encode(frame))
            if writer is not None:
                writer.write_until((index + 1) / fps)
        output.mux(video.encode(None))
        if writer is not None:
            writer.finish()
    return path


def repeated(whole: Path, path: Path, times: int) -> Path:
    """The same video several times on end, without encoding it again."""
    with av.open(str(whole)) as source, av.open(str(path), "w") as output:
        streams = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
        length = Fraction(source.duration or 0, 1_000_000) + Fraction(1, 5)
        for turn in range(times):
            source.seek(0)
            for packet in source.demux():
                if packet.dts is None or packet.pts is None:
                    continue
                later = round(turn * length / packet.time_base)
                packet.pts, packet.dts = packet.pts + later, packet.dts + later
                packet.stream = streams[packet.stream.index]
                output.mux(packet)
    return path


def write_pictures(path: Path, pictures: Iterable[Picture], *, fps: float = 25, crf: int = 20) -> Path:
    """A silent H.264 video of these pictures, one after another."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        assert isinstance(video, VideoStream)
        video.pix_fmt = "yuv420p"
        video.options = {"preset": "veryfast", "crf": str(crf)}
        for number, pixels in enumerate(pictures):
            if number == 0:
                video.height, video.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = number, 1 / Fraction(fps).limit_denominator(1001)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    return path


def _clock(codec: str, fps: float) -> Fraction:
    """MPEG-4 and MPEG-2 have clocks of 16 bits and of few rates; the others count 90,000 a second."""
    if codec in ("mpeg4", "mpeg2video", "mjpeg", "wmv2"):
        return 1 / Fraction(fps).limit_denominator(1001)
    return _TICKS


def _options(codec: str) -> dict[str, str]:
    if codec == "libx264":
        return {"preset": "veryfast", "crf": "23"}
    if codec == "libx265":
        return {"preset": "ultrafast", "x265-params": "log-level=error"}
    if codec in ("libvpx", "libvpx-vp9"):
        return {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "2M"}
    if codec == "libsvtav1":
        return {"preset": "12", "crf": "40"}
    return {"b": "4M"}


def _track(sounds: Sequence[tuple[float, Samples]], seconds: float) -> Samples:
    whole = silence(seconds)
    for start, samples in sounds:
        first = round(start * SPEECH_RATE)
        piece = samples[: max(0, len(whole) - first)]
        whole[first : first + len(piece)] += piece
    return np.clip(whole, -1, 1)


class _Sound:
    """A sound track that is written piece by piece beside the picture, so that the file is interleaved."""

    def __init__(
        self, output: av.container.OutputContainer, codec: str, rate: int, layout: str, samples: Samples
    ) -> None:
        self._output = output
        stream = output.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, AudioStream)
        self._stream = stream
        self._samples = samples
        self._written = 0

    def write_until(self, seconds: float) -> None:
        end = min(len(self._samples), round(seconds * SPEECH_RATE))
        while self._written + _SOUND_PIECE <= end:
            self._write(_SOUND_PIECE)

    def finish(self) -> None:
        while self._written < len(self._samples):
            self._write(_SOUND_PIECE)
        self._output.mux(self._stream.encode(None))

    def _write(self, count: int) -> None:
        piece = self._samples[self._written : self._written + count]
        frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = SPEECH_RATE
        frame.time_base = Fraction(1, SPEECH_RATE)
        frame.pts = self._written
        self._output.mux(self._stream.encode(frame))
        self._written += len(piece)
