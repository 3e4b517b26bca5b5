"""The ledger: an entry is safe in microseconds, and in SQL within a second.

`settle` writes one line to this process's journal. A thread moves the journal into SQL in batches, each one
transaction. Entries have ids and are written once however often they are moved: so a kill between the
transaction and the end of the segment doubles nothing.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from pathlib import Path
from typing import Protocol

import msgspec
from sqlalchemy import Connection, Engine

from foveal.metering.base import Entry
from foveal.metering.journal import Journal, Segment, left_behind
from foveal.metering.rows import write_entries

log = logging.getLogger(__name__)

FOLDER = "ledger"  # of the data directory
TICK = 0.25  # seconds between two moves
BATCH = 2000  # entries of one transaction, so that others who write to SQL wait for milliseconds only
KEPT = 100_000  # entries that are kept in memory while the journal cannot be written

_decoder = msgspec.json.Decoder(Entry)


class Listener(Protocol):
    """Follows what is settled but not in SQL yet. The calls come one at a time. `moved` may ask SQL, the
    others must be quick.
    """

    def settled(self, entry: Entry) -> None: ...

    def turned(self) -> None:
        """What was settled until now is being moved."""
        ...

    def moved(self) -> None:
        """All of it is in SQL."""
        ...


class Ledger:
    """Of one process. `close` moves what is left; a killed process leaves it to the next one."""

    def __init__(self, database: Engine, data: Path, listener: Listener) -> None:
        self._database = database
        self._folder = data / FOLDER
        self._journal = Journal(self._folder)
        self._listener = listener
        self._encode = msgspec.json.Encoder().encode
        self._writing = threading.Lock()
        self._moving = threading.Lock()
        self._ended: list[Segment] = []  # of this process, not in SQL yet
        self._kept: deque[Entry] = deque()
        self._warned = False
        self._stop = threading.Event()
        self._mover: threading.Thread | None = None
        self.unwritten = 0  # entries that the journal did not take: they are in memory until they are in SQL
        self.lost = 0  # those for which memory had no room either

    def settle(self, entry: Entry) -> None:
        """Keep an entry; when this returns, a kill of the process does not lose it.

        When the journal cannot be written (a full disk), the entry is kept in memory until SQL takes it; that
        is logged once and counted.
        """
        line = self._encode(entry) + b"\n"
        with self._writing:
            self._listener.settled(entry)
            try:
                self._journal.append(line)
            except OSError as error:
                self._keep(entry, error)

    def troubles(self) -> dict[str, float]:
        """Entries that the journal did not take; of them those that wait in memory, and the lost ones."""
        return {"unwritten": self.unwritten, "kept": len(self._kept), "lost": self.lost}

    def start(self) -> None:
        """Take over what dead processes left, and move what is settled, until `close`."""
        self._mover = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._mover.start()

    def flush(self) -> None:
        """Move everything that was settled so far into SQL. When it raises, nothing is lost."""
        with self._moving:
            with self._writing:
                self._listener.turned()
                kept = list(self._kept)
                trouble = self._turn()
            while self._ended:
                _move(self._database, self._ended[0])
                self._ended.pop(0).drop()
            if kept:
                _write(self._database, kept)
                with self._writing:
                    for _ in kept:
                        self._kept.popleft()
            if trouble is not None:
                raise trouble
            self._listener.moved()

    def close(self) -> None:
        """Move the rest. When SQL does not take it, it stays in the journal for the next process."""
        self._stop.set()
        if self._mover is not None:
            self._mover.join()
        self._guarded()
        for segment in self._ended:
            segment.release()
        self._journal.close()

    def _work(self) -> None:
        try:
            take_over(self._database, self._folder)
        except Exception:
            log.exception(
                "the ledger of a process that is gone could not be moved; the next start tries again"
            )
        while not self._stop.wait(TICK):
            self._guarded()

    def _turn(self) -> OSError | None:
        try:
            ended = self._journal.turn()
        except OSError as error:  # no new segment can be made: the old one goes on
            return error
        if ended is not None:
            self._ended.append(ended)
        return None

    def _guarded(self) -> None:
        try:
            self.flush()
        except Exception:
            log.exception("the ledger could not be moved into the database; it is tried again")

    def _keep(self, entry: Entry, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            log.error("the ledger's journal cannot be written: %s; entries are kept in memory", error)
        self.unwritten += 1
        if len(self._kept) >= KEPT:
            self.lost += 1
            return
        self._kept.append(entry)


def take_over(database: Engine, folder: Path) -> int:
    """Move what processes that are gone have left in their journals; returns how many entries were new."""
    found = 0
    for segment in left_behind(folder):
        try:
            found += _move(database, segment)
        except BaseException:
            segment.release()
            raise
        segment.drop()
    return found


def _move(database: Engine, segment: Segment) -> int:
    entries: list[Entry] = []
    for line in segment.lines():
        try:
            entries.append(_decoder.decode(line))
        except msgspec.DecodeError:
            if line:  # torn, so it was never acknowledged; or of a Foveal that wrote other entries
                log.warning("%s has a line that is no entry; it is left out", segment.path.name)
    return _write(database, entries)


def _write(database: Engine, entries: list[Entry]) -> int:
    new = 0
    for start in range(0, len(entries), BATCH):
        with database.connect() as connection:
            _begin(connection)
            new += write_entries(connection, entries[start : start + BATCH])
            connection.commit()
    return new


def _begin(connection: Connection) -> None:
    """Take SQLite's write lock at once: asking which ids are there must see what others wrote."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
