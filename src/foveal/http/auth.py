"""Who asks: a key in any of the three headers that clients use."""

from __future__ import annotations

from starlette.requests import Request

from foveal.errors import Unauthorized
from foveal.http.errors import UnauthorizedBearer
from foveal.resources.accounts import KeyChecker, Resource

BAD_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
    "for an active subscription and use a correct regional API endpoint for your resource."
)
BAD_BEARER = (
    "Unauthorized. Access token is missing, invalid, audience is incorrect "
    "(https://cognitiveservices.azure.com), or have expired."
)


def authenticate(request: Request, keys: KeyChecker) -> Resource:
    """The resource whose key was presented.

    `api-key` counts first: openai 1.12 sends the key there and as a bearer token. A bearer token that is a
    key is that key.
    """
    headers = request.headers
    presented = headers.get("api-key") or headers.get("ocp-apim-subscription-key")
    if presented is None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized(BAD_KEY)
        resource = keys.check(token.strip())
        if resource is None:
            raise UnauthorizedBearer(BAD_BEARER)
    else:
        resource = keys.check(presented.strip())
        if resource is None:
            raise Unauthorized(BAD_KEY)
    request.scope["foveal.resource"] = resource
    return resource
