"""For operators: /healthz, /readyz, /metrics. None of them needs a key, none shows anything secret."""

from __future__ import annotations

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from foveal.http.services import Services


class OpsRoutes:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def healthz(self, _: Request) -> Response:
        """The process is alive."""
        return _json({"status": "ok"}, 200)

    async def readyz(self, _: Request) -> Response:
        """200 when questions can be answered, else 503 with what is missing."""
        missing = list(await self._services.readiness.missing())
        if missing:
            return _json({"status": "not ready", "missing": missing}, 503)
        return _json({"status": "ready"}, 200)

    async def metrics(self, _: Request) -> Response:
        return Response(self._services.metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})


def _json(content: object, status: int) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
