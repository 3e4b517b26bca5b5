"""In which order lines are read, and in which language, as far as boxes and scripts tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from foveal.perception.base import TextLine

Span = tuple[float, float]  # top, bottom

_TELLING_RUN = 0.05  # of the picture's width


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


def in_reading_order(lines: Sequence[TextLine]) -> list[TextLine]:
    """Rows from the top, each from the left; columns of running text one after the other."""
    gutter = _gutter(lines)
    if gutter is not None:
        left = [line for line in lines if line.box.right <= gutter]
        right = [line for line in lines if line.box.left >= gutter]
        return in_reading_order(left) + in_reading_order(right)
    common = median([slope(line) for line in lines]) if lines else 0.0
    level = [(level_span(line, common), line) for line in lines]
    rows: list[list[tuple[Span, TextLine]]] = []
    for one in sorted(level, key=lambda pair: sum(pair[0])):
        if rows and _same_row(rows[-1][-1][0], one[0]):
            rows[-1].append(one)
        else:
            rows.append([one])
    return [line for row in rows for _, line in sorted(row, key=lambda pair: pair[1].box.left)]


def slope(line: TextLine) -> float:
    """How steeply the line falls to the right, relative height per relative width; 0 where it is too short to
    tell, or stands upright.
    """
    (left, top), (right, end), _, _ = line.polygon
    run, fall = right - left, end - top
    return fall / run if run > _TELLING_RUN and abs(fall) < run else 0.0


def level_span(line: TextLine, fall: float) -> Span:
    """Top and bottom of the line when a page whose lines fall by `fall` is sheared level."""
    heights = [y - fall * x for x, y in line.polygon]
    return min(heights), max(heights)


def _same_row(last: Span, one: Span) -> bool:
    """They overlap by more than half of the lower one's height."""
    shared = min(last[1], one[1]) - max(last[0], one[0])
    return shared > 0.5 * min(last[1] - last[0], one[1] - one[0])


def _gutter(lines: Sequence[TextLine]) -> float | None:
    """An x that no line crosses, with at least three long lines of running text on both sides, if there is
    one.

    Short lines side by side (a label and its value on a receipt) stay rows.
    """
    if len(lines) < 6:
        return None
    edges = sorted(lines, key=lambda one: one.box.left)
    reach = 0.0
    for place, line in enumerate(edges):
        if place and line.box.left > reach:
            left, right = edges[:place], edges[place:]
            if _running_text(left) and _running_text(right) and _beside(left, right):
                return (reach + line.box.left) / 2
        reach = max(reach, line.box.right)
    return None


def _running_text(lines: Sequence[TextLine]) -> bool:
    long_lines = [line for line in lines if len(line.text) >= 15]
    return len(long_lines) >= 3 and 2 * len(long_lines) >= len(lines)


def _beside(left: Sequence[TextLine], right: Sequence[TextLine]) -> bool:
    """The two blocks stand side by side: their heights overlap by half of the smaller."""
    top = max(min(line.box.top for line in left), min(line.box.top for line in right))
    bottom = min(max(line.box.bottom for line in left), max(line.box.bottom for line in right))
    smaller = min(
        max(line.box.bottom for line in side) - min(line.box.top for line in side) for side in (left, right)
    )
    return bottom - top > 0.5 * smaller
