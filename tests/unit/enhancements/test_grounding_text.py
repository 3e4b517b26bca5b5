"""Quoted text of the picture becomes spans of the lines that were read."""

from __future__ import annotations

import pytest
from tests.support.evidence import line, seen

from foveal.enhancements.grounding import Grounder, load_grounder
from foveal.enhancements.spans import Findings, Span
from foveal.perception.base import TextLine

SIGN = (
    line("NO PARKING", (0.1, 0.1, 0.4, 0.2)),
    line("Mon - Fri 8:00 - 18:00", (0.1, 0.25, 0.6, 0.3)),
    line("Call 555-0123 now", (0.1, 0.35, 0.6, 0.4)),
    line("도서관 이용 안내", (0.1, 0.5, 0.6, 0.6), language="ko"),
    line("휴관일: 매주 월요일", (0.1, 0.7, 0.6, 0.8), language="ko"),
)


@pytest.fixture(scope="module")
def grounder() -> Grounder:
    return load_grounder()


def found(grounder: Grounder, text: str, lines: tuple[TextLine, ...] = SIGN) -> list[tuple[str, str]]:
    """Each span's text and the line whose polygon it has."""
    spans = grounder.ground(text, Findings(lines=lines)).spans
    assert all(text[span.offset : span.offset + span.length].lower() == span.text for span in spans)
    return [(span.text, _line_of(span, lines)) for span in spans]


def _line_of(span: Span, lines: tuple[TextLine, ...]) -> str:
    return next(one.text for one in lines if one.polygon == span.polygon)


@pytest.mark.parametrize(
    "text",
    [
        "The sign says “No Parking”.",
        'The sign says "NO  PARKING".',
        "The sign says 'no parking'.",
        "The sign says ‘No parking’!",
        "표지판에 「NO PARKING」이라고 쓰여 있습니다.",
        "표지판에는 『No Parking』",
        "It reads `NO PARKING`.",
        "«No parking»",
        "The text reads: NO PARKING",
        "The text reads: NO PARKING / Something else",
        "Text:\n- NO PARKING\n",
        "NO PARKING",
        "The sign says “NO PARKlNG”.",  # a slip
    ],
)
def test_a_line_is_found_however_it_is_quoted(grounder: Grounder, text: str) -> None:
    assert [name for _, name in found(grounder, text)] == ["NO PARKING"]


@pytest.mark.parametrize(
    "text",
    [
        "There is no parking here.",
        "The sign says “Yes”.",
        "The sign says “Non-smoking area”.",
        "It's Peter's dog's.",
        '"""""',
        "The text reads:",
        "“ ” ‘ ’ “",
    ],
)
def test_what_is_no_quotation_gets_no_span(grounder: Grounder, text: str) -> None:
    assert found(grounder, text) == []


def test_one_quotation_of_several_lines_has_a_span_for_each(grounder: Grounder) -> None:
    text = 'It says "No parking, Mon-Fri 8:00-18:00, call 555-0123 now".'
    assert found(grounder, text) == [
        ("no parking", "NO PARKING"),
        ("mon-fri 8:00-18:00", "Mon - Fri 8:00 - 18:00"),
        ("call 555-0123 now", "Call 555-0123 now"),
    ]


def test_part_of_a_long_line_is_its_line(grounder: Grounder) -> None:
    assert found(grounder, "Open “Mon - Fri” only.") == [("mon - fri", "Mon - Fri 8:00 - 18:00")]


def test_lines_that_follow_each_other_in_korean(grounder: Grounder) -> None:
    text = "다음과 같이 쓰여 있습니다:\n도서관 이용안내\n휴관일: 매주 월요일"
    assert [name for _, name in found(grounder, text)] == ["도서관 이용 안내", "휴관일: 매주 월요일"]


def test_a_number_is_found_without_marks(grounder: Grounder) -> None:
    lines = (line("212-645-2150", (0.1, 0.1, 0.3, 0.2)),)
    assert found(grounder, "Their phone number is 212-645-2150.", lines) == [("212-645-2150", "212-645-2150")]
    assert found(grounder, "It is 9212-645-21507.", lines) == []


def test_equal_lines_are_taken_in_turn(grounder: Grounder) -> None:
    lines = (line("EXIT", (0.1, 0.1, 0.2, 0.2)), line("EXIT", (0.7, 0.1, 0.8, 0.2)))
    spans = grounder.ground('Two signs say "EXIT" and "EXIT".', Findings(lines=lines)).spans
    assert [span.polygon[0][0] for span in spans] == [0.1, 0.7]


def test_a_rotated_line_keeps_its_polygon(grounder: Grounder) -> None:
    polygon = ((0.3, 0.1), (0.6, 0.3), (0.55, 0.4), (0.25, 0.2))
    tilted = TextLine("SALE", 0.9, polygon)
    assert grounder.ground("It says “Sale”.", Findings(lines=(tilted,))).spans[0].polygon == polygon


def test_quoted_words_are_text_and_name_no_thing(grounder: Grounder) -> None:
    findings = Findings(
        (seen("dog", (0.5, 0.5, 0.9, 0.9)),), (), (line("BEWARE OF DOG", (0.1, 0.1, 0.3, 0.2)),)
    )
    text = "A sign with “Beware of Dog” hangs above a dog. Another reads “no dog”."
    spans = grounder.ground(text, findings).spans
    assert [span.text for span in spans] == ["beware of dog", "a dog"]


def test_an_answer_within_quotation_marks_is_still_an_answer(grounder: Grounder) -> None:
    findings = Findings((seen("dog", (0.5, 0.5, 0.9, 0.9)),))
    assert [span.text for span in grounder.ground('"A dog sits on the grass."', findings).spans] == ["a dog"]
