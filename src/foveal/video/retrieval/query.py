"""What a search asks for and what it finds, as the API of 2023-05-01-preview names it.

Times of hits are seconds from the start of the video.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Feature = Literal["vision", "speech"]
DocumentKind = Literal["VideoFrame", "SpeechTextSegment"]

DEFAULT_TOP = 10


@dataclass(frozen=True, slots=True)
class StringFilter:
    """The metadata field (any letter case) has one of the values, exactly."""

    field_name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DatetimeFilter:
    """The metadata field (any letter case) lies between the two, both included; None: open at that end."""

    field_name: str
    start_time: str | None = None
    end_time: str | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """A document must pass every filter; `feature_filters` empty: whatever the index has."""

    string_filters: tuple[StringFilter, ...] = ()
    datetime_filters: tuple[DatetimeFilter, ...] = ()
    feature_filters: tuple[Feature, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """`dedup` joins alike neighbouring frames into one interval; `dedup_max_document_count` then keeps the
    hits of so many best documents. `moderation`: a harmful text is refused instead of searched for.
    """

    query_text: str
    filters: Filters = field(default_factory=Filters)
    moderation: bool = False
    top: int = DEFAULT_TOP
    skip: int = 0
    additional_index_names: tuple[str, ...] = ()
    dedup: bool = True
    dedup_max_document_count: int | None = None
    disable_metadata_search: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """One interval of frames with its best moment, or one segment of speech.

    The API shows the first seven fields. `document` is the key and `number` the frame or segment that
    `best` stands for (its picture in the library); `text` is what it says: the frame in words, the speech.
    """

    document_id: str
    document_kind: DocumentKind
    start: float
    end: float
    best: float
    relevance: float
    additional_metadata: Mapping[str, Any] | None = None
    index_name: str = ""
    document: int = 0
    number: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """`more`: there are further hits after these."""

    hits: tuple[Hit, ...]
    more: bool
