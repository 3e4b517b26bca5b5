"""Lines of text in a picture as a page: level rows of cells, columns of running text, blocks.

A page may be turned by quarters, tilted, or seen in perspective. Its lines then meet in one far point, so
that their slope is a straight function of where they start: it is fitted, and every line is put where it
would be on a level page. Everything here takes time in proportion to n log n of the lines.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from foveal.perception.base import Point, TextLine

APART = 1.0  # character widths: cells further apart than this are columns, closer ones are one phrase
_SPLIT = 2.0  # the same for words that the reader took for one line
_TELLING = 6  # characters from which a line's slope and direction are worth something
_LONG = 15  # characters of a line of running text


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of one row, in coordinates of the level page (0..1, roughly). `unit` is its character width."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    unit: float

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Row:
    """Cells from left to right. `opens` tells that a block begins here."""

    cells: tuple[Cell, ...]
    opens: bool = False

    @property
    def text(self) -> str:
        return " | ".join(cell.text for cell in self.cells)

    @property
    def top(self) -> float:
        return min(cell.top for cell in self.cells)

    @property
    def bottom(self) -> float:
        return max(cell.bottom for cell in self.cells)

    @property
    def height(self) -> float:
        return max(cell.height for cell in self.cells)


def rows_of(lines: Sequence[TextLine]) -> tuple[Row, ...]:
    """The rows of a page in reading order; columns of running text follow one another."""
    cells = _level([line for line in lines if line.text.strip()])
    rows: list[Row] = []
    for group in _groups(cells):
        made = _rows(group)
        rows += [Row(row, opens) for row, opens in zip(made, _openings(made), strict=True)]
    return tuple(rows)


def width_of(text: str) -> float:
    """In widths of a Latin letter: East Asian characters count two."""
    return sum(2.0 if unicodedata.east_asian_width(letter) in "WF" else 1.0 for letter in text)


# A line before levelling: its text and the corners of its polygon.
_Piece = tuple[str, tuple[Point, Point, Point, Point]]


def _level(lines: Sequence[TextLine]) -> list[Cell]:
    if not lines:
        return []
    turn = _quarter(lines)
    pieces = [(text, _turned(polygon, turn)) for line in lines for text, polygon in _split(line)]
    base, change = _slopes([polygon for text, polygon in pieces if len(text) >= _TELLING])

    def height_at_edge(point: Point) -> float:
        """Where the line through `point` that runs to the far point starts."""
        x, y = point
        below = 1.0 + change * x
        return (y - base * x) / (below if below > 0.2 else 0.2)

    cells = []
    for text, (a, b, c, d) in pieces:
        top = (height_at_edge(a) + height_at_edge(b)) / 2
        bottom = (height_at_edge(c) + height_at_edge(d)) / 2
        left, right = (a[0] + d[0]) / 2, (b[0] + c[0]) / 2
        unit = max(right - left, 1e-6) / max(width_of(text), 1.0)
        cells.append(Cell(text, left, max(right, left), min(top, bottom), max(top, bottom), unit))
    return cells


def _split(line: TextLine) -> list[_Piece]:
    """A line in pieces where its words stand as far apart as columns do."""
    words = line.words
    text = " ".join(line.text.split())
    if len(words) < 2 or "".join(word.text for word in words) != text.replace(" ", ""):
        return [(text, line.polygon)]
    length = math.dist(line.polygon[0], line.polygon[1])
    wide = _SPLIT * length / max(width_of(text), 1.0)
    pieces: list[_Piece] = []
    start = 0
    for at in range(1, len(words) + 1):
        if at == len(words) or math.dist(words[at - 1].polygon[1], words[at].polygon[0]) > wide:
            part = words[start:at]
            first, last = part[0].polygon, part[-1].polygon
            pieces.append((" ".join(word.text for word in part), (first[0], last[1], last[2], first[3])))
            start = at
    return pieces if len(pieces) > 1 else [(text, line.polygon)]


def _quarter(lines: Sequence[TextLine]) -> int:
    """Into which direction most of the text runs: 0 right, 1 down, 2 left, 3 up."""
    votes = [0, 0, 0, 0]
    for line in lines:
        (ax, ay), (bx, by) = line.polygon[0], line.polygon[1]
        dx, dy = bx - ax, by - ay
        way = (0 if dx >= 0 else 2) if abs(dx) >= abs(dy) else (1 if dy >= 0 else 3)
        votes[way] += max(0, len(line.text) - 1)
    return votes.index(max(votes))


def _turned(polygon: tuple[Point, Point, Point, Point], turn: int) -> tuple[Point, Point, Point, Point]:
    def at(point: Point) -> Point:
        x, y = point
        return ((x, y), (y, 1 - x), (1 - x, 1 - y), (1 - y, x))[turn]

    a, b, c, d = polygon
    return at(a), at(b), at(c), at(d)


def _slopes(polygons: Sequence[tuple[Point, Point, Point, Point]]) -> tuple[float, float]:
    """(base, change) of the slope `base + change × height at the left edge`, over the lines' lower edges too.

    Weighted least squares, once over all and once over those that the first fit explains.
    """
    samples: list[tuple[float, float, float]] = []  # height at the left edge, slope, weight
    for a, b, c, d in polygons:
        for (x, y), (right, end) in ((a, b), (d, c)):
            run = right - x
            if run > 0.02:
                slope = (end - y) / run
                if abs(slope) < 1:
                    samples.append((y - slope * x, slope, run))
    if len(samples) < 2:
        return (samples[0][1] if samples else 0.0), 0.0
    base, change = _fit(samples)
    errors = [abs(slope - base - change * y) for y, slope, _ in samples]
    limit = 2.5 * median(errors) + 1e-4
    return _fit([sample for sample, error in zip(samples, errors, strict=True) if error <= limit])


def _fit(samples: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    total = sum(weight for _, _, weight in samples)
    mean_y = sum(y * weight for y, _, weight in samples) / total
    mean_s = sum(slope * weight for _, slope, weight in samples) / total
    spread = sum(weight * (y - mean_y) ** 2 for y, _, weight in samples)
    if len(samples) < 6 or spread < 1e-3 * total:  # too few heights to tell a change from noise
        return mean_s, 0.0
    change = sum(weight * (y - mean_y) * (slope - mean_s) for y, slope, weight in samples) / spread
    return mean_s - change * mean_y, change


def _groups(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Cells that form rows together: all of them, or one column of running text after the other."""
    ordered = sorted(cells, key=lambda cell: cell.middle)
    if len(ordered) < 6:
        return [ordered] if ordered else []
    span = max(cell.right for cell in ordered) - min(cell.left for cell in ordered)
    groups: list[list[Cell]] = [[]]
    narrow: list[Cell] = []

    def flush() -> None:
        columns = _columns(narrow)
        if len(columns) > 1:
            groups.extend([*columns, []])
        else:
            groups[-1].extend(narrow)
        narrow.clear()

    for cell in ordered:
        if cell.right - cell.left > 0.55 * span:  # a line over the whole width ends the columns above it
            flush()
            groups[-1].append(cell)
        else:
            narrow.append(cell)
    flush()
    return [group for group in groups if group]


