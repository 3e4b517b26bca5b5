"""The rows of an ingestion as the worker uses them: what is to be done, how far it is, how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from foveal.errors import FovealError
from foveal.store.tables import documents, ingestion_videos, ingestions, video_indexes
from foveal.video.base import VideoInfo

UNFINISHED = ("waiting", "running")


class Cancelled(Exception):
    """The ingestion was cancelled, or its index removed, while a video was worked on."""


class VideoRefused(FovealError):
    """A video of an ingestion that cannot be added, updated or removed; `code` says why in one word."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Which video of which ingestion; `batch` changes when an ingestion is put again under its name."""

    ingestion: int
    position: int
    batch: str


@dataclass(frozen=True, slots=True)
class Task:
    """One video of an ingestion. `document` is the key that was reserved for it (mode `add`)."""

    video: Waiting
    mode: str
    document_id: str
    url: str
    resource: str
    index: int
    features: tuple[str, ...]
    options: Mapping[str, Any]
    metadata: Mapping[str, Any]
    user_data: Mapping[str, Any]
    document: int | None
    principal: str  # by what it was asked for

    @property
    def wants_speech(self) -> bool:
        if self.options.get("speech") is False:  # asked for on the command line
            return False
        return "speech" in self.features or bool(self.options.get("includeSpeechTranscript"))


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


Added = Callable[[Connection, Task, VideoInfo], None]


def _unsettled(_connection: Connection, _task: Task, _info: VideoInfo) -> None:
    return None


class Worksheet:
    """All calls block; each is one transaction. `added` is called within the one that publishes a document:
    what it writes there is written exactly once.
    """

    def __init__(self, database: Engine, added: Added = _unsettled) -> None:
        self._database = database
        self._added = added

    def unfinished(self) -> list[Waiting]:
        """In the order in which they are to be worked on."""
        query = (
            select(ingestion_videos.c.ingestion, ingestion_videos.c.position, ingestions.c.batch)
            .join(ingestions, ingestions.c.key == ingestion_videos.c.ingestion)
            .where(ingestion_videos.c.state.in_(UNFINISHED))
            .order_by(ingestions.c.created_at, ingestions.c.key, ingestion_videos.c.position)
        )
        with self._database.connect() as connection:
            return [Waiting(row.ingestion, row.position, row.batch) for row in connection.execute(query)]

    def counts(self) -> Mapping[str, float]:
        """How many videos are waiting and running, and how far the running ones are together (0..1 each)."""
        query = select(ingestion_videos.c.state, func.count(), func.sum(ingestion_videos.c.progress)).where(
            ingestion_videos.c.state.in_(UNFINISHED)
        )
        with self._database.connect() as connection:
            rows = {
                state: (number, progress)
                for state, number, progress in connection.execute(query.group_by(ingestion_videos.c.state))
            }
        running, progress = rows.get("running", (0, 0.0))
        return {"waiting": rows.get("waiting", (0, 0.0))[0], "running": running, "progress": progress}

    def begin(self, video: Waiting) -> Task | None:
        """Mark a video as running and reserve its document; None when there is nothing to do any more.

        Raises `VideoRefused` when a document of this id exists.
        """
        with self._database.begin() as connection:
            task = _read(connection, video)
            if task is None:
                return None
            document = task.document
            if task.mode == "add" and document is None:
                document = _reserve(connection, task)
            self._set(connection, task, state="running", document=document)
            return _read(connection, video)

    def task(self, video: Waiting) -> Task | None:
        """The task as it stands; None when it is not wanted any more."""
        with self._database.connect() as connection:
            return _read(connection, video)

    def find(self, video: Waiting) -> Task | None:
        """The same, also when it was cancelled."""
        with self._database.connect() as connection:
            return _read(connection, video, cancelled=True)

    def report(self, task: Task, step: str, progress: float) -> None:
        """Say how far it is. Raises `Cancelled` when the work is not wanted any more."""
        with self._database.begin() as connection:
            if _read(connection, task.video) is None:
                raise Cancelled
            self._set(connection, task, step=step, progress=min(1.0, max(0.0, progress)))

    def publish(self, task: Task, info: VideoInfo, frames: int, segments: int, size: int) -> None:
        """Show the document to everybody and end its video, in one transaction. Raises `Cancelled`."""
        with self._database.begin() as connection:
            if _read(connection, task.video) is None:
                raise Cancelled
            moment = now()
            connection.execute(
                update(documents)
                .where(documents.c.key == task.document)
                .values(
                    published=True,
                    duration=info.duration,
                    frames=frames,
                    segments=segments,
                    bytes=size,
                    created_at=moment,
                    modified_at=moment,
                )
            )
            self._end(connection, task, "succeeded")
            self._added(connection, task, info)

    def rename(self, task: Task) -> None:
        """Mode `update`: new metadata and user data. Raises `VideoRefused` when there is no such document."""
        changes: dict[str, Any] = {"modified_at": now()}
        if task.metadata:
            changes["metadata"] = dict(task.metadata)
        if task.user_data:
            changes["user_data"] = dict(task.user_data)
        with self._database.begin() as connection:
            found = connection.execute(update(documents).where(_published(task)).values(**changes))
            if found.rowcount == 0:
                raise _missing(task)
            self._end(connection, task, "succeeded")

    def remove(self, task: Task) -> int:
        """Mode `remove`: forget the document; returns its key. Raises `VideoRefused` when there is none."""
        with self._database.begin() as connection:
            key = connection.scalar(select(documents.c.key).where(_published(task)))
            if key is None:
                raise _missing(task)
            connection.execute(delete(documents).where(documents.c.key == key))
            self._end(connection, task, "succeeded")
            return int(key)

    def fail(self, video: Waiting, code: str, message: str) -> None:
        """End a video with its reason and forget the document that was reserved for it."""
        self._give_up(video, "failed", {"code": code, "message": message})

    def cancelled(self, video: Waiting) -> None:
        self._give_up(video, "cancelled", None)

    def cancel(self, ingestion: int) -> None:
        """Ask for the end of an ingestion: what waits ends now, what runs at its next report."""
        with self._database.begin() as connection:
            connection.execute(update(ingestions).where(ingestions.c.key == ingestion).values(cancelled=True))
            connection.execute(
                update(ingestion_videos)
                .where(ingestion_videos.c.ingestion == ingestion, ingestion_videos.c.state == "waiting")
                .values(state="cancelled", url=None, updated_at=now())
            )

    def documents(self) -> set[int]:
        """The keys of all documents, published or not."""
        with self._database.connect() as connection:
            return set(connection.scalars(select(documents.c.key)))

    def unpublished(self) -> set[int]:
        """The keys of those that are being made."""
        with self._database.connect() as connection:
            return set(connection.scalars(select(documents.c.key).where(documents.c.published.is_(False))))

    def indexes(self) -> set[int]:
        with self._database.connect() as connection:
            return set(connection.scalars(select(video_indexes.c.key)))

    def _give_up(self, video: Waiting, state: str, error: dict[str, str] | None) -> None:
        with self._database.begin() as connection:
            row = connection.execute(
                select(ingestion_videos.c.document, ingestion_videos.c.url)
                .join(ingestions, ingestions.c.key == ingestion_videos.c.ingestion)
                .where(
                    _video(video),
                    ingestions.c.batch == video.batch,
                    ingestion_videos.c.state.in_(UNFINISHED),
                )
            ).first()
            if row is None:
                return
            if row.document is not None:
                connection.execute(
                    delete(documents).where(documents.c.key == row.document, documents.c.published.is_(False))
                )
            values = {"state": state, "error": error, "document": None, "url": _without_signature(row.url)}
            connection.execute(
                update(ingestion_videos).where(_video(video)).values(**values, updated_at=now())
            )
            _touch(connection, video.ingestion)

    def _end(self, connection: Connection, task: Task, state: str) -> None:
        self._set(connection, task, state=state, progress=1.0, step="", url=_without_signature(task.url))
        _touch(connection, task.video.ingestion)

    def _set(self, connection: Connection, task: Task, **values: Any) -> None:
        connection.execute(
            update(ingestion_videos).where(_video(task.video)).values(**values, updated_at=now())
        )


