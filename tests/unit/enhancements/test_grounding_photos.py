"""The judged set: forty-one photos, what was found in them, answers, and which boxes their phrases are."""

from __future__ import annotations

import pytest
from tests.support.grounding import Case, Score, cases, score

from foveal.enhancements.grounding import Grounder, load_grounder

CASES = list(cases())


@pytest.fixture(scope="module")
def grounder() -> Grounder:
    return load_grounder()


def total(grounder: Grounder, chosen: list[Case]) -> Score:
    scores = [score(case, grounder.ground(case.text, case.findings)) for case in chosen]
    return sum(scores, Score(0, 0, 0, 0))


def test_the_set_is_whole() -> None:
    assert len({case.picture for case in CASES}) >= 40
    assert len({case.picture for case in CASES if case.round > 1}) >= 20
    assert sum(case.by == "evidence" for case in CASES) >= 15
    for case in CASES:
        assert all(case.text[one.offset : one.end] == one.phrase for one in case.wanted)


@pytest.mark.parametrize("by", ["gpt", "evidence", "gpt evidence"])
def test_spans_are_right_and_few_are_missed(grounder: Grounder, by: str) -> None:
    result = total(grounder, [case for case in CASES if case.by in by])
    assert result.precision >= 0.9, result.wrong
    assert result.recall >= 0.7, result.missed


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_round_of_photos(grounder: Grounder, number: int) -> None:
    result = total(grounder, [case for case in CASES if case.round == number])
    assert result.precision >= 0.9, result.wrong
    assert result.recall >= 0.7, result.missed


def test_every_span_holds_the_invariant(grounder: Grounder) -> None:
    for case in CASES:
        for span in grounder.ground(case.text, case.findings).spans:
            assert case.text[span.offset : span.offset + span.length].lower() == span.text
