"""What the tables of `foveal.store.lance` need beside their rows: indexes and, now and then, tidying.

A vector index is made when comparing all rows would take longer than looking into it. New rows are found
without it, one by one, until they are many enough to be put into it. Nothing here is needed to be right: a
search that meets none of it is only slower.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from lancedb.index import FTS, BTree, IvfFlat
from lancedb.table import Table

LOG = logging.getLogger(__name__)

DOCUMENT_INDEX = "document_idx"
WORDS_INDEX = "words_idx"
VECTOR_INDEX = "vector_in_"  # and the number of its parts

INDEXED = 10_000  # rows from which a vector index pays
PART = 128  # rows of a part of it, in the mean
LOOSE = 0.05  # share of the rows that may be outside of the indexes,
LEAST_LOOSE = 2_000  # and so many in any case
GROWN = 2  # an index that was made of so many times fewer rows is made anew,
PIECES = 6  # and one to which rows were added so often: each time it gets a piece that is searched too
FRAGMENTS = 32  # files of rows that may be there before they are joined
KEPT = timedelta(minutes=10)  # for how long versions are kept that a search may still be reading


def indexes_of(table: Table) -> dict[str, tuple[int, int]]:
    """The indexes of a table by name: rows in them and outside of them."""
    return {
        one.name: (one.num_indexed_rows or 0, one.num_unindexed_rows or 0) for one in table.list_indices()
    }


def largest_vector_index(names: Collection[str]) -> int:
    """The parts of the vector index among these, 0 when there is none; of two, the larger one, which is about
    to replace the other.
    """
    parts = [int(name.removeprefix(VECTOR_INDEX)) for name in names if name.startswith(VECTOR_INDEX)]
    return max(parts, default=0)


def parts_for(rows: int) -> int:
    return max(1, rows // PART)


class Tending:
    """One thread that tends the tables that were written to, one after the other. A table that waits is not
    put in line twice.
    """

    def __init__(
        self,
        *,
        indexed: int = INDEXED,
        fragments: int = FRAGMENTS,
        kept: timedelta = KEPT,
        background: bool = True,
    ) -> None:
        self._indexed = indexed
        self._kept = kept
        self._written: dict[str, Table] = {}  # those that have old versions still
        self._fragments = fragments
        self._background = background
        self._line: queue.SimpleQueue[Table | None] = queue.SimpleQueue()
        self._waiting: set[str] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def later(self, table: Table) -> None:
        if not self._background:
            return
        with self._lock:
            if table.name in self._waiting:
                return
            self._waiting.add(table.name)
            if self._thread is None:
                # A daemon: the end of the process waits for no index, which the next write makes again.
                self._thread = threading.Thread(target=self._work, name="lance-tending", daemon=True)
                self._thread.start()
        self._line.put(table)

    def close(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._line.put(None)
            thread.join(timeout=5)

    def _work(self) -> None:
        while True:
            try:
                table = self._line.get(timeout=self._kept.total_seconds() if self._written else None)
            except queue.Empty:  # nobody wrote for so long that every old version can go
                for table in self._written.values():
                    self._guarded(table, self._tidy)
                self._written.clear()
                continue
            if table is None:
                return
            with self._lock:
                self._waiting.discard(table.name)
            self._written[table.name] = table
            self.tend(table)

    def tend(self, table: Table) -> None:
        """What fails is left to the next time: another process does the same work, or dropped the table."""
        self._guarded(table, self._tend)

    def _guarded(self, table: Table, work: Callable[[Table], None]) -> None:
        try:
            work(table)
        except (RuntimeError, ValueError, OSError) as error:
            LOG.info("tending %s: %s", table.name, str(error)[:300])

    def _tidy(self, table: Table) -> None:
        table.optimize(cleanup_older_than=self._kept)

    def _tend(self, table: Table) -> None:
        known = indexes_of(table)
        rows = table.count_rows()
        if not rows:
            return
        if DOCUMENT_INDEX not in known:
            table.create_index("document", config=BTree(), name=DOCUMENT_INDEX)
        if WORDS_INDEX not in known:
            table.create_index("words", config=_words(), name=WORDS_INDEX)
        if rows >= self._indexed:
            _index_vectors(table, rows)
        loose = max((outside for _, outside in known.values()), default=0)
        fragments = _fragments(table)
        if loose > max(LEAST_LOOSE, LOOSE * rows) or fragments > self._fragments:
            self._tidy(table)


def _index_vectors(table: Table, rows: int) -> None:
    """Make the index when there is none, when its parts have become too large or its pieces too many; then
    drop the one before it.

    The number of parts follows from their size: had it been given, adding rows would join them all.
    """
    before = largest_vector_index(indexes_of(table))
    parts = parts_for(rows)
    if before and rows < GROWN * before * PART:
        stats = table.index_stats(f"{VECTOR_INDEX}{before}")
        if stats is None or (stats.num_indices or 1) < PIECES:
            return
    # Samples and rounds enough for vectors that lie as close together as those of sentences.
    config = IvfFlat(distance_type="dot", target_partition_size=PART, sample_rate=32, max_iterations=12)
    table.create_index("vector", config=config, name=f"{VECTOR_INDEX}{parts}")
    if before and before != parts:
        table.drop_index(f"{VECTOR_INDEX}{before}")


def _fragments(table: Table) -> int:
    stats: Any = table.stats()  # a dictionary, whatever its annotation says
    return int(stats["fragment_stats"]["num_fragments"])


def _words() -> FTS:
    """The words come normalised: nothing is left out of them or changed."""
    return FTS(
        base_tokenizer="whitespace",
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
        lower_case=False,
        max_token_length=64,
        with_position=False,
    )
