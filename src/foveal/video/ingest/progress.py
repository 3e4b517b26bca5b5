"""How far the work on a video is: one number from the shares of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable

from foveal.video.base import Progress

INTERVAL = 0.5  # seconds between two reports
# What share of the work each step is, about: without speech the frames take its share.
FETCH, FRAMES, SPEECH = 0.05, 0.45, 0.45

Report = Callable[[str, float], None]  # step, 0..1 of everything; raises to stop the work


class Pace:
    """Turns the progress of a step into that of the whole and reports it, not too often."""

    def __init__(self, report: Report, speech: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._frames = FRAMES if speech else FRAMES + SPEECH
        self._speech = SPEECH if speech else 0.0
        self._clock = clock
        self._last: tuple[str, float] | None = None

    def fetching(self) -> Progress:
        return lambda done: self._say("fetching", FETCH * done)

    def looking(self, start: float, end: float) -> Progress:
        """`start` and `end`: the window, as shares of the video's length."""
        return lambda done: self._say("looking", FETCH + self._frames * (start + (end - start) * done))

    def listening(self, share: float) -> None:
        self._say("listening", FETCH + self._frames + self._speech * share)

    def publishing(self) -> None:
        self._say("publishing", FETCH + self._frames + self._speech)

    def _say(self, step: str, overall: float) -> None:
        moment = self._clock()
        if self._last is not None and self._last[0] == step and moment - self._last[1] < INTERVAL:
            return
        self._last = (step, moment)
        self._report(step, overall)
