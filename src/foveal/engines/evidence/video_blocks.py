"""What a stretch of a video shows, for descriptions: neighbouring shots that show the same are one block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from foveal.engines.evidence.notes import Notes, take_notes
from foveal.engines.evidence.reading import squeezed
from foveal.engines.evidence.sights import Act, Place
from foveal.engines.evidence.video_timeline import Moment, Shot, Timeline
from foveal.engines.evidence.video_times import Span
from foveal.engines.evidence.vocabulary import Thing

MOST_BLOCKS = 6
MOST_BLOCKS_DETAILED = 12
_ALIKE = 0.6  # shared kinds of two neighbouring shots from which they are one block
_MANY_TIMES = 2.5  # two dogs and five may be one sight, one person and six are not
_FRAMES = 4  # of a block, from which on things that are seen in few of them get their times
_MAIN = 3  # kinds that a block tells, and twice as many in detail


@dataclass(frozen=True, slots=True)
class Seen:
    """A thing, from `low` to `high` of it at once; `part` when it is in less than half of the frames."""

    thing: Thing
    low: int
    high: int
    colour: str = ""
    part: Span | None = None


@dataclass(frozen=True, slots=True)
class Block:
    start: float
    end: float
    seen: tuple[Seen, ...]
    acts: tuple[Act, ...]
    looks_like: str
    looks_like_korean: str
    place: Place | None
    texts: tuple[tuple[str, float], ...]  # and when each is first read

    @property
    def empty(self) -> bool:
        return not (self.seen or self.looks_like or self.texts)


@dataclass(frozen=True, slots=True)
class _Noted:
    """Some shots in a row with the notes of each of their frames."""

    start: float
    end: float
    notes: tuple[tuple[float, Notes], ...]

    @property
    def counts(self) -> dict[str, int]:
        """Kind → the most of it at once."""
        most: dict[str, int] = {}
        for _, notes in self.notes:
            for one in notes.subjects:
                most[one.thing.key] = max(most.get(one.thing.key, 0), one.count)
        return most

    @property
    def texts(self) -> frozenset[str]:
        return frozenset(squeezed(text) for _, notes in self.notes for text in notes.texts)

    @property
    def looks(self) -> frozenset[str]:
        return frozenset(notes.looks_like for _, notes in self.notes if notes.looks_like)


def blocks_of(timeline: Timeline, *, detailed: bool = False) -> list[Block]:
    """In order; nothing of what they say is about movement, for frames do not show it."""
    noted = [_noted(shot) for shot in timeline.shots]
    joined: list[_Noted] = []
    for one in noted:
        if joined and _alike(joined[-1], one) >= _ALIKE:
            joined[-1] = _join(joined[-1], one)
        else:
            joined.append(one)
    most = MOST_BLOCKS_DETAILED if detailed else MOST_BLOCKS
    while len(joined) > most:
        place = max(range(len(joined) - 1), key=lambda at: _worth_joining(joined[at], joined[at + 1]))
        joined[place : place + 2] = [_join(joined[place], joined[place + 1])]
    return [_block(one, 2 * _MAIN if detailed else _MAIN) for one in joined]


def _noted(shot: Shot) -> _Noted:
    return _Noted(
        shot.start, shot.end, tuple((moment.at, take_notes(moment.sights)) for moment in shot.moments)
    )


def moment_block(moment: Moment) -> Block:
    """One frame alone."""
    return _block(_Noted(moment.at, moment.at, ((moment.at, take_notes(moment.sights)),)), 2 * _MAIN)


def _join(one: _Noted, other: _Noted) -> _Noted:
    return _Noted(one.start, other.end, (*one.notes, *other.notes))


def _alike(one: _Noted, other: _Noted) -> float:
    """1 when both show the same, or neither anything."""
    if one.texts != other.texts or bool(one.looks) != bool(other.looks):
        return 0.0
    return _shared(one.counts, other.counts)


def _shared(one: dict[str, int], other: dict[str, int]) -> float:
    """The share of kinds that both show, in numbers that are not far apart."""
    every = set(one) | set(other)
    same = [
        key
        for key in set(one) & set(other)
        if max(one[key], other[key]) <= _MANY_TIMES * min(one[key], other[key])
    ]
    return len(same) / len(every) if every else 1.0


def _worth_joining(one: _Noted, other: _Noted) -> tuple[float, float]:
    """The most alike first, of these the shortest together."""
    return _shared(one.counts, other.counts), -(other.end - one.start)


def _block(noted: _Noted, most: int) -> Block:
    frames = len(noted.notes)
    counts: dict[str, list[tuple[float, int, str]]] = {}
    things: dict[str, Thing] = {}
    weight: Counter[str] = Counter()
    for at, notes in noted.notes:
        for rank, one in enumerate(notes.subjects):
            things[one.thing.key] = one.thing
            counts.setdefault(one.thing.key, []).append((at, one.count, one.colour))
            weight[one.thing.key] += 10 - rank
    seen = [
        _seen(things[key], counts[key], frames)
        for key, _ in sorted(weight.items(), key=lambda pair: -pair[1])
    ]
    lasting = [one for one in seen if one.part is None][:most]
    passing = [one for one in seen if one.part is not None][: max(1, most - len(lasting))]
    looks = Counter(
        (notes.looks_like, notes.looks_like_korean) for _, notes in noted.notes if notes.looks_like
    )
    looks_like = max(looks, key=lambda pair: looks[pair]) if looks else ("", "")
    if looks and looks[looks_like] * 2 <= frames and frames > 1:
        looks_like = ("", "")
    return Block(
        noted.start,
        noted.end,
        (*lasting, *passing),
        _acts(noted),
        *looks_like,
        _place(noted),
        _texts(noted),
    )


def _seen(thing: Thing, found: Sequence[tuple[float, int, str]], frames: int) -> Seen:
    numbers = [count for _, count, _ in found]
    hues = {colour for _, _, colour in found}
    passes = frames >= _FRAMES and 2 * len(found) < frames
    part = Span(found[0][0], found[-1][0]) if passes else None
    return Seen(thing, min(numbers), max(numbers), hues.pop() if len(hues) == 1 else "", part)


def _acts(noted: _Noted) -> tuple[Act, ...]:
    """Those of half of the frames at least."""
    found: dict[str, list[Act]] = {}
    for _, notes in noted.notes:
        for label in {act.label for act in notes.acts}:
            found.setdefault(label, []).append(next(act for act in notes.acts if act.label == label))
    return tuple(acts[0] for acts in found.values() if 2 * len(acts) >= len(noted.notes))[:2]


def _place(noted: _Noted) -> Place | None:
    votes = Counter(notes.place.name for _, notes in noted.notes if notes.place is not None)
    if not votes:
        return None
    name, count = votes.most_common(1)[0]
    if 2 * count <= len(noted.notes) and len(noted.notes) > 1:
        return None
    return next(notes.place for _, notes in noted.notes if notes.place and notes.place.name == name)


def _texts(noted: _Noted) -> tuple[tuple[str, float], ...]:
    found: dict[str, tuple[str, float]] = {}
    for at, notes in noted.notes:
        for text in notes.texts:
            key = squeezed(text)
            if key and not any(key in known or known in key for known in found):
                found[key] = (text, at)
    return tuple(found.values())
