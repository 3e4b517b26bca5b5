"""The Computer Vision resource: image analysis, and the operations that this server does not have."""

from __future__ import annotations

import asyncio
import re

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from foveal.analysis.contract import Options
from foveal.analysis.refusals import BAD_BYTES, RefusedAnalysis, WrongMediaType
from foveal.analysis.result import Analysis
from foveal.chat.body import read_object
from foveal.errors import InvalidRequest, NotSupported, PayloadTooLarge
from foveal.http.analysis_form import analysis_json
from foveal.http.auth import VISION_KINDS, authenticate
from foveal.http.body import read_body
from foveal.http.disconnect import until_disconnect
from foveal.http.services import Services
from foveal.images.detail import DetailedImage

# What the shells of Azure's labs send: {'url': 'https://…'}
_SINGLE_QUOTED = re.compile(rb"\s*\{\s*'url'\s*:\s*'([^'\"\\]*)'\s*,?\s*\}\s*")
_NO_EMBEDDING = (
    "This server has no model that embeds images and texts into one space, so it cannot give vectors that "
    "could be compared. Use a model of your own for retrieval."
)


class VisionRoutes:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._analysis = services.analysis

    async def analyze(self, request: Request) -> Response:
        """POST /computervision/imageanalysis:analyze"""
        who = await authenticate(request, self._services, VISION_KINDS)
        self._services.meter.admit(who.resource.name)
        contract = self._analysis.contract
        # The JavaScript client's own example writes smartCrops-aspect-ratios: names are taken in any case.
        query = QueryParams([(name.lower(), value) for name, value in request.query_params.multi_items()])
        version = contract.version(query.get("api-version"))
        options = contract.options(
            query.getlist("features"),
            language=query.get("language"),
            gender_neutral=query.get("gender-neutral-caption"),
            aspect_ratios=query.getlist("smartcrops-aspect-ratios"),
            model_version=query.get("model-version"),
        )
        kind = _media_type(request)
        body = await self._body(request, json=kind == "application/json")
        analysis = await until_disconnect(request.receive, self._analyze(body, kind, options))
        units = {"analysis": len(options.features)}
        self._services.meter.settle(who.resource.name, who.name, "analysis", "answered", units)
        for feature in options.features:
            self._services.metrics.unit(f"analysis.{feature}")
        return Response(
            msgspec.json.encode(analysis_json(analysis, version)),
            headers={
                "CSP-Billing-Usage": f"CognitiveServices.ComputerVision.Transaction={len(options.features)}"
            },
            media_type="application/json",
        )

    async def vectorize(self, request: Request) -> Response:
        """POST /computervision/retrieval:vectorizeImage, …:vectorizeText"""
        await authenticate(request, self._services, VISION_KINDS)
        raise NotSupported(_NO_EMBEDDING, code="NotSupported")

    async def _body(self, request: Request, *, json: bool) -> bytes:
        limit = self._services.max_body if json else self._analysis.contract.table["picture"]["max_bytes"]
        try:
            return await read_body(request, limit)
        except PayloadTooLarge as error:
            raise RefusedAnalysis(BAD_BYTES, "InvalidImageSize") from error

    async def _analyze(self, body: bytes, kind: str, options: Options) -> Analysis:
        return await self._analysis.analyze(await self._open(body, kind), options)

    async def _open(self, body: bytes, kind: str) -> DetailedImage:
        if kind != "application/json":
            return await self._analysis.open_bytes(body)
        return await self._analysis.open_url(await asyncio.to_thread(_url, body))


def _media_type(request: Request) -> str:
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if given in ("application/json", "application/octet-stream") or given.startswith("image/"):
        return given
    what = f"The content type '{given[:80]}' is not supported" if given else "The content type is missing"
    raise WrongMediaType(
        f"{what}: send application/octet-stream with the picture's bytes, or application/json with its url.",
        "UnsupportedMediaType",
    )


def _url(body: bytes) -> str:
    quoted = _SINGLE_QUOTED.fullmatch(body) if len(body) < 8192 else None
    try:
        url = quoted.group(1).decode() if quoted else read_object(body).get("url")
    except InvalidRequest as error:
        raise RefusedAnalysis(error.message, "BadArgument") from error
    except UnicodeDecodeError as error:
        raise RefusedAnalysis("The request body is not UTF-8.", "BadArgument") from error
    if not isinstance(url, str) or not url.strip():
        raise RefusedAnalysis(
            'The request body must have the picture\'s address: {"url": "https://…"}.', "InvalidImageUrl"
        )
    return url.strip()
