"""What a video is once it has been looked at: its frames with their facts, its speech, its times.

All times are seconds from the start of the video.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from foveal.perception.base import SpeechSegment
from foveal.perception.facts import Facts

Defect = Literal["black", "blurred"]
Progress = Callable[[float], None]  # how much of a step is done, 0..1; raises to stop the step


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What the file says of itself, checked: `width` and `height` as shown (after rotation), `rotation` in
    degrees clockwise, `frame_rate` in frames per second (the mean, when it varies), `size` in bytes.
    """

    container: str
    duration: float
    width: int
    height: int
    rotation: int
    frame_rate: float
    video_codec: str
    audio_codec: str | None
    size: int


@dataclass(frozen=True, slots=True)
class SampledFrame:
    """A frame that is kept. It was shown at `at` and stands for everything from `start` to `end`, which looks
    nearly the same. `scene` counts camera shots from 0. `jpeg` is upright, its longer side at most 1280.
    """

    at: float
    start: float
    end: float
    scene: int
    jpeg: bytes
    defect: Defect | None = None


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """A kept frame as the document remembers it: its picture is blob `number`, `text` what its facts say in
    words (what its vector was made of).
    """

    number: int
    at: float
    start: float
    end: float
    scene: int
    facts: Facts
    text: str
    defect: Defect | None = None


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """What is kept of a video beside its pictures; `speech` is None when it was not listened to. `withheld`:
    how many frames moderation left out.
    """

    info: VideoInfo
    frames: tuple[FrameRecord, ...]
    speech: tuple[SpeechSegment, ...] | None
    withheld: int = 0
