"""Which frames are kept: one for each shot, and another whenever the picture has changed enough since.

A segment begins with a shot or a change and ends where the next begins, so that the time line has no gaps.
Its frame is the sharpest of its first second. How much counts as enough falls with time: at once only a new
view does, after some seconds a person who came in; what comes at once, like the next slide, needs less. A
picture that stays the same for two minutes is kept once more. `Budget` keeps bursts and endless change within
what is worth looking at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec
from av.video.frame import VideoFrame

from foveal.video.decode.looks import Look, Reference, detailed
from foveal.video.decode.quality import sharpness
from foveal.video.decode.shots import APART, Seen

CHOOSING = 1.0  # seconds from its beginning in which the frame of a segment is chosen, and which it lasts
LONGEST = 120.0  # seconds
_TIMES = (1.0, 4.0, 10.0, 20.0, 60.0)
_SHARES = (0.5, 0.28, 0.14, 0.02, 0.01)  # how much of the picture must be new when that old
_SUDDEN = 0.3  # a change that comes at once, as of a slide, needs only this much of it
_CHECKS = 0.25  # seconds between looks for change, which must last twice as long to be believed
_REPENTING = 4.0  # seconds from its beginning in which a much sharper frame of the same view is still taken
_STILL = 0.2  # share of the picture that may be new in it
_SPARE = 3.0  # frames that changes leave to the shots


class State(msgspec.Struct, array_like=True):
    """What the next window must know: that a segment begins at `at`, how it is counted, and what is left of
    the budget. Everything else is found again from the frames before `at`.
    """

    at: float = 0.0
    scene: int = 0
    shot: float = 0.0  # where its shot began
    owed: bool = False  # its shot has no frame yet, for want of budget
    pictured: bool = False  # something else than black has been seen
    left: float = -1.0  # of the budget at `at`; below 0: all of it
    kept: int = 0


@dataclass(slots=True)
class Segment:
    """`frame` shows what `look` saw small; `score` is its sharpness, less where it is faded."""

    start: float
    scene: int
    end: float = 0.0
    look: Look | None = None
    frame: VideoFrame | None = None
    score: float = 0.0

    def offer(self, look: Look, better: float = 1.0) -> None:
        """Take this one if it is sharper, by a factor."""
        if look.frame is None:
            return
        score = 0.0 if look.flat else look.spread * sharpness(detailed(look.frame))
        if self.frame is None or score > better * self.score:
            self.look, self.frame, self.score = look, look.frame, score


@dataclass(slots=True)
class Budget:
    """So many frames a minute, of which a third may come at once."""

    per_minute: int
    left: float
    at: float

    def allows(self, now: float, spare: float = 0.0) -> bool:
        self.left = min(self.most, self.left + (now - self.at) * self.per_minute / 60)
        self.at = now
        return self.left >= 1 + spare

    def take(self) -> None:
        self.left -= 1

    @property
    def most(self) -> float:
        return max(1.0, self.per_minute / 3)


class Segments:
    """Cuts a time line into segments; `state` is where it stands at the beginning of the running one."""

    def __init__(self, state: State, per_minute: int) -> None:
        self.state = state
        self._budget = Budget(per_minute, state.left, state.at)
        self._running: Segment | None = None
        self._reference: Reference | None = None
        self._checked = state.at
        self._last = 1.0  # how much was new at the last check

    def cut(self, sights: Iterable[Seen]) -> Iterator[Segment]:
        """Finished segments in order; after each, `state` is that of the one which follows. What runs when
        the sights end is given too: its `end` is 0.
        """
        for seen in sights:
            if seen.look.at < self.state.at and self._running is None:
                continue
            if self._running is None:
                self._resume(seen.look)
                continue
            finished = self._turn(seen)
            if finished is not None:
                yield finished
        if self._running is not None:
            yield self._running

    def _resume(self, look: Look) -> None:
        """The first segment, or the one that began where the last window ended."""
        state = self.state
        if state.left < 0:
            self._budget.left = self._budget.most
            self._budget.take()
            state.left = self._budget.left
        self._start(look, state.at)

    def _turn(self, seen: Seen) -> Segment | None:
        look, state, running = seen.look, self.state, self._running
        assert running is not None
        if seen.cut and state.pictured and look.at - state.shot >= APART:
            state.scene, state.shot, state.owed = state.scene + 1, look.at, True
        state.pictured = state.pictured or not look.flat
        if self._begins(seen):
            running.end = look.at
            self._begin(look)
            return running
        age = look.at - running.start
        if running.frame is None or age < CHOOSING:
            running.offer(look)
        elif age < _REPENTING and self._reference is not None and self._reference.change(look) < _STILL:
            running.offer(look, better=2.0)  # it had been faded, or the camera had not found its focus yet
        return None

    def _begins(self, seen: Seen) -> bool:
        if seen.look.frame is None and all(one.frame is None for one in seen.next):
            return False  # nothing is left to show of it
        if self.state.owed:
            return self._budget.allows(seen.look.at)
        return self._changed(seen) and not seen.restless

    def _begin(self, look: Look) -> None:
        self._budget.allows(look.at)
        self._budget.take()
        old = self.state
        self.state = State(look.at, old.scene, old.shot, False, old.pictured, self._budget.left, old.kept)
        self._start(look, look.at)

    def _start(self, look: Look, at: float) -> None:
        self.state.pictured = self.state.pictured or not look.flat
        self._running = Segment(at, self.state.scene)
        self._running.offer(look)
        self._reference, self._checked, self._last = None, at, 1.0

    def _changed(self, seen: Seen) -> bool:
        look, running = seen.look, self._running
        assert running is not None
        age = look.at - running.start
        if age < CHOOSING or look.at - self._checked < _CHECKS or running.look is None:
            return False
        self._checked = look.at
        if self._reference is None:
            self._reference = Reference(running.look)
        enough, before, now = _enough(age), self._last, self._reference.change(look)
        self._last = now
        if before < _SUDDEN * now:
            enough = max(_SHARES[-2], _SUDDEN * enough)
        if now < enough or not self._budget.allows(look.at, _SPARE):
            return False
        if look.dark and any(not one.dark for one in seen.next if one.at - look.at < CHOOSING):
            return False  # the moment between two shots
        soon = [one for one in seen.next if one.at - look.at < 2 * _CHECKS]
        return all(self._reference.change(one) >= 0.8 * enough for one in soon)


def _enough(age: float) -> float:
    """The share of the picture that must be new after so many seconds."""
    if age >= LONGEST:
        return 0.0
    for place in range(len(_TIMES) - 1, 0, -1):
        begin, end = _TIMES[place - 1], _TIMES[place]
        if age >= begin:
            way = min(1.0, (age - begin) / (end - begin))
            return _SHARES[place - 1] + way * (_SHARES[place] - _SHARES[place - 1])
    return _SHARES[0]
