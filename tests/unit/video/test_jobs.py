"""Ingestions from their rows to their documents, over real SQL, blobs, vectors and workflows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from tests.support.finding import near
from tests.support.ingesting import LENGTH, MadeFetcher, World, make_world

from foveal.store.tables import documents, ingestion_videos, video_indexes
from foveal.video.ingest.jobs import Jobs
from foveal.video.library import DocumentNotFound, VideoLibrary
from foveal.video.work import Source


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path / "data")
    yield made
    made.close()


@contextmanager
def working(world: World) -> Iterator[Jobs]:
    jobs = Jobs(world.ingesting, world.data, tick=0.1)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.close()


def run(world: World, ingestion: int) -> list[str]:
    with working(world):
        world.finish()
    return world.states(ingestion)


class HeldFetcher(MadeFetcher):
    """Waits, while it reports, until it is let go or stopped."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def fetch(self, source: Source, to: Path, progress: Any) -> None:
        self.begun.set()
        while not self.go.wait(0.02):
            progress(0.1)
        super().fetch(source, to, progress)


def test_a_video_becomes_a_document_with_frames_and_speech(world: World) -> None:
    ingestion = world.ingestion(world.index(), ("add", "a"))
    assert run(world, ingestion) == ["succeeded"]
    library = VideoLibrary(world.database, world.blobs)
    found = library.find("local", "FILMS", "a")
    record = library.record(found.key)
    assert [frame.number for frame in record.frames] == list(range(13))
    assert [segment.start for segment in record.speech or ()] == [0.0, 10.0, 20.0]
    assert found.duration == LENGTH
    assert library.frame(found.key, 3).startswith(b"\xff\xd8")
    assert library.thumbnail(found.key, 3).startswith(b"\xff\xd8")
    assert world.minutes == [LENGTH / 60]


def test_the_signature_of_an_address_is_forgotten(world: World) -> None:
    ingestion = world.ingestion(world.index(), ("add", "a"), ("add", "gone"))
    run(world, ingestion)
    with world.database.connect() as connection:
        kept = [
            *connection.scalars(select(ingestion_videos.c.url)),
            *connection.scalars(select(documents.c.url)),
        ]
    assert kept == [
        "https://films.example/a.mp4",
        "https://films.example/gone.mp4",
        "https://films.example/a.mp4",
    ]
    assert b"secret" not in (world.data / "jobs.db").read_bytes()


def test_one_bad_video_does_not_stop_the_others_and_leaves_nothing(world: World) -> None:
    ingestion = world.ingestion(world.index(), ("add", "gone"), ("add", "b"))
    assert run(world, ingestion) == ["failed", "succeeded"]
    assert world.errors(ingestion) == [{"code": "Gone", "message": "It is gone."}, None]
    assert world.published() == ["b"]
    assert {blob.path.split("/")[1] for blob in world.blobs.list("documents/")} == {str(world.key("b"))}


