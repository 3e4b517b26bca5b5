"""Small English words of the answers: numbers, lists, places."""

from __future__ import annotations

from collections.abc import Sequence

from foveal.engines.evidence.places import Position
from foveal.engines.evidence.vocabulary import Thing, article, pluralise

_NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
MANY = 12  # in lists and descriptions more than so many are "many"
CANNOT = "I can't tell that from the picture."


def number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def some(thing: Thing, count: int) -> str:
    """ "a dog", "two dogs", "scissors" """
    if count == 1:
        if thing.singular == thing.plural and thing.singular.endswith("s"):
            return f"a pair of {thing.plural}"
        if thing.key in ("cutlery", "furniture", "broccoli", "food", "luggage", "fruit"):
            return f"some {thing.singular}"
        return f"{article(thing.singular)} {thing.singular}"
    if thing.key == "broccoli":
        return "some broccoli"
    if thing.singular == thing.plural and thing.singular.endswith("s"):
        return f"{number(count)} pairs of {thing.plural}"
    return f"{number(count)} {thing.plural}" if count <= MANY else f"many {thing.plural}"


def join(words: Sequence[str], last: str = "and") -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def named(thing: Thing, *, plural: bool = False) -> str:
    """The user's own word where it is narrower: "pigeon", not "bird"."""
    word = thing.said or thing.singular
    if plural:
        return pluralise(thing.said) if thing.said else thing.plural
    return word


def an(word: str) -> str:
    return f"{article(word)} {word}"


def there(thing: Thing, count: int) -> str:
    pair = count == 1 and thing.singular == thing.plural and not some(thing, 1).startswith("a ")
    return f"there {'is' if count == 1 and not pair else 'are'} {some(thing, count)}"


def upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def quoted(texts: Sequence[str]) -> str:
    return join([f"“{text}”" for text in texts])


def spot(place: Position) -> str:
    """ "on the left", "at the top right", "in the middle" """
    if place.fills:
        return "across most of the picture"
    across = place.across
    if place.down and across in ("left", "right"):
        return f"at the {place.down} {across}"
    words = {
        "left": "on the left",
        "right": "on the right",
        "middle": "in the middle",
        "left of the middle": "a little left of the middle",
        "right of the middle": "a little right of the middle",
    }[across]
    return f"{words}, at the {place.down}" if place.down else words
