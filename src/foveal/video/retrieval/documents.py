"""The published documents of an index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row, select

from foveal.errors import NotFound
from foveal.store.tables import documents
from foveal.video.retrieval.contract import RetrievalContract
from foveal.video.retrieval.indexes import Listing, find_index, listing


@dataclass(frozen=True, slots=True)
class Document:
    """Times are microseconds since 1970, `duration` seconds, `size` bytes of its frames and thumbnails; `url`
    is without what signed it.
    """

    key: int
    document_id: str
    url: str
    metadata: Mapping[str, Any]
    user_data: Mapping[str, Any]
    duration: float
    frames: int
    segments: int
    size: int
    created_at: int
    modified_at: int


class VideoDocuments:
    """All calls block. Names of indexes are taken in any letter case, ids of documents as they are."""

    def __init__(self, database: Engine, contract: RetrievalContract) -> None:
        self._database = database
        self._contract = contract

    def list(self, resource: str, index: str, skip: int = 0, top: int | None = None) -> Listing[Document]:
        """In the order in which the work on them began. Raises `IndexNotFound`."""
        name = self._contract.name(index, "indexName")
        with self._database.connect() as connection:
            key = find_index(connection, resource, name).key
            query = (
                select(documents)
                .where(documents.c.index_key == key, documents.c.published)
                .order_by(documents.c.key)
            )
            return listing(connection, query, skip, top or self._contract.limits.page, _document)

    def get(self, resource: str, index: str, document_id: str) -> Document:
        """Raises `IndexNotFound`, or `NotFound` with the code DocumentNotFound."""
        name = self._contract.name(index, "indexName")
        with self._database.connect() as connection:
            key = find_index(connection, resource, name).key
            row = connection.execute(
                select(documents).where(
                    documents.c.index_key == key,
                    documents.c.document_id == document_id,
                    documents.c.published,
                )
            ).first()
        if row is None:
            raise NotFound(
                f"There is no document '{document_id[:80]}' in the index '{name}'.",
                code="DocumentNotFound",
                param="documentId",
            )
        return _document(row)


def _document(row: Row[Any]) -> Document:
    return Document(
        key=row.key,
        document_id=row.document_id,
        url=row.url,
        metadata=row.metadata,
        user_data=row.user_data,
        duration=row.duration,
        frames=row.frames,
        segments=row.segments,
        size=row.bytes,
        created_at=row.created_at,
        modified_at=row.modified_at,
    )
