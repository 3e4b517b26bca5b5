"""Captions and tags: what they say of given facts, and how sure they are."""

from __future__ import annotations

import pytest
from tests.support.evidence import facts, line, seen

from foveal.analysis.captions import UNSEEN, CaptionWriter
from foveal.analysis.contract import Language
from foveal.analysis.tags import tags_of
from foveal.analysis.wording import Wording, load_wording
from foveal.engines.evidence.sights import Sights
from foveal.perception.base import DetectedObject
from foveal.perception.facts import Facts

PERSON = (0.1, 0.1, 0.4, 0.95)
TABLE = seen("dining table", (0.0, 0.6, 1.0, 1.0))


@pytest.fixture(scope="module")
def wording() -> Wording:
    return load_wording()


def sights(pictured: Facts, wording: Wording) -> Sights:
    return Sights(pictured, wording.lexicon.words, wording.scenes)


def writer(pictured: Facts, wording: Wording, language: Language = "en") -> CaptionWriter:
    return CaptionWriter(sights(pictured, wording), wording, language)


@pytest.mark.parametrize(
    ("pictured", "english", "korean"),
    [
        (facts([seen("person", PERSON, worn="orange")]), "a person wearing orange", "사람 한 명"),
        (
            facts([seen("person", (n / 5, 0.2, n / 5 + 0.15, 0.9)) for n in range(4)]),
            "a group of people",
            "사람 네 명",
        ),
        (
            facts([seen("bus", (0.1, 0.2, 0.9, 0.9), "red"), seen("traffic light", (0.0, 0, 0.1, 0.2))]),
            "a red bus and a traffic light on a street",
            "거리에 있는 버스 한 대와 신호등 한 개",
        ),
        (
            facts([seen("cup", (0.3, 0.5, 0.4, 0.7)), seen("cup", (0.6, 0.5, 0.7, 0.7)), TABLE]),
            "two cups on a table",
            "컵 두 개와 식탁 한 개",
        ),
        (
            facts([seen("person", (0.4, 0.2, 0.6, 0.6)), seen("horse", (0.3, 0.4, 0.8, 0.95))]),
            "a person on a horse",
            "말 한 마리와 사람 한 명",
        ),
        (facts(tags=[("castle", 0.8)]), "a castle", "성"),
        (facts(lines=[line("STOP", (0.2, 0.2, 0.8, 0.5))]), "a close up of text", "글자가 있는 사진"),
        (
            facts(lines=[line("many words", (0.1, n / 10, 0.9, n / 10 + 0.05)) for n in range(8)]),
            "a page of text",
            "글자가 있는 사진",
        ),
        (facts([seen("dog", (0.4, 0.4, 0.5, 0.5), confidence=0.45)]), "a dog", "개 한 마리"),
        (facts(), "a picture that is mostly blue", "주로 파란색인 사진"),
    ],
)
def test_a_caption_names_what_was_found(pictured: Facts, english: str, korean: str, wording: Wording) -> None:
    assert writer(pictured, wording).whole() == english
    assert writer(pictured, wording, "ko").whole() == korean


def test_a_caption_is_as_sure_as_what_it_names(wording: Wording) -> None:
    said = writer(
        facts(
            [seen("cat", (0.1, 0.1, 0.6, 0.9), confidence=0.9), seen("couch", (0, 0.5, 1, 1), confidence=0.5)]
        ),
        wording,
    )
    assert said.confidence("a cat on a couch") == pytest.approx(0.7)
    assert said.confidence("a cat") == pytest.approx(0.9)
    assert said.confidence("a cat and a dog") == pytest.approx((0.9 + UNSEEN) / 2)
    assert said.confidence("a lovely afternoon") == UNSEEN


def test_a_colour_is_no_fruit(wording: Wording) -> None:
    said = writer(facts([seen("person", PERSON, confidence=0.8)]), wording)
    assert said.confidence("a person wearing orange") == pytest.approx(0.8)


def test_doubtful_things_count_with_their_doubt(wording: Wording) -> None:
    doubtful = [DetectedObject("dog", 0.2, facts([TABLE]).objects[0].box)]
    said = writer(facts([seen("cat", PERSON, confidence=0.8)], doubtful=doubtful), wording)
    assert said.confidence("a cat and a dog") == pytest.approx(0.5)


