"""Text without nets: boxes from a map, straightening, words, order, language."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from foveal.perception.base import TextLine
from foveal.perception.korean import pieces
from foveal.perception.reading import by_script, in_reading_order, language_of
from foveal.perception.textboxes import Cutter, boxes_of, clockwise, sides


def line(text: str, left: float, top: float, right: float, bottom: float) -> TextLine:
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return TextLine(text, 0.99, corners, language_of(text))


def texts(lines: list[TextLine]) -> list[str]:
    return [one.text for one in in_reading_order(lines)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Exit 24", "en"),
        ("출구 Exit", "ko"),
        ("出口", "zh"),
        ("出口はこちら", "ja"),
        ("カメラ", "ja"),
        ("9:00-18:00", "en"),
    ],
)
def test_language_by_script(text: str, language: str) -> None:
    assert language_of(text) == language


def test_han_beside_kana_is_japanese() -> None:
    lines = [line("ありがとう", 0, 0, 1, 0.1), line("立入禁止", 0, 0.2, 1, 0.3), line("Exit", 0, 0.4, 1, 0.5)]
    assert [one.language for one in by_script(lines)] == ["ja", "ja", "en"]
    assert [one.language for one in by_script(lines[1:])] == ["zh", "en"]


def test_rows_then_columns_of_a_receipt() -> None:
    lines = [
        line("5.00", 0.8, 0.21, 0.9, 0.25),
        line("Tea", 0.1, 0.1, 0.2, 0.14),
        line("Cake", 0.1, 0.2, 0.25, 0.24),
        line("3.00", 0.8, 0.1, 0.9, 0.15),
    ]
    assert texts(lines) == ["Tea", "3.00", "Cake", "5.00"]


def test_two_columns_of_running_text_are_read_one_after_the_other() -> None:
    left = [line(f"left column line {row}", 0.05, 0.1 * row, 0.45, 0.1 * row + 0.05) for row in range(1, 5)]
    right = [line(f"right column line {row}", 0.55, 0.1 * row, 0.95, 0.1 * row + 0.05) for row in range(1, 5)]
    mixed = [one for pair in zip(right, left, strict=True) for one in pair]
    assert texts(mixed) == [one.text for one in left + right]


def test_boxes_grow_from_the_core_to_the_print() -> None:
    heat = np.zeros((64, 128), dtype=np.float32)
    heat[28:36, 20:100] = 0.9
    [found] = boxes_of(heat, 1.0, 128, 64)
    across, down = sides(found.quad)
    assert across > 80
    assert 14 < down < 26
    assert found.score > 0.7
    assert boxes_of(heat * 0.4, 1.0, 128, 64) == [], "a faint core is no text"
    [doubled] = boxes_of(heat, 2.0, 64, 32)
    assert doubled.quad == pytest.approx(found.quad / 2, abs=0.6)


def test_corners_are_clockwise_from_the_top_left() -> None:
    shuffled = np.array([[10, 5], [0, 0], [0, 5], [10, 0]], dtype=np.float32)
    assert clockwise(shuffled).tolist() == [[0, 0], [10, 0], [10, 5], [0, 5]]


def test_a_tall_line_is_turned_to_lie() -> None:
    pixels = np.zeros((100, 40, 3), dtype=np.uint8)
    pixels[10:20, 10:30] = 255  # the top of the column
    quad = np.array([[10, 10], [30, 10], [30, 90], [10, 90]], dtype=np.float32)
    straight, order = Cutter(pixels).cut(quad)
    assert straight.shape[0] == 20
    assert straight.shape[1] == 80
    assert straight[10, 3].mean() > 200, "text that runs down starts at the left"
    assert order[0].tolist() == [30, 10]


def test_words_are_parted_by_blank_columns() -> None:
    cut = np.full((40, 300, 3), 255, dtype=np.uint8)
    for word, left in (("one", 10), ("two", 110), ("six", 210)):
        cv2.putText(cut, word, (left, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2)
    spans = pieces(cut, 0.5)
    assert len(spans) == 3
    assert [round(start * 300) // 100 for start, _ in spans] == [0, 1, 2]
    assert pieces(np.full((40, 300, 3), 200, dtype=np.uint8)) in ([], [(0.0, 1.0)])


def test_a_tilted_page_is_read_line_by_line() -> None:
    """Lines that rise to the right, so that the start of one lies below the end of the next."""
    page = [
        TextLine(
            f"line {row}",
            0.99,
            ((x, y), (r, y - 0.28 * (r - x)), (r, y - 0.28 * (r - x) + 0.05), (x, y + 0.05)),
        )
        for row, (x, y, r) in enumerate(
            [(0.01, 0.22, 0.6), (0.1, 0.26, 0.95), (0.02, 0.34, 0.93), (0.02, 0.4, 0.5)]
        )
    ]
    assert texts([page[2], page[1], page[3], page[0]]) == ["line 0", "line 1", "line 2", "line 3"]


def test_a_title_over_two_columns_comes_first_and_a_footer_last() -> None:
    left = [line(f"left column line {row}", 0.05, 0.1 * row, 0.45, 0.1 * row + 0.05) for row in range(2, 6)]
    right = [line(f"right column line {row}", 0.55, 0.1 * row, 0.95, 0.1 * row + 0.05) for row in range(2, 6)]
    title = line("A title above both columns", 0.2, 0.05, 0.8, 0.1)
    footer = line("A footer below both of the columns", 0.2, 0.9, 0.8, 0.95)
    assert texts([footer, *right, title, *left]) == [one.text for one in (title, *left, *right, footer)]


def test_columns_of_chinese_are_long_by_their_width() -> None:
    left = [line("请勿吸烟营业时间", 0.05, 0.1 * row, 0.45, 0.1 * row + 0.05) for row in range(1, 5)]
    right = [line("欢迎来到北京大学", 0.55, 0.1 * row, 0.95, 0.1 * row + 0.05) for row in range(1, 5)]
    mixed = [one for pair in zip(left, right, strict=True) for one in pair]
    assert texts(mixed) == ["请勿吸烟营业时间"] * 4 + ["欢迎来到北京大学"] * 4


def turned(one: TextLine, quarters: int) -> TextLine:
    """The page turned clockwise by quarters; the polygon still starts at the text's own top left."""
    polygon = one.polygon
    for _ in range(quarters):
        a, b, c, d = ((1 - y, x) for x, y in polygon)
        polygon = (a, b, c, d)
    return TextLine(one.text, one.confidence, polygon)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_is_read_as_if_it_stood_upright(quarters: int) -> None:
    page = [
        line("Tea, green, one pot", 0.1, 0.1, 0.6, 0.14),
        line("3.00", 0.8, 0.1, 0.9, 0.14),
        line("Cake with apples", 0.1, 0.2, 0.55, 0.24),
        line("5.00", 0.8, 0.2, 0.9, 0.24),
    ]
    assert texts([turned(one, quarters) for one in reversed(page)]) == [one.text for one in page]


