"""What an ingestion asks for, and its videos as the rows that the worker reads, checked against the index."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from foveal.errors import FovealError, InvalidRequest
from foveal.store.tables import documents
from foveal.video.retrieval.ingestion_state import Mode, shown_url
from foveal.video.retrieval.schema import MetadataSchema, check_metadata, schema_from_json

Reason = dict[str, str | None]  # code and message


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """One video of a request; None: not said.

    `add` needs `url`; `update` and `remove` find the document by its id, else by its URL.
    """

    mode: Mode
    document_id: str | None = None
    url: str | None = None
    metadata: Mapping[str, Any] | None = None
    user_data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class IngestionOptions:
    """`moderation`: harmful frames are left out. `speech`: whether the videos are listened to; None: when the
    index has that feature or `transcript`.
    """

    interval: bool = False
    filter_defected_frames: bool = False
    managed_identity: bool = False
    transcript: bool = False
    moderation: bool = False
    speech: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """As the worker reads them."""
        chosen: dict[str, Any] = {
            "generateInsightIntervals": self.interval,
            "filterDefectedFrames": self.filter_defected_frames,
            "documentAuthenticationKind": "managedIdentity" if self.managed_identity else "none",
            "includeSpeechTranscript": self.transcript,
            "moderation": self.moderation,
        }
        return chosen if self.speech is None else {**chosen, "speech": self.speech}


@dataclass(frozen=True, slots=True)
class NewIngestion:
    videos: tuple[VideoRequest, ...] = ()
    options: IngestionOptions = field(default_factory=IngestionOptions)


def video_rows(
    connection: Connection,
    index: Row[Any],
    videos: Sequence[VideoRequest],
    troubles: Sequence[FovealError | None],
    longest: int,
) -> list[dict[str, Any]]:
    """One row a video. `troubles` is what is known to be wrong with the address of each, `longest` the most
    characters of a metadata value. Raises `InvalidRequest`.
    """
    schema = schema_from_json(index.schema)
    rows: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for position, (video, trouble) in enumerate(zip(videos, troubles, strict=True)):
        path = f"videos[{position}]"
        document_id, reason = _document(connection, index.key, video, path)
        if document_id in seen:
            raise InvalidRequest(
                f"The document id '{document_id[:80]}' is also that of videos[{seen[document_id]}] - "
                f"'{path}.documentId'",
                param=f"{path}.documentId",
            )
        if document_id:
            seen[document_id] = position
        if trouble is not None:
            reason = {"code": trouble.code, "message": trouble.message}
        rows.append(
            {
                "position": position,
                "mode": video.mode,
                "document_id": document_id,
                "url": video.url if reason is None else shown_url(video.url),
                "metadata": _metadata(schema, video, path, longest),
                "user_data": None if video.user_data is None else dict(video.user_data),
                "state": "waiting" if reason is None else "failed",
                "error": reason,
            }
        )
    return rows


def _metadata(
    schema: MetadataSchema | None, video: VideoRequest, path: str, longest: int
) -> dict[str, str] | None:
    if video.metadata is None:
        return None
    return check_metadata(schema, video.metadata, f"{path}.metadata", longest)


def _document(
    connection: Connection, index: int, video: VideoRequest, path: str
) -> tuple[str, Reason | None]:
    """The id of the document that is meant, else "" and why it is not known."""
    if video.mode == "add":
        if video.url is None:
            raise _missing(f"{path}.documentUrl")
        return video.document_id or str(uuid.uuid4()), None
    if video.document_id is not None:
        return video.document_id, None
    if video.url is None:
        raise _missing(f"{path}.documentId")
    plain = video.url.partition("?")[0].partition("#")[0]
    found = connection.scalars(
        select(documents.c.document_id).where(
            documents.c.index_key == index, documents.c.url == plain, documents.c.published
        )
    ).all()
    if len(found) == 1:
        return found[0], None
    if not found:
        return "", {
            "code": "DocumentNotFound",
            "message": "No document of this index came from this address.",
        }
    message = f"{len(found)} documents of this index came from this address: name one by its documentId."
    return "", {"code": "DocumentAmbiguous", "message": message}


def _missing(path: str) -> InvalidRequest:
    return InvalidRequest(f"'{path.rpartition('.')[2]}' is a required property - '{path}'", param=path)
