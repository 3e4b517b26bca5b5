"""How well a moment fits a search, as one number, and moments joined into intervals.

The parts and their weights are told in docs/video-search.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from foveal.store.vectors import VectorHit
from foveal.video.search.wanted import Wanted

WORDS = 0.3  # share of the relevance that the words of a search make, when it has any;
NUMBERS = 0.6  # the same when all of them have digits: those are meant literally
COMMON = 0.5  # how much less a word tells that all of the moments hold
METADATA = 0.2  # what metadata adds that holds all of the words
FALL = 0.85  # frames of an interval have at least this share of its best one's relevance
GAP = 0.5  # seconds that may lie between two of its frames

Extra = Callable[[int, int], float]  # of shelf and document: how much of the words its metadata holds, 0..1


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame or segment that was found, or an interval of frames whose best one is `row`. `shelf` tells the
    index by its place in the search, `held` what of the search's words is there.
    """

    shelf: int
    row: VectorHit
    relevance: float
    held: frozenset[int]
    start: float
    end: float


def no_metadata(shelf: int, document: int) -> float:
    return 0.0


def scored(
    rows: Sequence[tuple[int, VectorHit]],
    wanted: Wanted,
    extra: Extra = no_metadata,
    most: float = 1.0,
) -> list[Moment]:
    """The rows in their order; rows of one frame are one moment. No relevance is above `most`."""
    texts: dict[tuple[int, int, str, int], list[VectorHit]] = {}
    for shelf, row in rows:
        texts.setdefault((shelf, row.document, row.kind, row.number), []).append(row)
    held = {
        key: frozenset().union(*(wanted.held(text) for text in {row.text for row in found}))
        for key, found in texts.items()
    }
    weights = telling(wanted, list(held.values()))
    every = sum(weights)
    share = share_of_words(wanted)
    moments = []
    for key, found in texts.items():
        row = max(found, key=lambda one: (one.likeness, one.text))
        relevance = max(0.0, row.likeness)
        if every:
            relevance *= 1 - share
            relevance += share * sum(weights[goal] for goal in held[key]) / every
            relevance += METADATA * extra(key[0], row.document)
        relevance = round(min(most, relevance), 6)
        moments.append(Moment(key[0], row, relevance, held[key], row.start, row.end))
    return sorted(moments, key=order)


def share_of_words(wanted: Wanted) -> float:
    """Of the relevance; the rest is the likeness of the vectors."""
    every = sum(goal.weight for goal in wanted.goals)
    literal = sum(goal.weight for goal in wanted.goals if any(letter.isdigit() for letter in goal.said))
    return WORDS + (NUMBERS - WORDS) * literal / every if every else 0.0


def telling(wanted: Wanted, held: Sequence[frozenset[int]]) -> list[float]:
    """What each goal is worth among these moments: one that most of them hold tells less."""
    count = Counter(goal for goals in held for goal in goals)
    return [
        goal.weight * (1 - COMMON * count[place] / max(1, len(held)))
        for place, goal in enumerate(wanted.goals)
    ]


def order(moment: Moment) -> tuple[float, float, int, int, str, int]:
    row = moment.row
    return -moment.relevance, -row.likeness, moment.shelf, row.document, row.kind, row.number


def joined(moments: Sequence[Moment]) -> Iterator[Moment]:
    """The moments, best first, with each frame joined to those before and after it that fit the search nearly
    as well and for the same reason: they hold the same of its words.
    """
    frames = {_place(one): one for one in moments if one.row.kind == "frame"}
    taken: set[tuple[int, int, int]] = set()
    for best in moments:
        if best.row.kind != "frame":
            yield best
            continue
        shelf, document, number = _place(best)
        if (shelf, document, number) in taken:
            continue
        taken.add((shelf, document, number))
        start, end = best.start, best.end
        for step in (1, -1):
            at, last = number + step, best
            while (one := frames.get((shelf, document, at))) is not None:
                if (shelf, document, at) in taken or not _alike(one, best) or _apart(one, last) > GAP:
                    break
                taken.add((shelf, document, at))
                start, end = min(start, one.start), max(end, one.end)
                at, last = at + step, one
        yield replace(best, start=start, end=end)


def _place(moment: Moment) -> tuple[int, int, int]:
    return moment.shelf, moment.row.document, moment.row.number


def _alike(one: Moment, best: Moment) -> bool:
    return one.held == best.held and one.relevance >= FALL * best.relevance


def _apart(one: Moment, other: Moment) -> float:
    return max(one.start - other.end, other.start - one.end)