def test_rows_of_a_leaning_receipt_meet_at_their_own_slopes() -> None:
    """Seen from one side: the upper rows fall to the right, the lower ones rise."""
    rows = []
    for row in range(6):
        y, fall = 0.1 + 0.14 * row, 0.1 - 0.04 * row

        def at(x: float, y: float = y, fall: float = fall) -> float:
            return y + fall * x

        for text, left, right in ((f"item number {row}", 0.05, 0.45), (f"{row}.00", 0.8, 0.95)):
            corners = (
                (left, at(left)),
                (right, at(right)),
                (right, at(right) + 0.05),
                (left, at(left) + 0.05),
            )
            rows.append(TextLine(text, 0.9, corners))
    assert texts(rows[::-1]) == [one.text for one in rows]


def test_the_shape_of_the_picture_counts() -> None:
    """On a wide strip the same relative slope is a gentler one."""
    rows = [
        TextLine(str(row), 0.9, ((x, y), (x + 0.3, y + 0.12), (x + 0.3, y + 0.22), (x, y + 0.1)))
        for row, (x, y) in enumerate([(0.1, 0.1), (0.5, 0.26), (0.1, 0.3), (0.5, 0.46)])
    ]
    assert [one.text for one in in_reading_order(rows[::-1], aspect=4.0)] == ["0", "1", "2", "3"]
