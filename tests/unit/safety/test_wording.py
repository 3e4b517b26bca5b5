"""How the text judge reads: what is normalised, what counts as a disguise, and the size of what is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.safety.wording import PAGE_LETTERS, WINDOW_LETTERS, pages, tidy, undisguised


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ＨＥＬＬＯ　ｗｏｒｌｄ", "hello world"),
        ("he\u200bl\u2060lo\ufeff", "hello"),
        ("  Two\t words \n\n next  line ", "two words\nnext line"),
        ("sooooooo good", "sooo good"),
        ("100000 won", "100000 won"),
        ("안녕\u3164하세요", "안녕하세요"),
        ("좋아ㅋㅋ", "좋아ㅋㅋ"),  # the letters that are typed, not the parts of syllables
    ],
)
def test_texts_are_tidied(text: str, plain: str) -> None:
    assert tidy(text) == plain


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("they h a t e you", "they hate you"),
        ("h.a.t.e", "hate"),
        ("h4t3 th3m", "hate them"),
        ("fuuuck", "fuck"),
        ("hаte", "hate"),  # a Cyrillic а
        ("háte", "hate"),
        ("바 보 야", "바보야"),
        ("바1보", "바보"),
    ],
)
def test_disguises_are_taken_off(disguised: str, plain: str) -> None:
    assert undisguised(tidy(disguised)) == plain


@pytest.mark.parametrize(
    "text",
    [
        "the 2nd mp3 of h264",
        "a b",
        "it's e.g. fine",
        "call 555-1234",
        "이 책은 그 집에 있다",
        "mid-19th-century",
        "5kg",
    ],
)
def test_plain_writing_is_no_disguise(text: str) -> None:
    assert undisguised(text) is None


@given(st.text(max_size=3_000))
def test_no_window_is_larger_than_it_may_be(text: str) -> None:
    for page in pages(tidy(text)):
        assert all(0 < len(window) <= WINDOW_LETTERS for window in page)
        assert sum(map(len, page)) <= PAGE_LETTERS


@given(st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=1, max_size=900))
def test_every_word_is_in_a_window(words: list[str]) -> None:
    read = {word for page in pages(" ".join(words)) for window in page for word in window.split()}
    assert read >= set(words)
