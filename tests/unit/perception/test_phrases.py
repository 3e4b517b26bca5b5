"""Words to phrases, and loops of a net cut."""

from __future__ import annotations

import pytest

from foveal.perception.phrases import Heard, segments_of, with_punctuation, without_loops


def said(text: str, *, pace: float = 0.3, start: float = 0.0) -> list[Heard]:
    """Words one after the other; `|` is a pause of a second."""
    words: list[Heard] = []
    for word in text.split():
        if word == "|":
            start += 1.0
            continue
        words.append(Heard(f" {word}", start, start + pace, 0.9))
        start += pace
    return words


def texts(words: list[Heard]) -> list[str]:
    return [segment.text for segment in segments_of(words, "en")]


def test_sentences_and_pauses_part_what_is_said() -> None:
    assert texts(said("He came. She left")) == ["He came.", "She left"]
    assert texts(said("first this | then that")) == ["first this", "then that"]
    assert texts(said('"Really?" he said')) == ['"Really?"', "he said"]


def test_a_short_form_ends_no_sentence() -> None:
    assert texts(said("And Mr. Dashwood had leisure")) == ["And Mr. Dashwood had leisure"]
    assert texts(said("It was Mr. | Dashwood")) == ["It was Mr.", "Dashwood"]


def test_without_any_mark_a_segment_does_not_grow_for_ever() -> None:
    long = segments_of(said("and so on " * 100), "en")
    assert all(segment.end - segment.start <= 20.5 for segment in long)
    assert " ".join(segment.text for segment in long) == ("and so on " * 100).strip()


def test_times_words_and_confidence() -> None:
    [segment] = segments_of([Heard(" Good", 1.0, 1.5, 1.0), Heard(" day", 1.6, 2.0, 0.25)], "en")
    assert (segment.start, segment.end, segment.text, segment.language) == (1.0, 2.0, "Good day", "en")
    assert segment.confidence == pytest.approx(0.5)
    assert [(word.text, word.start) for word in segment.words] == [("Good", 1.0), ("day", 1.6)]


def test_writing_without_blanks_stays_without() -> None:
    words = [Heard(letter, place * 0.2, place * 0.2 + 0.2, 0.9) for place, letter in enumerate("猫がいます")]
    [segment] = segments_of(words, "ja")
    assert segment.text == "猫がいます"


def test_marks_go_to_the_word_before() -> None:
    words = [Heard(" Yes", 0, 1, 0.9), Heard(",", 1, 1, 0.1), Heard(" no", 1, 2, 0.9), Heard(".", 2, 3, 0.1)]
    assert [(word.text, word.end) for word in with_punctuation(words)] == [(" Yes,", 1), (" no.", 2)]
    words = [
        Heard(" ill", 0, 1, 0.9),
        Heard("-disposed", 1, 2, 0.8),
        Heard(" it", 2, 3, 0.9),
        Heard("'s", 3, 4, 0.9),
    ]
    assert [(word.text, word.end) for word in with_punctuation(words)] == [(" ill-disposed", 2), (" it's", 4)]


def test_a_phrase_that_never_ends_is_left_once() -> None:
    loop = said("so " + "I am going to the shop. " * 12 + "Goodbye")
    assert "".join(word.text for word in without_loops(loop)) == " so I am going to the shop. Goodbye"
    assert len(without_loops(said("you " * 200))) == 1


def test_an_announcement_is_no_loop() -> None:
    words = said("Mind the gap, please. | " * 4)
    assert without_loops(words) == words


def test_what_people_repeat_stays() -> None:
    for text in ("no, no, no, no", "very very very good", "he came and he came and he saw", "ha ha ha ha ha"):
        words = said(text)
        assert without_loops(words) == words
