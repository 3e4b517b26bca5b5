"""An identity provider on loopback: OIDC discovery, a key set, and tokens signed by its keys."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from tests.support.server import live

AUDIENCE = "https://cognitiveservices.azure.com"
USER = "Cognitive Services User"
SUBJECT = "8a1f0000-0000-4000-8000-00000000cafe"
CURVES: dict[str, EllipticCurve] = {"ES256": SECP256R1(), "ES384": SECP384R1()}

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey


def make_key(algorithm: str = "RS256", bits: int = 2048) -> PrivateKey:
    if algorithm in CURVES:
        return generate_private_key(CURVES[algorithm])
    return generate_rsa_key(65537, bits)


def public_jwk(kid: str, key: PrivateKey, **more: Any) -> dict[str, Any]:
    """The row of a key set; `more` adds fields, None takes one away."""
    if isinstance(key, RSAPrivateKey):
        row = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        row = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {
        name: value for name, value in {**row, "kid": kid, "use": "sig", **more}.items() if value is not None
    }


@dataclass
class Issuer:
    """`rows` is the key set that is served, `asked` how often it was. `down` answers everything with 503."""

    url: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, PrivateKey] = field(default_factory=dict)
    asked: int = 0
    down: bool = False
    discovery: dict[str, Any] = field(default_factory=dict)  # in place of what would be told
    key_set: bytes | None = None  # the same

    def add(self, kid: str, algorithm: str = "RS256", **more: Any) -> None:
        self.keys[kid] = make_key(algorithm)
        self.rows.append(public_jwk(kid, self.keys[kid], **more))

    def remove(self, kid: str) -> None:
        """It is no longer served; tokens can still be signed by it."""
        self.rows = [row for row in self.rows if row["kid"] != kid]

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Those of a good token; None takes one away."""
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": AUDIENCE,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "oid": SUBJECT,
            "sub": "pairwise",
            "roles": [USER],
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def token(
        self,
        kid: str = "one",
        algorithm: str = "RS256",
        headers: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        return jwt.encode(
            self.claims(**changes),
            self.keys[kid],
            algorithm=algorithm,
            headers={"kid": kid, **(headers or {})},
        )

    def _discovery(self, _: Request) -> Response:
        if self.down:
            return Response(status_code=503)
        told = {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.discovery}
        return Response(json.dumps(told), media_type="application/json")

    def _keys(self, _: Request) -> Response:
        self.asked += 1
        if self.down:
            return Response(status_code=503)
        body = json.dumps({"keys": self.rows}).encode() if self.key_set is None else self.key_set
        return Response(body, media_type="application/json")

    def redirecting(self) -> Starlette:
        """A server that sends whoever asks it to this provider."""

        async def there(request: Request) -> Response:
            return RedirectResponse(f"{self.url.removesuffix('/tenant')}{request.url.path}")

        return Starlette(routes=[Route("/{path:path}", there)])

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/tenant/.well-known/openid-configuration", self._discovery),
                Route("/tenant/keys", self._keys),
            ]
        )


@contextmanager
def issuing() -> Iterator[Issuer]:
    """A running provider with one RSA key, `one`."""
    issuer = Issuer()
    issuer.add("one")
    with live(issuer.app()) as server:
        issuer.url = f"{server.url}/tenant"
        yield issuer
