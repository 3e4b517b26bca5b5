"""The outermost layer, pure ASGI: doubled slashes, request ids and headers, metrics."""

from __future__ import annotations

import re
import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foveal.http.errors import is_retrieval
from foveal.http.metrics import Metrics

_SLASHES = re.compile("/{2,}")
_ECHOED = b"x-ms-client-request-id"
_MAX_ECHO = 128


class FoldSlashes:
    """`//openai/…` → `/openai/…`: bases are often pasted with a slash at the end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "//" in scope["path"]:
            raw = scope.get("raw_path") or b""
            scope = {
                **scope,
                "path": _SLASHES.sub("/", scope["path"]),
                "raw_path": _SLASHES.sub("/", raw.decode("latin-1")).encode("latin-1"),
            }
        await self._app(scope, receive, send)


class Edge:
    """Gives each request its id, each response its headers, and the metrics their numbers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        scope["foveal.request_id"] = request_id
        status = 499  # the client left before an answer began

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_headers(scope, request_id.encode())]
            await send(message)

        started = time.perf_counter()
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            self._metrics.in_flight.dec()
            route = getattr(scope.get("route"), "path", "unknown")
            self._metrics.request_ended(route, status, time.perf_counter() - started)


def _headers(scope: Scope, request_id: bytes) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"apim-request-id", request_id),
        (b"x-request-id", request_id),
        (b"x-content-type-options", b"nosniff"),
    ]
    if is_retrieval(scope["path"]):
        headers.append((b"request-id", request_id))
    for name, value in scope["headers"]:
        if name == _ECHOED:
            if len(value) <= _MAX_ECHO and all(32 < byte < 127 for byte in value):
                headers.append((_ECHOED, value))
            break
    resource = scope.get("foveal.resource")
    if resource is not None:
        headers.append((b"x-ms-region", resource.region.encode("ascii", "ignore")))
    return headers
