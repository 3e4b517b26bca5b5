"""Rows of tables kept in memory, where the nearest are found by comparing all that pass a filter.

LanceDB takes 4 ms of planning and reading files for any search, and looks into parts of an index that may
miss rows. Comparing 100,000 rows in memory takes as long and misses none; a filter that passes a tenth of
them makes it ten times faster. A table is held as it was at one version: after a write LanceDB answers until
the rows were read again, which is done beside the searches.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.table import AsyncTable
from numpy.typing import NDArray

from foveal.store.vectors import Holding, Near

LOG = logging.getLogger(__name__)

SMALL = 5_000  # rows that are read as quickly as LanceDB compares them
MOST = 200_000  # rows that a process keeps, of all tables together: some 1.2 KB each
REST = 20  # times as long as the reading of a table took it is not read again
COLUMNS = ("document", "kind", "shown", "words", "vector")
FREQUENCY, LENGTH = 1.2, 0.75  # of BM25, usually k1 and b

Found = tuple[list[bytes], NDArray[np.float32]]  # `shown` of the rows and their likenesses


@dataclass(frozen=True, slots=True)
class Words:
    """Which rows hold a word: `rows` from `starts[code]` to `starts[code + 1]` for its code; `lengths` has
    how many words each row holds.
    """

    codes: Mapping[str, int]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    lengths: NDArray[np.float32]

    def scores(self, words: Collection[str]) -> NDArray[np.float32]:
        """[rows]: how much of the words each row holds, rare ones counting more and short rows too (BM25, as
        LanceDB reckons it; no row holds a word twice).
        """
        scores = np.zeros(len(self.lengths), np.float32)
        shortness = 1 / (1 + FREQUENCY * (1 - LENGTH + LENGTH * self.lengths / self.lengths.mean()))
        for code in {self.codes[word] for word in words if word in self.codes}:
            having = self.rows[self.starts[code] : self.starts[code + 1]]
            rarity = np.log1p((len(scores) - len(having) + 0.5) / (len(having) + 0.5))
            scores[having] += (rarity * (FREQUENCY + 1) * shortness[having]).astype(np.float32)
        return scores


@dataclass(frozen=True, slots=True)
class Resident:
    """The rows of a table at a `version`: `kinds` and `shown` as the columns, `owners` the place of a row's
    document among `documents`, `index` the vectors in half precision, which the store writes.
    """

    version: int
    kinds: NDArray[np.int8]
    documents: NDArray[np.int64]
    owners: NDArray[np.int64]
    shown: pa.Array
    words: Words
    index: Any

    def nearest(self, one: Near, kinds: Collection[int]) -> Found:
        import faiss

        passing = self._passing(kinds, one.documents)
        most = min(one.limit, int(passing.sum()))
        if not most:
            return [], np.zeros(0, np.float32)
        chosen = faiss.IDSelectorBitmap(np.packbits(passing, bitorder="little"))
        query = np.ascontiguousarray(one.vector, dtype=np.float32)[None]
        asked = faiss.SearchParameters()
        asked.sel = chosen
        likeness, places = self.index.search(query, most, params=asked)
        return self._shown(places[0]), likeness[0]

    def holding(self, one: Holding, kinds: Collection[int]) -> Found:
        scores = self.words.scores(one.words)
        having = np.flatnonzero((scores > 0) & self._passing(kinds, one.documents))
        places = having[np.argsort(-scores[having], kind="stable")[: one.limit]]
        return self._shown(places), self.index.reconstruct_batch(places) @ one.vector

    def _passing(self, kinds: Collection[int], documents: Collection[int] | None) -> NDArray[np.bool_]:
        passing = np.isin(self.kinds, list(kinds))
        if documents is not None:
            keys = np.fromiter(documents, np.int64, len(documents))
            passing &= np.isin(self.documents, keys)[self.owners]
        return passing

    def _shown(self, places: NDArray[np.int64]) -> list[bytes]:
        shown: list[bytes] = self.shown.take(pa.array(places)).to_pylist()
        return shown


class _Reader:
    """Takes the rows of a table piece by piece."""

    def __init__(self, dimensions: int) -> None:
        import faiss

        faiss.omp_set_num_threads(1)  # its other threads would spin after each search
        half = faiss.ScalarQuantizer.QT_fp16
        self._index = faiss.IndexScalarQuantizer(dimensions, half, faiss.METRIC_INNER_PRODUCT)
        self._columns: list[pa.RecordBatch] = []

    def add(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        vectors = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
        self._index.add(np.ascontiguousarray(vectors.reshape(batch.num_rows, -1), dtype=np.float32))
        self._columns.append(batch.select(["document", "kind", "shown", "words"]))

    def done(self, version: int) -> Resident | None:
        if not self._columns:
            return None
        table = pa.Table.from_batches(self._columns)
        documents, owners = np.unique(table["document"].to_numpy(), return_inverse=True)
        kinds = table["kind"].to_numpy().astype(np.int8)
        words = _words(table["words"].combine_chunks())
        return Resident(
            version, kinds, documents, owners, table["shown"].combine_chunks(), words, self._index
        )


def _words(texts: pa.Array) -> Words:
    lists = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(texts))
    said = pc.list_flatten(lists).dictionary_encode()
    rows = pc.list_parent_indices(lists).to_numpy()
    kept = pc.not_equal(pc.list_flatten(lists), "").to_numpy(zero_copy_only=False)  # of rows without words
    codes = said.indices.to_numpy()[kept]
    counts = np.bincount(codes, minlength=len(said.dictionary))
    return Words(
        {word: code for code, word in enumerate(said.dictionary.to_pylist())},
        np.concatenate([[0], np.cumsum(counts)]),
        rows[kept][np.argsort(codes, kind="stable")],
        np.maximum(np.bincount(rows[kept], minlength=len(texts)), 1).astype(np.float32),
    )


class Residents:
    """The tables that are kept; those searched longest ago go first. For the thread of one event loop."""

    def __init__(self, dimensions: int, most: int = MOST) -> None:
        self._dimensions = dimensions
        self._most = most
        self._kept: OrderedDict[int, Resident] = OrderedDict()
        self._reading: dict[int, asyncio.Task[None]] = {}
        self._rests: dict[int, float] = {}  # until when a table is left alone

    async def at(self, collection: int, table: AsyncTable) -> Resident | None:
        """The rows of the table as it is. Where they are not kept they are read: of a small table now, else
        for later, beside the searches.
        """
        version = await table.version()
        kept = self._at(collection, version)
        if kept is not None or not self._most:
            return kept
        small = await table.count_rows() <= SMALL
        now = asyncio.get_running_loop().time()
        task = self._reading.get(collection)
        if task is None and (small or now >= self._rests.get(collection, now)):
            task = self._reading[collection] = asyncio.create_task(self.read(collection, table))
            task.add_done_callback(lambda _: self._reading.pop(collection, None))
        if task is None or not small:
            return None
        await task
        return self._at(collection, version)

    def _at(self, collection: int, version: int) -> Resident | None:
        kept = self._kept.get(collection)
        if kept is None or kept.version != version:
            return None
        self._kept.move_to_end(collection)
        return kept

    async def read(self, collection: int, table: AsyncTable) -> None:
        """Keep the rows of the table as they are now, if there is room for them."""
        now = asyncio.get_running_loop().time
        began = now()
        try:
            await self._read(collection, table)
        except (RuntimeError, ValueError, OSError) as error:
            LOG.info("reading index %d into memory: %s", collection, str(error)[:300])
        self._rests[collection] = now() + REST * (now() - began)

    async def _read(self, collection: int, table: AsyncTable) -> None:
        version = await table.version()
        if await table.count_rows() > self._most:
            return
        reader = _Reader(self._dimensions)
        async for batch in await table.query().select(list(COLUMNS)).to_batches():
            await asyncio.to_thread(reader.add, batch)
        made = await asyncio.to_thread(reader.done, version)
        if made is None or await table.version() != version:  # perhaps it read the one before
            return
        self._kept[collection] = made
        self._kept.move_to_end(collection)
        while sum(len(one.owners) for one in self._kept.values()) > self._most:
            self._kept.popitem(last=False)

    def forget(self, collection: int) -> None:
        self._kept.pop(collection, None)
        self._rests.pop(collection, None)

    async def end(self) -> None:
        """Nothing is read any more."""
        self._most = 0
        reading = list(self._reading.values())
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
