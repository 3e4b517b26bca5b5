"""How ingestions stand: read from the rows that the worker writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, select

from foveal.store.tables import ingestion_videos
from foveal.video.ingest.worksheet import UNFINISHED

Mode = Literal["add", "update", "remove"]
MODES: tuple[Mode, ...] = ("add", "update", "remove")
State = Literal["Running", "Completed", "Failed", "PartiallySucceeded"]
FileState = Literal["NotStarted", "Running", "Succeeded", "Failed", "Cancelled"]

_FILE_STATES: Mapping[str, FileState] = {
    "waiting": "NotStarted",
    "running": "Running",
    "succeeded": "Succeeded",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
_FAILED = ("failed", "cancelled")
_CANCELLED = {"code": "Cancelled", "message": "The ingestion was cancelled."}
FAILURES = 20  # of an ingestion, told beside its state


@dataclass(frozen=True, slots=True)
class FileStatus:
    """How it stands with one video. `progress` is 0..1, `step` what is being done; `error` has a code and a
    message; `url` is without what signed it; `updated_at` in microseconds since 1970.
    """

    document_id: str
    mode: Mode
    url: str | None
    state: FileState
    step: str
    progress: float
    error: Mapping[str, Any] | None
    updated_at: int


@dataclass(frozen=True, slots=True)
class Ingestion:
    """`total` videos, of which so many are not over yet and so many failed (or were cancelled).

    `failures` are the first of those, `files` all of its videos in the order in which they were given, None
    when nobody asked for them. Times are microseconds since 1970.
    """

    key: int
    name: str
    batch: str
    total: int
    unfinished: int
    failed: int
    failures: tuple[FileStatus, ...]
    files: tuple[FileStatus, ...] | None
    created_at: int
    modified_at: int

    @property
    def state(self) -> State:
        """As on Azure, an ingestion is running as soon as it is accepted: clients give up on other states."""
        if self.unfinished:
            return "Running"
        if not self.failed:
            return "Completed"
        return "Failed" if self.failed == self.total else "PartiallySucceeded"


def read_ingestions(connection: Connection, rows: Sequence[Row[Any]], *, files: bool) -> list[Ingestion]:
    """What rows of `ingestions` stand for, in their order; with all of their videos if `files`."""
    keys = [row.key for row in rows]
    counts = _counts(connection, keys)
    failures = _failures(connection, keys)
    everything = _files(connection, keys) if files else {}
    return [
        Ingestion(
            key=row.key,
            name=row.name,
            batch=row.batch,
            total=sum(counts[row.key].values()),
            unfinished=sum(counts[row.key].get(state, 0) for state in UNFINISHED),
            failed=sum(counts[row.key].get(state, 0) for state in _FAILED),
            failures=tuple(failures[row.key]),
            files=tuple(everything[row.key]) if files else None,
            created_at=row.created_at,
            modified_at=row.modified_at,
        )
        for row in rows
    ]


def _counts(connection: Connection, keys: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many videos of each ingestion are in each state."""
    counts: dict[int, dict[str, int]] = {key: {} for key in keys}
    query = (
        select(ingestion_videos.c.ingestion, ingestion_videos.c.state, func.count())
        .where(ingestion_videos.c.ingestion.in_(keys))
        .group_by(ingestion_videos.c.ingestion, ingestion_videos.c.state)
    )
    for ingestion, state, count in connection.execute(query):
        counts[ingestion][state] = count
    return counts


def _failures(connection: Connection, keys: Sequence[int]) -> dict[int, list[FileStatus]]:
    """The first failures of each ingestion."""
    rank = func.row_number().over(
        partition_by=ingestion_videos.c.ingestion, order_by=ingestion_videos.c.position
    )
    ranked = (
        select(*ingestion_videos.c, rank.label("rank"))
        .where(ingestion_videos.c.ingestion.in_(keys), ingestion_videos.c.state.in_(_FAILED))
        .subquery()
    )
    query = select(ranked).where(ranked.c.rank <= FAILURES).order_by(ranked.c.position)
    return _by_ingestion(keys, connection.execute(query))


def _files(connection: Connection, keys: Sequence[int]) -> dict[int, list[FileStatus]]:
    query = (
        select(ingestion_videos)
        .where(ingestion_videos.c.ingestion.in_(keys))
        .order_by(ingestion_videos.c.position)
    )
    return _by_ingestion(keys, connection.execute(query))


def _by_ingestion(keys: Sequence[int], rows: Iterable[Row[Any]]) -> dict[int, list[FileStatus]]:
    found: dict[int, list[FileStatus]] = {key: [] for key in keys}
    for row in rows:
        found[row.ingestion].append(_file(row))
    return found


def _file(row: Row[Any]) -> FileStatus:
    return FileStatus(
        document_id=row.document_id,
        mode=row.mode,
        url=shown_url(row.url),
        state=_FILE_STATES[row.state],
        step=row.step,
        progress=row.progress,
        error=_CANCELLED if row.state == "cancelled" else row.error,
        updated_at=row.updated_at,
    )


def shown_url(url: str | None) -> str | None:
    """What may be shown of an address: neither what signs it nor who asks."""
    if url is None:
        return None
    plain = url.partition("?")[0].partition("#")[0]
    scheme, separator, rest = plain.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
