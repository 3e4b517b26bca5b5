"""JSON and query parameters of Video Retrieval → typed requests. Every refusal names the field.

Names of properties are taken in any letter case, null is the same as nothing, unknown ones are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from foveal.chat.fields import JsonObject, array, boolean, integer, mapping, missing, not_one_of, string
from foveal.errors import InvalidRequest
from foveal.video.retrieval.contract import Feature, Limits, RetrievalContract
from foveal.video.retrieval.indexes import IndexChanges, NewIndex
from foveal.video.retrieval.ingestion_request import IngestionOptions, NewIngestion, VideoRequest
from foveal.video.retrieval.ingestion_state import MODES, Mode
from foveal.video.retrieval.query import DEFAULT_TOP, DatetimeFilter, Filters, Query, StringFilter
from foveal.video.retrieval.query import Feature as FeatureName
from foveal.video.retrieval.schema import FIELD_TYPES, FieldType, MetadataField, MetadataSchema

AUTHENTICATION_KINDS = ("none", "managedIdentity")


def read_new_index(body: JsonObject, contract: RetrievalContract) -> NewIndex:
    obj = _fold(body)
    return NewIndex(
        features=_features(obj, contract),
        schema=_schema(obj.get("metadataschema"), contract.limits),
        user_data=_user_data(obj, "userData", contract.limits),
    )


def read_index_changes(body: JsonObject, contract: RetrievalContract) -> IndexChanges:
    obj = _fold(body)
    return IndexChanges(
        schema=_schema(obj.get("metadataschema"), contract.limits),
        user_data=_user_data(obj, "userData", contract.limits),
    )


def read_new_ingestion(body: JsonObject, limits: Limits) -> NewIngestion:
    obj = _fold(body)
    videos = array(obj, "videos", most=limits.videos) or ()
    options = IngestionOptions(
        interval=_flag(obj, "generateInsightIntervals"),
        filter_defected_frames=_flag(obj, "filterDefectedFrames"),
        managed_identity=_managed_identity(obj),
        # The second spelling is that of Microsoft's own notebooks.
        transcript=_flag(obj, "includeSpeechTranscript") or _flag(obj, "includeSpeechTranscrpt"),
        moderation=_flag(obj, "moderation"),
    )
    return NewIngestion(
        tuple(_video(item, f"videos[{at}]", limits) for at, item in enumerate(videos)), options
    )


def read_query(body: JsonObject, limits: Limits) -> Query:
    obj = _fold(body)
    text = _string(obj, "queryText")
    if text is None:
        raise missing("queryText")
    if not text.strip():
        raise InvalidRequest("The query text is empty - 'queryText'", param="queryText")
    _check_length(text, limits.query_text, "queryText")
    top = _integer(obj, "top", 1, limits.top)
    dedup = _boolean(obj, "dedup")
    return Query(
        query_text=text,
        filters=_filters(obj, limits),
        moderation=_flag(obj, "moderation"),
        top=DEFAULT_TOP if top is None else top,
        skip=_integer(obj, "skip", 0, limits.skip) or 0,
        additional_index_names=_strings(obj, "additionalIndexNames", "", limits.additional_indexes),
        dedup=True if dedup is None else dedup,
        dedup_max_document_count=_integer(obj, "dedupMaxDocumentCount", 1, None),
        disable_metadata_search=_flag(obj, "disableMetadataSearch"),
    )


def query_parameters(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By name in lower case, the first counts. Names that are empty are ignored: a Unix shell makes `&=20` of
    `&$top=20` between double quotes.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name.strip():
            found.setdefault(name.strip().lower(), value.strip())
    return found


def whole_number(parameters: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    """A number of the query; None when it is not said, `high` when it is higher."""
    text = parameters.get(name)
    if not text:
        return None
    digits = text.lstrip("0") or "0"
    if not (text.isascii() and text.isdigit()):
        raise InvalidRequest(f"{text[:40]!r} is not of type 'integer' - '{name}'", param=name)
    number = high if len(digits) > 12 else min(high, int(digits))
    if number < low:
        raise InvalidRequest(f"{number} is less than the minimum of {low} - '{name}'", param=name)
    return number


def _fold(obj: JsonObject) -> dict[str, Any]:
    return {name.lower(): value for name, value in obj.items()}


def _named(obj: JsonObject, name: str) -> dict[str, Any]:
    """The one property under the name as the API writes it, as the readers of fields want it."""
    return {name: obj.get(name.lower())}


def _flag(obj: JsonObject, name: str) -> bool:
    return _boolean(obj, name) or False


def _boolean(obj: JsonObject, name: str, path: str = "") -> bool | None:
    return boolean(_named(obj, name), name, f"{path}{name}")


def _string(obj: JsonObject, name: str, path: str = "") -> str | None:
    return string(_named(obj, name), name, f"{path}{name}")


def _required(obj: JsonObject, name: str, path: str) -> str:
    value = _string(obj, name, path)
    if value is None:
        raise missing(f"{path}{name}")
    return value


def _integer(obj: JsonObject, name: str, low: int, high: int | None) -> int | None:
    return integer(_named(obj, name), name, low, high)


def _strings(obj: JsonObject, name: str, path: str, most: int) -> tuple[str, ...]:
    given = array(_named(obj, name), name, f"{path}{name}", most=most) or []
    for at, value in enumerate(given):
        if not isinstance(value, str):
            raise InvalidRequest(
                f"The value is not of type 'string' - '{path}{name}[{at}]'", param=f"{path}{name}[{at}]"
            )
    return tuple(given)


def _objects(obj: JsonObject, name: str, path: str, most: int) -> list[tuple[str, dict[str, Any]]]:
    """The objects of an array, each with its path (a dot at its end)."""
    given = array(_named(obj, name), name, f"{path}{name}", most=most) or []
    return [
        (f"{path}{name}[{at}].", _fold(mapping(item, f"{path}{name}[{at}]"))) for at, item in enumerate(given)
    ]


def _check_length(text: str, most: int, path: str) -> None:
    if len(text) > most:
        raise InvalidRequest(f"The value has more than {most} characters - '{path}'", param=path)


def _features(obj: JsonObject, contract: RetrievalContract) -> tuple[Feature, ...]:
    features: list[Feature] = []
    for path, item in _objects(obj, "features", "", 8):
        feature = contract.feature(
            _required(item, "name", path),
            domain=_string(item, "domain", path) or None,
            model_version=_string(item, "modelVersion", path),
            path=path.rstrip("."),
        )
        if any(feature.name == one.name for one in features):
            raise InvalidRequest(
                f"The feature '{feature.name}' appears more than once - '{path}name'", param=f"{path}name"
            )
        features.append(feature)
    return tuple(features)


def _schema(value: object, limits: Limits) -> MetadataSchema | None:
    if value is None:
        return None
    obj = _fold(mapping(value, "metadataSchema"))
    if obj.get("fields") is None:
        raise missing("metadataSchema.fields")
    fields: dict[str, MetadataField] = {}
    for path, item in _objects(obj, "fields", "metadataSchema.", limits.fields):
        field = _field(item, path, limits)
        if field.name in fields:
            raise InvalidRequest(
                f"The field '{field.name}' appears more than once - '{path}name'", param=f"{path}name"
            )
        fields[field.name] = field
    language = _string(obj, "language", "metadataSchema.") or "en"
    _check_length(language, 16, "metadataSchema.language")
    return MetadataSchema(tuple(fields.values()), language)


def _field(item: JsonObject, path: str, limits: Limits) -> MetadataField:
    name = _required(item, "name", path).strip().lower()
    if not name or not name.isprintable():
        raise InvalidRequest(
            f"The name of a field is empty or not printable - '{path}name'", param=f"{path}name"
        )
    _check_length(name, limits.field_name, f"{path}name")
    kind = _required(item, "type", path)
    if kind.lower() not in FIELD_TYPES:
        raise not_one_of(kind, FIELD_TYPES, f"{path}type")
    flags = {flag: _boolean(item, flag, path) for flag in ("searchable", "filterable")}
    for flag, value in flags.items():
        if value is None:
            raise missing(f"{path}{flag}")
    return MetadataField(
        name, cast(FieldType, kind.lower()), flags["searchable"] is True, flags["filterable"] is True
    )


def _user_data(obj: JsonObject, name: str, limits: Limits, path: str = "") -> Mapping[str, Any] | None:
    value = obj.get(name.lower())
    if value is None:
        return None
    data = mapping(value, f"{path}{name}")
    if len(msgspec.json.encode(data)) > limits.user_data:
        raise InvalidRequest(
            f"The user data is more than {limits.user_data} bytes of JSON - '{path}{name}'",
            param=f"{path}{name}",
        )
    return data


def _video(value: object, path: str, limits: Limits) -> VideoRequest:
    obj = _fold(mapping(value, path))
    path = f"{path}."
    mode = _required(obj, "mode", path)
    if mode.lower() not in MODES:
        raise not_one_of(mode, MODES, f"{path}mode")
    metadata = obj.get("metadata")
    return VideoRequest(
        mode=cast(Mode, mode.lower()),
        document_id=_document_id(obj, path, limits),
        url=_url(obj, path, limits),
        metadata=None if metadata is None else mapping(metadata, f"{path}metadata"),
        user_data=_user_data(obj, "userData", limits, path),
    )


def _document_id(obj: JsonObject, path: str, limits: Limits) -> str | None:
    value = _string(obj, "documentId", path)
    if value is None or not value.strip():
        return None
    _check_length(value, limits.document_id, f"{path}documentId")
    if not value.isprintable():
        raise InvalidRequest(
            f"The id has characters that cannot be printed - '{path}documentId'", param=f"{path}documentId"
        )
    return value


def _url(obj: JsonObject, path: str, limits: Limits) -> str | None:
    """The address; without the bracket that the page's second one begins with."""
    value = _string(obj, "documentUrl", path)
    value = None if value is None else value.strip().lstrip("[")
    if not value:
        return None
    _check_length(value, limits.url, f"{path}documentUrl")
    return value


