"""Times of a video in words: "0:42", "from 0:12 to 0:24", and the stretches in which something is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from foveal.engines.evidence.english_words import join
from foveal.engines.evidence.video_timeline import Moment, Timeline

MOST_SPANS = 6  # that an answer tells; of more, the first ones and how many there are


@dataclass(frozen=True, slots=True)
class Span:
    """Something is seen in every frame from `start` to `end`: the times of the first and last of them."""

    start: float
    end: float


def clock(seconds: float) -> str:
    """ "0:42", "12:05", "1:02:03"; whole seconds, as players show them."""
    whole = int(max(0.0, seconds) + 1e-6)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60}:{whole % 60:02}"


def spans_of(timeline: Timeline, holds: Callable[[Moment], bool]) -> list[Span]:
    """The stretches in which it holds. One frame of a shot in which it does not is bridged: what stands
    still is missed now and then.
    """
    moments = timeline.moments
    held = [holds(moment) for moment in moments]
    for place in range(1, len(moments) - 1):
        before, here, after = moments[place - 1 : place + 2]
        if held[place - 1] and held[place + 1] and before.shot == here.shot == after.shot:
            held[place] = True
    spans: list[Span] = []
    open_ = False
    for moment, seen in zip(moments, held, strict=True):
        if seen and open_:
            spans[-1] = Span(spans[-1].start, moment.at)
        elif seen:
            spans.append(Span(moment.at, moment.at))
        open_ = seen
    return spans


def throughout(timeline: Timeline, spans: Sequence[Span]) -> bool:
    """One stretch from the first frame to the last of several."""
    moments = timeline.moments
    return (
        len(spans) == 1
        and len(moments) > 1
        and spans[0].start == moments[0].at
        and spans[0].end == moments[-1].at
    )


def english_span(span: Span) -> str:
    """ "from 0:12 to 0:24", "at 0:12" """
    start, end = clock(span.start), clock(span.end)
    return f"at {start}" if start == end else f"from {start} to {end}"


def korean_span(span: Span) -> str:
    """ "0:12부터 0:24까지", "0:12" """
    start, end = clock(span.start), clock(span.end)
    return start if start == end else f"{start}부터 {end}까지"


def english_spans(spans: Sequence[Span]) -> str:
    """ "at 0:02, from 0:12 to 0:24 and at 0:40" """
    told = [english_span(one) for one in spans[:MOST_SPANS]]
    left = len(spans) - len(told)
    return join([*told, f"{left} more time{'s' if left > 1 else ''}"] if left else told)


def korean_spans(spans: Sequence[Span]) -> str:
    told = ", ".join(korean_span(one) for one in spans[:MOST_SPANS])
    left = len(spans) - MOST_SPANS
    return f"{told} 외 {left}번 더" if left > 0 else told
