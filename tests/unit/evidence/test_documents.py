"""Questions about pictures whose text was read closely: hand-made pages, and the words of the answers."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.evidence import GivenFacts, Says, answer, facts, line, picture, seen

from foveal.engines.base import ImagePart, ReadText, ResponseFormat, TextPart, Turn
from foveal.engines.evidence.engine import EvidenceEngine
from foveal.perception.base import TextLine
from foveal.perception.facts import Facts

TABLE = tomllib.loads((Path(__file__).parent / "documents.toml").read_text(encoding="utf-8"))


def page(*rows: str, apart: float = 0.3) -> tuple[TextLine, ...]:
    """A row a line of text, " | " between its cells, which begin `apart` from one another."""
    found: list[TextLine] = []
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells.split(" | ")):
            left, top = 0.02 + apart * column, 0.05 * row
            if text:
                found.append(line(text, (left, top, left + 0.01 * len(text), top + 0.03)))
    return tuple(found)  # fmt: skip


RECEIPT = page(
    "OAK BAKERY",
    "Tel: 555-0132",
    "Date: 2024-03-09 | Cashier: Nora",
    "Latte | 1 | 4.20",
    "Bagel | 3 | 7.50",
    "Lemon Tart | 1 | 5.70",
    "TOTAL |  | $17.40",
)
SALES = page(
    "Sales by city",
    "City | Q1 | Q2 | Q3",
    "Seoul | 120 | 135 | 150",
    "Busan | 90 | 87 | 95",
    "Daegu | 45 | 52 | 41",
    apart=0.2,
)
NOTICE = page(
    "한밭도서관 이용안내",
    "운영시간 | 09:00 - 18:00",
    "휴관일 | 매주 월요일",
    "대출 | 5권",
    "전화 | 042-123-4567",
)
RULES = page(
    "Rules of the pool",
    "Children under 10 must come with an adult.",
    "The sauna is on the second floor.",
    "Ask Ms Lindqvist for a locker key.",
)


def asked(question: str, lines: Sequence[TextLine]) -> Turn:
    return Turn("user", (TextPart(question), ImagePart(picture(), ReadText(tuple(lines), "unused"))))


async def told(
    question: str, lines: Sequence[TextLine], says: Says | None = None, shown: Facts | None = None
) -> str:
    engine = EvidenceEngine(
        GivenFacts({"a": shown or facts()}), says or Says("I can't tell that from the picture.")
    )
    return await answer(engine, asked(question, lines))


@pytest.mark.parametrize(("question", "expected"), TABLE["receipt"])
async def test_a_receipt(question: str, expected: str) -> None:
    assert await told(question, RECEIPT) == expected


@pytest.mark.parametrize(("question", "expected"), TABLE["table"])
async def test_a_table(question: str, expected: str) -> None:
    assert await told(question, SALES) == expected


@pytest.mark.parametrize(("question", "expected"), TABLE["notice"])
async def test_a_korean_notice(question: str, expected: str) -> None:
    assert await told(question, NOTICE) == expected


async def test_rules_need_no_language_model() -> None:
    quiet = Says()
    await told("What is the total?", RECEIPT, quiet)
    assert quiet.requests == []


async def test_the_text_read_closely_stands_for_the_view_and_is_not_read_again() -> None:
    finder = GivenFacts(
        {"a": facts([seen("cat", (0.1, 0.1, 0.5, 0.5))], lines=[line("BLUR", (0, 0, 0.1, 0.1))])}
    )
    engine = EvidenceEngine(finder, Says())
    assert "BLUR" not in await answer(engine, asked("What does it say?", RECEIPT))
    assert (await answer(engine, asked("Is there a cat?", RECEIPT))).startswith("Yes, there is a cat")
    assert finder.asked == ["a without text", "a without text"]


async def test_what_is_seen_is_answered_from_what_is_seen() -> None:
    shown = facts([seen("person", (0.1, 0.1, 0.4, 0.9))])
    assert (
        await told("How many people are there?", RECEIPT, shown=shown)
        == "There is one person in the picture."
    )
    assert await told("Is there a dog?", page("Dogs stay outside"), shown=shown) == (
        "No, I don't see any dogs in the picture."
    )


async def test_open_questions_go_to_the_language_model_with_the_lines_that_matter() -> None:
    says = Says("Ask Ms Lindqvist for a locker key.")
    assert await told("How do I get a locker key?", RULES, says) == "Ask Ms Lindqvist for a locker key."
    assert "Ask Ms Lindqvist for a locker key.\nQuestion: How do I get a locker key?" in (
        says.requests[0].messages[-1].text
    )


@pytest.mark.parametrize(
    "invented",
    [
        "Ask Ms Sandberg for a locker key.",
        "A locker key costs 20 euros.",
        "Lockers are rented beside the ticket machine downstairs.",
    ],
)
async def test_what_the_text_does_not_bear_out_is_not_said(invented: str) -> None:
    said = await told("How do I get a locker key?", RULES, Says(invented))
    assert said == "The text says: “Ask Ms Lindqvist for a locker key.”"


async def test_an_answer_in_korean_is_a_quotation() -> None:
    lines = page("점검 안내", "점검 중에는 계단을 이용해 주세요.")
    says = Says("계단을 이용해 주세요")
    assert (
        await told("점검 때는 어떻게 다니나요?", lines, says) == "“계단을 이용해 주세요”라고 적혀 있습니다."
    )
    other = await told("점검 때는 어떻게 다니나요?", lines, Says("엘리베이터를 타세요"))
    assert "엘리베이터" not in other


async def test_json_gets_the_text_fenced() -> None:
    says = Says('{"total": 17.4}')
    engine = EvidenceEngine(GivenFacts({"a": facts()}), says)
    await answer(engine, asked("Give me the total.", RECEIPT), response_format=ResponseFormat("json_object"))
    shown = "\n".join(message.text for message in says.requests[-1].messages)
    assert '<picture_text picture="1">' in shown
    assert "TOTAL | $17.40" in shown


async def test_several_pictures_are_told_apart() -> None:
    finder = GivenFacts({"a": facts(), "b": facts()})
    first, second = (
        ImagePart(picture(name), ReadText(lines, "")) for name, lines in (("a", RECEIPT), ("b", SALES))
    )
    turn = Turn("user", (TextPart("What is the total?"), first, second))
    said = await answer(EvidenceEngine(finder, Says()), turn)
    assert said.startswith("Image 1: The text gives $17.40 for “TOTAL”.")
    assert "Image 2: I can't tell" in said
