"""The text of one picture for a prompt: rows, blocks, and what stays when there is more than fits."""

from __future__ import annotations

import math

import pytest
from tests.support.evidence import line

from foveal.engines.terms import load_words
from foveal.enhancements.ocr import prompt_text, read_text
from foveal.perception.base import Point, TextLine, TextWord

WORDS = load_words()


def count(text: str) -> int:
    """About what cl100k counts, and never less than a word or a mark."""
    return math.ceil(len(text) / 3)


def shown(lines: list[TextLine], question: str = "", budget: int = 3000) -> str:
    return prompt_text(lines, question, budget=budget, count=count, words=WORDS)


def table(*rows: list[str], top: float = 0.1, step: float = 0.05) -> list[TextLine]:
    """Rows of cells, a quarter of the picture apart."""
    found: list[TextLine] = []
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            left, upper = 0.05 + 0.25 * column, top + step * row
            if text:
                found.append(line(text, (left, upper, left + 0.012 * len(text), upper + 0.03)))
    return found


RECEIPT = [
    line("CORNER CAFE", (0.2, 0.02, 0.7, 0.07)),
    *table(["Coffee", "2", "7.00"], ["Cheesecake", "1", "4.50"], ["TOTAL", "", "11.50"], top=0.2),
]


def moved(lines: list[TextLine], place: object) -> list[TextLine]:
    assert callable(place)

    def corner(point: Point) -> Point:
        x, y = place(*point)
        return x, y

    return [
        TextLine(one.text, one.confidence, (corner(a), corner(b), corner(c), corner(d)), one.language)
        for one in lines
        for a, b, c, d in [one.polygon]
    ]


LEVEL = "CORNER CAFE\n\nCoffee | 2 | 7.00\nCheesecake | 1 | 4.50\nTOTAL | 11.50"


@pytest.mark.parametrize(
    "place",
    [
        lambda x, y: (x, y),
        lambda x, y: (1 - y, x),  # turned clockwise
        lambda x, y: (y, 1 - x),  # and the other way
        lambda x, y: (1 - x, 1 - y),  # on its head
        lambda x, y: (0.8 * x - 0.1 * y + 0.1, 0.8 * y + 0.12 * x),  # tilted
        lambda x, y: ((0.1 + 0.7 * x) / (1 + 0.5 * x), (0.05 + 0.8 * y) / (1 + 0.5 * x)),  # from the side
        lambda x, y: (x, y + 0.05 * x * (1 - 2 * y)),  # rows that draw together to the right
    ],
)
def test_rows_keep_their_cells_however_the_page_lies(place: object) -> None:
    assert shown(moved(RECEIPT, place)) == LEVEL


def test_words_that_stand_apart_in_one_line_are_cells() -> None:
    text = "Tea 3.20"
    far = (
        TextWord("Tea", 0.9, ((0.1, 0.1), (0.16, 0.1), (0.16, 0.13), (0.1, 0.13))),
        TextWord("3.20", 0.9, ((0.7, 0.1), (0.78, 0.1), (0.78, 0.13), (0.7, 0.13))),
    )
    whole = TextLine(text, 0.9, ((0.1, 0.1), (0.78, 0.1), (0.78, 0.13), (0.1, 0.13)), "en", far)
    assert shown([whole]) == "Tea | 3.20"
    assert shown([line(text, (0.1, 0.1, 0.2, 0.13))]) == "Tea 3.20"


def test_columns_of_running_text_follow_one_another() -> None:
    left = [line(f"left column line {n}", (0.05, 0.2 + 0.05 * n, 0.45, 0.23 + 0.05 * n)) for n in range(4)]
    right = [line(f"right column line {n}", (0.55, 0.21 + 0.05 * n, 0.95, 0.24 + 0.05 * n)) for n in range(4)]
    title = line("A title over both of the columns", (0.05, 0.05, 0.95, 0.1))
    rows = shown([title, *left, *right]).split("\n")
    assert [row for row in rows if row] == [one.text for one in (title, *left, *right)]


def long_page() -> list[TextLine]:
    lines = [line("Annual report of the Harbour Company", (0.05, 0.0, 0.9, 0.004))]
    for row in range(300):
        top = 0.01 + 0.003 * row
        cells = [f"Warehouse {row}", f"{row * 7}", f"{row * 11}.50"]
        if row == 0:
            cells = ["Site", "Tonnes", "Income"]
        lines += [
            line(text, (0.05 + 0.3 * n, top, 0.05 + 0.3 * n + 0.01 * len(text), top + 0.002))
            for n, text in enumerate(cells)
        ]
    return lines


def test_what_is_asked_for_stays_with_its_header_and_its_neighbours() -> None:
    text = shown(long_page(), "What was the income of warehouse 217?", budget=60)
    assert count(text) <= 60
    rows = text.split("\n")
    assert "Warehouse 217 | 1519 | 2387.50" in rows
    assert "Site | Tonnes | Income" in rows
    assert rows[0].startswith("Annual report")
    assert "[…]" in rows
    assert rows.index("Site | Tonnes | Income") < rows.index("Warehouse 217 | 1519 | 2387.50")


@pytest.mark.parametrize("budget", [0, 1, 2, 5, 17, 40, 100, 1000, 5000])
def test_the_budget_is_never_exceeded(budget: int) -> None:
    for question in ("", "warehouse", "warehouses 3, 90 and 217"):
        assert count(shown(long_page(), question, budget)) <= budget


def test_a_line_longer_than_the_budget_is_cut() -> None:
    endless = line("word " * 400, (0.0, 0.1, 1.0, 0.12))
    text = shown([endless], "word", budget=20)
    assert text.startswith("word word")
    assert text.endswith("[…]")
    assert count(text) <= 20


def test_without_a_question_the_page_begins_at_its_beginning() -> None:
    assert shown(long_page(), "", budget=40).startswith(
        "Annual report of the Harbour Company\n\nSite | Tonnes"
    )


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What is the total?", "합계 | 23,000원"),
        ("아메리카노는 얼마인가요?", "아메리카노 | 4,500원"),
        ("전화번호가 뭐예요?", "TEL 02-123-4567"),
        ("How much is the latte?", "카페라떼 | 5,000원"),
        ("営業時間は何時ですか", "영업시간 | 09:00-21:00"),
        ("What is the gross weight?", "Gr0ss weight | 20 kg"),  # a slip of the reader
    ],
)
def test_questions_find_lines_in_other_words_and_languages(question: str, wanted: str) -> None:
    filler = [f"filler text number {n}x" for n in range(40)]
    rows = [row.split(" | ") for row in (
        "아메리카노 | 4,500원", "카페라떼 | 5,000원", "합계 | 23,000원", "TEL 02-123-4567",
        "영업시간 | 09:00-21:00", "Gr0ss weight | 20 kg",
    )]  # fmt: skip
    page = table(*[[one] for one in filler], *rows, top=0.0, step=0.02)
    assert wanted in shown(page, question, budget=45).split("\n")


def test_the_lines_go_along() -> None:
    found = read_text(RECEIPT, "total?", count=count, words=WORDS)
    assert found.lines == tuple(RECEIPT)
    assert found.text == LEVEL


def test_nothing_was_read() -> None:
    assert read_text([], "total?", count=count).text == ""
