"""Moderation of videos: frames that are left out, searches that are refused. The judges are made."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select
from tests.support.finding import near
from tests.support.ingesting import MadeLooker, World, make_world

from foveal.errors import EngineUnavailable, InvalidRequest
from foveal.perception.facts import Facts
from foveal.store.tables import documents, ingestion_videos
from foveal.video.base import VideoRecord
from foveal.video.ingest.ingesting import Direct
from foveal.video.library import VideoLibrary, record_path
from foveal.video.retrieval.moderation import ModeratedSearch, QueryRefused
from foveal.video.retrieval.query import Page, Query
from foveal.video.work import FrameGuard

HARMFUL = (4, 6, 14)  # seconds of the made video whose frames are refused; a frame comes every 2 s
KEPT = [float(at) for at in range(0, 25, 2) if at not in HARMFUL]


def brightness(jpeg: bytes) -> int:
    """The made frames are as grey as their second."""
    return round(float(np.asarray(Image.open(io.BytesIO(jpeg)).convert("L")).mean()))


@dataclass
class GreyGuard:
    """Refuses frames of some greys."""

    greys: Sequence[int] = HARMFUL
    asked: list[int] = field(default_factory=list)

    def refuses(self, jpeg: bytes) -> bool:
        self.asked.append(brightness(jpeg))
        return self.asked[-1] in self.greys


class NoWeights:
    def refuses(self, jpeg: bytes) -> bool:
        raise EngineUnavailable(
            "The model eyes is not in /models. Run: foveal models pull eyes", param="eyes"
        )


@dataclass
class NotingLooker(MadeLooker):
    looked: list[int] = field(default_factory=list)

    def look(self, jpegs: Iterable[bytes]) -> Iterator[Facts]:
        def noted() -> Iterator[bytes]:
            for jpeg in jpegs:
                self.looked.append(brightness(jpeg))
                yield jpeg

        return super().look(noted())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path / "data")
    yield made
    made.close()


def guarded(world: World, guard: FrameGuard | None) -> NotingLooker:
    looker = NotingLooker()
    study = replace(world.ingesting.study, guard=guard, looker=looker)
    world.ingesting = replace(world.ingesting, study=study)
    return looker


def ingest(world: World, **options: bool) -> str:
    world.ingestion(world.index(), ("add", "a"), name="one", **options)
    (video,) = world.ingesting.worksheet.unfinished()
    return world.ingesting.run(video, Direct())


def record(world: World) -> VideoRecord:
    return VideoLibrary(world.database, world.blobs).record(world.key("a"))


def test_harmful_frames_are_not_kept_not_found_and_not_looked_at(world: World) -> None:
    looker = guarded(world, GreyGuard())
    assert ingest(world, moderation=True) == "succeeded"
    kept = record(world)
    assert [frame.at for frame in kept.frames] == KEPT
    assert [frame.number for frame in kept.frames] == list(range(len(KEPT)))
    assert kept.withheld == len(HARMFUL)
    assert looker.looked == [int(at) for at in KEPT]
    key = world.key("a")
    library = VideoLibrary(world.database, world.blobs)
    pictures = [brightness(library.frame(key, frame.number)) for frame in kept.frames]
    assert pictures == [int(at) for at in KEPT]
    assert len(world.blobs.list(f"documents/{key}/")) == 2 * len(KEPT) + 1
    query = world.ingesting.study.embedder.embed(["a grey picture"])[0]
    index = next(iter(world.vectors.collections()))
    found = near(world.vectors, index, query, kinds=["frame"], documents=None, limit=100)
    assert sorted(hit.best for hit in found) == KEPT
    with world.database.connect() as connection:
        assert connection.scalar(select(documents.c.frames)) == len(KEPT)


@pytest.mark.parametrize("options", [{}, {"moderation": False}])
def test_without_moderation_nobody_judges(world: World, options: dict[str, bool]) -> None:
    guard = GreyGuard()
    guarded(world, guard)
    assert ingest(world, **options) == "succeeded"
    assert len(record(world).frames) == 13
    assert record(world).withheld == 0
    assert guard.asked == []


def test_a_video_that_is_harmful_throughout_keeps_its_speech_only(world: World) -> None:
    looker = guarded(world, GreyGuard(range(256)))
    assert ingest(world, moderation=True) == "succeeded"
    kept = record(world)
    assert (kept.frames, kept.withheld, looker.looked) == ((), 13, [])
    assert [segment.start for segment in kept.speech or ()] == [0.0, 10.0, 20.0]


@pytest.mark.parametrize(("guard", "told"), [(NoWeights(), "foveal models pull eyes"), (None, "moderation")])
def test_a_video_fails_when_nobody_can_judge_it(world: World, guard: FrameGuard | None, told: str) -> None:
    guarded(world, guard)
    assert ingest(world, moderation=True) == "failed"
    with world.database.connect() as connection:
        error = connection.scalars(select(ingestion_videos.c.error)).one()
    assert error is not None
    assert error["code"] == "ServiceUnavailable"
    assert told in error["message"]
    assert world.published() == []
    assert world.blobs.list("documents/") == []


def test_a_record_from_before_moderation_is_still_read(world: World) -> None:
    ingest(world)
    path = record_path(world.key("a"))
    old = msgspec.msgpack.decode(world.blobs.get(path))
    del old["withheld"]
    world.blobs.put(path, msgspec.msgpack.encode(old))
    assert record(world).withheld == 0
    assert len(record(world).frames) == 13


@dataclass
class Noting:
    """`Searcher` and `QueryGuard`: remembers what it was asked."""

    searched: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)

    def search(self, resource: str, index: str, query: Query) -> Page:
        self.searched.append(query.query_text)
        return Page((), False)

    def refuses(self, texts: Sequence[str]) -> bool:
        self.judged += texts
        return any("harm" in text for text in texts)


def test_a_harmful_search_is_refused_before_anything_is_looked_up() -> None:
    house = Noting()
    search = ModeratedSearch(house, house)
    with pytest.raises(QueryRefused) as refused:
        search.search("local", "films", Query("how to harm", moderation=True))
    assert (refused.value.status, refused.value.code) == (400, "ResponsibleAIPolicyViolation")
    assert (refused.value.param, house.searched) == ("queryText", [])
    assert search.search("local", "films", Query("a dog", moderation=True)) == Page((), False)
    search.search("local", "films", Query("harm"))
    assert (house.searched, house.judged) == (["a dog", "harm"], ["how to harm", "a dog"])


def test_without_a_filter_a_moderated_search_is_refused_by_name() -> None:
    house = Noting()
    with pytest.raises(InvalidRequest, match="no content filter") as refused:
        ModeratedSearch(house, None).search("local", "films", Query("a dog", moderation=True))
    assert (refused.value.param, house.searched) == ("moderation", [])
