"""Who asks: a key in any of the three headers that clients use, or a token of the operator's issuer."""

from __future__ import annotations

import re

from starlette.requests import Request

from foveal.errors import Unauthorized
from foveal.http.errors import PermissionDenied, UnauthorizedBearer
from foveal.http.services import Services
from foveal.resources.accounts import Principal, Resource
from foveal.resources.callers import Caller

_PORT = re.compile(r":\d+$")
BAD_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
    "for an active subscription and use a correct regional API endpoint for your resource."
)
BAD_BEARER = (
    "Unauthorized. Access token is missing, invalid, audience is incorrect "
    "(https://cognitiveservices.azure.com), or have expired."
)
NO_RIGHT = "Principal does not have access to API/Operation."


# The kinds of resource behind each surface: a multi-service resource is behind both.
CHAT_KINDS = frozenset({"AIServices", "OpenAI"})
VISION_KINDS = frozenset({"AIServices", "ComputerVision"})


async def authenticate(request: Request, services: Services, kinds: frozenset[str] = CHAT_KINDS) -> Principal:
    """Who asks; a key or a token for a resource that is not of these kinds is a wrong one.

    `api-key` counts first: openai 1.12 sends the key there and as a bearer token. A bearer token that is a
    key is that key; any other is checked as a token of the issuer, where there is one. That waits only while
    the issuer's keys are fetched.
    """
    headers = request.headers
    presented = headers.get("api-key") or headers.get("ocp-apim-subscription-key")
    if presented is None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized(BAD_KEY)
        who = services.keys.check(token.strip()) or await _bearer(token.strip(), services, kinds)
        if who is None or who.resource.kind not in kinds:
            raise UnauthorizedBearer(BAD_BEARER)
    else:
        who = services.keys.check(presented.strip())
        if who is None or who.resource.kind not in kinds:
            raise Unauthorized(BAD_KEY)
    request.scope["foveal.resource"] = who.resource
    return who


async def _bearer(token: str, services: Services, kinds: frozenset[str]) -> Principal | None:
    """Whom a token speaks for; a good one whose roles do not open these operations is `PermissionDenied`."""
    bearer = None if services.tokens is None else await services.tokens.check(token)
    if bearer is None:
        return None
    if bearer.who.resource.kind in kinds and kinds.isdisjoint(bearer.opens):
        raise PermissionDenied(NO_RIGHT)
    return bearer.who


def caller_of(request: Request, resource: Resource) -> Caller:
    """The resource, and the addresses (`host:port`) under which this request found the server.

    The Host header is the client's word; it only decides which endpoints of data sources count as this
    server, and those are never connected to.
    """
    default = 443 if request.url.scheme == "https" else 80
    addresses: set[str] = set()
    host = request.headers.get("host", "").strip().lower()
    if host:
        addresses.add(host)
        if _PORT.search(host) is None:
            addresses |= {f"{host}:{port}" for port in (default, 443, 80)}
    server = request.scope.get("server")
    if server is not None and server[1] is not None:
        name = f"[{server[0]}]" if ":" in server[0] else server[0]
        addresses |= {f"{name}:{server[1]}", f"localhost:{server[1]}", f"127.0.0.1:{server[1]}"}
    return Caller(resource, frozenset(addresses))
