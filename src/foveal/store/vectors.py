"""Vectors with a place and a time, found again by likeness."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

VectorKind = Literal["frame", "speech"]


@dataclass(frozen=True, slots=True)
class VectorRow:
    """One frame or segment of a document: what it stands for (`start` to `end`), its best moment and text."""

    document: int
    kind: VectorKind
    number: int
    start: float
    end: float
    best: float
    text: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class VectorHit:
    """A row that was found; `likeness` is the cosine of the two vectors, -1..1."""

    document: int
    kind: VectorKind
    number: int
    start: float
    end: float
    best: float
    text: str
    likeness: float


@dataclass(frozen=True, slots=True)
class Near:
    """Asks for the `limit` rows nearest to a vector, nearest first, of these `kinds` and `documents` (None:
    of any). A large collection is looked into where the nearest most likely are, unless `exact`: then none is
    missed, however long it takes.
    """

    vector: NDArray[np.float32]
    limit: int
    kinds: Collection[VectorKind]
    documents: Collection[int] | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """Asks for at most `limit` rows whose text holds any of the `words` (as the store was told to see them),
    those with rare ones first; `vector` is what their likeness is told to.
    """

    words: Collection[str]
    vector: NDArray[np.float32]
    limit: int
    kinds: Collection[VectorKind]
    documents: Collection[int] | None = None


class VectorStore(Protocol):
    """Rows in collections, one for each index. All calls block, are thread-safe and may come from several
    processes.
    """

    def replace(self, collection: int, document: int, rows: Sequence[VectorRow]) -> None:
        """The rows of a document, in place of those it had; all of them or none."""
        ...

    def remove(self, collection: int, documents: Collection[int]) -> None: ...

    def drop(self, collection: int) -> None:
        """Everything of a collection; nothing happens when there is none."""
        ...

    def find(self, collection: int, asked: Sequence[Near | Holding]) -> list[list[VectorHit]]:
        """The answers to several questions about a collection as it is at one moment, worked on side by side;
        empty ones when there is no such collection.
        """
        ...

    def documents(self, collection: int) -> set[int]:
        """Those that have rows."""
        ...

    def collections(self) -> set[int]:
        """Those that there are."""
        ...

    def close(self) -> None:
        """End what works beside the calls; what is half done there is done again later."""
        ...
