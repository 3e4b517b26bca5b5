"""A local file, opened so that FFmpeg can reach nothing else, by allowed demuxers and decoders only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from foveal.video.decode.formats import Formats
from foveal.video.decode.limits import Limits

_HEAD = 64
_BUFFER = 256 * 1024
_PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_WITHOUT_INDEX = ("mpegts",)
_STEPS_BACK = (0.0, 4.0, 12.0, 60.0)  # seconds before a time at which its key frame is looked for
_BAD_PACKETS = 2000  # damaged packets in a row after which a file is not tried further


class Refused(Exception):
    """The video cannot be used; the words are ours and reach the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Descriptor:
    """An open file as FFmpeg reads it, with a place of its own: several may read one descriptor."""

    name = "video"  # FFmpeg guesses by the ending of a name: this has none

    def __init__(self, number: int) -> None:
        self._number = number
        self._size = os.fstat(number).st_size
        self._at = 0

    @property
    def size(self) -> int:
        return self._size

    def read(self, count: int) -> bytes:
        data = os.pread(self._number, count, self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at


@dataclass(slots=True)
class Opened:
    """`base` is the second of the file's own clock at which it begins: all our times count from there."""

    container: InputContainer
    video: VideoStream
    audio: AudioStream | None
    base: float
    size: int

    @property
    def shape(self) -> float:
        """Width of a stored pixel for a height of 1."""
        ratio = self.video.sample_aspect_ratio
        return float(ratio) if ratio is not None and 0.1 < ratio < 10 else 1.0

    def seconds(self, stamp: int | None, clock: Fraction | None) -> float | None:
        """A time stamp of the file as a time of ours."""
        if stamp is None or clock is None:
            return None
        return float(stamp * clock) - self.base

    def at(self, frame: VideoFrame) -> float | None:
        stamp = frame.pts if frame.pts is not None else frame.dts
        return self.seconds(stamp, frame.time_base)

    def seek(self, seconds: float, stream: Stream | None = None) -> None:
        """To about a key frame at or before a time; to the beginning where the file cannot be sought in."""
        target = self.video if stream is None else stream
        clock = target.time_base or Fraction(1, 1_000_000)
        try:
            if seconds <= 0:
                self._rewind()
            else:
                self.container.seek(round((seconds + self.base) / clock), stream=target)
        except FFmpegError:
            self._rewind()

    def _rewind(self) -> None:
        # Without an index FFmpeg seeks to a time by guessing, and may miss the first key frame.
        by_bytes = self.container.format.name in _WITHOUT_INDEX
        self.container.seek(0, unsupported_byte_offset=by_bytes)

    def only(self, stream: Stream) -> None:
        """Read the packets of one track; the bytes of the others are stepped over."""
        for one in self.container.streams:
            if one.index != stream.index:
                one.discard = Discard.all

    def close(self) -> None:
        self.container.close()


def open_video(number: int, limits: Limits, formats: Formats) -> Opened:
    """Open the file behind a descriptor. Raises `Refused`; decoders are not opened yet."""
    file = Descriptor(number)
    if file.size == 0:
        raise Refused("EmptyVideo", "The file is empty.")
    head = file.read(_HEAD)
    file.seek(0)
    kind = formats.looks_like(head)
    if kind is not None:
        raise Refused(
            "UnsupportedFormat", f"The file is {kind}. Videos are read from {formats.supported} files."
        )
    try:
        container = av.open(
            file,
            "r",
            container_options={
                "format_whitelist": formats.demuxers,
                "codec_whitelist": formats.decoders,
                "protocol_whitelist": "none",
                "max_streams": "1000",
            },
            options={"max_pixels": str(limits.pixels)},
            metadata_errors="replace",
            buffer_size=_BUFFER,
            io_open=_open_nothing,
        )
    except MemoryError:
        raise
    except (FFmpegError, ValueError, PermissionError) as error:
        raise _unreadable(head, formats) from error
    try:
        return _choose(container, file.size, limits, formats)
    except BaseException:
        container.close()
        raise


def _open_nothing(_url: str, _flags: int, _options: dict[str, str]) -> Any:
    raise PermissionError("A video is one file.")


def _unreadable(head: bytes, formats: Formats) -> Refused:
    container = formats.container_of(head)
    if container is not None:
        return Refused("BrokenVideo", f"The {container} file is damaged or incomplete: it cannot be opened.")
    return Refused("NotAVideo", f"The file is not a video. Videos are read from {formats.supported} files.")


def _choose(container: InputContainer, size: int, limits: Limits, formats: Formats) -> Opened:
    count = len(container.streams)
    if count > limits.streams:
        raise Refused("TooManyStreams", f"The file has {count} tracks; at most {limits.streams} are allowed.")
    video = _best([stream for stream in container.streams.video if not stream.disposition & _PICTURES])
    if video is None:
        what = "sound but no video" if container.streams.audio else "no video"
        raise Refused("NoVideoStream", f"The file has {what} track.")
    name = codec_of(video)
    if name not in formats.video:
        supported = ", ".join(formats.video)
        raise Refused(
            "UnsupportedCodec", f"The video codec '{name}' is not supported. Supported are: {supported}."
        )
    assert isinstance(video, VideoStream)
    check_size(video.codec_context.width, video.codec_context.height, limits)
    audio = _best(list(container.streams.audio))
    assert audio is None or isinstance(audio, AudioStream)
    for stream in container.streams:
        if stream.index not in {video.index, audio.index if audio is not None else None}:
            stream.discard = Discard.all
    base = container.start_time
    return Opened(container, video, audio, 0.0 if base is None else base / 1_000_000, size)


def _best(streams: list[Any]) -> Any:
    """The one that players choose: marked as default, then the largest picture, then the first."""

    def rank(stream: Any) -> tuple[bool, int, int]:
        context = stream.codec_context
        area = context.width * context.height if context is not None and stream.type == "video" else 0
        return bool(stream.disposition & Disposition.default), area, -stream.index

    return max(streams, key=rank, default=None)


def codec_of(stream: Stream) -> str:
    """The name of the codec as everybody calls it, not that of the decoder."""
    if stream.codec_context is None:
        return "unknown"
    return stream.codec_context.codec.canonical_name


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raises `Refused` for a picture that is too large."""
    if width > limits.side or height > limits.side or width * height > limits.pixels:
        raise Refused(
            "VideoTooLarge",
            f"The video has {width}×{height} pixels; at most {limits.side} a side and "
            f"{limits.pixels / 1e6:.1f} million in all are allowed.",
        )


def pictures(opened: Opened, packets: Iterator[Packet[Any]], limits: Limits) -> Iterator[VideoFrame]:
    """The frames of these packets in the order they are shown, damaged ones left out. Raises `Refused` when
    the pictures become too large.
    """
    bad = 0
    for packet in packets:
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except (FFmpegError, ValueError):
            bad += 1
            if bad > _BAD_PACKETS:
                return
            continue
        for frame in frames:
            bad = 0
            assert isinstance(frame, VideoFrame)
            check_size(frame.width, frame.height, limits)
            if opened.at(frame) is not None:
                yield frame


def pictures_from(
    opened: Opened, seconds: float, limits: Limits, before: Callable[[float | None], None] | None = None
) -> Iterator[VideoFrame]:
    """The frames from a time on, and some before it; `before` is told the time of each packet before it is
    decoded. Raises `Refused`.
    """

    def packets() -> Iterator[Packet[Any]]:
        for packet in packets_of(opened, opened.video):
            if before is not None:
                before(opened.seconds(packet.dts, packet.time_base))
            yield packet

    for back in (*_STEPS_BACK, seconds):
        opened.seek(seconds - back)
        frames = pictures(opened, packets(), limits)
        first = next(frames, None)
        at = None if first is None else opened.at(first)
        if first is not None and at is not None and (at <= seconds or back >= seconds):
            return chain([first], frames)
        if back >= seconds:
            break
    return iter(())


def packets_of(opened: Opened, *streams: Stream) -> Iterator[Packet[Any]]:
    """The packets of some tracks from where the file stands, up to where it ends or was cut off."""
    try:
        yield from opened.container.demux(*streams)
    except MemoryError:
        raise
    except (FFmpegError, ValueError):
        return
