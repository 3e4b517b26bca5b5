"""Indexes with documents whose frames and speech are texts, ready to be searched."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, delete, insert, update

from foveal.perception.base import Embedder, Vectors
from foveal.resources.accounts import open_accounts
from foveal.store.database import open_database
from foveal.store.lance import LanceVectorStore
from foveal.store.lance_tending import KEPT, Tending
from foveal.store.tables import documents, video_indexes
from foveal.store.vectors import VectorRow
from foveal.video.search.search import VideoSearch
from foveal.video.search.shelf import Shelves
from foveal.video.search.wanted import index_words

SECONDS = 2.0  # of a frame or segment


class WordEmbedder:
    """Texts that share words lie close: each word has a direction of its own."""

    dimensions = 512

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for place, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                seed = zlib.crc32(word.encode())
                vectors[place] += (
                    np.random.default_rng(seed).standard_normal(self.dimensions).astype(np.float32)
                )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


@dataclass
class SearchHouse:
    """`clock` stands in for the time: every change moves it."""

    database: Engine
    vectors: LanceVectorStore
    embedder: Embedder
    search: VideoSearch
    clock: int = 1

    def index(
        self,
        name: str = "films",
        fields: Sequence[tuple[str, str, bool, bool]] = (),
        features: Sequence[str] = ("vision", "speech"),
        resource: str = "local",
    ) -> int:
        """`fields`: name, type, searchable, filterable."""
        self.clock += 1
        rows = [
            {"name": field, "type": kind, "searchable": searchable, "filterable": filterable}
            for field, kind, searchable, filterable in fields
        ]
        with self.database.begin() as connection:
            made = connection.execute(
                insert(video_indexes).values(
                    resource=resource,
                    name=name,
                    schema={"language": "en", "fields": rows} if rows else None,
                    features=[{"name": feature} for feature in features],
                    user_data={},
                    etag=f'"{self.clock}"',
                    created_at=self.clock,
                    modified_at=self.clock,
                )
            )
        return _key(made.inserted_primary_key)

    def add(
        self,
        index: int,
        document_id: str,
        frames: Sequence[str] = (),
        said: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        *,
        published: bool = True,
    ) -> int:
        """A document whose frames and segments follow each other, `SECONDS` each."""
        self.clock += 1
        with self.database.begin() as connection:
            made = connection.execute(
                insert(documents).values(
                    index_key=index,
                    document_id=document_id,
                    published=published,
                    url="https://films.example/a.mp4",
                    metadata=dict(metadata or {}),
                    user_data={},
                    duration=SECONDS * max(len(frames), len(said)),
                    frames=len(frames),
                    segments=len(said),
                    bytes=0,
                    created_at=self.clock,
                    modified_at=self.clock,
                )
            )
        key = _key(made.inserted_primary_key)
        vectors = self.embedder.embed([*frames, *said])
        rows: list[VectorRow] = []
        for number, text in enumerate(frames):
            at = SECONDS * number
            rows.append(
                VectorRow(key, "frame", number, at, at + SECONDS, at + SECONDS / 2, text, vectors[number])
            )
        for number, text in enumerate(said):
            at = SECONDS * number
            vector = vectors[len(frames) + number]
            rows.append(VectorRow(key, "speech", number, at, at + SECONDS, at, text, vector))
        self.vectors.replace(index, key, rows)
        return key

    def tag(self, document: int, metadata: Mapping[str, str]) -> None:
        self.clock += 1
        with self.database.begin() as connection:
            connection.execute(
                update(documents)
                .where(documents.c.key == document)
                .values(metadata=dict(metadata), modified_at=self.clock)
            )

    def remove(self, document: int) -> None:
        """The row alone: its vectors go later."""
        with self.database.begin() as connection:
            connection.execute(delete(documents).where(documents.c.key == document))

    def close(self) -> None:
        self.vectors.close()
        self.database.dispose()


def open_search_house(
    data: Path, embedder: Embedder | None = None, *, indexed: int = 100_000, kept: timedelta = KEPT
) -> SearchHouse:
    database = open_database(data)
    open_accounts(database, operator_key="k" * 32, engine="echo", strict=False)
    embedder = embedder or WordEmbedder()
    tending = Tending(indexed=indexed, kept=kept, background=False)
    vectors = LanceVectorStore(data / "vectors", embedder.dimensions, words=index_words, tending=tending)
    search = VideoSearch(embedder, lambda: vectors, Shelves(database))
    return SearchHouse(database, vectors, embedder, search)


def _key(row: Any) -> int:
    assert row is not None
    return int(row[0])
