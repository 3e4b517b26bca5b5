"""The request's body: its type checked, its size capped while it arrives, read once."""

from __future__ import annotations

from collections.abc import Container

from starlette.requests import ClientDisconnect, Request

from foveal.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType

# What a shell's curl says of a body that is JSON all the same.
SHELL_TYPES = frozenset({"application/x-www-form-urlencoded", "text/plain", "text/json"})


def check_content_type(request: Request, also: Container[str] = ()) -> None:
    """JSON, one of `also`, or nothing said; anything else is 415."""
    given = request.headers.get("content-type")
    if given is not None and given.strip():
        kind, *options = (piece.strip().lower() for piece in given.split(";"))
        json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
        if not json and kind not in also:
            raise UnsupportedMediaType(
                f"The content type '{kind[:80]}' is not supported: send application/json.",
                param="Content-Type",
            )
        for option in options:
            name, _, value = option.partition("=")
            if name.strip() == "charset" and value.strip(" \"'") not in {"utf-8", "utf8", "us-ascii"}:
                raise UnsupportedMediaType(
                    f"The charset '{value[:40]}' is not supported: send UTF-8.", param="Content-Type"
                )
    if request.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        raise UnsupportedMediaType("Compressed request bodies are not supported.", param="Content-Encoding")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body; `PayloadTooLarge` as soon as it is known to be over `limit` bytes."""
    declared = request.headers.get("content-length")
    if declared is not None:
        if not (declared.isascii() and declared.isdigit()):
            raise InvalidRequest("The header Content-Length is not a number.", param="Content-Length")
        if len(declared) > 18 or int(declared) > limit:
            raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if chunk:
            chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The request body is larger than {limit} bytes.", param="body")
