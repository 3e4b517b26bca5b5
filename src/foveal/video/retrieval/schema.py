"""The metadata of documents: the schema that an index gives it, and values checked against it.

Field names are the same in any letter case and kept in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from foveal.errors import InvalidRequest

FieldType = Literal["string", "datetime"]
FIELD_TYPES: tuple[FieldType, ...] = ("string", "datetime")


@dataclass(frozen=True, slots=True)
class MetadataField:
    """`searchable`: its words count in a search; `filterable`: a search may be narrowed by it."""

    name: str
    type: FieldType
    searchable: bool
    filterable: bool


@dataclass(frozen=True, slots=True)
class MetadataSchema:
    fields: tuple[MetadataField, ...]
    language: str = "en"

    def field(self, name: str) -> MetadataField | None:
        """The field of this name in any letter case."""
        return next((one for one in self.fields if one.name == name.lower()), None)

    def as_json(self) -> dict[str, Any]:
        """As the API gives it and as it is stored."""
        return {
            "language": self.language,
            "fields": [
                {
                    "name": one.name,
                    "searchable": one.searchable,
                    "filterable": one.filterable,
                    "type": one.type,
                }
                for one in self.fields
            ],
        }


def schema_from_json(stored: Mapping[str, Any] | None) -> MetadataSchema | None:
    """Of what `as_json` gave."""
    if stored is None:
        return None
    fields = (
        MetadataField(row["name"], cast(FieldType, row["type"]), row["searchable"], row["filterable"])
        for row in stored["fields"]
    )
    return MetadataSchema(tuple(fields), stored["language"])


def parse_moment(text: str) -> datetime:
    """A date, or a date and time, of ISO 8601 ('2023-06-30 17:40:33'); without an offset it is UTC.

    Raises `ValueError`.
    """
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def check_metadata(
    schema: MetadataSchema | None, metadata: Mapping[str, Any], path: str, longest: int
) -> dict[str, str]:
    """The values by field name; raises `InvalidRequest` that names what does not fit. Null is no value."""
    checked: dict[str, str] = {}
    for given, value in metadata.items():
        where = f"{path}.{given[:80]}"
        if schema is None:
            raise InvalidRequest(
                f"The index has no metadata schema, so its documents have no metadata - '{where}'",
                param=where,
            )
        field = schema.field(given)
        if field is None:
            names = ", ".join(one.name for one in schema.fields)
            raise InvalidRequest(
                f"The metadata schema of the index has no such field; it has: {names[:400]} - '{where}'",
                param=where,
            )
        if field.name in checked:
            raise InvalidRequest(f"The field appears more than once - '{where}'", param=where)
        if value is not None:
            checked[field.name] = _value(field, value, where, longest)
    return checked


def _value(field: MetadataField, value: object, where: str, longest: int) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"The value is not of type 'string' - '{where}'", param=where)
    if len(value) > longest:
        raise InvalidRequest(f"The value has more than {longest} characters - '{where}'", param=where)
    if field.type == "datetime":
        try:
            parse_moment(value)
        except (ValueError, OverflowError):
            raise InvalidRequest(
                f"{value[:60]!r} is not a date and time such as '2023-06-30 17:40:33' - '{where}'",
                param=where,
            ) from None
    return value