def _managed_identity(obj: JsonObject) -> bool:
    kind = _string(obj, "documentAuthenticationKind")
    if kind is None:
        return False
    if kind.lower() not in [known.lower() for known in AUTHENTICATION_KINDS]:
        raise not_one_of(kind, AUTHENTICATION_KINDS, "documentAuthenticationKind")
    return kind.lower() == "managedidentity"


def _filters(query: JsonObject, limits: Limits) -> Filters:
    value = query.get("filters")
    if value is None:
        return Filters()
    obj = _fold(mapping(value, "filters"))
    return Filters(
        string_filters=tuple(
            StringFilter(_required(item, "fieldName", path), _filter_values(item, path, limits))
            for path, item in _objects(obj, "stringFilters", "filters.", limits.filters)
        ),
        datetime_filters=tuple(
            DatetimeFilter(
                _required(item, "fieldName", path),
                _string(item, "startTime", path),
                _string(item, "endTime", path),
            )
            for path, item in _objects(obj, "datetimeFilters", "filters.", limits.filters)
        ),
        feature_filters=_feature_filters(obj),
    )


def _filter_values(item: JsonObject, path: str, limits: Limits) -> tuple[str, ...]:
    values = _strings(item, "values", path, limits.filter_values)
    if not values:
        raise missing(f"{path}values")
    return values


def _feature_filters(obj: JsonObject) -> tuple[FeatureName, ...]:
    known: Sequence[FeatureName] = ("vision", "speech")
    found: dict[FeatureName, None] = {}
    for at, name in enumerate(_strings(obj, "featureFilters", "filters.", 16)):
        fitting = [feature for feature in known if feature == name.lower()]
        if not fitting:
            raise not_one_of(name, known, f"filters.featureFilters[{at}]")
        found[fitting[0]] = None
    return tuple(found)
