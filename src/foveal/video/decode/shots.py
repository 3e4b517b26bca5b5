"""Where one shot of the camera ends and the next begins.

A cut is a pair of neighbouring frames that do not show the same view, where

  the pictures before and after it are calmer among themselves than across it (so that a fast move of the
  camera, which changes every frame, is none), and
  what was before does not come back at once (so that a flash or a wiped lens is none).

A dissolve is found by its middle, which is a mixture of what was before and what comes after; a fade through
black by its darkest moment. Everything is decided from the frames of `BEFORE` seconds before
and `AFTER` seconds after, and from nothing else: it makes no difference where the looking began.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np

from foveal.video.decode.looks import Look, difference, likeness

BEFORE = 2.5
AFTER = 1.1
APART = 0.4  # seconds that a shot lasts at least

_CALM = 5.0  # mean difference of grey values below which two frames need no closer look
_OTHER = 0.2  # likeness below which two frames are different views
_STANDS_OUT = 1.7  # by how much a cut must exceed what is usual around it
_ALONE = 1.35  # the same for the frames just before and after it
_BESIDE = 0.25  # seconds in which those must be
_BACK = 0.45  # likeness at which what was before has come back
_NEIGHBOURS = 0.4  # seconds around a cut in which the usual is measured
_FLASH = 0.1  # seconds after a cut in which a flash may still burn
_SPANS = (0.5, 1.0)  # half lengths of dissolves
_HALF = 0.1  # by how much the share of either end in the middle of a dissolve may differ from a half
_MIXED = 0.3  # what a mixture may be off, relative to the difference of its ends
_DIP = 0.5  # contrast left in the middle of a fade, relative to the pictures on its sides
_ONE_END = 0.85  # likeness to either end at which a picture is not a mixture
_SOON = 0.5  # seconds in which what was before a flash comes back


@dataclass(slots=True)
class _Step:
    """A look and how unlike it is to the one before, 0..1."""

    look: Look
    unlike: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A look, what follows it soon, and whether a shot begins with it; `restless` when one may begin soon."""

    look: Look
    next: tuple[Look, ...]
    cut: bool
    restless: bool


def watch(looks: Iterable[Look]) -> Iterator[Seen]:
    """Every look in order, `AFTER` seconds late; `cut` may be told twice for one change of the shot."""
    past: deque[_Step] = deque()
    coming: deque[_Step] = deque()
    last: Look | None = None
    for look in looks:
        coming.append(_Step(look, _unlike(last, look)))
        last = look
        while coming and look.at - coming[0].look.at > AFTER and len(coming) > 2:
            yield _turn(past, coming)
    while coming:
        yield _turn(past, coming)


def _turn(past: deque[_Step], coming: deque[_Step]) -> Seen:
    if past:
        past[-1].look.frame = None
    step = coming.popleft()
    ahead = list(coming)
    restless = any(one.unlike > 1 - _OTHER for one in ahead if one.look.at - step.look.at < APART)
    seen = Seen(step.look, tuple(one.look for one in ahead), _is_cut(past, step, ahead), restless)
    past.append(step)
    while past and step.look.at - past[0].look.at > BEFORE:
        past.popleft()
    return seen


def _unlike(before: Look | None, look: Look) -> float:
    if before is None or difference(before, look) < _CALM:
        return 0.0
    return 1 - likeness(before, look)


def _is_cut(past: deque[_Step], step: _Step, ahead: list[_Step]) -> bool:
    if not past:
        return False
    return (
        _hard_cut(past, step, ahead)
        or _out_of_black(past, step, ahead)
        or _dipped(past, step, ahead)
        or _dissolved(past, step, ahead)
    )


def _hard_cut(past: deque[_Step], step: _Step, ahead: list[_Step]) -> bool:
    before = past[-1].look
    if 1 - step.unlike > _OTHER or step.look.flat or before.flat:
        return False
    around = [
        one.unlike for one in (*list(past)[1:], *ahead) if abs(one.look.at - step.look.at) < _NEIGHBOURS
    ]
    if around and step.unlike < _STANDS_OUT * median(around):
        return False
    beside = [one.unlike for one in (past[-1], *ahead[:1]) if abs(one.look.at - step.look.at) < _BESIDE]
    if beside and step.unlike < _ALONE * max(beside):
        return False
    later = [one.look for one in ahead if _FLASH < one.look.at - step.look.at < _SOON]
    return not any(likeness(before, look) > _BACK for look in later)


def _out_of_black(past: deque[_Step], step: _Step, ahead: list[_Step]) -> bool:
    """The first picture after darkness, if it shows another view than the last before; what was before a long
    darkness does not matter.
    """
    if step.look.dark or not past[-1].look.dark:
        return False
    begun = next((one.look.at for one in reversed(past) if not one.look.dark), None)
    if begun is None:
        return True
    lit = [one for one in past if one.look.at <= begun and not one.look.dark]
    before = _near(lit, begun - _SOON) or lit[-1].look
    after = _near(ahead, step.look.at + _SOON) or step.look
    return likeness(before, after) < _OTHER


def _dipped(past: deque[_Step], step: _Step, ahead: list[_Step]) -> bool:
    """Whether `step` is the darkest between one picture that faded out and another that fades in, where it
    never got quite dark, or one of them is a title on black.
    """
    middle, span = step.look, _SPANS[-1]
    begin, end = _near(past, middle.at - span), _near(ahead, middle.at + span)
    if begin is None or end is None or begin.flat or end.flat:
        return False
    if middle.dark and not (begin.dark or end.dark):
        return False  # told when it leaves the dark
    if middle.spread > _DIP * min(begin.spread, end.spread):
        return False
    before = min(one.look.mean for one in past if middle.at - one.look.at < span)
    after = min(one.look.mean for one in ahead if one.look.at - middle.at < span)
    return before > middle.mean <= after and likeness(begin, end) < _OTHER


def _dissolved(past: deque[_Step], step: _Step, ahead: list[_Step]) -> bool:
    """Whether `step` is the middle of a dissolve: half of what was before, half of what comes after."""
    return any(_mixed(past, step.look, ahead, span) for span in _SPANS)


def _mixed(past: deque[_Step], middle: Look, ahead: list[_Step], span: float) -> bool:
    begin, end = _near(past, middle.at - span), _near(ahead, middle.at + span)
    if begin is None or end is None or difference(begin, end) < 3 * _CALM:
        return False
    weaker, stronger = sorted((begin.spread, end.spread))
    if weaker < 0.5 * stronger or likeness(begin, end) > _OTHER:
        return False  # a fade, or the same view
    across = begin.grey.astype(np.float32) - end.grey
    way = middle.grey.astype(np.float32) - end.grey
    length = float(np.square(across).sum())
    share = float((way * across).sum()) / length
    rest = float(np.square(way - share * across).sum()) / length
    if abs(share - 0.5) > _HALF or rest > _MIXED**2:
        return False
    return max(likeness(begin, middle), likeness(middle, end)) < _ONE_END


def _near(steps: Iterable[_Step], at: float) -> Look | None:
    found = min((one.look for one in steps), key=lambda look: abs(look.at - at), default=None)
    return found if found is not None and abs(found.at - at) < 0.15 else None
