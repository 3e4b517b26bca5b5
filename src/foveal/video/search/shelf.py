"""The published documents of an index as a search needs them: their ids, and which pass its filters.

Read from SQL once and kept until the index changes; whether it did is one short query.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from foveal.errors import InvalidRequest, NotFound
from foveal.store.tables import documents, video_indexes
from foveal.store.vectors import VectorKind
from foveal.video.retrieval.query import DatetimeFilter, Filters, StringFilter
from foveal.video.retrieval.schema import MetadataSchema, parse_moment, schema_from_json
from foveal.video.search.wanted import Wanted, index_words

MOST_NAMED = 256  # documents whose metadata is compared with a search
KEPT = 64  # indexes whose documents are remembered
_KINDS: Mapping[str, VectorKind] = {"vision": "frame", "speech": "speech"}


@dataclass(frozen=True, slots=True)
class Shelf:
    """One index. `ids` and `metadata` are those of its documents by key; `values` has the keys by field and
    value, `moments` the values of datetime fields with their keys, `words` the keys by words of what is
    searchable.
    """

    name: str
    collection: int
    schema: MetadataSchema | None
    kinds: frozenset[VectorKind]
    ids: Mapping[int, str]
    metadata: Mapping[int, Mapping[str, str]]
    values: Mapping[str, Mapping[str, frozenset[int]]]
    moments: Mapping[str, tuple[tuple[datetime, int], ...]]
    words: Mapping[str, frozenset[int]]

    def wanted_kinds(self, filters: Filters) -> frozenset[VectorKind]:
        """Of the features that were asked for, those that the index has."""
        if not filters.feature_filters:
            return self.kinds
        return self.kinds & {_KINDS[feature] for feature in filters.feature_filters}

    def passing(self, filters: Filters) -> frozenset[int] | None:
        """The documents that pass all filters; None when there is none. Raises `InvalidRequest`."""
        found: frozenset[int] | None = None
        for place, one in enumerate(filters.string_filters):
            name = self._field(one, "string", f"filters.stringFilters[{place}].fieldName")
            having = self.values.get(name, {})
            keys = frozenset().union(*(having.get(value, frozenset()) for value in one.values))
            found = keys if found is None else found & keys
        for place, time in enumerate(filters.datetime_filters):
            where = f"filters.datetimeFilters[{place}]"
            name = self._field(time, "datetime", f"{where}.fieldName")
            start, end = (
                _bound(time.start_time, f"{where}.startTime"),
                _bound(time.end_time, f"{where}.endTime"),
            )
            keys = frozenset(
                key
                for moment, key in self.moments.get(name, ())
                if (start is None or moment >= start) and (end is None or moment <= end)
            )
            found = keys if found is None else found & keys
        return found

    def naming(self, wanted: Wanted) -> dict[int, float]:
        """How much of a search's words the searchable metadata of each document holds, 0..1; those that hold
        none are left out.
        """
        keys = set().union(*(self.words.get(word, frozenset()) for word in wanted.index_keys()))
        every = sum(goal.weight for goal in wanted.goals)
        fields = searchable(self.schema)
        found = {}
        for key in sorted(keys)[:MOST_NAMED]:
            values = self.metadata[key]
            held = wanted.held(" ; ".join(values[name] for name in fields if name in values))
            if held:
                found[key] = sum(wanted.goals[goal].weight for goal in held) / every
        return found

    def _field(self, asked: StringFilter | DatetimeFilter, kind: str, where: str) -> str:
        field = self.schema.field(asked.field_name) if self.schema is not None else None
        name = asked.field_name[:80]
        if field is None:
            raise InvalidRequest(
                f"The metadata schema of the index '{self.name}' has no field '{name}' - '{where}'",
                param=where,
            )
        if not field.filterable:
            raise InvalidRequest(f"The metadata field '{name}' is not filterable - '{where}'", param=where)
        if field.type != kind:
            raise InvalidRequest(
                f"The metadata field '{name}' is of type '{field.type}', not '{kind}' - '{where}'",
                param=where,
            )
        return field.name


def searchable(schema: MetadataSchema | None) -> tuple[str, ...]:
    """The fields whose words count in a search."""
    fields = schema.fields if schema is not None else ()
    return tuple(one.name for one in fields if one.searchable and one.type == "string")


def _bound(text: str | None, where: str) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_moment(text)
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"{text[:60]!r} is not a date and time such as '2023-06-30 17:40:33' - '{where}'", param=where
        ) from None


class Shelves:
    """All calls block; thread-safe."""

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._known: OrderedDict[int, tuple[object, Shelf]] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, resource: str, index: str) -> Shelf:
        """The index of this name (in any letter case) of the resource. Raises `NotFound`."""
        with self._database.connect() as connection:
            row = connection.execute(
                select(
                    video_indexes.c.key,
                    video_indexes.c.name,
                    video_indexes.c.schema,
                    video_indexes.c.features,
                    video_indexes.c.etag,
                ).where(video_indexes.c.resource == resource, video_indexes.c.name == index.lower())
            ).first()
            if row is None:
                raise NotFound(f"The index '{index[:80]}' does not exist.", code="IndexNotFound")
            # A key is never used twice and each change moves `modified_at`: these tell any change.
            stamp = connection.execute(
                select(
                    func.count(),
                    func.max(documents.c.key),
                    func.sum(documents.c.key),
                    func.max(documents.c.modified_at),
                ).where(documents.c.index_key == row.key, documents.c.published)
            ).one()
            version = (row.etag, *stamp)
            with self._lock:
                known = self._known.get(row.key)
                if known is not None and known[0] == version:
                    self._known.move_to_end(row.key)
                    return known[1]
            shelf = _read(connection, row)
        with self._lock:
            self._known[row.key] = (version, shelf)
            self._known.move_to_end(row.key)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return shelf


def _read(connection: Connection, index: Any) -> Shelf:
    rows = connection.execute(
        select(documents.c.key, documents.c.document_id, documents.c.metadata).where(
            documents.c.index_key == index.key, documents.c.published
        )
    ).all()
    schema = schema_from_json(index.schema)
    values: dict[str, dict[str, set[int]]] = {}
    moments: dict[str, list[tuple[datetime, int]]] = {}
    for field in schema.fields if schema is not None else ():
        for row in rows:
            value = row.metadata.get(field.name)
            if value is None:
                continue
            if field.type == "datetime":
                moments.setdefault(field.name, []).append((parse_moment(value), row.key))
            else:
                values.setdefault(field.name, {}).setdefault(value, set()).add(row.key)
    words: dict[str, set[int]] = {}
    for name in searchable(schema):
        for row in rows:
            for word in index_words(row.metadata.get(name, "")):
                words.setdefault(word, set()).add(row.key)
    return Shelf(
        index.name,
        index.key,
        schema,
        frozenset(_KINDS[feature["name"]] for feature in index.features),
        {row.key: row.document_id for row in rows},
        {row.key: row.metadata for row in rows},
        {name: {value: frozenset(keys) for value, keys in by.items()} for name, by in values.items()},
        {name: tuple(sorted(pairs)) for name, pairs in moments.items()},
        {word: frozenset(keys) for word, keys in words.items()},
    )
