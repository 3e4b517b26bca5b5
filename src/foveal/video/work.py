"""What the work on a video stands on, as Protocols: decoding, looking, listening, fetching, judging."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from foveal.perception.base import Samples
from foveal.perception.facts import Facts
from foveal.video.base import SampledFrame, VideoInfo


@dataclass(frozen=True, slots=True)
class SampleState:
    """Where the sampling of a video stands after a window, so that the next goes on as if there was none:
    `signature` is that of the last kept frame (opaque), `scene` the number of the shot that is running.
    """

    signature: bytes = b""
    scene: int = 0


Keep = Callable[[SampledFrame], None]


class Decoder(Protocol):
    """Reads video files, in a process of its own with limits. Every call blocks.

    Raises `InvalidVideo` whose `code` and message name what is wrong.
    """

    def probe(self, path: Path) -> VideoInfo: ...

    def sample(
        self,
        path: Path,
        info: VideoInfo,
        start: float,
        end: float,
        state: SampleState,
        keep: Keep,
        *,
        drop_defective: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> SampleState:
        """Hand the frames that are worth keeping from `start` up to `end`, by shots and change, to `keep`,
        each as soon as it is found. What `keep` raises ends the work.
        """
        ...

    def frames_at(self, path: Path, info: VideoInfo, times: Sequence[float]) -> list[SampledFrame]:
        """The frames shown at these times, nothing else looked at."""
        ...

    def sound(self, path: Path, info: VideoInfo, start: float, end: float) -> Samples:
        """Mono, 16,000 samples a second; silence where the file has none, shorter at the end of the sound."""
        ...


class FrameLooker(Protocol):
    """Facts of many frames, for work in the background: chat goes first."""

    def look(self, jpegs: Iterable[bytes]) -> Iterator[Facts]:
        """One `Facts` a frame, in order. The iterable is asked for frames as they can be looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """Where a video comes from: its URL as it was given; `resource` is who asks. `managed_identity`: the
    storage account is asked in the name of that resource's identity, not with what signs the URL.
    """

    url: str
    resource: str
    managed_identity: bool = False


class VideoFetcher(Protocol):
    def check(self, source: Source) -> None:
        """What can be known without asking the network. Raises `VideoUnreachable`."""
        ...

    def fetch(self, source: Source, to: Path, progress: Callable[[float], None]) -> None:
        """The whole file into `to`, through the media door; goes on where a broken attempt stopped.

        Raises `VideoUnreachable` when the storage refuses, is gone or stays silent after several tries, and
        `InvalidVideo` when the file is too large or the disk full.
        """
        ...


class FrameGuard(Protocol):
    """Says which frames of a video must not be kept; for ingestions that ask for moderation."""

    def refuses(self, jpeg: bytes) -> bool:
        """Whether the frame is harmful. Blocks; safe for threads. Raises `EngineUnavailable`, saying what to
        run, when weights are missing.
        """
        ...


class QueryGuard(Protocol):
    """Says which searches must not be made; for those that ask for moderation."""

    def refuses(self, texts: Sequence[str]) -> bool:
        """Whether one of the texts is harmful. Blocks; safe for threads. Raises `FovealError` when that
        cannot be told.
        """
        ...
