"""What a question asks: the typed form between the words of a question and the rules that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foveal.engines.evidence.vocabulary import Language, Thing


class Ask(StrEnum):
    DESCRIBE = "describe"
    LIST = "list"  # which objects / which animals are there
    PRESENCE = "presence"
    COUNT = "count"
    COMPARE = "compare"  # more dogs than cats; more than two dogs
    WHERE = "where"
    PLACE_YES_NO = "place"  # is the dog on the left
    RELATION_YES_NO = "relation"  # is the dog on the couch
    WHAT_AT = "what at"  # what is on the left / next to the dog
    COLOUR = "colour"
    COLOUR_YES_NO = "is colour"
    READ = "read"
    SAYS = "says"  # does it say "STOP"
    WHAT_IS = "what is"
    DOING = "doing"
    FACES = "faces"
    SCENE = "scene"
    EXTREME = "extreme"  # the largest object
    UNKNOWABLE = "unknowable"
    OPEN = "open"


class Relation(StrEnum):
    ON = "on"
    UNDER = "under"
    ABOVE = "above"
    BELOW = "below"
    LEFT_OF = "left of"
    RIGHT_OF = "right of"
    NEXT_TO = "next to"
    WITH = "with"  # holding, carrying, riding, wearing: overlaps
    IN = "in"
    FRONT = "in front of"
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class Question:
    """One clause. `things` in the order named; `colour` and `place` are conditions on them ("red", "left").

    `target` is what a reading question looks for ("price") or the noun that no table knows; `quoted` the text
    between quotation marks; `rest` are words that the parser could not place: they narrow the question beyond
    what the facts hold ("sleeping"). `compare` is ("more", 2), ("exactly", 3)...
    """

    ask: Ask
    text: str
    language: Language = "en"
    things: tuple[Thing, ...] = ()
    anchor: Thing | None = None
    relation: Relation | None = None
    place: str = ""
    colour: str = ""
    part: str = ""  # clothing, background or picture, for colours
    compare: tuple[str, int] | None = None
    target: str = ""
    quoted: str = ""
    rest: tuple[str, ...] = ()
    images: tuple[int, ...] = ()  # which pictures are meant, 0-based; empty: the latest, or all when several
    either: bool = False  # "a dog or a cat"
    named: bool = True  # False: the thing was taken over from the turn before


@dataclass(frozen=True, slots=True)
class Style:
    """How the caller wants the answer: from system messages and the question itself."""

    brief: bool = False  # one word or a few
    yes_no: bool = False
    list_form: bool = False
    detailed: bool = False
    language: Language | None = None
    sentences: int = 0  # 0: as needed


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence (or two) and its core for brief styles ("Yes", "3", "red"). `known` is False when the
    picture does not show what was asked.
    """

    text: str
    short: str = ""
    known: bool = True
