"""What the services of Video Retrieval promise beside what HTTP shows: races, schemas, counts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.retrieval import Workshop, workshop

from foveal.errors import Conflict, InvalidRequest
from foveal.video.retrieval.contract import InvalidName, load_retrieval_contract
from foveal.video.retrieval.indexes import Holdings, IndexChanges, NewIndex
from foveal.video.retrieval.ingestion_request import NewIngestion, VideoRequest
from foveal.video.retrieval.ingestion_state import shown_url
from foveal.video.retrieval.ingestions import IngestionInProgress
from foveal.video.retrieval.schema import (
    MetadataField,
    MetadataSchema,
    check_metadata,
    parse_moment,
    schema_from_json,
)

SCHEMA = MetadataSchema(
    (MetadataField("camera", "string", True, False), MetadataField("when", "datetime", False, True)), "ko"
)
CONTRACT = load_retrieval_contract()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path) as made:
        yield made


def add(*ids: str) -> NewIngestion:
    return NewIngestion(tuple(VideoRequest("add", one, f"https://blobs.test/{one}") for one in ids))


def test_of_two_that_put_an_ingestion_at_once_one_wins(house: Workshop) -> None:
    house.retrieval.indexes.create("local", "a", NewIndex())

    def put(number: int) -> str:
        try:
            house.retrieval.ingestions.create("local", "a", "same", add(f"video {number}"))
        except IngestionInProgress:
            return "refused"
        return "taken"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(put, range(16)))
    assert outcomes.count("taken") == 1
    assert len(house.queue.calls) == 1
    assert len(house.worksheet.unfinished()) == 1


def test_of_many_that_make_an_index_at_once_one_makes_it(house: Workshop) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(
            threads.map(lambda _: house.retrieval.indexes.create("local", "a", NewIndex()), range(16))
        )
    assert [new for _, new in made].count(True) == 1
    assert len({index.key for index, _ in made}) == 1


def test_an_index_and_its_work_go_together(house: Workshop) -> None:
    first, _ = house.retrieval.indexes.create("local", "a", NewIndex())
    house.retrieval.ingestions.create("local", "a", "one", add("x", "y"))
    assert house.retrieval.indexes.delete("local", "A")
    assert house.worksheet.unfinished() == []
    assert house.queue.calls[-1] == ("discard", first.key, [])
    again, _ = house.retrieval.indexes.create("local", "a", NewIndex())
    assert again.key > first.key


def test_what_an_index_holds_is_what_is_published(house: Workshop) -> None:
    house.retrieval.indexes.create("local", "a", NewIndex())
    house.retrieval.ingestions.create("local", "a", "one", add("x", "y"))
    house.begin()
    assert house.retrieval.indexes.holdings("local", "a") == Holdings()
    house.work()
    assert house.retrieval.indexes.holdings("local", "a") == Holdings(2, 24, 6, 92.26, 691_356)


def test_an_index_of_the_same_name_with_another_schema(house: Workshop) -> None:
    house.retrieval.indexes.create("local", "a", NewIndex(schema=SCHEMA))
    with pytest.raises(Conflict):
        house.retrieval.indexes.create("local", "a", NewIndex())
    assert house.retrieval.indexes.create("other", "a", NewIndex())[1]


def test_metadata_of_work_that_waits_holds_its_fields(house: Workshop) -> None:
    house.retrieval.indexes.create("local", "a", NewIndex(schema=SCHEMA))
    video = VideoRequest("add", "x", "https://blobs.test/x", {"Camera": "1"})
    house.retrieval.ingestions.create("local", "a", "one", NewIngestion((video,)))
    less = IndexChanges(schema=MetadataSchema(SCHEMA.fields[1:]))
    with pytest.raises(InvalidRequest, match="'camera'"):
        house.retrieval.indexes.update("local", "a", less)
    house.retrieval.ingestions.cancel("local", "a", "one")
    changed = house.retrieval.indexes.update("local", "a", less)
    assert changed.schema == less.schema


def test_a_schema_is_read_back_as_it_was() -> None:
    assert schema_from_json(SCHEMA.as_json()) == SCHEMA
    assert schema_from_json(None) is None


def test_checked_metadata() -> None:
    given_ = {"CAMERA": "c 1", "When": "2023-06-30 17:40:33"}
    assert check_metadata(SCHEMA, given_, "m", 10_000) == {"camera": "c 1", "when": "2023-06-30 17:40:33"}
    assert check_metadata(SCHEMA, {"camera": None}, "m", 10) == {}
    assert check_metadata(None, {}, "m", 10) == {}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-06-30 17:40:33", datetime(2023, 6, 30, 17, 40, 33, tzinfo=UTC)),
        (" 2023-06-30T17:40:33Z ", datetime(2023, 6, 30, 17, 40, 33, tzinfo=UTC)),
        ("2023-06-30T17:40:33.1234567Z", datetime(2023, 6, 30, 17, 40, 33, 123456, tzinfo=UTC)),
        ("2023-06-30T17:40:33+09:00", datetime(2023, 6, 30, 8, 40, 33, tzinfo=UTC)),
        ("2023-06-30", datetime(2023, 6, 30, tzinfo=UTC)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment


@given(st.text(max_size=30) | st.datetimes().map(str))
def test_a_datetime_is_taken_or_refused(text: str) -> None:
    try:
        checked = check_metadata(SCHEMA, {"when": text}, "m", 100)
    except InvalidRequest:
        with pytest.raises((ValueError, OverflowError)):
            parse_moment(text)
    else:
        assert checked == {"when": text}
        assert parse_moment(text).tzinfo == UTC


@given(st.from_regex(r"[A-Za-z0-9]{1,5}(-[A-Za-z0-9]{1,5}){0,8}", fullmatch=True))
def test_names_by_the_rules_are_taken(name: str) -> None:
    assert CONTRACT.name(name, "indexName") == name.lower()


@given(st.text(max_size=70))
def test_a_name_that_is_taken_is_one_by_the_rules(text: str) -> None:
    try:
        name = CONTRACT.name(text, "indexName")
    except InvalidName:
        return
    assert name.isascii()
    assert all(piece.isalnum() for piece in name.split("-"))
    assert len(name) <= 64


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.blob.core.windows.net/v/a.mp4?sv=1&sig=x", "https://a.blob.core.windows.net/v/a.mp4"),
        ("https://user:secret@host/a#b?c", "https://host/a"),
        ("https://host/a@b.mp4", "https://host/a@b.mp4"),
        ("nonsense", "nonsense"),
        (None, None),
    ],
)
def test_what_is_shown_of_an_address(url: str | None, shown: str | None) -> None:
    assert shown_url(url) == shown
