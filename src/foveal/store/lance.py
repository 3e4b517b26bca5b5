"""Vectors in LanceDB: one table for each collection, in a folder or an object store.

A write is one commit of the table: it is there as a whole or not at all, for every process, whenever the
process dies. What comes with rows (their index, fewer and larger files) is made afterwards by a thread of
the store (`foveal.store.lance_tending`), while searches go on.
"""

from __future__ import annotations

import asyncio
import math
import random
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import lancedb
import msgspec
import numpy as np
import pyarrow as pa
from lancedb.table import AsyncTable, Table
from numpy.typing import NDArray

from foveal.store.lance_reading import MISSING, PREFIX, Now, Question, Reading, Shape, table_name
from foveal.store.lance_resident import MOST, Residents
from foveal.store.lance_tending import Tending
from foveal.store.vectors import Holding, Near, VectorHit, VectorKind, VectorRow

_KINDS: tuple[VectorKind, ...] = ("frame", "speech")
# Document, kind, number, start, end, best and text of a row, in one column: to read seven for the rows of a
# search takes a quarter longer.
_SHOWN = msgspec.msgpack.Decoder(tuple[int, int, int, float, float, float, str])

# Measured in docs/video-search.md.
EXACT = 2_000  # rows that pass a filter and are compared one by one, which misses none
PROBED = 6.0  # parts of the index that a search looks into, times the root of how many there are
NARROWED = 0.4  # power of the share of the rows that pass a filter, by which that is divided
MOST_PASS = 0.4  # share of the documents from which on more rows are read and then filtered: that is faster,
SPARE = 1.5  # by so many times more than should be needed
TRIES = 8  # of a write that others get in the way of
_IN_THE_WAY = ("commit conflict", "Incompatible transaction", "concurrent writers", "Not found")
RUN = 4  # document keys in a row that are asked for as a range


def no_words(text: str) -> Iterable[str]:
    return ()


