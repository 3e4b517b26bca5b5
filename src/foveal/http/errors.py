"""The one place that gives errors their shape on the wire.

Azure's routes use Azure's shapes (those of Computer Vision differ a little), `/v1` OpenAI's. An unexpected
exception is logged with the request's id and answered with 500; nothing of it reaches the client.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foveal.analysis.refusals import RefusedAnalysis
from foveal.errors import (
    BudgetExceeded,
    DeploymentNotFound,
    FovealError,
    InvalidRequest,
    NotFound,
    PromptFiltered,
    Unauthorized,
)
from foveal.video.retrieval.contract import InvalidName

log = logging.getLogger("foveal.http")

UNEXPECTED = "The server had an error while processing your request. Sorry about that!"
_REQUEST_ID = "foveal.request_id"

_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    403: "invalid_request_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
}


_STORAGE_CODES = {
    401: "InvalidAuthenticationInfo",
    404: "ResourceNotFound",
    405: "UnsupportedHttpVerb",
    429: "ServerBusy",
}


_MANAGEMENT_CODES = {404: "NotFound", 405: "MethodNotAllowed", 429: "TooManyRequests"}


class MethodNotAllowed(FovealError):
    status = 405
    code = "405"


class Forbidden(FovealError):
    status = 403
    code = "AuthorizationFailed"


class UnauthorizedBearer(Unauthorized):
    """Only a bearer token was presented and it is not valid: Azure answers this one flat."""


class PermissionDenied(Unauthorized):
    """A good token whose bearer has no role for the operation; Azure says so with 401, not 403."""

    code = "PermissionDenied"


def is_plain(path: str) -> bool:
    """Whether a path belongs to the plain OpenAI surface."""
    return path.startswith("/v1/") or path == "/v1"


def is_vision(path: str) -> bool:
    """Whether a path belongs to the Computer Vision surface."""
    return path.startswith("/computervision/") or is_retrieval(path)


def is_retrieval(path: str) -> bool:
    """Whether a path belongs to Video Retrieval."""
    return path.startswith(("/computervision/retrieval/", "/retrieval/"))


def is_storage(path: str) -> bool:
    """Whether a path belongs to the storage surface, whose errors are XML."""
    return path.startswith("/storage/")


def is_management(path: str) -> bool:
    """Whether a path belongs to the management API."""
    return path.lower().startswith(("/subscriptions/", "/providers/"))


def error_body(error: FovealError, path: str) -> dict[str, Any]:
    """The JSON of an error: OpenAI's shape below `/v1`, else the one Azure uses for this kind."""
    if is_plain(path):
        return {"error": _openai_error(error)}
    if is_management(path):
        return {"error": _management_error(error)}
    if isinstance(error, UnauthorizedBearer):
        return {"statusCode": 401, "message": error.message}
    if isinstance(error, PromptFiltered):
        return {"error": _filtered(error)}
    if is_vision(path):
        return {"error": _retrieval_error(error) if is_retrieval(path) else _vision_error(error)}
    if isinstance(error, InvalidRequest):
        return {
            "error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
        }
    if isinstance(error, Unauthorized | NotFound):
        return {"error": {"code": error.code, "message": error.message}}
    if error.status == 400:
        return {
            "error": {"code": error.code, "message": error.message, "param": error.param, "type": error.type}
        }
    body = {"code": error.code, "message": error.message}
    if error.param is not None:
        body["param"] = error.param
    return {"error": body}


def _filtered(error: PromptFiltered) -> dict[str, Any]:
    """As Azure's live answers have it; its specification names two of the keys differently."""
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": error.results}
    return {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
        "status": error.status,
        "innererror": inner,
    }


def _openai_error(error: FovealError) -> dict[str, Any]:
    code = error.code
    if isinstance(error, Unauthorized) and not isinstance(error, PermissionDenied):
        code = "invalid_api_key"
    elif isinstance(error, DeploymentNotFound):
        code = "model_not_found"
    elif isinstance(error, BudgetExceeded):
        code = "insufficient_quota"
    elif error.status == 429:
        code = "rate_limit_exceeded"
    kind = error.type or _OPENAI_TYPES.get(error.status, "server_error")
    return {"message": error.message, "type": kind, "param": error.param, "code": code}


def _vision_error(error: FovealError) -> dict[str, Any]:
    body: dict[str, Any] = {"code": error.code or "InvalidRequest", "message": error.message}
    if isinstance(error, RefusedAnalysis) and error.inner is not None:
        body["innererror"] = {"code": error.inner, "message": error.message}
    return body


def _retrieval_error(error: FovealError) -> dict[str, Any]:
    body: dict[str, Any] = {"code": error.code or "InvalidRequest", "message": error.message}
    if error.param is not None:
        body["target"] = error.param
    if isinstance(error, InvalidName):
        body["innererror"] = {"code": "InvalidName", "message": error.reason}
    return body


def _management_error(error: FovealError) -> dict[str, Any]:
    """Azure Resource Manager's; its codes are words."""
    code = error.code if error.code and not error.code.isdigit() else _MANAGEMENT_CODES.get(error.status)
    body: dict[str, Any] = {"code": code or "InvalidRequest", "message": error.message}
    if error.param is not None:
        body["target"] = error.param
    return body


def unexpected(error: Exception, scope: Scope) -> FovealError:
    """Log an exception that nobody expected; the client gets no word of it."""
    log.error("request %s failed", scope.get(_REQUEST_ID), exc_info=error)
    hidden = FovealError(UNEXPECTED, code="InternalServerError")
    hidden.status = 500
    return hidden


def _storage_response(error: FovealError) -> Response:
    """Azure Storage's form, which its SDKs read; their codes are words."""
    code = error.code if error.code and not error.code.isdigit() else _STORAGE_CODES.get(error.status)
    code = code or "InvalidInput"
    detail = getattr(error, "detail", None)
    more = (
        "" if detail is None else f"<AuthenticationErrorDetail>{escape(detail)}</AuthenticationErrorDetail>"
    )
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(error.message)}</Message>{more}</Error>"
    )
    headers = {**error.headers, "x-ms-error-code": code}
    return Response(body, error.status, headers=headers, media_type="application/xml")


def error_response(error: FovealError, path: str) -> Response:
    if is_storage(path):
        return _storage_response(error)
    headers = dict(error.headers)
    if is_vision(path):
        headers["x-ms-error-code"] = error.code or "InvalidRequest"
    return Response(
        msgspec.json.encode(error_body(error, path)),
        error.status,
        headers=headers,
        media_type="application/json",
    )


async def unrouted(request: Request, error: Exception) -> Response:
    """The router's own refusals: unknown path, unknown method; OPTIONS is answered with what is allowed."""
    assert isinstance(error, HTTPException)
    headers: Mapping[str, str] = error.headers or {}
    if error.status_code == 405:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=dict(headers))
        problem: FovealError = MethodNotAllowed(
            f"The method {request.method[:20]} is not allowed here.", headers=headers
        )
    else:
        problem = NotFound("Resource not found")
    return error_response(problem, request.url.path)


class ErrorMiddleware:
    """Renders whatever an endpoint raised, as long as nothing of the answer was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            log.debug("request %s: the client left", scope.get(_REQUEST_ID))
        except Exception as error:
            known = error if isinstance(error, FovealError) else unexpected(error, scope)
            if started:  # too late for a status: end the connection, so that the answer is seen to be cut
                raise
            await error_response(known, scope["path"])(scope, receive, send)
