"""In which order lines are read, and in which language, as far as boxes and scripts tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from foveal.perception.base import Point, TextLine

_TELLING_RUN = 0.05  # of the picture's width
_QUARTER = math.pi / 2
_TELLING = 3.0  # line heights: a shorter row has no slope that means anything
_SQUEEZE = 0.6  # of the line height, by which the boxes of neighbours in a row may overlap
_CROSSING = 0.2  # of the lines may cross a gutter: titles above the columns
_LONG = 5.5  # line heights: about 15 Latin letters or 7 Chinese characters


def is_hangul(letter: str) -> bool:
    return "가" <= letter <= "힣" or "ᄀ" <= letter <= "ᇿ" or "㄰" <= letter <= "㆏"


def is_kana(letter: str) -> bool:
    return "぀" <= letter <= "ヿ" and letter != "・"


def is_han(letter: str) -> bool:
    return "一" <= letter <= "鿿" or "㐀" <= letter <= "䶿"


def language_of(text: str) -> str:
    """By script: Hangul ko, kana ja, Han zh, everything else en."""
    if any(map(is_hangul, text)):
        return "ko"
    if any(map(is_kana, text)):
        return "ja"
    return "zh" if any(map(is_han, text)) else "en"


def by_script(lines: Sequence[TextLine]) -> list[TextLine]:
    """A line of Han alone is Japanese when the picture's other East Asian lines are mostly Japanese."""
    japanese = sum(line.language == "ja" for line in lines)
    chinese = sum(line.language == "zh" for line in lines)
    if japanese == 0 or japanese < chinese:
        return list(lines)
    return [replace(line, language="ja") if line.language == "zh" else line for line in lines]


def in_reading_order(lines: Sequence[TextLine], *, aspect: float = 1.0) -> list[TextLine]:
    """Rows from the top of the text, each from its left; columns of running text one after the other.

    `aspect` is the picture's width by its height. Top and left are those of the text, however the page is
    turned, and each row may have a slope of its own, as on a page that leans.
    """
    if not lines:
        return []
    angle = _direction(lines, aspect)
    return [placed.line for placed in _ordered([_placed(line, angle, aspect) for line in lines])]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line on the page turned level, in units of the picture's height."""

    line: TextLine
    start: Point  # middle of its left edge
    end: Point  # middle of its right edge
    height: float

    @property
    def left(self) -> float:
        return min(self.start[0], self.end[0])

    @property
    def right(self) -> float:
        return max(self.start[0], self.end[0])

    @property
    def middle(self) -> float:
        return (self.start[1] + self.end[1]) / 2


def _direction(lines: Sequence[TextLine], aspect: float) -> float:
    """The angle (radians) at which most of the text runs: the median turn from the quarter turn that most of
    it is nearest to.
    """
    runs = []
    for line in lines:
        (x, y), (to_x, to_y), _, _ = line.polygon
        across, down = (to_x - x) * aspect, to_y - y
        runs.append((math.hypot(across, down), math.atan2(down, across)))
    quarters = [0.0] * 4
    for length, angle in runs:
        quarters[round(angle / _QUARTER) % 4] += length
    quarter = max(range(4), key=quarters.__getitem__)
    near = sorted(
        (_turn(angle - quarter * _QUARTER), length)
        for length, angle in runs
        if round(angle / _QUARTER) % 4 == quarter
    )
    half = sum(length for _, length in near) / 2
    for turn, length in near:
        half -= length
        if half <= 0:
            return quarter * _QUARTER + turn
    return quarter * _QUARTER


def _turn(angle: float) -> float:
    """Between -π and π."""
    return math.remainder(angle, 2 * math.pi)


def _placed(line: TextLine, angle: float, aspect: float) -> _Placed:
    cos, sin = math.cos(angle), math.sin(angle)
    a, b, c, d = ((x * aspect * cos + y * sin, y * cos - x * aspect * sin) for x, y in line.polygon)
    start = (a[0] + d[0]) / 2, (a[1] + d[1]) / 2
    end = (b[0] + c[0]) / 2, (b[1] + c[1]) / 2
    height = (math.dist(a, d) + math.dist(b, c)) / 2
    if height > math.dist(start, end) and abs(end[1] - start[1]) > abs(end[0] - start[0]):
        # Runs across the others: only its place counts.
        middle = (start[1] + end[1]) / 2
        xs = [corner[0] for corner in (a, b, c, d)]
        start, end = (min(xs), middle), (max(xs), middle)
    return _Placed(line, start, end, height)