def _columns(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Split at an x that no cell crosses, where running text stands on both sides at the same height."""
    edges = sorted(cells, key=lambda cell: cell.left)
    reach = 0.0
    for place, cell in enumerate(edges):
        if place >= 3 and cell.left > reach and len(edges) - place >= 3:
            left, right = edges[:place], edges[place:]
            if _running(left) and _running(right) and _beside(left, right):
                return [*_columns(left), *_columns(right)]
        reach = max(reach, cell.right)
    return [list(cells)]


def _running(cells: Sequence[Cell]) -> bool:
    long_ones = sum(width_of(cell.text) >= _LONG for cell in cells)
    return long_ones >= 3 and 2 * long_ones >= len(cells)


def _beside(left: Sequence[Cell], right: Sequence[Cell]) -> bool:
    spans = [(min(cell.top for cell in side), max(cell.bottom for cell in side)) for side in (left, right)]
    shared = min(spans[0][1], spans[1][1]) - max(spans[0][0], spans[1][0])
    return shared > 0.5 * min(end - start for start, end in spans)


def _rows(cells: Iterable[Cell]) -> list[tuple[Cell, ...]]:
    rows: list[list[Cell]] = []
    middle = height = 0.0  # of the row that is being filled
    for cell in sorted(cells, key=lambda one: one.middle):
        if rows and abs(cell.middle - middle) < 0.5 * min(height, cell.height):
            rows[-1].append(cell)
            middle += (cell.middle - middle) / len(rows[-1])
            height = min(height, cell.height)
        else:
            rows.append([cell])
            middle, height = cell.middle, cell.height
    return [_joined(sorted(row, key=lambda one: one.left)) for row in rows]


def _joined(row: Sequence[Cell]) -> tuple[Cell, ...]:
    """Cells that stand as close as words do become one."""
    found: list[Cell] = []
    for cell in row:
        last = found[-1] if found else None
        if last is not None and cell.left - last.right < APART * max(last.unit, cell.unit):
            found[-1] = Cell(
                f"{last.text} {cell.text}",
                last.left,
                max(last.right, cell.right),
                min(last.top, cell.top),
                max(last.bottom, cell.bottom),
                (last.unit + cell.unit) / 2,
            )
        else:
            found.append(cell)
    return tuple(found)


def _openings(rows: Sequence[tuple[Cell, ...]]) -> list[bool]:
    """Where a gap between rows is wider than usual here, or the print changes its size."""
    if not rows:
        return []
    tops = [min(cell.top for cell in row) for row in rows]
    bottoms = [max(cell.bottom for cell in row) for row in rows]
    heights = [bottom - top for top, bottom in zip(tops, bottoms, strict=True)]
    gaps = [tops[at + 1] - bottoms[at] for at in range(len(rows) - 1)]
    usual = max(median(gaps), 0.3 * median(heights)) if gaps else 0.0
    found = [True]
    for at, gap in enumerate(gaps):
        larger = max(heights[at], heights[at + 1]) > 1.6 * min(heights[at], heights[at + 1])
        found.append(gap > 1.8 * usual or (larger and gap > usual))
    return found