def _read(connection: Connection, video: Waiting, *, cancelled: bool = False) -> Task | None:
    wanted = [] if cancelled else [ingestions.c.cancelled.is_(False)]
    row = connection.execute(
        select(
            ingestion_videos,
            ingestions.c.index_key,
            ingestions.c.options,
            ingestions.c.principal,
            video_indexes.c.resource,
            video_indexes.c.features,
        )
        .join(ingestions, ingestions.c.key == ingestion_videos.c.ingestion)
        .join(video_indexes, video_indexes.c.key == ingestions.c.index_key)
        .where(
            _video(video),
            ingestions.c.batch == video.batch,
            ingestion_videos.c.state.in_(UNFINISHED),
            *wanted,
        )
    ).first()
    if row is None:
        return None
    return Task(
        video=video,
        mode=row.mode,
        document_id=row.document_id,
        url=row.url or "",
        resource=row.resource,
        index=row.index_key,
        features=_names(row.features),
        options=row.options,
        metadata=row.metadata or {},
        user_data=row.user_data or {},
        document=row.document,
        principal=row.principal,
    )


def _reserve(connection: Connection, task: Task) -> int:
    """A document that nobody sees yet: it takes the id within the index and gives the key."""
    moment = now()
    try:
        made = connection.execute(
            insert(documents).values(
                index_key=task.index,
                document_id=task.document_id,
                published=False,
                url=_without_signature(task.url) or "",
                metadata=dict(task.metadata),
                user_data=dict(task.user_data),
                duration=0.0,
                frames=0,
                segments=0,
                bytes=0,
                created_at=moment,
                modified_at=moment,
            )
        )
    except IntegrityError:
        raise VideoRefused(
            f"There is a document '{task.document_id[:80]}' in this index already. Remove it first "
            "(an ingestion with mode 'remove'), then add it again.",
            code="DocumentAlreadyExists",
        ) from None
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])


def _names(features: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(str(feature["name"]).lower() for feature in features)


def _missing(task: Task) -> VideoRefused:
    return VideoRefused(
        f"There is no document '{task.document_id[:80]}' in this index.", code="DocumentNotFound"
    )


def _without_signature(url: str | None) -> str | None:
    """What may be kept and shown of an address: nothing after the question mark."""
    return None if url is None else url.partition("?")[0].partition("#")[0]


def _video(video: Waiting) -> Any:
    return (ingestion_videos.c.ingestion == video.ingestion) & (ingestion_videos.c.position == video.position)


def _published(task: Task) -> Any:
    return (
        (documents.c.index_key == task.index)
        & (documents.c.document_id == task.document_id)
        & documents.c.published.is_(True)
    )


def _touch(connection: Connection, ingestion: int) -> None:
    connection.execute(update(ingestions).where(ingestions.c.key == ingestion).values(modified_at=now()))
