"""Searching videos: what is found, in which order, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.searching import SearchHouse, open_search_house

from foveal.errors import InvalidRequest, NotFound
from foveal.video.library import FoundDocument
from foveal.video.retrieval.query import DatetimeFilter, Feature, Filters, Hit, Page, Query, StringFilter

SCHEMA = [
    ("cameraid", "string", False, True),
    ("taken", "datetime", False, True),
    ("title", "string", True, False),
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SearchHouse]:
    made = open_search_house(tmp_path)
    yield made
    made.close()


def find(house: SearchHouse, text: str, *, index: str = "films", **asked: Any) -> Page:
    return house.search.search("local", index, Query(text, **asked))


def ids(page: Page) -> list[str]:
    return [hit.document_id for hit in page.hits]


def test_frames_and_speech_are_found_with_their_times(house: SearchHouse) -> None:
    index = house.index()
    house.add(index, "street", ["A bus on a street.", "A dog."], ["we wait for the bus", "it never comes"])
    house.vectors.tend(index)
    page = find(house, "dog")
    assert page.hits[0] == Hit(
        "street", "VideoFrame", 2.0, 4.0, 3.0, page.hits[0].relevance, None, "films", 1, 1, "A dog."
    )
    assert 0.5 < page.hits[0].relevance <= 1.0
    found = {(hit.document_kind, hit.text) for hit in find(house, "bus").hits[:2]}
    assert found == {("VideoFrame", "A bus on a street."), ("SpeechTextSegment", "we wait for the bus")}
    said = find(house, "never comes").hits[0]
    assert (said.document_kind, said.start, said.end, said.best) == ("SpeechTextSegment", 2.0, 4.0, 2.0)


def test_nothing_is_lost_and_the_unlike_come_last(house: SearchHouse) -> None:
    index = house.index()
    house.add(index, "a", ["A cat.", "Two cows on a grassland.", "A train."])
    page = find(house, "a cat", dedup=False)
    assert page.hits[0].text == "A cat."
    assert len(page.hits) == 3
    assert not page.more
    relevance = [hit.relevance for hit in page.hits]
    assert relevance == sorted(relevance, reverse=True)
    assert find(house, "zzz").hits


def test_what_is_literally_there_wins_over_what_is_near(house: SearchHouse) -> None:
    index = house.index()
    house.add(index, "near", ["A street sign of the exit exit exit."])
    house.add(index, "there", ["A white wall with a door and two chairs. The text reads: EXIT 24"])
    assert ids(find(house, "exit 24"))[0] == "there"


def test_words_are_found_however_far_their_vectors_lie(house: SearchHouse) -> None:
    """More than a pool of rows lies nearer to the search than the one that holds its word."""
    index = house.index()
    house.add(index, "many", [f"QX {number}" for number in range(400)])
    house.add(index, "one", ["A page of text. The text reads: " + "x y z " * 40 + "QX-7781"])
    assert ids(find(house, "QX-7781"))[0] == "one"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("고양이", "cat"),
        ("고양이가 나오는 장면", "cat"),
        ("빨간 버스", "bus"),
        ("탈것", "bus"),
        ("any vehicles?", "bus"),
        ("kitten", "cat"),
        ("도서관 휴관일", "notice"),
        ("library", "notice"),
        ("출구", "sign"),
        ("traffic lights", "lights"),
    ],
)
def test_english_and_korean_words_find_each_others_material(
    house: SearchHouse, text: str, wanted: str
) -> None:
    index = house.index()
    house.add(index, "cat", ["A cat."])
    house.add(index, "bus", ["A red bus on a street, outdoors."])
    house.add(index, "notice", ["The text reads: 도서관 이용 안내; 휴관일: 매주 월요일"])
    house.add(index, "sign", ["A wall. The text reads: 2번 출구로 나가세요"])
    house.add(index, "lights", ["Three traffic lights and two people."])
    house.vectors.tend(index)
    assert ids(find(house, text))[0] == wanted


def test_neighbouring_frames_that_show_the_same_are_one_interval(house: SearchHouse) -> None:
    index = house.index()
    frames = ["A dog.", "A bus on a street.", "A bus on a street.", "A bus and a car.", "A dog.", "A bus."]
    house.add(index, "a", frames, ["the bus", "the bus"])
    found = [hit for hit in find(house, "bus").hits if hit.document_kind == "VideoFrame"]
    assert (found[0].start, found[0].end, found[0].number) == (10.0, 12.0, 5)
    assert (found[1].start, found[1].end) == (2.0, 8.0)
    assert 2.0 <= found[1].best <= 8.0
    dogs = [(hit.start, hit.end) for hit in found[2:]]
    assert sorted(dogs) == [(0.0, 2.0), (8.0, 10.0)]
    said = [hit for hit in find(house, "bus").hits if hit.document_kind == "SpeechTextSegment"]
    assert len(said) == 2
    alone = find(house, "bus", dedup=False)
    assert len(alone.hits) == 8
    assert {hit.end - hit.start for hit in alone.hits} == {2.0}


def test_frames_that_do_not_follow_each_other_are_no_interval(house: SearchHouse) -> None:
    index = house.index()
    house.add(index, "a", ["A bus.", "A bus."])
    house.add(index, "b", ["A bus.", "A bus."])
    assert sorted((hit.document_id, hit.start, hit.end) for hit in find(house, "bus").hits) == [
        ("a", 0.0, 4.0),
        ("b", 0.0, 4.0),
    ]


def test_only_so_many_documents_when_asked(house: SearchHouse) -> None:
    index = house.index()
    for number in range(4):
        house.add(index, f"d{number}", ["A bus.", "A dog.", "A bus."])
    page = find(house, "bus", dedup_max_document_count=2, top=50)
    assert ids(page).count("d0") == ids(page).count("d1") == 3
    assert set(ids(page)) == {"d0", "d1"}
    assert set(ids(find(house, "bus", dedup_max_document_count=2, dedup=False, top=50))) == {
        "d0", "d1", "d2", "d3",
    }  # fmt: skip


@pytest.mark.parametrize("dedup", [True, False])
def test_pages_join_without_gap_or_repeat_however_deep(house: SearchHouse, dedup: bool) -> None:
    index = house.index()
    other = house.index("more")
    for number in range(40):
        words = ["red", "green", "blue", "dark"][number % 4]
        frames = [f"A {words} bus {number * 20 + n} on a street." for n in range(20)]
        house.add(other if number % 3 == 0 else index, f"d{number}", frames, [f"bus {n}" for n in range(5)])
    house.vectors.tend(index)
    whole = find(house, "a red bus", top=1_500, dedup=dedup, additional_index_names=("more",))
    assert not whole.more
    paged: list[Hit] = []
    skip = 0
    while True:
        page = find(house, "a red bus", top=70, skip=skip, dedup=dedup, additional_index_names=("more",))
        paged += page.hits
        skip += 70
        if not page.more:
            break
        assert len(page.hits) == 70
    assert paged == list(whole.hits)
    if not dedup:
        assert len({(hit.document, hit.document_kind, hit.number) for hit in paged}) == 40 * 25
    relevance = [hit.relevance for hit in paged]
    assert relevance[0] == max(relevance)
    assert find(house, "a red bus", skip=5_000).hits == ()
    assert find(house, "a red bus", top=0).hits == ()


def test_filters_of_metadata_keep_whole_documents(house: SearchHouse) -> None:
    index = house.index(fields=SCHEMA)
    for number, camera in enumerate(("lobby", "Lobby", "gate")):
        taken = f"2023-06-{28 + number} 17:40:33"
        house.add(index, f"d{number}", ["A bus."], metadata={"cameraid": camera, "taken": taken})
    house.add(index, "none", ["A bus."])

    def passing(**filters: Any) -> set[str]:
        return set(ids(find(house, "bus", filters=Filters(**filters))))

    assert passing() == {"d0", "d1", "d2", "none"}
    assert passing(string_filters=(StringFilter("cameraId", ("lobby",)),)) == {"d0"}
    assert passing(string_filters=(StringFilter("CAMERAID", ("lobby", "gate", "x")),)) == {"d0", "d2"}
    assert passing(string_filters=(StringFilter("cameraid", ()),)) == set()

    def between(start: str | None, end: str | None) -> set[str]:
        return passing(datetime_filters=(DatetimeFilter("Taken", start, end),))

    assert between("2023-06-29 17:40:33", None) == {"d1", "d2"}
    assert between("2023-06-29T17:40:33Z", "2023-06-29T19:40:33+02:00") == {"d1"}
    assert between(None, "2023-06-29") == {"d0"}
    assert between(None, None) == {"d0", "d1", "d2"}
    both = passing(
        string_filters=(StringFilter("cameraid", ("lobby", "gate")),),
        datetime_filters=(DatetimeFilter("taken", "2023-06-29"),),
    )
    assert both == {"d2"}


def test_only_the_features_that_were_asked_for(house: SearchHouse) -> None:
    index = house.index()
    house.add(index, "a", ["A bus."], ["the bus"])
    vision = house.index("seen", features=("vision",))
    house.add(vision, "b", ["A bus."])

    def kinds(index: str, *features: Feature) -> set[str]:
        filters = Filters(feature_filters=features)
        return {hit.document_kind for hit in find(house, "bus", index=index, filters=filters).hits}

    assert kinds("films") == {"VideoFrame", "SpeechTextSegment"}
    assert kinds("films", "speech") == {"SpeechTextSegment"}
    assert kinds("films", "vision", "speech") == {"VideoFrame", "SpeechTextSegment"}
    assert kinds("seen", "speech") == set()
    assert kinds("seen", "vision") == {"VideoFrame"}


@pytest.mark.parametrize(
    ("filters", "param"),
    [
        (Filters((StringFilter("nothing", ("a",)),)), "filters.stringFilters[0].fieldName"),
        (
            Filters((StringFilter("cameraid", ("a",)), StringFilter("title", ("a",)))),
            "filters.stringFilters[1].fieldName",
        ),
        (Filters((StringFilter("taken", ("a",)),)), "filters.stringFilters[0].fieldName"),
        (Filters((), (DatetimeFilter("cameraid"),)), "filters.datetimeFilters[0].fieldName"),
        (Filters((), (DatetimeFilter("taken", "yesterday"),)), "filters.datetimeFilters[0].startTime"),
        (Filters((), (DatetimeFilter("taken", None, "2023-13-01"),)), "filters.datetimeFilters[0].endTime"),
    ],
)
def test_filters_that_do_not_fit_the_schema_are_named(
    house: SearchHouse, filters: Filters, param: str
) -> None:
    house.index(fields=SCHEMA)
    with pytest.raises(InvalidRequest) as caught:
        find(house, "bus", filters=filters)
    assert caught.value.param == param


def test_an_index_without_a_schema_has_nothing_to_filter_by(house: SearchHouse) -> None:
    house.index()
    with pytest.raises(InvalidRequest, match="has no field 'cameraid'"):
        find(house, "bus", filters=Filters((StringFilter("cameraid", ("a",)),)))


def test_unknown_indexes_are_named(house: SearchHouse) -> None:
    house.index()
    with pytest.raises(NotFound, match="'other'"):
        find(house, "bus", index="other")
    with pytest.raises(NotFound, match="'other'"):
        find(house, "bus", additional_index_names=("other",))
    with pytest.raises(NotFound):
        house.search.search("elsewhere", "films", Query("bus"))


def test_additional_indexes_are_searched_beside_the_first(house: SearchHouse) -> None:
    one, two = house.index("one"), house.index("two")
    house.add(one, "a", ["A bus and a dog and a cat."])
    house.add(two, "b", ["A bus."])
    page = find(house, "bus", index="ONE", additional_index_names=("Two", "one"))
    assert [(hit.document_id, hit.index_name) for hit in page.hits] == [("b", "two"), ("a", "one")]
    assert ids(find(house, "bus", index="one")) == ["a"]


def test_searchable_metadata_adds_to_the_relevance_unless_disabled(house: SearchHouse) -> None:
    index = house.index(fields=SCHEMA)
    house.add(index, "plain", ["A bus."], metadata={"title": "A day out", "cameraid": "harbour"})
    house.add(index, "titled", ["A bus."], metadata={"title": "Harbour festival"})
    page = find(house, "bus at the harbour")
    assert ids(page) == ["titled", "plain"]
    assert page.hits[0].relevance > page.hits[1].relevance + 0.02
    assert page.hits[0].additional_metadata == {"title": "Harbour festival"}
    disabled = find(house, "bus at the harbour", disable_metadata_search=True)
    assert disabled.hits[0].relevance == disabled.hits[1].relevance == page.hits[1].relevance


def test_documents_whose_metadata_names_the_search_are_found_behind_many_others(house: SearchHouse) -> None:
    index = house.index(fields=SCHEMA)
    house.add(index, "many", [f"ceremony ceremony {number}" for number in range(300)])
    house.add(index, "titled", ["Two chairs."], metadata={"title": "Graduation ceremony of Elena"})
    found = find(house, "ceremony Elena Graduation", dedup=False, top=200)
    assert "titled" in ids(found)
    assert "titled" not in ids(
        find(house, "ceremony Elena Graduation", dedup=False, top=200, disable_metadata_search=True)
    )


def test_documents_are_seen_when_published_changed_and_gone(house: SearchHouse) -> None:
    index = house.index(fields=SCHEMA)
    first = house.add(index, "a", ["A bus."], metadata={"cameraid": "x"})
    house.add(index, "hidden", ["A bus."], published=False)
    lobby = Filters((StringFilter("cameraid", ("lobby",)),))
    assert ids(find(house, "bus")) == ["a"]
    assert ids(find(house, "bus", filters=lobby)) == []
    house.tag(first, {"cameraid": "lobby"})
    assert ids(find(house, "bus", filters=lobby)) == ["a"]
    second = house.add(index, "b", ["A bus."], metadata={"cameraid": "lobby"})
    assert sorted(ids(find(house, "bus", filters=lobby))) == ["a", "b"]
    house.remove(first)
    assert ids(find(house, "bus")) == ["b"]
    house.remove(second)
    assert ids(find(house, "bus")) == []


def test_an_index_without_documents_has_no_hits(house: SearchHouse) -> None:
    house.index()
    assert find(house, "bus") == Page((), False)


@pytest.mark.parametrize("text", ["", " ", "?", "the", "\x00", "🚌", "a" * 20_000, "버스 " * 3_000])
def test_odd_texts_are_searched_all_the_same(house: SearchHouse, text: str) -> None:
    index = house.index()
    house.add(index, "a", ["A bus.", "A dog."])
    house.vectors.tend(index)
    assert set(ids(find(house, text))) == {"a"}


def test_the_best_moments_of_one_document(house: SearchHouse) -> None:
    index = house.index()
    key = house.add(
        index, "a", ["A bus.", "A dog.", "A bus and a car.", "A wall."], ["hello", "here is the bus"]
    )
    house.add(index, "b", ["A bus."])
    document = FoundDocument(key, index, "a", 8.0, {})
    found = house.search.moments(document, "when does a bus appear?", limit=3)
    assert [(hit.kind, hit.number) for hit in found] == [("frame", 0), ("frame", 2), ("speech", 1)]
    korean = house.search.moments(document, "버스", limit=3)
    assert {(hit.kind, hit.number) for hit in korean} == {("frame", 0), ("frame", 2), ("speech", 1)}
    assert {hit.document for hit in house.search.moments(document, "bus", limit=50)} == {key}
    gone = FoundDocument(999, index, "a", 8.0, {})
    assert house.search.moments(gone, "bus", limit=3) == []
