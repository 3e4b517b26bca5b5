"""What a file says of itself, checked against what it holds."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from foveal.video.decode.formats import Formats
from foveal.video.decode.limits import Limits
from foveal.video.decode.messages import Info
from foveal.video.decode.opening import Opened, Refused, check_size, codec_of, packets_of, pictures

_TAIL = 15.0  # seconds before the claimed end at which the reading of the last packets begins
_TOO_FAR = 2.0  # seconds by which the last packets may miss the claimed end before all are read
_FIRST_PACKETS = 1500  # of the picture, in which the first whole frame must be


def probe(opened: Opened, limits: Limits, formats: Formats) -> Info:
    """Raises `Refused`. Reads the first frame and the last packets; all packets only where those disagree
    with the header, or where there is none to disagree with.
    """
    frame = _first_frame(opened, limits)
    duration, counted = _length(opened)
    if duration <= 0:
        raise Refused("EmptyVideo", "The video has no length.")
    if duration > limits.seconds:
        raise Refused(
            "VideoTooLong",
            f"The video is {_clock(duration)} long; at most {_clock(limits.seconds)} are allowed.",
        )
    rotation = rotation_of(frame)
    width, height = shown_size(frame, opened.shape)
    if rotation in (90, 270):
        width, height = height, width
    return Info(
        container=opened.container.format.name,
        duration=duration,
        width=width,
        height=height,
        rotation=rotation,
        frame_rate=_rate(opened, duration, counted),
        video_codec=codec_of(opened.video),
        audio_codec=None if opened.audio is None else codec_of(opened.audio),
        size=opened.size,
    )


def rotation_of(frame: VideoFrame) -> int:
    """By how many degrees clockwise a player turns the picture: 0, 90, 180 or 270."""
    return round(-frame.rotation / 90) % 4 * 90


def shown_size(frame: VideoFrame, shape: float) -> tuple[int, int]:
    """Width and height with square pixels, before the picture is turned; `shape`: that of a stored pixel."""
    return max(1, round(frame.width * shape)), frame.height


def _first_frame(opened: Opened, limits: Limits) -> VideoFrame:
    opened.video.codec_context.thread_count = 1
    seen = 0

    def first_packets() -> Any:
        nonlocal seen
        for packet in packets_of(opened, opened.video):
            seen += packet.size > 0
            yield packet
            if seen >= _FIRST_PACKETS:
                return

    for frame in pictures(opened, first_packets(), limits):
        check_size(*shown_size(frame, opened.shape), limits)
        return frame
    if seen == 0:
        raise Refused("EmptyVideo", "The file has a video track without a single picture.")
    raise Refused("BrokenVideo", "The video is damaged: none of its pictures can be read.")


def _length(opened: Opened) -> tuple[float, int]:
    """Seconds up to the end of the last packet, and how many pictures there are (0: not counted)."""
    claimed = opened.container.duration
    if claimed is not None and claimed > 0:
        seconds = claimed / 1_000_000
        opened.seek(seconds - _TAIL)
        found, _ = _last_end(opened)
        if abs(found - seconds) <= max(_TOO_FAR, 0.01 * seconds):
            return found, 0
    opened.seek(0.0)
    return _last_end(opened)


def _last_end(opened: Opened) -> tuple[float, int]:
    """The end of the last whole packet from where the file stands, and the number of pictures."""
    streams: list[Stream] = [opened.video] if opened.audio is None else [opened.video, opened.audio]
    rate = opened.video.average_rate or opened.video.guessed_rate or Fraction(25)
    last, count = 0.0, 0
    for packet in packets_of(opened, *streams):
        end = _end_of(opened, packet, rate)
        if end is None or packet.is_corrupt:
            continue
        last = max(last, end)
        count += packet.stream_index == opened.video.index
    return last, count


def _end_of(opened: Opened, packet: Packet[Any], rate: Fraction) -> float | None:
    begin = opened.seconds(packet.pts if packet.pts is not None else packet.dts, packet.time_base)
    if begin is None or packet.size == 0:
        return None
    if packet.duration and packet.time_base:
        return begin + float(packet.duration * packet.time_base)
    return begin + (float(1 / rate) if packet.stream_index == opened.video.index else 0.0)


def _rate(opened: Opened, duration: float, counted: int) -> float:
    """Pictures a second, the mean where it varies."""
    count = counted or opened.video.frames
    if count > 1:
        return count / duration
    try:
        rate = opened.video.average_rate or opened.video.guessed_rate
    except (FFmpegError, ZeroDivisionError):
        rate = None
    return float(rate) if rate else 1 / duration


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
