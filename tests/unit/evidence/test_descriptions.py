"""What descriptions say of hand-made facts, without a language model, in English and Korean."""

from __future__ import annotations

import pytest
from tests.support.evidence import answer, engine, facts, line, seen, turn

from foveal.perception.facts import Facts, SeenObject

PEOPLE = [seen("person", (0.1 * n, 0.4, 0.1 * n + 0.05, 0.6), "black") for n in range(1, 8)]


def cars(*confidences: float) -> list[SeenObject]:
    return [
        seen("car", (0.7 + 0.15 * n, 0.05, 0.8 + 0.15 * n, 0.12), "white", confidence)
        for n, confidence in enumerate(confidences)
    ]


async def described(given: Facts, request: str = "Describe this picture.") -> str:
    return await answer(engine(given), turn("user", request, "a"))


async def test_a_street_with_people_and_cars() -> None:
    street = facts([*PEOPLE, *cars(0.74, 0.67)], colours=[("green", 0.6)])
    told = "The picture shows seven people and two cars. The people are spread across the picture."
    found = await described(street)
    assert found.startswith(f"{told} The cars are at the top right.")
    detailed = await described(street, "Describe this picture in detail.")
    assert detailed == f"{found} The main colour is green."
    assert await described(street, "이 사진을 설명해 주세요.") == (
        "사진에 사람 일곱 명과 자동차 두 대가 있습니다. 사람은 사진 곳곳에 있습니다. "
        "자동차는 사진의 오른쪽 위에 있습니다. 장소는 실외로 보입니다."
    )


@pytest.mark.parametrize(
    ("objects", "named"),
    [
        (cars(0.8), True),
        (cars(0.7), False),  # a single small thing has to be surer
        (cars(0.7, 0.6), True),  # than one of two
        (cars(0.5, 0.5), False),
        ([seen("car", (0.1, 0.1, 0.8, 0.8), confidence=0.6)], True),  # or a large one
        ([seen("person", (0.1, 0.1, 0.12, 0.13), confidence=0.55)], False),
        ([seen("person", (0.1, 0.1, 0.3, 0.7), confidence=0.55)], True),
    ],
)
async def test_a_kind_is_mentioned_when_it_is_sure(objects: list[SeenObject], named: bool) -> None:
    assert (await described(facts(objects))).startswith("The picture shows") is named


async def test_two_names_for_one_thing_are_not_two_things() -> None:
    box = (0.2, 0.2, 0.7, 0.7)
    found = await described(facts([seen("cup", box, "red", 0.97), seen("bowl", box, "red", 0.9)]))
    assert found == "The picture shows a red cup. The cup is in the middle."


async def test_the_clothing_of_one_clear_person() -> None:
    one = seen("person", (0.15, 0.1, 0.65, 1.0), "brown", worn="orange")
    assert await described(facts([one])) == (
        "The picture shows a person. The person is a little left of the middle and wears orange."
    )
    assert await described(facts([one]), "이 사진을 설명해 주세요.") == (
        "사진에 사람 한 명이 있습니다. 사람은 사진의 가운데에서 조금 왼쪽에 있고, 주황색 옷을 입고 있습니다."
    )
    far = seen("person", (0.2, 0.4, 0.25, 0.6), "brown", worn="orange")
    assert "orange" not in await described(facts([far]))


async def test_a_table_comes_after_what_is_on_it_and_has_no_colour_of_its_own() -> None:
    table = seen("dining table", (0.0, 0.0, 1.0, 1.0), "red")
    found = await described(facts([table, seen("cup", (0.3, 0.3, 0.6, 0.6), "white")]))
    assert found == (
        "The picture shows a white cup and a table. The cup is in the middle. "
        "The table fills most of the picture."
    )


async def test_details_are_every_kind_the_faces_the_colours_and_the_whole_text() -> None:
    kinds = ("dog", "cat", "chair", "tv", "book", "cup", "clock", "vase")
    given = facts(
        [seen(kind, (0.1 * n, 0.1, 0.1 * n + 0.1, 0.4), "red") for n, kind in enumerate(kinds)],
        lines=[
            line(f"Line {n} of a long notice about a library", (0.1, 0.1 * n, 0.9, 0.1 * n + 0.03))
            for n in range(6)
        ],
        faces=2,
    )
    plain, detailed = await described(given), await described(given, "Describe the image in detail.")
    assert sum(kind in plain.lower() for kind in kinds) == 6
    assert all(kind in detailed.lower() for kind in kinds)
    assert "Line 5" not in plain
    assert "“Line 0 of a long notice about a library”" in detailed
    assert "Line 5" in detailed
    assert "The main colour is blue. Two faces are visible." in detailed


async def test_korean_text_alone_is_quoted_in_reading_order() -> None:
    notice = facts(
        lines=[line("이용 안내", (0.1, 0.1, 0.5, 0.2)), line("월요일 휴관", (0.1, 0.5, 0.5, 0.55))]
    )
    assert (
        await described(notice, "이 사진을 설명해 주세요.")
        == "“이용 안내”, “월요일 휴관”이라는 글자가 보입니다."
    )
    assert await described(notice) == "The text reads “이용 안내” and “월요일 휴관”."
