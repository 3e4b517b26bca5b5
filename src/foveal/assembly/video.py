"""What has to do with video, wired: indexes with ingestions and searches, and videos without an index."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine

from foveal.assembly.engines import HouseFinder, build_finder
from foveal.assembly.later import Later
from foveal.assembly.safety import Guard, build_guard
from foveal.cl100k import Cl100k
from foveal.images.door import ImageDoor
from foveal.metering.service import settle_ingestion
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.embedding import DIMENSIONS
from foveal.perception.speech import WhisperTranscriber
from foveal.resources.identity import StorageAccess
from foveal.safety.pictures import FrameJudge
from foveal.settings import Settings
from foveal.store.blobs import BlobStore
from foveal.store.database import open_database
from foveal.store.media import MediaStore, open_media
from foveal.store.object_blobs import open_blobs
from foveal.store.vectors import VectorStore
from foveal.video.base import VideoInfo
from foveal.video.chat.asking import load_asking
from foveal.video.chat.chatting import VideoChat
from foveal.video.chat.glance import Ears, Glance, Limits
from foveal.video.chat.instant import InstantVideos
from foveal.video.decode.client import ProcessDecoder
from foveal.video.fetch.fetching import FetchLimits, MediaVideoFetcher
from foveal.video.ingest.describe import FrameWords
from foveal.video.ingest.ingesting import Ingesting
from foveal.video.ingest.jobs import Jobs
from foveal.video.ingest.publishing import Publisher
from foveal.video.ingest.studying import Study
from foveal.video.ingest.worksheet import Task, Worksheet
from foveal.video.library import VideoLibrary
from foveal.video.retrieval.contract import RetrievalContract, load_retrieval_contract
from foveal.video.retrieval.documents import VideoDocuments
from foveal.video.retrieval.indexes import VideoIndexes
from foveal.video.retrieval.ingestions import VideoIngestions
from foveal.video.retrieval.moderation import ModeratedSearch
from foveal.video.retrieval.retrieval import Retrieval
from foveal.video.search.search import VideoSearch
from foveal.video.search.shelf import Shelves
from foveal.video.search.wanted import index_words
from foveal.video.work import QueryGuard


@dataclass(frozen=True, slots=True)
class VideoTools:
    """What reads videos, looks at their frames and listens: one of each in a process."""

    decoder: ProcessDecoder
    finder: HouseFinder
    transcriber: WhisperTranscriber
    fetcher: MediaVideoFetcher

    def close(self) -> None:
        self.decoder.close()
        self.transcriber.close()


def build_tools(
    settings: Settings,
    finder: HouseFinder,
    media: MediaStore | None = None,
    storage: StorageAccess | None = None,
) -> VideoTools:
    """Without `media` and `storage` only addresses of others can be fetched."""
    return VideoTools(
        ProcessDecoder(),
        finder,
        WhisperTranscriber(
            ModelStore(settings.models, load_catalogue()),
            threads=settings.threads,
            idle_seconds=settings.idle_seconds or None,
        ),
        MediaVideoFetcher(
            allow_hosts=settings.allow_hosts,
            own_hosts=settings.own_hosts,
            media=media,
            storage=storage,
            limits=FetchLimits(max_bytes=settings.max_video, silence=settings.silence_seconds),
        ),
    )


def build_instant(settings: Settings, tools: VideoTools, door: ImageDoor, tokens: Cl100k) -> InstantVideos:
    """Chat about videos that are in no index."""
    glance = Glance(
        tools.decoder,
        tools.fetcher,
        tokens.count,
        load_asking(),
        work=Path(tempfile.gettempdir()) / "foveal",
        looker=tools.finder,
        ears=Ears(tools.transcriber, tools.transcriber.cut_point),
        limits=Limits(seconds=settings.inline_seconds),
    )
    return InstantVideos(glance, door)


@dataclass(frozen=True, slots=True)
class VideoHouse:
    """Everything over the indexes of one data directory. `close` leaves running work as it is."""

    contract: RetrievalContract
    indexes: VideoIndexes
    ingestions: VideoIngestions
    documents: VideoDocuments
    library: VideoLibrary
    search: VideoSearch
    media: MediaStore
    worksheet: Worksheet
    jobs: Jobs
    vectors: Later[VectorStore]
    queries: QueryGuard

    @property
    def retrieval(self) -> Retrieval:
        search = ModeratedSearch(self.search, self.queries)
        return Retrieval(self.contract, self.indexes, self.ingestions, self.documents, self.library, search)

    def chat(self, door: ImageDoor, tokens: Cl100k) -> VideoChat:
        return VideoChat(self.library, door, tokens.count, load_asking(), self.search)

    def sweep(self) -> None:
        """Free the blobs and vectors of resources that were removed."""
        self.jobs.sweep()

    def close(self) -> None:
        self.jobs.close()
        vectors = self.vectors.opened
        if vectors is not None:
            vectors.close()


def build_video_house(
    settings: Settings,
    database: Engine,
    blobs: BlobStore,
    media: MediaStore,
    tools: VideoTools,
    minutes: Callable[[float], None],
    guard: Guard,
) -> VideoHouse:
    """`minutes` is told the length of each video that was added; `guard` judges where moderation is asked
    for. Nothing is begun before `jobs.start`.
    """
    embedder = guard.embedder
    vectors: Later[VectorStore] = Later(lambda: _open_vectors(settings))
    words = Later(FrameWords)
    worksheet = Worksheet(database, _settle)
    study = Study(
        tools.decoder,
        tools.finder,
        tools.transcriber,
        tools.transcriber.cut_point,
        embedder,
        lambda facts: words()(facts),
        blobs,
        guard=FrameJudge(guard.pictures),
    )
    publisher = Publisher(worksheet, blobs, vectors)
    work = settings.data / "work"
    ingesting = Ingesting(worksheet, tools.fetcher, study, publisher, work, minutes)
    jobs = Jobs(ingesting, settings.data, at_once=settings.videos_at_once, sweeps=(media.sweep,))
    contract = load_retrieval_contract()
    return VideoHouse(
        contract,
        VideoIndexes(database, contract, jobs),
        VideoIngestions(database, contract, jobs, tools.fetcher.check),
        VideoDocuments(database, contract),
        VideoLibrary(database, blobs),
        VideoSearch(embedder, vectors, Shelves(database)),
        media,
        worksheet,
        jobs,
        vectors,
        guard.safety,
    )


def _settle(connection: Connection, task: Task, info: VideoInfo) -> None:
    """A video was added to an index: its minutes go into the ledger with the document."""
    assert task.document is not None
    settle_ingestion(connection, task.resource, task.principal, task.document, info.duration / 60)


def _open_vectors(settings: Settings) -> VectorStore:
    """Imported here: LanceDB takes a second, and a process that searches nothing does without."""
    from foveal.store.lance import LanceVectorStore

    return LanceVectorStore(settings.vectors or settings.data / "vectors", DIMENSIONS, words=index_words)


@contextmanager
def build_video(settings: Settings, *, work: bool) -> Iterator[VideoHouse]:
    """The house for a command. With `work` this process ingests what waits, unless a server does."""
    database = open_database(settings.data)
    finder = build_finder(settings)
    blobs = open_blobs(settings.blobs or settings.data / "blobs")
    media = open_media(blobs, settings.data, database, max_bytes=settings.max_video)
    tools = build_tools(settings, finder, media, StorageAccess(database))
    guard = build_guard(settings, finder)
    house = build_video_house(settings, database, blobs, media, tools, lambda _: None, guard)
    if work:
        house.jobs.start()
    try:
        yield house
    finally:
        house.close()
        guard.close()
        tools.close()
        finder.close()
        database.dispose()