class LanceVectorStore:
    """`VectorStore`. `place` is a folder or an address (`s3://bucket/path`, `az://…`) with its `options`.

    `words` gives the words by which a text is found; without it nothing is found by words. At most `resident`
    rows are kept in memory.
    """

    def __init__(
        self,
        place: str | Path,
        dimensions: int,
        *,
        words: Callable[[str], Iterable[str]] = no_words,
        options: Mapping[str, str] | None = None,
        tending: Tending | None = None,
        resident: int = MOST,
    ) -> None:
        self._words = words
        self._schema = _schema(dimensions)
        self._reading = Reading(place, options or {}, Residents(dimensions, resident))
        self._database = lancedb.connect(
            place, read_consistency_interval=timedelta(0), storage_options=dict(options or {}) or None
        )
        self._tables: dict[int, Table] = {}
        self._lock = threading.Lock()
        self._tending = tending or Tending()

    def close(self) -> None:
        """Ends the thread that tends the tables; what it has begun it leaves undone."""
        self._tending.close()
        self._reading.close()

    def tend(self, collection: int) -> None:
        """Make the indexes and join the files of a collection now, as far as it pays."""
        table = self._table(collection)
        if table is not None:
            self._tending.tend(table)
            self._reading.changed(collection)

    def keep(self, collection: int) -> None:
        """Read a collection into memory now, as the first search would have it done beside it."""
        self._reading.keep(collection)

    def replace(self, collection: int, document: int, rows: Sequence[VectorRow]) -> None:
        if any(row.document != document for row in rows):
            raise ValueError("a row of another document")
        made = self._table_of(rows)
        self._retried(collection, lambda: self._replace(collection, f"document = {int(document)}", made))

    def remove(self, collection: int, documents: Collection[int]) -> None:
        if documents:
            self._retried(collection, lambda: self._remove(collection, _documents(documents)))

    def drop(self, collection: int) -> None:
        with self._lock:
            self._tables.pop(collection, None)
        self._reading.dropped(collection)
        try:
            self._database.drop_table(table_name(collection))
        except ValueError as error:
            if MISSING not in str(error):
                raise

    def find(self, collection: int, asked: Sequence[Near | Holding]) -> list[list[VectorHit]]:
        some = [(place, _question(one)) for place, one in enumerate(asked) if _can_be_met(one)]
        found: list[list[VectorHit]] = [[] for _ in asked]
        answers = self._reading.ask(collection, [question for _, question in some]) if some else None
        if answers is not None:
            for (place, _), hits in zip(some, answers, strict=True):
                found[place] = hits
        return found

    def documents(self, collection: int) -> set[int]:
        async def numbers(now: Now) -> set[int]:
            found = await now.table.query().select(["document"]).to_arrow()
            return set(found["document"].unique().to_pylist())

        (found,) = self._reading.ask(collection, [numbers]) or (set(),)
        return found

    def collections(self) -> set[int]:
        found: set[int] = set()
        page: str | None = None
        while True:
            answer = self._database.list_tables(page_token=page)
            names = [name for name in answer.tables if name.startswith(PREFIX)]
            found.update(int(name.removeprefix(PREFIX)) for name in names)
            page = answer.page_token
            if not page:
                return found

    def _replace(self, collection: int, mine: str, rows: pa.Table) -> None:
        table = self._table(collection)
        if table is None:
            if not rows.num_rows:
                return
            table = self._create(collection)
        if not table.count_rows(mine):
            if rows.num_rows:
                table.add(rows)
            if table.count_rows(mine) == rows.num_rows:
                self._tending.later(table)
                return
            # Another process wrote the same document meanwhile.
        # The keys of these rows are new: all are inserted and all that the document had are deleted, at once.
        merge = table.merge_insert(["edition", "place"]).when_not_matched_insert_all()
        merge.when_not_matched_by_source_delete(mine).execute(rows)
        self._tending.later(table)

    def _remove(self, collection: int, which: str) -> None:
        table = self._table(collection)
        if table is not None:
            table.delete(which)
            self._tending.later(table)

    def _retried(self, collection: int, write: Callable[[], None]) -> None:
        """Writes of other processes may come in between, the making or the end of the table too: then nothing
        of this one was done, and it is tried again.
        """
        for turn in range(TRIES):
            try:
                write()
                return
            except RuntimeError as error:
                if turn == TRIES - 1 or not any(word in str(error) for word in _IN_THE_WAY):
                    raise
                with self._lock:
                    self._tables.pop(collection, None)
                time.sleep(random.uniform(0, 0.02 * 2**turn))

    def _table(self, collection: int) -> Table | None:
        with self._lock:
            table = self._tables.get(collection)
        if table is not None:
            return table
        try:
            table = self._database.open_table(table_name(collection))
        except ValueError as error:
            if MISSING in str(error):
                return None
            raise
        with self._lock:
            return self._tables.setdefault(collection, table)

    def _create(self, collection: int) -> Table:
        table = self._database.create_table(table_name(collection), schema=self._schema, exist_ok=True)
        with self._lock:
            return self._tables.setdefault(collection, table)

    def _table_of(self, rows: Sequence[VectorRow]) -> pa.Table:
        edition = secrets.token_hex(8)
        columns: dict[str, Any] = {
            "document": [row.document for row in rows],
            "kind": [_KINDS.index(row.kind) for row in rows],
            "edition": [edition] * len(rows),
            "place": range(len(rows)),
            "shown": [_shown(row) for row in rows],
            "words": [" ".join(self._words(row.text)) for row in rows],
            "vector": [row.vector.astype(np.float16).astype(np.float32) for row in rows],
        }
        return pa.table(columns, schema=self._schema)


def _can_be_met(one: Near | Holding) -> bool:
    if one.limit <= 0 or not one.kinds or (one.documents is not None and not one.documents):
        return False
    return isinstance(one, Near) or bool(one.words)


def _question(one: Near | Holding) -> Question[list[VectorHit]]:
    return partial(_near, one) if isinstance(one, Near) else partial(_holding, one)


async def _near(one: Near, now: Now) -> list[VectorHit]:
    if now.resident is not None:
        shown, likeness = await asyncio.to_thread(now.resident.nearest, one, _numbers(one.kinds))
    else:
        found = await _nearest(one, now.table, now.shape)
        shown, likeness = found["shown"].to_pylist(), 1.0 - found["_distance"].to_numpy()
    return sorted(_hits(shown, likeness), key=_nearest_first)


async def _nearest(one: Near, table: AsyncTable, shape: Shape) -> pa.Table:
    share = shape.share(one.documents)
    parts = None if one.exact or share * shape.rows <= EXACT else shape.parts or None

    async def rows(wanted: str, most: int) -> pa.Table:
        query = table.query().nearest_to(one.vector).distance_type("dot").limit(most)
        query = query.select(["shown", "_distance"])
        if wanted:
            query = query.where(wanted)
        if parts is None:
            return await query.bypass_vector_index().to_arrow()
        return await query.nprobes(probes(parts, share)).to_arrow()

    if parts is None:
        return await rows(_wanted(one.kinds, one.documents), one.limit)
    return await _passing(rows, one.kinds, one.documents, share, one.limit)


