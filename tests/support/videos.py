"""Published documents written straight into the stores, without a decoder or models."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image
from sqlalchemy import Engine, insert, select
from tests.support.facts import street

from foveal.perception.base import Embedder, SpeechSegment
from foveal.resources.accounts import open_accounts
from foveal.store.blobs import BlobStore
from foveal.store.database import open_database
from foveal.store.object_blobs import open_blobs
from foveal.store.tables import documents, ingestion_videos, ingestions, resources, video_indexes
from foveal.store.vectors import VectorHit, VectorKind, VectorRow, VectorStore
from foveal.video.base import FrameRecord, VideoInfo, VideoRecord
from foveal.video.library import FoundDocument, VideoLibrary, frame_path, record_path, thumbnail_path

KEY = "k" * 32
INDEX = "my-video-index"
DOCUMENT = "02a504c9cd28296a8b74394ed7488045"
SPEECH = (
    (2.0, 6.0, "Welcome to the harbour."),
    (12.0, 15.5, "The ferry leaves for the island at noon."),
    (30.0, 34.0, "Later the band plays on the square."),
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Stores with the resource `local` in them. Without `vectors` and `embedder` nothing can be searched."""

    database: Engine
    blobs: BlobStore
    vectors: VectorStore | None = None
    embedder: Embedder | None = None

    @property
    def library(self) -> VideoLibrary:
        return VideoLibrary(self.database, self.blobs)

    def resource(self, name: str, kind: str = "ComputerVision", tier: str = "S1") -> None:
        values = {"name": name, "kind": kind, "region": "swedencentral", "tier": tier, "created_at": 0}
        with self.database.begin() as connection:
            connection.execute(insert(resources).values(values))

    def index(self, name: str = INDEX, resource: str = "local") -> int:
        """The key of an index, which is made when it is not there."""
        name = name.lower()
        with self.database.begin() as connection:
            here = (video_indexes.c.resource == resource) & (video_indexes.c.name == name)
            key = connection.scalar(select(video_indexes.c.key).where(here))
            if key is not None:
                return int(key)
            row = {"resource": resource, "name": name, "etag": '"1"', "user_data": {}}
            features = [{"name": "vision"}, {"name": "speech"}]
            made = connection.execute(
                insert(video_indexes).values(features=features, created_at=0, modified_at=0, **row)
            )
            return _key(made.inserted_primary_key)

    def publish(
        self,
        video: VideoRecord,
        document_id: str = DOCUMENT,
        *,
        index: str = INDEX,
        resource: str = "local",
        metadata: Mapping[str, Any] | None = None,
        jpegs: Sequence[bytes] | None = None,
    ) -> int:
        """A document that ingestion has finished; returns its key. `jpegs`: grey pictures unless given."""
        index_key = self.index(index, resource)
        with self.database.begin() as connection:
            made = connection.execute(
                insert(documents).values(
                    index_key=index_key,
                    document_id=document_id,
                    published=True,
                    url=f"https://films.example/{document_id}.mp4",
                    metadata=dict(metadata or {}),
                    user_data={},
                    duration=video.info.duration,
                    frames=len(video.frames),
                    segments=len(video.speech or ()),
                    bytes=0,
                    created_at=0,
                    modified_at=0,
                )
            )
            key = _key(made.inserted_primary_key)
        self.blobs.put(record_path(key), msgspec.msgpack.encode(video))
        for frame in video.frames:
            jpeg = grey(frame.number) if jpegs is None else jpegs[frame.number]
            self.blobs.put(frame_path(key, frame.number), jpeg)
            self.blobs.put(thumbnail_path(key, frame.number), jpeg)
        if self.vectors is not None and self.embedder is not None:
            self.vectors.replace(index_key, key, _rows(key, video, self.embedder))
        return key

    def ingesting(self, document_id: str, *, progress: float = 0.4, index: str = INDEX) -> None:
        """A document that is being made."""
        self._work(document_id, index, "running", progress, None)

    def failed(self, document_id: str, message: str, *, index: str = INDEX) -> None:
        self._work(document_id, index, "failed", 0.1, {"code": "InvalidVideo", "message": message})

    def _work(
        self, document_id: str, index: str, state: str, progress: float, error: dict[str, str] | None
    ) -> None:
        key = self.index(index)
        with self.database.begin() as connection:
            made = connection.execute(
                insert(ingestions).values(
                    index_key=key,
                    name=f"of-{document_id}",
                    batch="b",
                    options={},
                    created_at=0,
                    modified_at=0,
                )
            )
            connection.execute(
                insert(ingestion_videos).values(
                    ingestion=_key(made.inserted_primary_key),
                    position=0,
                    mode="add",
                    document_id=document_id,
                    state=state,
                    progress=progress,
                    error=error,
                    updated_at=1,
                )
            )

    def close(self) -> None:
        self.database.dispose()


