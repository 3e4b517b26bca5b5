"""Ingestions: what is to be added to an index, changed in it or removed from it.

The rows written here are the work; `foveal.video.ingest.jobs` does it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, exists, insert, select
from sqlalchemy.exc import IntegrityError

from foveal.errors import Conflict, FovealError, NotFound
from foveal.store.tables import ingestion_videos, ingestions
from foveal.video.ingest.queue import IngestionQueue
from foveal.video.ingest.worksheet import UNFINISHED, now
from foveal.video.retrieval.contract import RetrievalContract
from foveal.video.retrieval.indexes import Listing, find_index, listing
from foveal.video.retrieval.ingestion_request import IngestionOptions, NewIngestion, VideoRequest, video_rows
from foveal.video.retrieval.ingestion_state import Ingestion, read_ingestions
from foveal.video.work import Source


class IngestionNotFound(NotFound):
    code = "IngestionNotFound"


class IngestionInProgress(Conflict):
    code = "IngestionInProgress"


class VideoIngestions:
    """All calls block; each is one transaction. `resource` is the name of the one whose indexes they are.

    `check` says what is known to be wrong with an address without asking the network (`VideoFetcher.check`).
    Names are taken in any letter case. Raises `IndexNotFound`, `IngestionNotFound`, and `InvalidRequest` that
    names a parameter.
    """

    def __init__(
        self,
        database: Engine,
        contract: RetrievalContract,
        queue: IngestionQueue,
        check: Callable[[Source], None] | None = None,
    ) -> None:
        self._database = database
        self._contract = contract
        self._queue = queue
        self._check = check

    def create(
        self, resource: str, index: str, name: str, new: NewIngestion, principal: str | None = None
    ) -> Ingestion:
        """Write the work down and ask for it; `principal` is by what (key1), None the command line.

        An ingestion of this name that is over is replaced; `IngestionInProgress` when it is not. A video
        whose address cannot be used is failed at once, with the reason; the others go on.
        """
        index, name = self._names(index, name)
        troubles = [self._trouble(resource, video, new.options) for video in new.videos]
        moment = now()
        try:
            with self._database.begin() as connection:
                found = find_index(connection, resource, index)
                longest = self._contract.limits.metadata_value
                rows = video_rows(connection, found, new.videos, troubles, longest)
                _make_room(connection, found.key, name)
                made = connection.execute(
                    insert(ingestions).values(
                        index_key=found.key,
                        name=name,
                        batch=str(uuid.uuid4()),
                        options=new.options.as_json(),
                        **({} if principal is None else {"principal": principal}),
                        created_at=moment,
                        modified_at=moment,
                    )
                ).inserted_primary_key
                assert made is not None
                key = int(made[0])
                if rows:
                    common = {"ingestion": key, "updated_at": moment}
                    connection.execute(insert(ingestion_videos), [{**row, **common} for row in rows])
        except IntegrityError:  # another request was quicker, with this name or with the end of the index
            with self._database.connect() as connection:
                find_index(connection, resource, index)
            raise _in_progress(name) from None
        if any(row["state"] == "waiting" for row in rows):
            self._queue.submit(key)
        return self.get(resource, index, name)

    def get(self, resource: str, index: str, name: str) -> Ingestion:
        """With all of its files."""
        index, name = self._names(index, name)
        with self._database.connect() as connection:
            row = _find(connection, find_index(connection, resource, index).key, name)
            return read_ingestions(connection, [row], files=True)[0]

    def list(
        self, resource: str, index: str, skip: int = 0, top: int | None = None, *, files: bool = False
    ) -> Listing[Ingestion]:
        """The newest first; with all of their files if `files`."""
        index = self._contract.name(index, "indexName")
        with self._database.connect() as connection:
            query = (
                select(ingestions)
                .where(ingestions.c.index_key == find_index(connection, resource, index).key)
                .order_by(ingestions.c.created_at.desc(), ingestions.c.key.desc())
            )
            page = listing(connection, query, skip, top or self._contract.limits.page, lambda row: row)
            return Listing(tuple(read_ingestions(connection, page.rows, files=files)), page.more)

    def cancel(self, resource: str, index: str, name: str) -> bool:
        """Stop an ingestion; one that is over is forgotten, its documents stay. False when there is none."""
        index, name = self._names(index, name)
        with self._database.begin() as connection:
            try:
                key = _find(connection, find_index(connection, resource, index).key, name).key
            except IngestionNotFound:
                return False
            running = _is_running(connection, key)
            if not running:
                connection.execute(delete(ingestions).where(ingestions.c.key == key))
        if running:
            self._queue.cancel(key)
        return True

    def _names(self, index: str, name: str) -> tuple[str, str]:
        return self._contract.name(index, "indexName"), self._contract.name(name, "ingestionName")

    def _trouble(self, resource: str, video: VideoRequest, options: IngestionOptions) -> FovealError | None:
        """What is known to be wrong with the address of a video that is to be added."""
        if self._check is None or video.mode != "add" or video.url is None:
            return None
        try:
            self._check(Source(video.url, resource, options.managed_identity))
        except FovealError as error:
            return error
        return None


def _make_room(connection: Connection, index: int, name: str) -> None:
    """Forget the ingestion of this name when it is over."""
    try:
        old = _find(connection, index, name)
    except IngestionNotFound:
        return
    if _is_running(connection, old.key):
        raise _in_progress(name)
    connection.execute(delete(ingestions).where(ingestions.c.key == old.key))


def _in_progress(name: str) -> IngestionInProgress:
    return IngestionInProgress(
        f"The ingestion '{name}' is running: wait until it is over, cancel it (DELETE), or use another name.",
        param="ingestionName",
    )


def _find(connection: Connection, index: int, name: str) -> Row[Any]:
    row = connection.execute(
        select(ingestions).where(ingestions.c.index_key == index, ingestions.c.name == name)
    ).first()
    if row is None:
        raise IngestionNotFound(f"The ingestion '{name}' does not exist.", param="ingestionName")
    return row


def _is_running(connection: Connection, ingestion: int) -> bool:
    unfinished = exists().where(
        ingestion_videos.c.ingestion == ingestion, ingestion_videos.c.state.in_(UNFINISHED)
    )
    return bool(connection.scalar(select(unfinished)))
