"""A small world for ingestions: real SQL, blobs and vectors; made-up frames and speech, easy to count."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sqlalchemy import Engine, insert, select

from foveal.errors import InvalidVideo
from foveal.metering.service import settle_ingestion
from foveal.perception.base import Samples, SpeechSegment, Vectors
from foveal.perception.facts import Facts
from foveal.resources.accounts import open_accounts
from foveal.store.blobs import BlobStore
from foveal.store.database import open_database
from foveal.store.lance import LanceVectorStore
from foveal.store.object_blobs import open_blobs
from foveal.store.tables import documents, ingestion_videos, ingestions, video_indexes
from foveal.store.vectors import VectorStore
from foveal.video.base import SampledFrame, VideoInfo
from foveal.video.ingest.ingesting import Ingesting
from foveal.video.ingest.publishing import Publisher
from foveal.video.ingest.studying import Study
from foveal.video.ingest.worksheet import Worksheet, now
from foveal.video.work import Keep, SampleState, Source

LENGTH = 25.0  # seconds of the made-up video
WINDOW = 10.0  # seconds of a step: three windows
EVERY = 2.0  # seconds between its frames
DIMENSIONS = 8


class MadeFetcher:
    """Writes a file that says which video it is; an address with `gone` in it leads nowhere."""

    def check(self, source: Source) -> None:
        return None

    def fetch(self, source: Source, to: Path, progress: Callable[[float], None]) -> None:
        progress(0.5)
        if "gone" in source.url:
            raise InvalidVideo("It is gone.", code="Gone")
        to.write_text(source.url, "utf-8")


class MadeDecoder:
    def probe(self, path: Path) -> VideoInfo:
        size = len(path.read_bytes())
        return VideoInfo("mp4", LENGTH, 64, 48, 0, 25.0, "h264", "aac", size)

    def sample(
        self,
        path: Path,
        info: VideoInfo,
        start: float,
        end: float,
        state: SampleState,
        keep: Keep,
        *,
        drop_defective: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> SampleState:
        path.read_bytes()
        times = [at for at in np.arange(0, LENGTH, EVERY) if start <= at < end]
        if progress is not None:
            progress(1.0)
        frames = [
            SampledFrame(float(at), float(at), float(at) + EVERY, state.scene, grey(int(at))) for at in times
        ]
        for frame in frames:
            keep(frame)
        return SampleState(b"seen", state.scene + 1)

    def frames_at(self, path: Path, info: VideoInfo, times: Sequence[float]) -> list[SampledFrame]:
        return [SampledFrame(at, at, at, 0, grey(int(at))) for at in times]

    def sound(self, path: Path, info: VideoInfo, start: float, end: float) -> Samples:
        path.read_bytes()
        return np.full(int((min(end, LENGTH) - start) * 16_000), start, np.float32)


class MadeLooker:
    def look(self, jpegs: Iterable[bytes]) -> Iterator[Facts]:
        for _ in jpegs:
            yield Facts(64, 48, "low", ())


class MadeTranscriber:
    """Says at which second each sound begins."""

    def transcribe(self, samples: Samples, *, language: str | None = None) -> list[SpeechSegment]:
        return [SpeechSegment(0.0, 1.0, f"it is second {samples[0]:g}", language or "en", 0.9)]


class MadeEmbedder:
    dimensions = DIMENSIONS

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = [np.random.default_rng(len(text)).normal(size=DIMENSIONS) for text in texts]
        return np.asarray([row / np.linalg.norm(row) for row in rows], np.float32)


def grey(level: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (level, level, level)).save(out, "JPEG")
    return out.getvalue()


@dataclass
class World:
    """Everything an ingestion needs, in the folder `data`."""

    data: Path
    database: Engine
    blobs: BlobStore
    vectors: VectorStore
    ingesting: Ingesting
    minutes: list[float]

    def index(self, name: str = "films", features: Sequence[str] = ("vision", "speech")) -> int:
        with self.database.begin() as connection:
            made = connection.execute(
                insert(video_indexes).values(
                    resource="local",
                    name=name,
                    schema=None,
                    features=[{"name": feature} for feature in features],
                    user_data={},
                    etag="1",
                    created_at=now(),
                    modified_at=now(),
                )
            )
            key = made.inserted_primary_key
            assert key is not None
            return int(key[0])

    def ingestion(self, index: int, *videos: tuple[str, str], name: str = "one", **options: object) -> int:
        """`videos` are pairs of mode and document id; the id is also in the address."""
        with self.database.begin() as connection:
            made = connection.execute(
                insert(ingestions).values(
                    index_key=index,
                    name=name,
                    batch=f"{name}-{index}",
                    options=options,
                    created_at=now(),
                    modified_at=now(),
                )
            )
            key = made.inserted_primary_key
            assert key is not None
            for position, (mode, document_id) in enumerate(videos):
                connection.execute(
                    insert(ingestion_videos).values(
                        ingestion=key[0],
                        position=position,
                        mode=mode,
                        document_id=document_id,
                        url=f"https://films.example/{document_id}.mp4?sig=secret",
                        metadata={"title": document_id},
                        state="waiting",
                        updated_at=now(),
                    )
                )
            return int(key[0])

    def states(self, ingestion: int) -> list[str]:
        with self.database.connect() as connection:
            query = select(ingestion_videos.c.state).where(ingestion_videos.c.ingestion == ingestion)
            return list(connection.scalars(query.order_by(ingestion_videos.c.position)))

    def errors(self, ingestion: int) -> list[dict[str, str] | None]:
        with self.database.connect() as connection:
            query = select(ingestion_videos.c.error).where(ingestion_videos.c.ingestion == ingestion)
            return list(connection.scalars(query.order_by(ingestion_videos.c.position)))

    def published(self) -> list[str]:
        with self.database.connect() as connection:
            query = select(documents.c.document_id).where(documents.c.published).order_by(documents.c.key)
            return list(connection.scalars(query))

    def key(self, document_id: str) -> int:
        with self.database.connect() as connection:
            key = connection.scalar(select(documents.c.key).where(documents.c.document_id == document_id))
            assert key is not None
            return int(key)

    def finish(self, seconds: float = 60.0) -> None:
        """Wait until nothing is left to do."""
        pause = threading.Event()
        for _ in range(int(seconds / 0.05)):
            if not self.ingesting.worksheet.unfinished():
                return
            pause.wait(0.05)
        raise AssertionError("the ingestion does not end")

    def close(self) -> None:
        self.database.dispose()


def make_world(data: Path, dimensions: int = DIMENSIONS) -> World:
    database = open_database(data)
    open_accounts(database, operator_key="k" * 32, engine="echo", strict=False)
    blobs = open_blobs(data / "blobs")
    vectors = LanceVectorStore(str(data / "vectors"), dimensions)
    minutes: list[float] = []
    worksheet = Worksheet(
        database,
        lambda connection, task, info: settle_ingestion(
            connection, task.resource, task.principal, task.document or 0, info.duration / 60
        ),
    )
    ingesting = Ingesting(
        worksheet,
        MadeFetcher(),
        Study(
            MadeDecoder(),
            MadeLooker(),
            MadeTranscriber(),
            lambda samples: len(samples) / 16_000,
            MadeEmbedder(),
            lambda _: ["a grey picture"],
            blobs,
            window=WINDOW,
        ),
        Publisher(worksheet, blobs, lambda: vectors),
        data / "work",
        minutes.append,
    )
    return World(data, database, blobs, vectors, ingesting, minutes)
