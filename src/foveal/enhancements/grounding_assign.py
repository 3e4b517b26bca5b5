"""Several single things of one kind told one after another, each with a box of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from foveal.enhancements.grounding_scene import CLEAR, SURE, Candidate, fit, prominence, sided
from foveal.enhancements.grounding_words import Mention

Score = Callable[[Mention, Candidate, Sequence[Candidate]], float]
_Taken = tuple[Candidate | None, ...]

_BEAM = 32
_CANDIDATES = 14
_RIGHTWARDS = 0.5  # things of one sentence are told from left to right, when nothing else tells
_ABOVE = 1.6  # of two that nothing tells apart the first is the one so much more prominent


def assign(run: Sequence[Mention], pool: Sequence[Candidate], score: Score) -> list[tuple[Candidate, ...]]:
    """A box for each of the run, or none where it is not clear which."""
    sure = [one for one in pool if one.confidence >= SURE] or list(pool)[:1]
    sure = sorted(sure, key=lambda one: -prominence(one.box) - one.confidence)[:_CANDIDATES]
    beam: list[tuple[float, _Taken]] = [(0.0, ())]
    for place, mention in enumerate(run):
        scored = [(score(mention, one, sure), one) for one in sure]
        beside = place > 0 and run[place - 1].sentence == mention.sentence
        grown = [(total, (*taken, None)) for total, taken in beam]
        for total, taken in beam:
            numbers = {one.number for one in taken if one is not None}
            last = next((one.box.centre[0] for one in reversed(taken) if one is not None), 1.0)
            for gain, one in scored:
                if one.number not in numbers:
                    order = _RIGHTWARDS if beside and last < one.box.centre[0] else 0.0
                    grown.append((total + gain + order, (*taken, one)))
        beam = sorted(grown, key=lambda pair: -pair[0])[:_BEAM]
    best = beam[0][1]
    return [
        _given(run, best, place, beam) if _fits(mention, best[place], sure) else ()
        for place, mention in enumerate(run)
    ]


def _given(
    run: Sequence[Mention], best: _Taken, place: int, beam: Sequence[tuple[float, _Taken]]
) -> tuple[Candidate, ...]:
    given = best[place]
    if given is None:
        return ()
    rival = next((total for total, taken in beam if taken[place] is not given), None)
    if rival is not None and beam[0][0] - rival < CLEAR and not _stands_out(best, place):
        return ()
    signs = sum(told(mention) for mention in run)
    if told(run[place]) or signs >= len(run) - 1 or len(run) > 2 or _stands_out(best, place):
        return (given,)
    return ()


def _stands_out(best: _Taken, place: int) -> bool:
    """Of two, the first is told first because it is the larger by far."""
    if len(best) != 2 or best[0] is None or best[1] is None:
        return False
    return prominence(best[0].box) > _ABOVE * prominence(best[1].box)


def _fits(mention: Mention, given: Candidate | None, pool: Sequence[Candidate]) -> bool:
    sides = sided(mention.place)
    return given is not None and not (sides and fit(given, sides, pool) <= 0)


def told(mention: Mention) -> bool:
    """Whether anything tells this one from others of its kind."""
    return bool(
        mention.place
        or mention.colours
        or mention.worn
        or mention.size
        or mention.beside
        or mention.noun.company
    )