def open_shelf(data: Path, vectors: VectorStore | None = None, embedder: Embedder | None = None) -> Shelf:
    database = open_database(data)
    open_accounts(database, operator_key=KEY, engine="echo", strict=False)
    return Shelf(database, open_blobs(data / "blobs"), vectors, embedder)


def made_video(
    duration: float = 46.13, every: float = 2.0, *, speech: bool = True, scene_every: float = 10.0
) -> VideoRecord:
    """A frame every so many seconds, all of a street, and a camera shot every `scene_every` seconds."""
    info = VideoInfo("mp4", duration, 640, 360, 0, 25.0, "h264", "aac" if speech else None, 1_000_000)
    starts = [float(start) for start in np.arange(0, duration, every)]
    frames = tuple(
        FrameRecord(
            number,
            at=start + every / 4,
            start=start,
            end=min(duration, start + every),
            scene=int(start // scene_every),
            facts=street(),
            text=f"a street, moment {number}",
        )
        for number, start in enumerate(starts)
    )
    said = tuple(SpeechSegment(start, end, text, "en", 0.95) for start, end, text in SPEECH)
    return VideoRecord(info, frames, tuple(one for one in said if one.end <= duration) if speech else ())


def grey(level: int) -> bytes:
    """A grey JPEG of 640×360."""
    out = io.BytesIO()
    Image.new("RGB", (640, 360), (level % 256,) * 3).save(out, "JPEG")
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class WordFinder:
    """Finds the moments of a document whose text shares the most letters-only words with what is asked."""

    library: VideoLibrary

    def moments(self, document: FoundDocument, text: str, *, limit: int) -> list[VectorHit]:
        asked = _words(text)
        hits = []
        for row in _texts(document.key, self.library.record(document.key)):
            shared = len(asked & _words(row.text))
            if shared:
                hits.append(
                    VectorHit(
                        row.document,
                        row.kind,
                        row.number,
                        row.start,
                        row.end,
                        row.best,
                        row.text,
                        likeness=shared / len(asked),
                    )
                )
        return sorted(hits, key=lambda hit: -hit.likeness)[:limit]


def _words(text: str) -> set[str]:
    return {word.strip(".,?!").lower() for word in text.split() if len(word) > 3}


def _rows(document: int, video: VideoRecord, embedder: Embedder) -> list[VectorRow]:
    rows = _texts(document, video)
    vectors = embedder.embed([row.text for row in rows]) if rows else ()
    return [
        VectorRow(row.document, row.kind, row.number, row.start, row.end, row.best, row.text, vector)
        for row, vector in zip(rows, vectors, strict=True)
    ]


def _texts(document: int, video: VideoRecord) -> list[VectorRow]:
    none = np.zeros(0, np.float32)
    frame: VectorKind = "frame"
    said: VectorKind = "speech"
    rows = [
        VectorRow(document, frame, one.number, one.start, one.end, one.at, one.text, none)
        for one in video.frames
    ]
    rows += [
        VectorRow(document, said, number, one.start, one.end, one.start, one.text, none)
        for number, one in enumerate(video.speech or ())
    ]
    return rows


def _key(row: Any) -> int:
    assert row is not None
    return int(row[0])
