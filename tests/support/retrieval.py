"""Video Retrieval over a database of its own, with a queue that works only when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, select
from tests.support.house import RESOURCE

from foveal.errors import EngineUnavailable, VideoUnreachable
from foveal.perception.base import SpeechSegment
from foveal.perception.facts import Facts
from foveal.resources.accounts import open_accounts
from foveal.resources.register import add_resource, list_resources
from foveal.store.blobs import Blob, BlobNotFound
from foveal.store.containers import Containers
from foveal.store.database import open_database
from foveal.store.media import MediaStore
from foveal.store.tables import ingestions
from foveal.video.base import FrameRecord, VideoInfo, VideoRecord
from foveal.video.ingest.worksheet import Task, VideoRefused, Waiting, Worksheet
from foveal.video.library import VideoLibrary, record_path, thumbnail_path
from foveal.video.retrieval.contract import load_retrieval_contract
from foveal.video.retrieval.documents import VideoDocuments
from foveal.video.retrieval.indexes import VideoIndexes
from foveal.video.retrieval.ingestions import VideoIngestions
from foveal.video.retrieval.moderation import ModeratedSearch
from foveal.video.retrieval.query import Hit, Page, Query
from foveal.video.retrieval.retrieval import Retrieval
from foveal.video.work import Source

HARM = "weapon of harm"  # what the made content filter finds
OTHER = "other"  # a second resource of the data directory
INFO = VideoInfo("mp4", 46.13, 1280, 720, 0, 30.0, "h264", "aac", 4_000_000)
FACTS = Facts(1280, 720, "low", ())
RECORD = VideoRecord(
    INFO,
    (
        FrameRecord(0, 2.0, 0.0, 20.0, 0, FACTS, "a red car on a street"),
        FrameRecord(1, 25.0, 20.0, 30.0, 0, FACTS, "a street"),
        FrameRecord(2, 40.0, 30.0, 46.13, 1, FACTS, "a dog [running]"),
    ),
    (SpeechSegment(3.5, 7.84, "leave the area", "en", 0.9),),
)
THUMBNAIL = b"\xff\xd8 a thumbnail"


@dataclass
class MemoryBlobs:
    """`BlobStore` in a dictionary; only what the library needs."""

    held: dict[str, bytes] = field(default_factory=dict)

    def put(self, path: str, data: bytes | Path, told: Callable[[int], None] | None = None) -> None:
        self.held[path] = data if isinstance(data, bytes) else data.read_bytes()

    def get(self, path: str) -> bytes:
        if path not in self.held:
            raise BlobNotFound(path)
        return self.held[path]

    def stream(self, path: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        yield self.get(path)[start:end]

    def head(self, path: str) -> Blob:
        return Blob(path, len(self.get(path)), 0.0)

    def list(self, prefix: str) -> Any:
        return [self.head(path) for path in sorted(self.held) if path.startswith(prefix)]

    def move(self, path: str, to: str) -> None:
        self.held[to] = self.get(path)
        del self.held[path]

    def remove(self, prefix: str) -> None:
        for path in [one for one in self.held if one == prefix or one.startswith(f"{prefix}/")]:
            del self.held[path]


@dataclass
class PaperQueue:
    """`IngestionQueue` that writes down what it was asked for; `cancel` ends everything at once."""

    worksheet: Worksheet
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    at_once: Callable[[], None] | None = None  # what is done when work is asked for

    def submit(self, ingestion: int) -> None:
        self.calls.append(("submit", ingestion))
        if self.at_once is not None:
            self.at_once()

    def cancel(self, ingestion: int) -> None:
        self.calls.append(("cancel", ingestion))
        self.worksheet.cancel(ingestion)
        for video in self.worksheet.unfinished():
            if video.ingestion == ingestion:
                self.worksheet.cancelled(video)

    def discard(self, index: int, documents: Sequence[int]) -> None:
        self.calls.append(("discard", index, list(documents)))


@dataclass
class PaperSearch:
    """Answers every search with a page of `hits`; remembers what it was asked."""

    hits: Sequence[Hit] = ()
    asked: list[tuple[str, str, Query]] = field(default_factory=list)
    error: Exception | None = None

    def search(self, resource: str, index: str, query: Query) -> Page:
        self.asked.append((resource, index, query))
        if self.error is not None:
            raise self.error
        end = query.skip + query.top
        return Page(tuple(self.hits[query.skip : end]), end < len(self.hits))


@dataclass
class PaperGuard:
    """`QueryGuard` that refuses what has `HARM` in it; `missing`: it has no weights."""

    missing: bool = False

    def refuses(self, texts: Sequence[str]) -> bool:
        if self.missing:
            raise EngineUnavailable("There are no weights. Run: foveal models pull words")
        return any(HARM in text for text in texts)


@dataclass
class Workshop:
    """A Video Retrieval and what stands behind it; `work` does what waits, `begin` only begins it."""

    database: Engine
    worksheet: Worksheet
    queue: PaperQueue
    search: PaperSearch
    blobs: MemoryBlobs
    retrieval: Retrieval
    media: MediaStore
    guard: PaperGuard
    broken: dict[str, tuple[str, str]] = field(default_factory=dict)  # document id → code, message

    def begin(self) -> list[Task]:
        tasks = []
        for video in self.worksheet.unfinished():
            try:
                task = self.worksheet.begin(video)
            except VideoRefused as refused:
                self.worksheet.fail(video, str(refused.code), refused.message)
            else:
                tasks += [] if task is None else [task]
        return tasks

    def work(self) -> None:
        """In the order in which the videos wait, one after the other."""
        for video in self.worksheet.unfinished():
            self._work_on(video)

    def _work_on(self, video: Waiting) -> None:
        try:
            task = self.worksheet.begin(video)
            assert task is not None
            if task.mode == "remove":
                self.worksheet.remove(task)
            elif task.mode == "update":
                self.worksheet.rename(task)
            elif task.document_id in self.broken:
                self.worksheet.fail(video, *self.broken[task.document_id])
            else:
                assert task.document is not None
                self.blobs.put(thumbnail_path(task.document, 0), THUMBNAIL)
                self.blobs.put(record_path(task.document), msgspec.msgpack.encode(RECORD))
                self.worksheet.publish(task, INFO, frames=12, segments=3, size=345_678)
        except VideoRefused as refused:
            self.worksheet.fail(video, str(refused.code), refused.message)

    def ingestion_keys(self) -> list[int]:
        with self.database.connect() as connection:
            return list(connection.scalars(select(ingestions.c.key)))


def check(source: Source) -> None:
    """Refuses what is no web address, as the fetcher does."""
    if not source.url.startswith(("https://", "http://")):
        raise VideoUnreachable("The address of the video is not an http or https URL.")


@contextmanager
def workshop(folder: Path) -> Iterator[Workshop]:
    database = open_database(folder)
    try:
        open_accounts(database, operator_key=None, engine="echo", strict=False)
        if OTHER not in [one.name for one in list_resources(database)]:
            add_resource(database, OTHER, "ComputerVision")
        contract = load_retrieval_contract()
        worksheet, blobs, search = Worksheet(database), MemoryBlobs(), PaperSearch()
        queue, guard = PaperQueue(worksheet), PaperGuard()
        parts = Retrieval(
            contract=contract,
            indexes=VideoIndexes(database, contract, queue),
            ingestions=VideoIngestions(database, contract, queue, check),
            documents=VideoDocuments(database, contract),
            library=VideoLibrary(database, blobs),
            search=ModeratedSearch(search, guard),
        )
        assert RESOURCE.name == "local"
        media = MediaStore(blobs, "a2V5", Containers(database), spool=folder / "spool")
        yield Workshop(database, worksheet, queue, search, blobs, parts, media, guard)
    finally:
        database.dispose()