def test_an_unexpected_error_is_told_without_its_details(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(MadeFetcher):
        def fetch(self, source: Source, to: Path, progress: Any) -> None:
            raise RuntimeError("the inner part")

    world.ingesting = replace(world.ingesting, fetcher=Broken())
    ingestion = world.ingestion(world.index(), ("add", "a"))
    assert run(world, ingestion) == ["failed"]
    error = world.errors(ingestion)[0]
    assert error is not None
    assert error["code"] == "InternalServerError"
    assert "inner" not in error["message"]
    assert "the inner part" in caplog.text


def test_an_id_that_exists_is_refused_and_the_document_stays(world: World) -> None:
    index = world.index()
    run(world, world.ingestion(index, ("add", "a")))
    key = world.key("a")
    again = world.ingestion(index, ("add", "a"), name="two")
    assert run(world, again) == ["failed"]
    error = world.errors(again)[0]
    assert error is not None
    assert error["code"] == "DocumentAlreadyExists"
    assert world.key("a") == key
    assert VideoLibrary(world.database, world.blobs).record(key).frames


def test_remove_and_add_in_one_ingestion_makes_it_anew(world: World) -> None:
    index = world.index()
    run(world, world.ingestion(index, ("add", "a")))
    old = world.key("a")
    again = world.ingestion(index, ("remove", "a"), ("add", "a"), name="two")
    assert run(world, again) == ["succeeded", "succeeded"]
    assert world.key("a") != old
    assert world.vectors.documents(index) == {world.key("a")}
    assert not world.blobs.list(f"documents/{old}/")


def test_update_changes_what_is_said_of_a_document(world: World) -> None:
    index = world.index()
    run(world, world.ingestion(index, ("add", "a")))
    second = world.ingestion(index, ("update", "a"), ("update", "missing"), ("remove", "missing"), name="two")
    with world.database.begin() as connection:
        connection.execute(
            update(ingestion_videos)
            .where(ingestion_videos.c.ingestion == second)
            .values(metadata={"title": "new"})
        )
    assert run(world, second) == ["succeeded", "failed", "failed"]
    assert [error and error["code"] for error in world.errors(second)] == [
        None,
        "DocumentNotFound",
        "DocumentNotFound",
    ]
    assert VideoLibrary(world.database, world.blobs).find("local", "films", "a").metadata == {"title": "new"}


def test_a_cancelled_ingestion_ends_at_once_and_leaves_nothing(world: World) -> None:
    held = HeldFetcher()
    world.ingesting = replace(world.ingesting, fetcher=held)
    ingestion = world.ingestion(world.index(), ("add", "a"), ("add", "b"))
    with working(world) as jobs:
        assert held.begun.wait(30)
        jobs.cancel(ingestion)
        world.finish()
    assert world.states(ingestion) == ["cancelled", "cancelled"]
    assert world.published() == []
    assert world.ingesting.worksheet.documents() == set()
    assert not list((world.data / "work").iterdir())


def test_an_index_that_is_removed_takes_its_work_along(world: World) -> None:
    held = HeldFetcher()
    world.ingesting = replace(world.ingesting, fetcher=held)
    index = world.index()
    world.ingestion(index, ("add", "a"))
    with working(world) as jobs:
        assert held.begun.wait(30)
        with world.database.begin() as connection:
            connection.execute(delete(video_indexes).where(video_indexes.c.key == index))
        jobs.discard(index, [])
        world.finish()
    world.ingesting.sweep()
    assert world.vectors.collections() == set()
    assert not world.blobs.list("documents/")
    assert not list((world.data / "work").iterdir())


def test_a_removed_index_frees_what_it_had(world: World) -> None:
    index = world.index()
    run(world, world.ingestion(index, ("add", "a")))
    with world.database.begin() as connection:
        connection.execute(delete(video_indexes).where(video_indexes.c.key == index))
    with working(world) as jobs:
        jobs.discard(index, [])
    assert world.vectors.collections() == set()
    assert not world.blobs.list("documents/")


def test_a_stopped_process_leaves_its_work_to_the_next(world: World) -> None:
    held = HeldFetcher()
    plain = world.ingesting
    world.ingesting = replace(plain, fetcher=held)
    ingestion = world.ingestion(world.index(), ("add", "a"))
    with working(world):
        assert held.begun.wait(30)
        threading.Timer(0.2, held.go.set).start()
    assert world.states(ingestion) == ["running"]
    world.ingesting = plain
    assert run(world, ingestion) == ["succeeded"]


def test_while_a_video_is_worked_on_its_document_is_told_to_be_unfinished(world: World) -> None:
    held = HeldFetcher()
    world.ingesting = replace(world.ingesting, fetcher=held)
    world.ingestion(world.index(), ("add", "a"))
    library = VideoLibrary(world.database, world.blobs)
    with working(world):
        assert held.begun.wait(30)
        with pytest.raises(DocumentNotFound, match="still being ingested"):
            library.find("local", "films", "a")
        held.go.set()
        world.finish()
    with pytest.raises(DocumentNotFound, match="Document does not exist"):
        library.find("local", "films", "other")
    with pytest.raises(DocumentNotFound, match="index 'nothing' does not exist"):
        library.find("local", "nothing", "a")
    with pytest.raises(DocumentNotFound, match="does not exist"):
        library.find("another", "films", "a")


def test_only_one_process_works_on_a_data_directory(world: World) -> None:
    held = HeldFetcher()
    world.ingesting = replace(world.ingesting, fetcher=held)
    first = world.ingestion(world.index(), ("add", "a"))
    with working(world) as jobs:
        assert held.begun.wait(30)
        other = Jobs(world.ingesting, world.data, tick=0.1)
        other.start()
        other.close()  # it never got the lock, and leaves the first alone
        held.go.set()
        jobs.wake()
        world.finish()
    assert world.states(first) == ["succeeded"]


def test_without_speech_and_without_vision_less_is_searched(world: World) -> None:
    index = world.index("quiet", ("vision",))
    run(world, world.ingestion(index, ("add", "a")))
    record = VideoLibrary(world.database, world.blobs).record(world.key("a"))
    assert record.speech is None
    listened = world.index("heard", ("speech",))
    run(world, world.ingestion(listened, ("add", "b"), name="two"))
    query = world.ingesting.study.embedder.embed(["a grey picture"])[0]
    kinds = {
        hit.kind
        for hit in near(world.vectors, listened, query, kinds=("frame", "speech"), documents=None, limit=100)
    }
    assert kinds == {"speech"}
    assert VideoLibrary(world.database, world.blobs).record(world.key("b")).frames


def test_a_transcript_may_be_asked_for_without_the_feature(world: World) -> None:
    index = world.index("quiet", ("vision",))
    run(world, world.ingestion(index, ("add", "a"), includeSpeechTranscript=True))
    assert VideoLibrary(world.database, world.blobs).record(world.key("a")).speech
