"""Grounding: the phrases of an answer that name something visible, and where in the picture it is."""

from __future__ import annotations

from dataclasses import dataclass

from foveal.engines.evidence.lexicon import Lexicon, load_lexicon
from foveal.enhancements.grounding_context import Context
from foveal.enhancements.grounding_denial import Denial
from foveal.enhancements.grounding_english import EnglishFinder
from foveal.enhancements.grounding_korean import KoreanFinder
from foveal.enhancements.grounding_pick import Picker
from foveal.enhancements.grounding_text import LineFinder, Match, Quote
from foveal.enhancements.grounding_tokens import tokens
from foveal.enhancements.grounding_words import English, Korean, Mention, load_words
from foveal.enhancements.spans import Findings, GroundedLine, Span
from foveal.perception.base import Box, Point

_MOST = 400  # mentions of one answer that are looked at
_QUOTED = 0.6  # share of the answer from which a quotation is the answer itself

Polygon = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    polygon: Polygon


class Grounder:
    """Finds the spans of answers. Pure and without state: one serves every request and thread."""

    def __init__(self, english: English, korean: Korean) -> None:
        self._english_words = english
        self._english = EnglishFinder(english)
        self._korean = KoreanFinder(korean)

    def ground(self, text: str, findings: Findings) -> GroundedLine:
        """The whole answer with its spans, first to last, none overlapping; never raises for any text.

        `text[offset:offset + length].lower() == span.text` holds for each.
        """
        matches, quoted = LineFinder(findings.lines).find(text)
        pieces = _apart([_Piece(m.start, m.end, _inside(m.line.polygon)) for m in matches])
        if findings.objects or findings.faces:
            mentions = _unquoted(self._mentions(text), quoted, matches, len(text))
            taken = {(piece.start, piece.end) for piece in pieces}
            named = [
                _Piece(one.start, one.end, corners(box))
                for one, box in Picker(findings, self._english_words.near).pick(mentions)
            ]
            pieces = _apart([*pieces, *(piece for piece in named if not _meets(piece, taken))])
        return GroundedLine(text, tuple(_span(text, piece) for piece in pieces))

    def _mentions(self, text: str) -> list[Mention]:
        found = tokens(text)
        english = self._english.find(found, _MOST)
        Context(self._english_words, text, found, english).add()
        Denial(self._english_words, text, found, english).mark()
        korean = self._korean.find(text, _MOST)
        if not korean:
            return english
        merged = sorted([*english, *korean], key=lambda one: one.start)
        place = {id(one): number for number, one in enumerate(merged)}
        for group in (english, korean):
            for one in group:
                one.owner = None if one.owner is None else place[id(group[one.owner])]
                one.holder = None if one.holder is None else place[id(group[one.holder])]
        return merged


def load_grounder(lexicon: Lexicon | None = None) -> Grounder:
    """Reads the data files (100 ms): callers keep the result."""
    return Grounder(*load_words(lexicon or load_lexicon()))


def corners(box: Box) -> Polygon:
    """Clockwise from the top left, inside the picture."""
    return _inside(
        ((box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom))
    )


def _inside(polygon: Polygon) -> Polygon:
    one, two, three, four = ((min(1.0, max(0.0, x)), min(1.0, max(0.0, y))) for x, y in polygon)
    return one, two, three, four


def _unquoted(
    mentions: list[Mention], quoted: list[Quote], matches: list[Match], length: int
) -> list[Mention]:
    """Words inside quotation marks, or that repeat a line, are text and name no thing."""
    texts = [(quote.start, quote.end) for quote in quoted if quote.end - quote.start < _QUOTED * length]
    texts += [(match.start, match.end) for match in matches]
    texts.sort()
    place = 0
    for mention in mentions:
        while place < len(texts) and texts[place][1] <= mention.start:
            place += 1
        if any(start < mention.end and mention.start < end for start, end in texts[place : place + 2]):
            mention.form = "none"
    return mentions


def _meets(piece: _Piece, taken: set[tuple[int, int]]) -> bool:
    return any(start < piece.end and piece.start < end for start, end in taken)


def _apart(pieces: list[_Piece]) -> list[_Piece]:
    """In the order of the text; of two that overlap the first."""
    kept: list[_Piece] = []
    for piece in sorted(pieces, key=lambda one: (one.start, -one.end)):
        if piece.end > piece.start and (not kept or piece.start >= kept[-1].end):
            kept.append(piece)
    return kept


def _span(text: str, piece: _Piece) -> Span:
    return Span(text[piece.start : piece.end].lower(), piece.start, piece.end - piece.start, piece.polygon)
