"""The indexes of a resource: made, listed, changed, deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, Row, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from foveal.errors import Conflict, InvalidRequest, NotFound
from foveal.store.tables import documents, ingestion_videos, ingestions, video_indexes
from foveal.video.ingest.queue import IngestionQueue
from foveal.video.ingest.worksheet import UNFINISHED, now
from foveal.video.retrieval.contract import Feature, RetrievalContract
from foveal.video.retrieval.schema import MetadataSchema, schema_from_json

T = TypeVar("T")


class IndexNotFound(NotFound):
    code = "IndexNotFound"


class IndexExists(Conflict):
    code = "IndexAlreadyExists"


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A page of a list; `more`: there are further rows after these."""

    rows: tuple[T, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class NewIndex:
    """Without `features`: the usual one."""

    features: tuple[Feature, ...] = ()
    schema: MetadataSchema | None = None
    user_data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class IndexChanges:
    """What is to be replaced; None stays."""

    schema: MetadataSchema | None = None
    user_data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """Times are microseconds since 1970."""

    key: int
    name: str
    features: tuple[Feature, ...]
    schema: MetadataSchema | None
    user_data: Mapping[str, Any]
    etag: str
    created_at: int
    modified_at: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an index holds: `duration` in seconds of video, `size` in bytes of frames and thumbnails."""

    documents: int = 0
    frames: int = 0
    segments: int = 0
    duration: float = 0.0
    size: int = 0


class VideoIndexes:
    """All calls block; each is one transaction. `resource` is the name of the one whose indexes they are.

    Names are taken in any letter case. Raises `IndexNotFound`, and `InvalidRequest` that names a parameter.
    """

    def __init__(self, database: Engine, contract: RetrievalContract, queue: IngestionQueue) -> None:
        self._database = database
        self._contract = contract
        self._queue = queue

    def create(self, resource: str, name: str, new: NewIndex) -> tuple[Index, bool]:
        """The index, and whether it was made just now: one that is there already and the same is left alone.

        Raises `IndexExists` when it is there with other features, schema or user data.
        """
        name = self._contract.name(name, "indexName")
        features = new.features or self._contract.default_features()
        moment = now()
        row = {
            "resource": resource,
            "name": name,
            "schema": None if new.schema is None else new.schema.as_json(),
            "features": [_feature_json(one) for one in features],
            "user_data": dict(new.user_data or {}),
            "etag": uuid.uuid4().hex,
            "created_at": moment,
            "modified_at": moment,
        }
        try:
            with self._database.begin() as connection:
                connection.execute(insert(video_indexes).values(**row))
                return _index(find_index(connection, resource, name)), True
        except IntegrityError:
            there = self.get(resource, name)
        wanted = features, new.schema, dict(new.user_data or {})
        if (there.features, there.schema, dict(there.user_data)) != wanted:
            raise IndexExists(
                f"There is an index '{name}' already, with other features, metadata schema or user data. "
                "Change it with PATCH, or delete it first.",
                param="indexName",
            )
        return there, False

    def get(self, resource: str, name: str) -> Index:
        name = self._contract.name(name, "indexName")
        with self._database.connect() as connection:
            return _index(find_index(connection, resource, name))

    def list(self, resource: str, skip: int = 0, top: int | None = None) -> Listing[Index]:
        """In the order in which they were made."""
        query = (
            select(video_indexes)
            .where(video_indexes.c.resource == resource)
            .order_by(video_indexes.c.created_at, video_indexes.c.key)
        )
        with self._database.connect() as connection:
            return listing(connection, query, skip, top or self._contract.limits.page, _index)

    def update(self, resource: str, name: str, changes: IndexChanges) -> Index:
        """A field of the schema whose values some document has must stay, with its type."""
        name = self._contract.name(name, "indexName")
        with self._database.begin() as connection:
            row = find_index(connection, resource, name)
            values: dict[str, Any] = {}
            if changes.schema is not None:
                _check_schema_change(connection, _index(row), changes.schema)
                values["schema"] = changes.schema.as_json()
            if changes.user_data is not None:
                values["user_data"] = dict(changes.user_data)
            if values:
                values |= {"etag": uuid.uuid4().hex, "modified_at": now()}
                connection.execute(
                    update(video_indexes).where(video_indexes.c.key == row.key).values(**values)
                )
            return _index(find_index(connection, resource, name))

    def delete(self, resource: str, name: str) -> bool:
        """Forget an index with its documents and ingestions; False when there was none."""
        name = self._contract.name(name, "indexName")
        with self._database.begin() as connection:
            here = (video_indexes.c.resource == resource) & (video_indexes.c.name == name)
            key = connection.scalar(select(video_indexes.c.key).where(here))
            if key is None:
                return False
            connection.execute(delete(video_indexes).where(video_indexes.c.key == key))
        self._queue.discard(key, [])
        return True

    def holdings(self, resource: str, name: str) -> Holdings:
        """What the published documents of an index come to."""
        index = self.get(resource, name)
        query = select(
            func.count(),
            func.coalesce(func.sum(documents.c.frames), 0),
            func.coalesce(func.sum(documents.c.segments), 0),
            func.coalesce(func.sum(documents.c.duration), 0.0),
            func.coalesce(func.sum(documents.c.bytes), 0),
        ).where(documents.c.index_key == index.key, documents.c.published)
        with self._database.connect() as connection:
            return Holdings(*connection.execute(query).one())


def find_index(connection: Connection, resource: str, name: str) -> Row[Any]:
    """The row of an index, its `name` in lower case. Raises `IndexNotFound`."""
    row = connection.execute(
        select(video_indexes).where(video_indexes.c.resource == resource, video_indexes.c.name == name)
    ).first()
    if row is None:
        raise IndexNotFound(f"The index '{name}' does not exist.", param="indexName")
    return row


def listing(
    connection: Connection, query: Select[Any], skip: int, top: int, read: Callable[[Row[Any]], T]
) -> Listing[T]:
    """The page of `query` after `skip` rows, each as `read` makes it."""
    found = connection.execute(query.offset(skip).limit(top + 1)).all()
    return Listing(tuple(read(row) for row in found[:top]), len(found) > top)


def _index(row: Row[Any]) -> Index:
    return Index(
        key=row.key,
        name=row.name,
        features=tuple(_feature(one) for one in row.features),
        schema=schema_from_json(row.schema),
        user_data=row.user_data,
        etag=row.etag,
        created_at=row.created_at,
        modified_at=row.modified_at,
    )


def _feature_json(feature: Feature) -> dict[str, str]:
    return {"name": feature.name, "modelVersion": feature.model_version, "domain": feature.domain}


def _feature(stored: Mapping[str, str]) -> Feature:
    return Feature(stored["name"], stored["domain"], stored["modelVersion"])


def _check_schema_change(connection: Connection, index: Index, wanted: MetadataSchema) -> None:
    before = () if index.schema is None else index.schema.fields
    changed = [one for one in before if (new := wanted.field(one.name)) is None or new.type != one.type]
    if not changed:
        return
    used = _used_fields(connection, index.key)
    for field in changed:
        if field.name in used:
            raise InvalidRequest(
                f"The field '{field.name}' has values in documents of the index: it must stay, with the type "
                f"'{field.type}' - 'metadataSchema.fields'",
                param="metadataSchema.fields",
            )


def _used_fields(connection: Connection, index: int) -> set[str]:
    """Of its documents, and of what is still to be added or updated."""
    coming = (
        select(ingestion_videos.c.metadata)
        .join(ingestions, ingestions.c.key == ingestion_videos.c.ingestion)
        .where(ingestions.c.index_key == index, ingestion_videos.c.state.in_(UNFINISHED))
    )
    queries: Sequence[Any] = (select(documents.c.metadata).where(documents.c.index_key == index), coming)
    rows: Iterable[Mapping[str, Any] | None] = (
        metadata for query in queries for metadata in connection.scalars(query)
    )
    return {name for metadata in rows for name in metadata or ()}
