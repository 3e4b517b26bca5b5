"""What a search looks for, as words."""

from __future__ import annotations

import pytest

from foveal.video.search.wanted import Wanting, index_words


@pytest.fixture(scope="module")
def wanting() -> Wanting:
    return Wanting()


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("show me the video", set()),
        ("영상에서 보여줘", set()),
        ("a red bus", {"bus", "red"}),
        ("빨간 버스가 나오는 장면을 찾아줘", {"bus", "red"}),
        ("고양이", {"cat"}),
        ("where is the woman with an umbrella?", {"person", "umbrella"}),
        ("traffic lights", {"traffic light"}),
        ("EXIT 24", {"exit", "24"}),
        ("화산 폭발", {"volcano", "폭발"}),
        ("Mr. Dashwood's income", {"mr", "dashwood", "income"}),
    ],
)
def test_things_and_telling_words(wanting: Wanting, search: str, said: set[str]) -> None:
    assert {goal.said for goal in wanting.read(search).goals} == said


@pytest.mark.parametrize(
    ("search", "text", "holds"),
    [
        ("고양이", "A cat and two chairs.", True),
        ("고양이", "a category", False),
        ("any animals", "Two zebras on a grassland.", True),
        ("any animals", "A beagle, a dog.", True),
        ("vehicle", "Two buses.", True),
        ("vehicle", "A busy street.", False),
        ("traffic light", "Three traffic lights.", True),
        ("people", "A person wearing blue.", True),
        ("출구", "2번 출구로 나가세요", True),
        ("station", "CENTRAL STATICN", True),
        ("1,200", "price 1200", True),
        ("departure", "Departures", True),
        ("개", "A dog.", True),
        ("노란 택시", "A yellow car.", True),
    ],
)
def test_texts_that_hold_it(wanting: Wanting, search: str, text: str, holds: bool) -> None:
    assert bool(wanting.read(search).held(text)) is holds


def test_the_index_finds_what_a_search_looks_for(wanting: Wanting) -> None:
    for search, text in (
        ("고양이", "A cat."),
        ("people", "A group of three people."),
        ("출구", "2번 출구로 나가세요"),
        ("동물", "Two giraffes."),
        ("東京", "東京駅前"),
        ("Dashwood", "Mr. John Dashwood's leisure"),
    ):
        assert set(wanting.read(search).index_keys()) & set(index_words(text)), search


def test_words_of_the_index_are_normalised() -> None:
    words = list(index_words("The DOGS saw the dog's 3,000 balls; 출구로 개"))
    assert words == ["the", "dog", "saw", "3000", "ball", "출구", "구로", "개"]


def test_endless_searches_are_read_up_to_a_bound(wanting: Wanting) -> None:
    assert len(wanting.read("bus " + "abc1 " * 100_000 + "giraffe").goals) < 300
