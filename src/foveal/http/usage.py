"""`GET /foveal/usage`: what the key's resource has spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from foveal.errors import InvalidRequest
from foveal.http.auth import CHAT_KINDS, VISION_KINDS, authenticate
from foveal.http.pool import Pool
from foveal.http.services import Services
from foveal.metering.usage import Report, UsageQuery, report_csv, report_object


@dataclass(frozen=True, slots=True)
class UsageRoutes:
    services: Services
    read: Callable[[UsageQuery], Report]
    pool: Pool

    async def usage(self, request: Request) -> Response:
        """`by`, `from` and `to` (days of UTC, both included), `format` json or csv."""
        who = await authenticate(request, self.services, CHAT_KINDS | VISION_KINDS)
        given = request.query_params
        query = UsageQuery(
            given.get("by", "deployment"), _day(given, "from"), _day(given, "to"), who.resource.name
        )
        form = given.get("format", "json")
        if form not in ("json", "csv"):
            raise InvalidRequest(f"'format' is json or csv, not '{form[:40]}'", param="format")
        report = await self.pool.run(lambda: self.read(query))
        if form == "csv":
            return Response(report_csv(report), media_type="text/csv")
        return Response(msgspec.json.encode(report_object(report)), media_type="application/json")


def _day(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except ValueError:
        raise InvalidRequest(f"'{name}' is a day like 2024-04-09, not '{value[:40]}'", param=name) from None
