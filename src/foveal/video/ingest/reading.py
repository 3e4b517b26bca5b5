"""A window of a video read in a thread, so that its first frames are looked at while the last are read."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

from foveal.video.base import Progress, SampledFrame
from foveal.video.work import Keep, SampleState

_READING = 0.4  # share of a window's work, about; the rest is looking

Sample = Callable[[Keep, Progress], SampleState]


class _Left(Exception):
    """Nobody wants the frames any more."""


@dataclass(slots=True)
class _Share:
    """How much of a window is read, and how many of the frames found so far are looked at."""

    read: float = 0.0
    found: int = 0
    looked: int = 0
    most: float = 0.0

    def done(self) -> float:
        """Never less than before, though a new frame is one more to look at."""
        now = self.read * (_READING + (1 - _READING) * self.looked / max(1, self.found))
        self.most = max(self.most, now)
        return self.most


class Reading:
    """`state`: where the window ended, once all of its frames were found."""

    state = SampleState()

    def __init__(self, sample: Sample, progress: Progress) -> None:
        self._sample = sample
        self._progress = progress
        self._news: SimpleQueue[SampledFrame | float | SampleState | Exception] = SimpleQueue()
        self._frames: deque[SampledFrame] = deque()
        self._share = _Share()
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reading", daemon=True)

    def jpegs(self) -> Iterator[bytes]:
        """The pictures of the frames, each as soon as it is found. Raises what reading and `progress` raise,
        in the thread that iterates.
        """
        while True:
            match self._news.get():
                case SampledFrame() as frame:
                    self._frames.append(frame)
                    self._share.found += 1
                    yield frame.jpeg
                case SampleState() as state:
                    self.state = state
                    self._share.read = 1.0
                    return
                case Exception() as error:
                    raise error
                case float(done):
                    self._share.read = done
                    self._progress(self._share.done())

    def taken(self) -> SampledFrame:
        """The next frame whose picture was looked at."""
        self._share.looked += 1
        self._progress(self._share.done())
        return self._frames.popleft()

    def _start(self) -> None:
        self._thread.start()

    def _leave(self) -> None:
        self._left.set()
        self._thread.join()

    def _read(self) -> None:
        try:
            self._news.put(self._sample(self._tell, self._tell))
        except _Left:
            return
        except Exception as error:
            self._news.put(error)

    def _tell(self, news: SampledFrame | float) -> None:
        if self._left.is_set():
            raise _Left
        self._news.put(news)


@contextmanager
def reading(sample: Sample, progress: Progress) -> Iterator[Reading]:
    """Begin to read; at the end nothing is read any more."""
    begun = Reading(sample, progress)
    begun._start()
    try:
        yield begun
    finally:
        begun._leave()
