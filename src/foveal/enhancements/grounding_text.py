"""Text of the picture that an answer quotes: which stretch of the answer is which line that was read."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice

from foveal.perception.base import TextLine

_PAIRS = {
    "“": "”",
    "„": "“”",
    "‘": "’",
    "«": "»",
    "‹": "›",
    "「": "」",
    "『": "』",
    "《": "》",
    "〈": "〉",
    "〝": "〞",
    '"': '"',
    "'": "'",
    "`": "`",
    "＂": "＂",
}
_OPENING = re.compile("[" + "".join(_PAIRS) + "]")
_LONGEST = 700  # code points of one quotation
_MOST_QUOTES = 120
_MOST_LINES = 400
_COMPARED = 240  # pairs of quotation and line that are compared letter by letter in one answer
_LONG = 10  # letters from which a stretch counts wherever it begins and ends
_CLOSE = 12  # lines that one quotation is compared with letter by letter
_LEAD = re.compile(
    r"(?:\b(?:reads?|says?|saying|reading|stating|states|text|titled?|label(?:l?ed)?|written|words?|follows)\b[^\n.:：]{0,40}[:：]"
    r"|(?:쓰여|적혀|씌어|글자|문구|내용|텍스트)[^\n:：]{0,30}[:：])"
)
_BULLET = re.compile(r"^\s*(?:[-*•·>]|\d{1,2}[.)])?\s*")


@dataclass(frozen=True, slots=True)
class Quote:
    """Code points [start, end) of the answer that may repeat lines of the picture.

    `sure`: quotation marks stand around it, so that parts of lines count too.
    """

    start: int
    end: int
    sure: bool


@dataclass(frozen=True, slots=True)
class Match:
    """[start, end) of the answer repeats `line`."""

    start: int
    end: int
    line: TextLine


@dataclass(frozen=True, slots=True)
class _Bare:
    """Letters and digits of a text, folded, and the code point that each comes from."""

    text: str
    places: tuple[int, ...]


def bare(text: str, start: int = 0, end: int | None = None) -> _Bare:
    letters: list[str] = []
    places: list[int] = []
    for place in range(start, len(text) if end is None else min(end, len(text))):
        for letter in unicodedata.normalize("NFKC", text[place]).casefold():
            if letter.isalnum():
                letters.append(letter)
                places.append(place)
    return _Bare("".join(letters), tuple(places))


def quotes(text: str) -> list[Quote]:
    """Stretches between quotation marks, first to last; marks without a partner are passed over."""
    found: list[Quote] = []
    past = 0
    for mark in _OPENING.finditer(text):
        place = mark.start()
        if place < past or not _opens(text, place):
            continue
        end = _closing(text, place, _PAIRS[mark.group()])
        if end is not None:
            found.append(Quote(place + 1, end, True))
            past = end + 1
            if len(found) == _MOST_QUOTES:
                break
    return found


def _opens(text: str, place: int) -> bool:
    """A straight mark opens only where no word ends and something follows."""
    if text[place] not in "\"'`":
        return True
    before = text[place - 1] if place else " "
    after = text[place + 1] if place + 1 < len(text) else " "
    return not after.isspace() and (text[place] != "'" or not before.isalnum())


def _closing(text: str, place: int, closers: str) -> int | None:
    limit = min(len(text), place + 1 + _LONGEST)
    for end in range(place + 1, limit):
        if text[end] not in closers:
            continue
        after = text[end + 1] if end + 1 < len(text) else " "
        if text[end] in "'’" and after.isalnum() and after.isascii():
            continue  # an apostrophe
        return end if end > place + 1 else None
    return None


def tails(text: str) -> Iterator[Quote]:
    """What stands behind "The text reads:", and the lines and numbers of the answer, each by itself."""
    past = 0
    for lead in islice(_LEAD.finditer(text), _MOST_QUOTES):
        if lead.start() < past:
            continue
        end = lead.end()
        until = text.find("\n\n", end + 2)
        whole = text[end : min(until if until >= 0 else len(text), end + _LONGEST)]
        past = end + len(whole)
        for piece in re.finditer(r"[^\n/|,;]+", whole):
            yield Quote(end + piece.start(), end + piece.end(), False)
        for line in re.finditer(r"[^\n]+", whole):
            yield Quote(end + line.start(), end + line.end(), False)
    at = 0
    for row in text.split("\n")[:_MOST_LINES]:
        mark = _BULLET.match(row)
        first = at + (mark.end() if mark is not None else 0)
        if at + len(row) - first >= 2 and len(row) <= 200:
            yield Quote(first, at + len(row), False)
        at += len(row) + 1


class LineFinder:
    """Finds one picture's lines in an answer."""

    def __init__(self, lines: Sequence[TextLine]) -> None:
        self._lines = [(line, bare(line.text).text) for line in lines[:_MOST_LINES]]
        self._lines = [(line, letters) for line, letters in self._lines if letters]
        self._grams: dict[str, list[int]] = {}
        for number, (_, letters) in enumerate(self._lines):
            for gram in {letters[n : n + 3] for n in range(max(1, len(letters) - 2))}:
                self._grams.setdefault(gram, []).append(number)
        self._used: dict[str, int] = {}
        self._compared = 0
        self._last = -1

    def find(self, text: str) -> tuple[list[Match], list[Quote]]:
        """The matches in the order of the text, none overlapping; and all quotations."""
        marked = quotes(text)
        if not self._lines:
            return [], marked
        found: list[Match] = []
        for quote in marked:
            found += self._inside(text, quote)
        for tail in tails(text):
            busy = [m for m in found if m.start < tail.end and m.end > tail.start]
            if not busy:
                found += self._inside(text, tail)
        found += self._numbers(text, found)
        return sorted(found, key=lambda match: match.start), marked

    def _inside(self, text: str, quote: Quote) -> list[Match]:
        letters = bare(text, quote.start, quote.end)
        if not letters.text:
            return []
        free = [(0, len(letters.text))]
        found: list[Match] = []
        for number in self._near(letters.text, text[quote.start : quote.end]):
            region = self._region(letters.text, number, free, sure=quote.sure)
            if region is None or not _whole_words(text, letters, region, sure=quote.sure):
                continue
            free = _without(free, region)
            found.append(self._matched(text, letters, region, number))
        return found

    def _near(self, letters: str, written: str) -> list[int]:
        """Lines that share letters with a quotation: the longest that are in it, then by what is shared."""
        shared: dict[int, int] = {}
        for place in range(max(1, len(letters) - 2)):
            for number in self._grams.get(letters[place : place + 3], ())[:40]:
                shared[number] = shared.get(number, 0) + 1
        if len(letters) < 3:
            shared = {n: 1 for n, (_, line) in enumerate(self._lines) if line == letters}

        def rank(number: int) -> tuple[bool, bool, float, bool, int]:
            line = self._lines[number][1]
            whole = line in letters
            return (
                not whole,
                self._lines[number][0].text not in written,
                -len(line) if whole else -shared[number] / max(3, min(len(line), len(letters)) - 2),
                self._used.get(line, -1) >= number,
                number if number > self._last else number + _MOST_LINES,
            )

        return sorted(shared, key=rank)[: 4 * _CLOSE]

    def _region(
        self, letters: str, number: int, free: Sequence[tuple[int, int]], *, sure: bool
    ) -> tuple[int, int] | None:
        """Where in the free parts of a quotation a line stands, whole, with small slips, or in part."""
        line = self._lines[number][1]
        for start, end in free:
            at = letters.find(line, start, end)
            if at >= 0 and (len(line) >= 3 or (start, end) == (at, at + len(line))):
                return (at, at + len(line)) if sure or self._fills(letters, at, at + len(line)) else None
        for start, end in free:
            part = letters[start:end]
            if sure and len(part) >= 3 and part in line and (len(part) >= 4 or 2 * len(part) >= len(line)):
                return start, end
        if self._compared >= _COMPARED or len(line) < 4:
            return None
        for start, end in free:
            if end - start < 3:
                continue
            self._compared += 1
            region = _alike(letters[start:end], line, sure=sure)
            if region is not None:
                return start + region[0], start + region[1]
        return None

    def _fills(self, letters: str, start: int, end: int) -> bool:
        """Outside of quotation marks a line must be nearly all of its stretch."""
        return end - start >= 0.6 * len(letters)

    def _matched(self, text: str, letters: _Bare, region: tuple[int, int], number: int) -> Match:
        line, bare_line = self._lines[number]
        self._used[bare_line] = number
        self._last = number
        start, end = letters.places[region[0]], letters.places[region[1] - 1] + 1
        if text[end : end + 1] in (".", "!", "?", ":", ")", "%") and line.text.rstrip().endswith(text[end]):
            end += 1
        if start and text[start - 1] in "$€£₩¥#(-.@" and line.text.lstrip().startswith(text[start - 1]):
            start -= 1
        return Match(start, end, line)

    def _numbers(self, text: str, found: Sequence[Match]) -> list[Match]:
        """Phone numbers, prices and addresses that are repeated to the letter without quotation marks."""
        more: list[Match] = []
        whole = [(n, line) for n, (_, line) in enumerate(self._lines) if len(line) >= 6 and _coded(line)]
        if not whole:
            return []
        letters = bare(text)
        starts = [match.start for match in found]
        for number, line in whole[:_MOST_QUOTES]:
            at = letters.text.find(line)
            if at < 0:
                continue
            start, end = letters.places[at], letters.places[at + len(line) - 1] + 1
            edge = (start and text[start - 1].isalnum()) or (
                end < len(text) and text[end].isascii() and text[end].isalnum()
            )
            near = bisect_left(starts, start)
            busy = any(m.start < end and m.end > start for m in [*found[max(0, near - 1) : near + 2], *more])
            if not edge and not busy:
                more.append(self._matched(text, letters, (at, at + len(line)), number))
        return more


