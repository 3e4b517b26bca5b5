"""No text makes grounding raise, lose the invariant, or overlap its spans."""

from __future__ import annotations

import random
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.evidence import line, seen

from foveal.enhancements.grounding import Grounder, load_grounder
from foveal.enhancements.spans import Findings
from foveal.perception.base import Box, Face

TELLING = (
    "a the two no not dog dogs person's man woman in red suit on left right of and , . ? ! : “ ” \" ' ‘ ’ ` "
    "\n - * of group cup coffee face faces without don't reads: text says İstanbul ẞ ﬁ ㎏ ① e\u0301 😀 "
    "👩\u200d🚀 كلب \u202e 사람 두 명 개가 고양이는 않습니다 왼쪽에 빨간 자동차 EXIT exit No Parking first "
    "second other another it is like"
)
WORDS = TELLING.split(" ")


@cache
def grounder() -> Grounder:
    return load_grounder()


def _findings() -> Findings:
    pick = random.Random(7)
    objects = tuple(
        seen(
            pick.choice(["person", "dog", "cat", "car", "cup"]),
            (x := pick.random() * 0.8, y := pick.random() * 0.8, x + 0.15, y + 0.15),
            pick.choice(["red", "blue"]),
            pick.random(),
            "green",
        )
        for _ in range(40)
    )
    lines = tuple(
        line(text, (0.1, 0.1, 0.3, 0.2)) for text in ("EXIT", "No Parking", "ﬁn", "①②③", "사람", "a")
    )
    return Findings(objects, (Face(0.9, Box(0.1, 0.1, 0.2, 0.2)),) * 2, lines)


FINDINGS = _findings()


def check(text: str) -> None:
    grounded = grounder().ground(text, FINDINGS)
    assert grounded.text == text
    past = 0
    for span in grounded.spans:
        assert span.offset >= past
        assert span.length > 0
        past = span.offset + span.length
        assert text[span.offset : past].lower() == span.text
        assert all(0.0 <= value <= 1.0 for point in span.polygon for value in point)


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    check(text)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(WORDS), max_size=60), st.sampled_from(["", " "]))
def test_any_order_of_telling_words(words: list[str], between: str) -> None:
    check(between.join(words))


def test_long_and_strange_answers() -> None:
    for piece in (
        "dog ",
        '"a" ',
        "“‘「\"'",
        "it's 'a' ",
        "a\n",
        "reads: ",
        "on the left ",
        "a dog on the left, ",
        "no dog or cat, ",
        "😀🐶\u200d🦺",
        "e\u0301\u0302",
        "a group of ",
        "red and ",
        "dog-",
        "the man's ",
        "a man in a ",
        "İ",
        "사람 두 명과 ",
        "개와 ",
        "1명 ",
    ):
        check(piece * (20_000 // len(piece)))


def test_the_same_answer_gives_the_same_spans() -> None:
    text = "A man in red, two dogs on the left and a cat. The man holds a cup; it reads “EXIT”."
    first = grounder().ground(text, FINDINGS)
    assert first == grounder().ground(text, FINDINGS) == load_grounder().ground(text, FINDINGS)
    assert first.spans
