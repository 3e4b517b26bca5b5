"""The trained head of the text judge: from a sentence's vector and its letters to a score for each question.

`training/content_filter` makes the data file; `docs/content-filter.md` says of what and how right it is.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from foveal.perception.base import Embedder

Floats = NDArray[np.float32]
Buckets = NDArray[np.int64]  # the hashed letter groups and words of one window, each once

JAILBREAK = "jailbreak"  # the name of its question; the others are "hate>=low" and so on
GROUPS = (2, 3, 4, 5, 6)  # letters in a group; a space is a letter, and marks where words begin and end
_HANGUL = re.compile("[가-힣ㄱ-ㅣ]")
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def buckets(texts: Sequence[str], size: int) -> list[Buckets]:
    """For each text the places of its letter groups, words and pairs of words in a table of `size` rows.

    The texts are tidied: see `wording.tidy`. All are hashed at once, as one row of letters, which is quicker
    than one after the other.
    """
    if not texts:
        return []
    words = [text.split() for text in texts]
    told = [f" {' '.join(some)} ".encode("utf-32-le") for some in words]
    lengths = np.array([len(each) // 4 for each in told], dtype=np.int64)
    letters = np.frombuffer(b"".join(told), dtype=np.uint32).astype(np.uint64)
    owner = np.repeat(np.arange(len(texts)), lengths)
    room = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(letters))  # letters up to the text's end
    found, owners = [], []
    rolling = np.full(len(letters), 7, dtype=np.uint64)
    for length in range(1, min(max(GROUPS), len(letters)) + 1):
        rolling = (rolling[: len(letters) - length + 1] ^ letters[length - 1 :]) * _FACTOR
        rolling ^= rolling >> _SHIFT
        if length in GROUPS:
            inside = room[: len(rolling)] >= length
            found.append(rolling[inside])
            owners.append(owner[: len(rolling)][inside])
    named = [[*some, *(f"{one} {two}" for one, two in pairwise(some))] for some in words]
    hashes = [zlib.crc32(name.encode("utf-8", "replace")) for names in named for name in names]
    found.append(np.array(hashes, dtype=np.uint64) * _FACTOR >> _SHIFT)
    owners.append(np.repeat(np.arange(len(texts)), [len(names) for names in named]))
    places = (np.concatenate(found) % np.uint64(size)).astype(np.int64)
    marked = np.zeros(len(texts) * size, dtype=bool)
    marked[np.concatenate(owners) * size + places] = True
    once = np.flatnonzero(marked)  # some ten times as quick as sorting them
    return np.split(once % size, np.searchsorted(once, np.arange(1, len(texts)) * size))


@dataclass(frozen=True, slots=True)
class Head:
    """Scores are log odds: above its threshold a question is answered yes.

    `questions` names the columns: "hate>=low", "hate>=medium", …, "jailbreak".
    """

    questions: tuple[str, ...]
    thresholds: Floats  # [languages, questions]: of texts without Hangul, and with it
    hidden: Floats  # [dimensions, units]
    hidden_bias: Floats  # [units]
    out: Floats  # [units, questions]
    straight: Floats  # [dimensions, questions]
    bias: Floats  # [questions]
    table: Floats  # [buckets, questions]

    def scores(self, rows: Rows) -> Floats:
        """[rows, questions]"""
        units = np.maximum(rows.vectors @ self.hidden + self.hidden_bias, 0)
        scores: Floats = units @ self.out + rows.vectors @ self.straight + self.bias
        for row, found in enumerate(buckets(rows.texts, len(self.table))):
            scores[row] += self.table.take(found, axis=0).sum(axis=0) / np.float32(np.sqrt(len(found)))
        return scores

    def margins(self, rows: Rows) -> Floats:
        """[rows, questions]: how far the scores are above the thresholds; from 0 on it is a yes."""
        language = [int(_HANGUL.search(text) is not None) for text in rows.texts]
        margins: Floats = self.scores(rows) - self.thresholds[language]
        return margins


@dataclass(frozen=True, slots=True)
class Rows:
    """What is scored: each window by itself, and each page of several windows as a whole."""

    owners: list[int]  # the page's place among the pages
    texts: list[str]
    whole: list[bool]  # a page, or the only window of one
    vectors: Floats  # [rows, dimensions]


def rows_of(pages: Sequence[tuple[str, ...]], embedder: Embedder) -> Rows:
    """The rows of pages (see `wording.pages`). A page's vector is the mean of its windows' vectors, which
    costs nothing: the encoder takes as long for a page as for its windows.
    """
    said = [window for page in pages for window in page]
    places = {window: at for at, window in enumerate(dict.fromkeys(said))}  # some stand on several pages
    windows = embedder.embed(list(places))[[places[window] for window in said]]
    owners: list[int] = []
    texts: list[str] = []
    vectors: list[Floats] = []
    first = 0
    for at, page in enumerate(pages):
        some = windows[first : first + len(page)]
        first += len(page)
        owners += [at] * len(page)
        texts += page
        vectors += list(some)
        if len(page) > 1:
            mean = some.mean(axis=0)
            owners.append(at)
            texts.append(" ".join(page))
            vectors.append(mean / max(float(np.linalg.norm(mean)), 1e-6))
    counts = [len(page) for page in pages]
    whole = [mark for count in counts for mark in ([True] if count == 1 else [False] * count + [True])]
    kept = np.stack(vectors) if vectors else np.zeros((0, embedder.dimensions), dtype=np.float32)
    return Rows(owners, texts, whole, kept)


def load_head(data: bytes | None = None) -> Head:
    """The head in a file that `training/content_filter` wrote; without one, that of this package."""
    if data is None:
        data = files(__package__).joinpath("data", "head.npz").read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        return Head(
            questions=tuple(str(name) for name in kept["questions"]),
            thresholds=kept["thresholds"].astype(np.float32),
            hidden=kept["hidden"].astype(np.float32),
            hidden_bias=kept["hidden_bias"].astype(np.float32),
            out=kept["out"].astype(np.float32),
            straight=kept["straight"].astype(np.float32),
            bias=kept["bias"].astype(np.float32),
            table=kept["table"].astype(np.float32) * kept["table_scale"].astype(np.float32),
        )
