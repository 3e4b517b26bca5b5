"""The published documents of the indexes: what is kept of each, read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Engine, select

from foveal.errors import NotFound
from foveal.store.blobs import BlobNotFound, BlobStore
from foveal.store.tables import documents, ingestion_videos, ingestions, video_indexes
from foveal.video.base import VideoRecord


class DocumentNotFound(NotFound):
    """No such index, no such document in it, or one that is not finished; the message says which."""

    code = "DocumentNotFound"


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A published document: `key` finds its blobs and vectors, `collection` is the key of its index."""

    key: int
    collection: int
    document_id: str
    duration: float
    metadata: Mapping[str, Any]


def folder(document: int) -> str:
    """Where the blobs of a document stand."""
    return f"documents/{document}"


def frame_path(document: int, number: int) -> str:
    return f"{folder(document)}/frames/{number:06d}.jpg"


def thumbnail_path(document: int, number: int) -> str:
    return f"{folder(document)}/thumbnails/{number:06d}.jpg"


def record_path(document: int) -> str:
    return f"{folder(document)}/record.msgpack"


class VideoLibrary:
    """All calls block."""

    def __init__(self, database: Engine, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs
        self._decoder = msgspec.msgpack.Decoder(VideoRecord)

    def find(self, resource: str, index: str, document_id: str) -> FoundDocument:
        """The document of this id in an index of the resource. Raises `DocumentNotFound`."""
        with self._database.connect() as connection:
            key = connection.scalar(
                select(video_indexes.c.key).where(
                    video_indexes.c.resource == resource, video_indexes.c.name == index.lower()
                )
            )
            if key is None:
                raise DocumentNotFound(f"The index '{index[:80]}' does not exist.", code="IndexNotFound")
            row = connection.execute(
                select(documents).where(documents.c.index_key == key, documents.c.document_id == document_id)
            ).first()
            if row is not None and row.published:
                return FoundDocument(row.key, key, row.document_id, row.duration, row.metadata)
            work = connection.execute(
                select(ingestion_videos.c.state, ingestion_videos.c.progress, ingestion_videos.c.error)
                .join(ingestions, ingestions.c.key == ingestion_videos.c.ingestion)
                .where(
                    ingestions.c.index_key == key,
                    ingestion_videos.c.document_id == document_id,
                    ingestion_videos.c.mode == "add",
                )
                .order_by(ingestion_videos.c.updated_at.desc())
                .limit(1)
            ).first()
        if work is None:
            raise DocumentNotFound("Document does not exist.")
        if work.state in ("waiting", "running"):
            raise DocumentNotFound(
                f"The document is still being ingested ({work.progress:.0%} done).", code="DocumentNotReady"
            )
        reason = (work.error or {}).get("message", "its ingestion was cancelled")
        raise DocumentNotFound(f"Document does not exist: {reason}")

    def record(self, document: int) -> VideoRecord:
        """Raises `DocumentNotFound` when the document was removed meanwhile."""
        return self._decoder.decode(self._read(record_path(document)))

    def frame(self, document: int, number: int) -> bytes:
        """A kept frame as JPEG, its longer side at most 1280."""
        return self._read(frame_path(document, number))

    def thumbnail(self, document: int, number: int) -> bytes:
        """The same at most 320 wide."""
        return self._read(thumbnail_path(document, number))

    def _read(self, path: str) -> bytes:
        try:
            return self._blobs.get(path)
        except BlobNotFound:
            raise DocumentNotFound("Document does not exist.") from None
