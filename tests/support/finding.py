"""One question to a vector store."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from foveal.store.vectors import Holding, Near, VectorHit, VectorKind, VectorStore

BOTH: Collection[VectorKind] = ("frame", "speech")


def near(
    store: VectorStore,
    collection: int,
    vector: NDArray[np.float32],
    *,
    limit: int,
    kinds: Collection[VectorKind] = BOTH,
    documents: Collection[int] | None = None,
    exact: bool = False,
) -> list[VectorHit]:
    (found,) = store.find(collection, [Near(vector, limit, kinds, documents, exact)])
    return found


def holding(
    store: VectorStore,
    collection: int,
    words: Collection[str],
    vector: NDArray[np.float32],
    *,
    limit: int,
    kinds: Collection[VectorKind] = BOTH,
    documents: Collection[int] | None = None,
) -> list[VectorHit]:
    (found,) = store.find(collection, [Holding(words, vector, limit, kinds, documents)])
    return found
