"""The shapes of grounding: what a source of vision found, and the spans that an answer's phrases become."""

from __future__ import annotations

from dataclasses import dataclass

from foveal.perception.base import Face, Point, TextLine
from foveal.perception.facts import SeenObject


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of one picture, whoever looked: this server, or a Computer Vision resource elsewhere.

    Coordinates are 0..1. `objects` are best first, down to doubtful ones (`SeenObject.confidence` is the
    probability that one is right); those that another server found have no colours. `lines` are in reading
    order.
    """

    objects: tuple[SeenObject, ...] = ()
    faces: tuple[Face, ...] = ()
    lines: tuple[TextLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A phrase of the answer and where in the picture it is.

    `text` is the phrase in lower case; `offset` and `length` count Unicode code points of the line's text;
    `polygon` is clockwise from the top left of the thing (or of the text), each point 0..1.
    """

    text: str
    offset: int
    length: int
    polygon: tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class GroundedLine:
    """The whole answer as one line, as Azure gave it, with its spans in the order of the text."""

    text: str
    spans: tuple[Span, ...] = ()
