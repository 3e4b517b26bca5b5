"""Indexes, ingestions, documents and hits as Azure writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from foveal.video.retrieval.documents import Document
from foveal.video.retrieval.indexes import Index
from foveal.video.retrieval.ingestion_state import FileStatus, Ingestion
from foveal.video.retrieval.query import Hit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAILED_BATCH = ("FailedToProcessBatch", "Failed to process the batch.")


def timestamp(microseconds: int) -> str:
    """Since 1970 → '2023-12-05T18:14:55.4017330Z'."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"


def timespan(seconds: float) -> str:
    """As .NET writes a TimeSpan: '00:01:58', '00:07:07.8400000', from a day on '1.02:03:04'."""
    whole, fraction = divmod(round(max(0.0, seconds) * 1_000_000), 1_000_000)
    days, rest = divmod(whole, 86_400)
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{f'{days}.' if days else ''}{text}{f'.{fraction:06d}0' if fraction else ''}"


def index_json(index: Index) -> dict[str, Any]:
    """`metadataSchema` only where there is one."""
    schema = {} if index.schema is None else {"metadataSchema": index.schema.as_json()}
    return {
        "name": index.name,
        **schema,
        "userData": index.user_data,
        "features": [
            {"name": one.name, "modelVersion": one.model_version, "domain": one.domain}
            for one in index.features
        ],
        "eTag": f'"{index.etag}"',
        **_times(index.created_at, index.modified_at),
    }


def ingestion_json(ingestion: Ingestion, *, detail: bool) -> dict[str, Any]:
    """`detail`: with the status of every file, where that was read."""
    body: dict[str, Any] = {"name": ingestion.name, "state": ingestion.state}
    if ingestion.state in ("Failed", "PartiallySucceeded"):
        body["error"] = _batch_error(ingestion)
    body["batchName"] = ingestion.batch
    body |= _times(ingestion.created_at, ingestion.modified_at)
    if detail and ingestion.files is not None:
        body["fileStatusDetails"] = [_file_json(one) for one in ingestion.files]
    return body


def document_json(document: Document, *, detail: bool = False) -> dict[str, Any]:
    """`detail`: with what is kept of it, fields of our own."""
    body: dict[str, Any] = {
        "documentId": document.document_id,
        "documentUrl": document.url,
        "metadata": document.metadata,
        **_times(document.created_at, document.modified_at),
        "userData": document.user_data,
    }
    if detail:
        body |= {
            "duration": timespan(document.duration),
            "frames": document.frames,
            "segments": document.segments,
            "bytes": document.size,
        }
    return body


def hit_json(hit: Hit) -> dict[str, Any]:
    body: dict[str, Any] = {
        "documentId": hit.document_id,
        "documentKind": hit.document_kind,
        "start": timespan(hit.start),
        "end": timespan(hit.end),
        "best": timespan(hit.best),
        "relevance": hit.relevance,
    }
    if hit.additional_metadata is not None:
        body["additionalMetadata"] = hit.additional_metadata
    return body


def _times(created: int, modified: int) -> dict[str, str]:
    return {"createdDateTime": timestamp(created), "lastModifiedDateTime": timestamp(modified)}


def _batch_error(ingestion: Ingestion) -> dict[str, Any]:
    code, message = FAILED_BATCH
    if ingestion.state == "PartiallySucceeded":
        code = "FailedToProcessDocuments"
        message = f"Failed to process {ingestion.failed} of {ingestion.total} documents."
    details = [
        {**_error(one.error), **({"target": one.document_id} if one.document_id else {})}
        for one in ingestion.failures
    ]
    return {"code": code, "message": message, "details": details}


def _file_json(file: FileStatus) -> dict[str, Any]:
    body: dict[str, Any] = {
        "lastUpdateTime": timestamp(file.updated_at),
        "documentId": file.document_id,
        "succeeded": file.state == "Succeeded",
        "state": file.state,
        "progress": round(file.progress, 3),
    }
    if file.url:
        body["documentUrl"] = file.url
    if file.step:
        body["step"] = file.step
    if file.error is not None:
        body["error"] = _error(file.error)
    return body


def _error(stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the worker said, nothing else of it."""
    given = stored or {}
    return {name: given[name] for name in ("code", "message", "innerError") if given.get(name) is not None}
