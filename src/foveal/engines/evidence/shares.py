"""Colours worth naming, and several answers as one."""

from __future__ import annotations

from collections.abc import Sequence

from foveal.engines.evidence.intents import Answer
from foveal.engines.evidence.vocabulary import Thing
from foveal.perception.facts import ColourShare

SECOND_COLOUR = 0.55  # a second colour is named when it covers this share of what the first covers
A_COLOUR = 0.22  # and a thing "is red" when red covers this much of it


def names(shares: Sequence[ColourShare]) -> list[str]:
    """One colour, or two when the second covers nearly as much."""
    if not shares:
        return []
    first = shares[0]
    rest = [share.name for share in shares[1:2] if share.share >= SECOND_COLOUR * first.share]
    return [first.name, *rest]


def clear(shares: Sequence[ColourShare]) -> list[str]:
    """The same, when these colours together cover at least half."""
    said = names(shares)
    return said if sum(share.share for share in shares[: len(said)]) >= 0.5 else []


def has_colour(shares: Sequence[ColourShare], colour: str) -> bool:
    return any(share.name == colour and (share.share >= A_COLOUR or share is shares[0]) for share in shares)


def unique(things: Sequence[Thing]) -> list[Thing]:
    seen: dict[str, Thing] = {}
    for thing in things:
        seen.setdefault(thing.key + thing.said, thing)
    return list(seen.values())


def both(answers: Sequence[Answer]) -> Answer:
    """Several answers as one, each sentence once."""
    texts = list(dict.fromkeys(answer.text for answer in answers))
    short = ", ".join(dict.fromkeys(answer.short for answer in answers if answer.short))
    return Answer(" ".join(texts), short, any(answer.known for answer in answers))