async def _holding(one: Holding, now: Now) -> list[VectorHit]:
    if now.resident is not None:
        return _hits(*await asyncio.to_thread(now.resident.holding, one, _numbers(one.kinds)))
    if not now.shape.words:
        return []
    said = " ".join(one.words)

    async def rows(wanted: str, most: int) -> pa.Table:
        query = now.table.query().nearest_to_text(said, columns="words").limit(most)
        query = query.select(["shown", "vector", "_score"])
        return await (query.where(wanted) if wanted else query).to_arrow()

    found = await _passing(rows, one.kinds, one.documents, now.shape.share(one.documents), one.limit)
    if not found.num_rows:
        return []
    vectors = found["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    likeness = vectors.reshape(found.num_rows, -1).astype(np.float32) @ one.vector
    return _hits(found["shown"].to_pylist(), likeness)


async def _passing(
    ask: Callable[[str, int], Awaitable[pa.Table]],
    kinds: Collection[VectorKind],
    documents: Collection[int] | None,
    share: float,
    limit: int,
) -> pa.Table:
    """The first rows that pass. `ask` gives so many rows that a condition lets through, in order."""
    if documents is not None and share >= MOST_PASS:
        known = frozenset(documents)
        most = math.ceil(SPARE * limit / share)
        found = await ask(_wanted(kinds, None), most)
        found = found.filter([_SHOWN.decode(row)[0] in known for row in found["shown"].to_pylist()])
        if found.num_rows >= limit:
            return found.slice(0, limit)
    return await ask(_wanted(kinds, documents), limit)


def probes(parts: int, share: float) -> int:
    """How many parts of an index are looked into when this share of the rows passes the filter: the nearest
    of fewer rows lie farther apart.
    """
    return min(parts, math.ceil(PROBED * math.sqrt(parts) / math.pow(max(share, 1e-6), NARROWED)))


def _schema(dimensions: int) -> pa.Schema:
    """`edition` is new with every write of a document and `place` counts its rows: they are a row's key.
    Vectors have 32-bit numbers: columns of 16 make the index many times slower. But they are numbers that 16
    bits hold, so that a row has the same likeness in memory.
    """
    return pa.schema(
        [
            pa.field("document", pa.int64(), nullable=False),
            pa.field("kind", pa.int8(), nullable=False),
            pa.field("edition", pa.string(), nullable=False),
            pa.field("place", pa.int32(), nullable=False),
            pa.field("shown", pa.binary(), nullable=False),
            pa.field("words", pa.string(), nullable=False),
            pa.field("vector", pa.list_(pa.float32(), dimensions), nullable=False),
        ]
    )


def _wanted(kinds: Collection[VectorKind], documents: Collection[int] | None) -> str:
    clauses = []
    if len(numbers := _numbers(kinds)) < len(_KINDS):
        clauses.append(f"kind = {numbers.pop()}")
    if documents is not None:
        clauses.append(_documents(documents))
    return " AND ".join(clauses)


def _documents(documents: Collection[int]) -> str:
    """Keys that follow each other as ranges: many single ones cost milliseconds."""
    alone: list[int] = []
    clauses: list[str] = []
    for _, group in groupby(enumerate(sorted(int(one) for one in documents)), lambda pair: pair[1] - pair[0]):
        keys = [key for _, key in group]
        if len(keys) >= RUN:
            clauses.append(f"document BETWEEN {keys[0]} AND {keys[-1]}")
        else:
            alone += keys
    if alone:
        clauses.append(f"document IN ({', '.join(map(str, alone))})")
    return f"({' OR '.join(clauses)})"


def _shown(row: VectorRow) -> bytes:
    kind = _KINDS.index(row.kind)
    times = float(row.start), float(row.end), float(row.best)
    return msgspec.msgpack.encode((row.document, kind, row.number, *times, row.text))


def _numbers(kinds: Collection[VectorKind]) -> set[int]:
    return {_KINDS.index(kind) for kind in kinds}


def _hits(shown: Iterable[bytes], likeness: NDArray[np.floating[Any]]) -> list[VectorHit]:
    hits = []
    for row, like in zip(shown, likeness.tolist(), strict=True):
        document, kind, number, start, end, best, text = _SHOWN.decode(row)
        cosine = max(-1.0, min(1.0, like))
        hits.append(VectorHit(document, _KINDS[kind], number, start, end, best, text, cosine))
    return hits


def _nearest_first(hit: VectorHit) -> tuple[float, int, str, int]:
    return -hit.likeness, hit.document, hit.kind, hit.number
