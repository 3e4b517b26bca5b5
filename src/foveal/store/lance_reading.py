"""Reading the tables of `foveal.store.lance`: on a loop of its own, one step for a whole question.

The blocking interface of LanceDB takes the way from thread to loop and back seven times for one search, which
is half of its time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import lancedb
from lancedb.db import AsyncConnection
from lancedb.table import AsyncTable

from foveal.store.lance_resident import Resident, Residents
from foveal.store.lance_tending import WORDS_INDEX, largest_vector_index

LOOKED = 1.0  # seconds after which is looked again which indexes a table has
DRIFT = 0.1  # share of its rows by which a table changes until its documents are counted again
MISSING = "was not found"
PREFIX = "index-"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shape:
    """About how many `rows` a table has and of how many `documents`; the `parts` of its vector index (0: it
    has none) and whether it has an index of `words`.
    """

    rows: int
    documents: int
    parts: int
    words: bool

    def share(self, documents: Collection[int] | None) -> float:
        """About how much of the table these documents are; None: all of it."""
        return 1.0 if documents is None else min(1.0, len(documents) / max(1, self.documents))


@dataclass(frozen=True, slots=True)
class Now:
    """One table at one version, what is known of it, and its rows in memory if they are there."""

    table: AsyncTable
    shape: Shape
    resident: Resident | None


Question = Callable[[Now], Awaitable[T]]


def table_name(collection: int) -> str:
    return f"{PREFIX}{int(collection)}"


class Reading:
    """Asks the tables of one place. The loop's thread begins with the first question and ends with the
    process, or with `close`.
    """

    def __init__(self, place: str | Path, options: Mapping[str, str], residents: Residents) -> None:
        self._place = place
        self._options = dict(options) or None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        # Only the loop's thread uses what follows.
        self._database: AsyncConnection | None = None
        self._tables: dict[int, AsyncTable] = {}
        self._shapes: dict[int, tuple[float, Shape]] = {}
        self._residents = residents

    def ask(self, collection: int, questions: Sequence[Question[T]]) -> Sequence[T] | None:
        """The answers, of one version of the table; None where there is no table, or none any more."""
        return self._run(self._ask(collection, questions))

    def changed(self, collection: int) -> None:
        """The next question looks again which indexes there are."""
        self._shapes.pop(collection, None)

    def dropped(self, collection: int) -> None:
        """Nothing of the table is kept."""
        self._run(self._forget(collection))

    def keep(self, collection: int) -> None:
        """Read the rows of a table into memory now, if they may be kept there."""
        self._run(self._keep(collection))

    def close(self) -> None:
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._residents.end(), loop).result()
            loop.call_soon_threadsafe(loop.stop)

    def _run(self, answer: Coroutine[Any, Any, T]) -> T:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_serve, args=(self._loop,), name="lance", daemon=True).start()
            waiting = asyncio.run_coroutine_threadsafe(answer, self._loop)
        return waiting.result()

    async def _ask(self, collection: int, questions: Sequence[Question[T]]) -> Sequence[T] | None:
        for last in (False, True):
            table = await self._open(collection)
            if table is None:
                return None
            try:
                # What any process published before is found. Looked for once: a query of a table that looks
                # by itself does it twice, a millisecond each.
                await _newest(table)
                resident = await self._residents.at(collection, table)
                now = Now(table, await self._shape(collection, table), resident)
                return await asyncio.gather(*(question(now) for question in questions))
            except (RuntimeError, ValueError):
                await self._forget(collection)  # dropped by another process meanwhile, perhaps
                if last:
                    raise
        return None

    async def _keep(self, collection: int) -> None:
        table = await self._open(collection)
        if table is not None:
            await _newest(table)
            await self._residents.read(collection, table)

    async def _forget(self, collection: int) -> None:
        self._tables.pop(collection, None)
        self._shapes.pop(collection, None)
        self._residents.forget(collection)

    async def _open(self, collection: int) -> AsyncTable | None:
        table = self._tables.get(collection)
        if table is not None:
            return table
        if self._database is None:
            self._database = await lancedb.connect_async(
                self._place, read_consistency_interval=None, storage_options=self._options
            )
        try:
            table = await self._database.open_table(table_name(collection))
        except ValueError as error:
            if MISSING in str(error):
                return None
            raise
        self._tables[collection] = table
        return table

    async def _shape(self, collection: int, table: AsyncTable) -> Shape:
        now = asyncio.get_running_loop().time()
        looked, shape = self._shapes.get(collection, (float("-inf"), Shape(0, 0, 0, False)))
        if now - looked < LOOKED:
            return shape
        indexes = {
            one.name: (one.num_indexed_rows or 0) + (one.num_unindexed_rows or 0)
            for one in await table.list_indices()
        }
        parts = largest_vector_index(indexes)
        rows, documents = max(indexes.values(), default=0), shape.documents
        if parts and (not documents or abs(rows - shape.rows) > DRIFT * shape.rows):
            numbers = await table.query().select(["document"]).to_arrow()
            documents = len(numbers["document"].unique())
        elif documents:
            rows = shape.rows  # of the time when the documents were counted
        shape = Shape(rows, documents, parts, WORDS_INDEX in indexes)
        self._shapes[collection] = (now, shape)
        return shape


async def _newest(table: AsyncTable) -> None:
    look: Callable[[], Awaitable[None]] = table.checkout_latest
    await look()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()