def _ordered(lines: list[_Placed]) -> list[_Placed]:
    gutter = _gutter(lines)
    if gutter is None:
        return _rows(lines)
    ordered: list[_Placed] = []
    # What crosses the gutter (a title, a wide figure's caption) parts the columns into those above and below.
    crossing = sorted((one for one in lines if one.left < gutter < one.right), key=lambda one: one.middle)
    rest = [one for one in lines if not one.left < gutter < one.right]
    for wide in [*crossing, None]:
        above = [one for one in rest if wide is None or one.middle < wide.middle]
        rest = [one for one in rest if wide is not None and one.middle >= wide.middle]
        ordered += _ordered([one for one in above if one.right <= gutter])
        ordered += _ordered([one for one in above if one.left >= gutter])
        if wide is not None:
            ordered.append(wide)
    return ordered


def _rows(lines: list[_Placed]) -> list[_Placed]:
    """Each line goes to the row that, carried on at its own slope, meets it most nearly."""
    rows: list[list[_Placed]] = []
    for line in sorted(lines, key=lambda one: one.left):
        best, miss = None, math.inf
        for row in rows:
            last = row[-1]
            off = abs(_level_at(row, line.start[0]) - line.start[1])
            overlaps = line.left < last.right - _SQUEEZE * min(line.height, last.height)
            if not overlaps and off < 0.5 * min(line.height, last.height) and off < miss:
                best, miss = row, off
        if best is None:
            rows.append([line])
        else:
            best.append(line)
    middle = sum(line.left + line.right for line in lines) / (2 * max(1, len(lines)))
    return [line for row in sorted(rows, key=lambda row: _level_at(row, middle)) for line in row]


def _level_at(row: Sequence[_Placed], x: float) -> float:
    """Where the middle of the row lies at `x`, as far as its own slope tells."""
    first, last = row[0], row[-1]
    run = last.end[0] - first.start[0]
    wide = run > _TELLING * first.height
    slope = (last.end[1] - first.start[1]) / run if wide else 0.0
    return last.end[1] + slope * (x - last.end[0])


def slope(line: TextLine) -> float:
    """How steeply the line falls to the right, relative height per relative width; 0 where it is too short to
    tell, or stands upright.
    """
    (left, top), (right, end), _, _ = line.polygon
    run, fall = right - left, end - top
    return fall / run if run > _TELLING_RUN and abs(fall) < run else 0.0


def _gutter(lines: Sequence[_Placed]) -> float | None:
    """An x with running text on both sides that hardly any line crosses, if there is one.

    Short lines side by side (a label and its value on a receipt) stay rows.
    """
    if len(lines) < 6:
        return None
    best, fewest = None, max(2, int(_CROSSING * len(lines))) + 1
    for x in sorted({one.left for one in lines})[1:]:
        edge = x - 1e-6
        left = [one for one in lines if one.right <= edge]
        right = [one for one in lines if one.left > edge]
        crossing = len(lines) - len(left) - len(right)
        if crossing < fewest and _running_text(left) and _running_text(right) and _beside(left, right):
            best, fewest = (max(one.right for one in left) + x) / 2, crossing
    return best


def _running_text(lines: Sequence[_Placed]) -> bool:
    long_lines = [one for one in lines if one.right - one.left >= _LONG * one.height]
    return len(long_lines) >= 3 and 2 * len(long_lines) >= len(lines)


def _beside(left: Sequence[_Placed], right: Sequence[_Placed]) -> bool:
    """The two blocks stand side by side: their heights overlap by half of the smaller."""
    top = max(min(one.middle for one in left), min(one.middle for one in right))
    bottom = min(max(one.middle for one in left), max(one.middle for one in right))
    smaller = min(max(one.middle for one in side) - min(one.middle for one in side) for side in (left, right))
    return bottom - top > 0.5 * smaller
