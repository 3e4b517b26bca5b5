"""Where in a video something may have happened, known before it is decoded.

Of the stretch between two key frames only these two are decoded, and of the others only their sizes are read:
an encoder spends bytes where the picture changes. A stretch is quiet when its sizes are even and

  both key frames show the same view, in a long stretch also nearly the same picture, or
  the second shows another and came sooner than key frames must: the encoder put it there because of a cut,

and then its first picture stands for it. All that is not quiet is decoded, up to where its sizes are even
again and the picture is that of the next key frame. Whether a stretch is quiet depends on it and the next key
frame alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, median, quantiles
from typing import Any

from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame

from foveal.video.decode.limits import Limits
from foveal.video.decode.looks import Look, Reference, likeness, look_at
from foveal.video.decode.opening import Opened, check_size, packets_of

_LEAST, _MOST = 1.0, 15.0  # seconds of a stretch; a longer one is cut and decoded
_SHORT = 2.5  # seconds of a stretch in which little can happen
_SHOT = 8.0  # seconds of a whole shot of which the first picture may be enough
_SAME = 0.4  # likeness of its key frames that makes a stretch quiet
_NEWS = 0.05  # share of the picture that may be new in a long quiet stretch
_OTHER = 0.2  # likeness below which the next is another view
_SOONER = 0.9  # of the usual distance of key frames, for one that a cut called for
_SPIKE, _SMALL = (
    2.0,
    0.1,
)  # a packet larger than nine of ten by this factor, unless small beside the key frame
_BUMP = 1.8  # half a second with so many times the usual bytes
_STEPS_BACK = (0.0, 4.0, 12.0, 60.0)
_INDEX = 20_000  # entries of the index that are read for the usual distance


@dataclass(slots=True)
class Stretch:
    """From one key frame up to the next: `key` is its picture, None where there is none to decode."""

    start: float
    end: float = float("inf")
    key: Look | None = None
    key_size: int = 0
    keys: int = 1  # key frames in it: all of them, where every frame is one
    sizes: list[tuple[float, int]] = field(default_factory=list)  # of the other packets, with their times

    @property
    def settled(self) -> float:
        """The time after which nothing in the sizes of its packets stands out: `start` where nothing does."""
        sizes = [size for _, size in self.sizes]
        if not sizes:
            return self.start
        if self.keys > 1 or self.key is None:
            return self.end
        most = quantiles(sizes, n=10)[-1] if len(sizes) > 1 else sizes[0]
        spike = max(_SPIKE * most, _SMALL * self.key_size)
        halves: dict[int, list[int]] = {}
        for at, size in self.sizes:
            halves.setdefault(int((at - self.start) * 2), []).append(size)
        means = {half: fmean(found) for half, found in halves.items()}
        bump = max(_BUMP * median(means.values()), 0.5 * _SMALL * self.key_size)
        ends = [at for at, size in self.sizes if size > spike]
        ends += [self.start + (half + 1) / 2 for half, mean in means.items() if mean > bump]
        return max(ends, default=self.start)


def is_quiet(stretch: Stretch, after: Stretch | None, usual: float) -> bool:
    """Whether its first picture is enough."""
    if stretch.key is None or stretch.settled > stretch.start:
        return False
    return stands_for(stretch.key, stretch, after, usual)


def stands_for(look: Look, stretch: Stretch, after: Stretch | None, usual: float) -> bool:
    """Whether a picture is enough for the rest of a stretch, where no size stands out. `usual`: the
    distance of key frames that nothing called for, 0 where it is not known.
    """
    if after is None or after.key is None or look.dark != after.key.dark:
        return False
    rest = stretch.end - look.at
    alike = likeness(look, after.key)
    if alike < _OTHER:
        return rest < _SHOT and stretch.end - stretch.start < _SOONER * usual
    if alike < _SAME or rest > _MOST:
        return False
    return rest <= _SHORT or Reference(look).change(after.key) < _NEWS


def usual_distance(opened: Opened) -> float:
    """Seconds between key frames where nothing calls for one sooner: the longest distance in the index."""
    entries, clock = opened.video.index_entries, opened.video.time_base
    if clock is None:
        return 0.0
    keys = [
        float(entries[place].timestamp * clock)
        for place in range(min(len(entries), _INDEX))
        if entries[place].is_keyframe
    ]
    return max((late - early for early, late in pairwise(keys)), default=0.0)


def stretches(opened: Opened, start: float, limits: Limits) -> Iterator[Stretch]:
    """From the key frame at or before `start` on, without a gap. Raises `Refused` for pictures too large."""
    opened.only(opened.video)
    context = opened.video.codec_context
    context.thread_count = 1
    running: Stretch | None = None
    for packet in _from(opened, start):
        at = opened.seconds(packet.pts if packet.pts is not None else packet.dts, packet.time_base)
        if at is None or packet.size == 0:
            continue
        long = running is not None and at - running.start > _MOST
        if running is None or long or (packet.is_keyframe and at - running.start >= _LEAST):
            if running is not None:
                running.end = max(at, running.start)
                yield running
            running = Stretch(at, key_size=packet.size)
            if packet.is_keyframe:
                running.key = _decoded(opened, packet, at, limits)
        elif packet.is_keyframe and not running.sizes:
            running.keys += 1
        else:
            running.sizes.append((at, packet.size))
    if running is not None:
        yield running


def _from(opened: Opened, seconds: float) -> Iterator[Packet[Any]]:
    """Packets from a key frame on that is not later than a time, if there is one."""
    for back in (*_STEPS_BACK, seconds):
        opened.seek(seconds - back)
        packets = packets_of(opened, opened.video)
        for packet in packets:
            at = opened.seconds(packet.pts if packet.pts is not None else packet.dts, packet.time_base)
            if at is None or not packet.is_keyframe:
                continue
            if at > seconds and back < seconds:
                break
            yield packet
            yield from packets
            return
    opened.seek(0.0)
    yield from packets_of(opened, opened.video)


def _decoded(opened: Opened, packet: Packet[Any], at: float, limits: Limits) -> Look | None:
    """The picture of a key frame by itself."""
    context = opened.video.codec_context
    frames: list[VideoFrame] = []
    try:
        frames.extend(context.decode(packet))
        frames.extend(context.decode(None))
    except MemoryError:
        raise
    except (FFmpegError, ValueError):
        return None
    finally:
        context.flush_buffers()
    if not frames:
        return None
    frame = frames[0]
    check_size(frame.width, frame.height, limits)
    look = look_at(frame, at)
    look.frame = frame
    return look