def test_regions_are_phrases_about_things_and_groups(wording: Wording) -> None:
    pictured = facts(
        [
            seen("person", PERSON, worn="red"),
            seen("cup", (0.5, 0.55, 0.6, 0.7)),
            seen("cup", (0.7, 0.55, 0.8, 0.7)),
            TABLE,
        ],
        lines=[line("MENU", (0.5, 0.05, 0.8, 0.15))],
    )
    found = writer(pictured, wording).regions(pictured.lines)
    texts = [one.text for one in found]
    assert {"a person wearing red", "two cups on a table", "a table", "text that reads “MENU”"} <= set(texts)
    assert texts.count("a cup on a table") == 2
    korean = [one.text for one in writer(pictured, wording, "ko").regions(pictured.lines)]
    assert {"사람 한 명", "컵 두 개", "식탁 한 개", "“MENU”라고 쓰인 글자"} <= set(korean)


def test_there_are_nine_regions_at_most_and_none_twice(wording: Wording) -> None:
    crowd = [seen("bird", (x / 10, y / 10, x / 10 + 0.08, y / 10 + 0.08)) for x in range(6) for y in range(6)]
    assert len(writer(facts(crowd), wording).regions()) == 9
    same = [seen("cat", (0.1, 0.1, 0.5, 0.5)), seen("dog", (0.1, 0.1, 0.5, 0.505), confidence=0.6)]
    assert len(writer(facts(same), wording).regions()) == 1


def named(pictured: Facts, wording: Wording, language: Language = "en") -> dict[str, float]:
    return {tag.name: tag.confidence for tag in tags_of(sights(pictured, wording), wording, language)}


def test_tags_are_what_was_found_and_kinds_of_it(wording: Wording) -> None:
    pictured = facts(
        [
            seen("car", (0.1, 0.5, 0.5, 0.9), confidence=0.9),
            seen("car", (0.6, 0.5, 0.9, 0.9), confidence=0.6),
        ],
        tags=[("golden retriever", 0.4), ("Labrador retriever", 0.3), ("minivan", 0.05)],
        faces=1,
        colours=[("blue", 0.6), ("grey", 0.2)],
    )
    found = named(pictured, wording)
    assert found["car"] == found["vehicle"] == pytest.approx(0.9)
    assert found["golden retriever"] == pytest.approx(0.4)
    assert found["dog"] == found["animal"] == pytest.approx(0.7)
    assert found["human face"] == found["person"] == pytest.approx(0.9)
    assert found["blue"] == pytest.approx(0.6)
    assert not {"grey", "minivan", "thing", "object"} & set(found)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_tags_in_korean(wording: Wording) -> None:
    found = named(facts([seen("bus", (0.1, 0.2, 0.9, 0.9))], tags=[("tabby", 0.6)], faces=1), wording, "ko")
    assert {"버스", "탈것", "고양이", "동물", "얼굴", "사람", "파란색"} <= set(found)


def test_places_are_tags_with_their_side_of_the_door(wording: Wording) -> None:
    kitchen = named(facts([seen("oven", (0, 0, 0.3, 0.9)), seen("refrigerator", (0.5, 0, 0.9, 1))]), wording)
    assert kitchen["indoor"] == kitchen["kitchen"] > 0.6
    street = named(facts([seen("traffic light", (0, 0, 0.1, 0.3))]), wording, "ko")
    assert {"실외", "거리"} <= set(street)


@pytest.mark.parametrize(
    ("said", "neutral"),
    [
        ("a man and a woman", "a person and a person"),
        ("two boys playing with their father", "two children playing with their parent"),
        ("a girl holding her doll", "a child holding their doll"),
        ("a woman looks at him and he is smiling", "a person looks at them and they are smiling"),
        ("a dog beside her", "a dog beside them"),
        ("a male athlete with a female coach", "an athlete with a coach"),
        ("a group of females", "a group of people"),
        ("the lady's hat", "the person's hat"),
        ("a mango on a mandolin", "a mango on a mandolin"),
    ],
)
def test_words_of_gender_become_words_for_anybody(said: str, neutral: str, wording: Wording) -> None:
    assert wording.neutral(said) == neutral