def _whole_words(text: str, letters: _Bare, region: tuple[int, int], *, sure: bool) -> bool:
    """Short stretches must not begin or end inside a word of the answer ("ner" of "corner")."""
    if (sure and region[1] - region[0] >= _LONG) or (region[0] == 0 and region[1] == len(letters.text)):
        return True
    start, end = letters.places[region[0]], letters.places[region[1] - 1] + 1
    before, after = text[start - 1 : start], text[end : end + 1]
    if not (text[start].isascii() and text[end - 1].isascii()):
        return True
    return not before.isalnum() and (not after.isalnum() or (region[0] == 0 and region[1] >= 4))


def _coded(line: str) -> bool:
    return sum(letter.isdecimal() for letter in line) >= 0.5 * len(line) or line.startswith(("www", "http"))


def _without(free: Sequence[tuple[int, int]], region: tuple[int, int]) -> list[tuple[int, int]]:
    left: list[tuple[int, int]] = []
    for start, end in free:
        if region[0] >= end or region[1] <= start:
            left.append((start, end))
            continue
        left += [(s, e) for s, e in ((start, region[0]), (region[1], end)) if e > s]
    return left


def _alike(part: str, line: str, *, sure: bool) -> tuple[int, int] | None:
    """Where in `part` a line stands with small slips, or a part of it that begins or ends the quotation."""
    line = line[:200]
    blocks = [
        b for b in SequenceMatcher(None, part, line, autojunk=False).get_matching_blocks() if b.size > 1
    ]
    if not blocks:
        return None
    start, end = blocks[0].a, blocks[-1].a + blocks[-1].size
    first, last = blocks[0].b, blocks[-1].b + blocks[-1].size
    same = sum(block.size for block in blocks)
    head, tail = min(first, start, 2), min(len(line) - last, len(part) - end, 2)
    if same >= 0.75 * len(line) and end - start <= 1.35 * len(line) and same >= 0.75 * (end - start):
        region = start - head, end + tail
        return region if sure or region[1] - region[0] >= 0.75 * len(part) else None
    if not sure or same < 4 or same < 0.85 * (end - start):
        return None
    covers = same >= 0.8 * len(part)
    begins = start <= 1 and last >= len(line) - 1  # the quotation begins inside this line
    ends = end >= len(part) - 1 and first <= 1  # the quotation ends inside this line
    return (start, end) if covers or begins or ends else None
