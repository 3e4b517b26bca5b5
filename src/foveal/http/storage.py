"""`/storage/RESOURCE/NAME`: uploaded media, read with a signature, written with a key of that resource."""

from __future__ import annotations

import asyncio
import errno
import mimetypes
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from foveal.errors import FovealError, InvalidRequest, NotSupported, PayloadTooLarge
from foveal.http.auth import CHAT_KINDS, VISION_KINDS, authenticate
from foveal.http.byte_ranges import Unsatisfiable, http_date, matches, wanted_range
from foveal.http.services import Services
from foveal.store.media import ContainerNotFound, Media, MediaStore
from foveal.store.sas import VERSION

MINE = "media"  # for uploads: the container of the key's resource, whatever its name
_BUFFER = 1024 * 1024  # bytes that are gathered before a thread writes them
_IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif")


class InvalidRange(FovealError):
    status = 416
    code = "InvalidRange"


class ConditionNotMet(FovealError):
    status = 412
    code = "ConditionNotMet"


class NoSpace(FovealError):
    status = 507
    code = "DiskFull"


class StorageRoutes:
    def __init__(self, services: Services, media: MediaStore) -> None:
        self._services = services
        self._media = media

    def routes(self) -> list[Route]:
        return [
            Route("/storage/{resource}/{name}", self.read, methods=["GET"]),  # and HEAD
            Route("/storage/{resource}/{name}", self.write, methods=["PUT"]),
        ]

    async def read(self, request: Request) -> Response:
        """The file or a range of it. The signature is checked first: without one nothing is told."""
        resource, name = request.path_params["resource"], request.path_params["name"]
        await asyncio.to_thread(self._media.check, resource, name, request.query_params)
        found = await asyncio.to_thread(self._media.find, resource, name)
        headers = _headers(found)
        if request.headers.get("if-match") and not matches(request.headers["if-match"], found.etag):
            raise ConditionNotMet("The condition specified using HTTP conditional header(s) is not met.")
        if matches(request.headers.get("if-none-match"), found.etag):
            return Response(status_code=304, headers=headers)
        try:
            part = wanted_range(request.headers, found.size, found.etag, found.modified)
        except Unsatisfiable:
            raise InvalidRange(
                "The range specified is invalid for the current size of the resource.",
                headers={"content-range": f"bytes */{found.size}"},
            ) from None
        start, end = part or (0, found.size)
        headers["content-length"] = str(end - start)
        if part is not None:
            headers["content-range"] = f"bytes {start}-{end - 1}/{found.size}"
        status = 200 if part is None else 206
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        pieces: Iterator[bytes] = await asyncio.to_thread(self._media.read, resource, name, start, end)
        return StreamingResponse(pieces, status, headers=headers)  # read in a thread, piece by piece

    async def write(self, request: Request) -> Response:
        """Keep the body under the name; the answer has an address that may be read for a week.

        As in Azure, what is there is replaced, unless `If-None-Match: *` says not to.
        """
        who = await authenticate(request, self._services, CHAT_KINDS | VISION_KINDS)
        resource = who.resource.name
        if request.path_params["resource"].lower() not in (MINE, resource.lower()):
            raise ContainerNotFound
        if "comp" in request.query_params:
            raise NotSupported("Only whole files can be uploaded, in one request.")
        name = request.path_params["name"]
        _check_length(request.headers.get("content-length"), self._media.max_bytes)
        keep = request.headers.get("if-none-match", "").strip() == "*"
        with self._media.spooled(name) as (file, path):
            await _receive(request, file, self._media.max_bytes)
            found = await asyncio.to_thread(self._media.add, resource, name, path, replace=not keep)
        base = self._services.base_url or str(request.base_url)
        url = await asyncio.to_thread(self._media.url, base, resource, name)
        body = {"name": found.name, "size": found.size, "url": url}
        return Response(
            msgspec.json.encode(body),
            201,
            headers={"etag": found.etag, "last-modified": http_date(found.modified)},
            media_type="application/json",
        )


def _headers(found: Media) -> dict[str, str]:
    return {
        "content-type": _content_type(found.name),
        "accept-ranges": "bytes",
        "etag": found.etag,
        "last-modified": http_date(found.modified),
        "x-ms-blob-type": "BlockBlob",
        "x-ms-version": VERSION,
        # Media only: whatever was uploaded, a browser runs nothing of it.
        "content-security-policy": "default-src 'none'; media-src 'self'; sandbox",
    }


def _content_type(name: str) -> str:
    guessed = mimetypes.guess_type(name)[0] or ""
    if guessed.startswith(("video/", "audio/")) or guessed in _IMAGES:
        return guessed
    return "application/octet-stream"


def _check_length(declared: str | None, limit: int) -> None:
    if declared is None:
        return
    if not (declared.isascii() and declared.isdigit()):
        raise InvalidRequest("The header Content-Length is not a number.", code="InvalidHeaderValue")
    if len(declared) > 18 or int(declared) > limit:
        raise _too_large(limit)


async def _receive(request: Request, file: BinaryIO, limit: int) -> None:
    """The body into a file, written in a thread; raises as soon as it is known to be too large."""
    size, waiting, held = 0, list[bytes](), 0
    try:
        while True:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk = message.get("body", b"")
            size, held = size + len(chunk), held + len(chunk)
            if size > limit:
                raise _too_large(limit)
            waiting.append(chunk)
            last = not message.get("more_body", False)
            if last or held >= _BUFFER:
                await asyncio.to_thread(file.writelines, waiting)
                waiting, held = [], 0
            if last:
                await asyncio.to_thread(file.flush)
                return
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("The disk of the server is full.") from None
        raise


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The request body is larger than {limit} bytes.", code="RequestBodyTooLarge")
