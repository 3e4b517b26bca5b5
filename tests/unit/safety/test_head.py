"""The head of the text judge: its file, what it makes of letters, and its thresholds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.safety.base import CATEGORIES, Severity
from foveal.safety.head import JAILBREAK, Rows, buckets, load_head

SIZE = 4_096
words = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=40)


@given(st.lists(words, max_size=6))
def test_texts_are_hashed_together_as_they_are_alone(texts: list[str]) -> None:
    together = buckets(texts, SIZE)
    assert len(together) == len(texts)
    for text, found in zip(texts, together, strict=True):
        assert found.tolist() == buckets([text], SIZE)[0].tolist()
        assert sorted(set(found.tolist())) == found.tolist()
        assert all(0 <= place < SIZE for place in found.tolist())


def test_texts_that_share_letters_share_places() -> None:
    first, second, other = (
        set(found.tolist()) for found in buckets(["i hate it", "we hate it", "좋은 날"], SIZE)
    )
    assert len(first & second) > len(first) / 2
    assert len(first & other) < len(first) / 10


def test_the_head_answers_each_category_and_grade_and_attacks() -> None:
    head = load_head()
    grades = [f"{category}>={level.word}" for category in CATEGORIES for level in list(Severity)[1:]]
    assert list(head.questions) == [*grades, JAILBREAK]
    assert head.thresholds.shape == (2, len(head.questions))
    assert np.isfinite(head.thresholds).all()


@pytest.mark.parametrize(("text", "row"), [("hello there", 0), ("안녕 there", 1), ("", 0)])
def test_a_text_with_korean_letters_has_thresholds_of_its_own(text: str, row: int) -> None:
    head = load_head()
    rows = Rows([0], [text], [True], np.zeros((1, head.hidden.shape[0]), dtype=np.float32))
    higher = replace(head, thresholds=head.thresholds + np.array([[1.0], [2.0]], dtype=np.float32))
    moved = head.margins(rows) - higher.margins(rows)
    assert moved == pytest.approx(np.full((1, len(head.questions)), row + 1.0), abs=1e-4)
