"""Tokens that must not be believed, each by one thing that is wrong with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.issuer import AUDIENCE, Issuer, make_key, public_jwk

Forge = Callable[[Issuer], str]
HOUR = 3600
STRANGER = make_key()


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value: Any) -> str:
    return encoded(json.dumps(value).encode())


def signed(issuer: Issuer, header: bytes, payload: bytes) -> str:
    """Any bytes, with a good signature by the key `one`."""
    key = issuer.keys["one"]
    assert isinstance(key, RSAPrivateKey)
    start = f"{encoded(header)}.{encoded(payload)}"
    return f"{start}.{encoded(key.sign(start.encode(), PKCS1v15(), SHA256()))}"


def with_claims(**changes: Any) -> Forge:
    return lambda issuer: issuer.token(**changes)


def with_header(**fields: Any) -> Forge:
    """A good signature over a header with these fields; None takes one away."""

    def forge(issuer: Issuer) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": "one", **fields}
        kept = {name: value for name, value in header.items() if value is not None}
        return signed(issuer, json.dumps(kept).encode(), json.dumps(issuer.claims()).encode())

    return forge


def raw(header: bytes, payload: bytes | None = None) -> Forge:
    return lambda issuer: signed(issuer, header, payload or json.dumps(issuer.claims()).encode())


def unsigned(name: str, signature: str = "") -> Forge:
    return lambda issuer: f"{part({'alg': name, 'kid': 'one'})}.{part(issuer.claims())}.{signature}"


def symmetric(secret: Callable[[RSAPrivateKey], bytes]) -> Forge:
    """HS256 whose secret is what everybody knows of the public key."""

    def forge(issuer: Issuer) -> str:
        key = issuer.keys["one"]
        assert isinstance(key, RSAPrivateKey)
        start = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(issuer.claims())}"
        return f"{start}.{encoded(hmac.digest(secret(key), start.encode(), hashlib.sha256))}"

    return forge


def by_a_stranger(**header: Any) -> Forge:
    def forge(issuer: Issuer) -> str:
        fields = {"kid": "one", **header}
        return jwt.encode(issuer.claims(), STRANGER, algorithm="RS256", headers=fields)

    return forge


def changed(change: Callable[[str], str]) -> Forge:
    return lambda issuer: change(issuer.token())


def with_other_claims(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{part({**claims, 'exp': claims['exp'] + HOUR})}.{signature}"


def _pem(key: RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _now() -> int:
    return int(time.time())


FORGED: dict[str, Forge] = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg NONE, with a signature": unsigned("NONE", "AAAA"),
    "alg empty": unsigned(""),
    "HS256 by the public key in PEM": symmetric(_pem),
    "HS256 by the public key in DER": symmetric(
        lambda key: key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ),
    "HS256 by its row of the key set": symmetric(
        lambda key: json.dumps(public_jwk("one", key)).encode(),
    ),
    "HS256 by nothing": symmetric(lambda _: b""),
    "a stranger's signature": by_a_stranger(),
    "a stranger's key at jku": by_a_stranger(jku="https://issuer.example/keys"),
    "a stranger's key at x5u": by_a_stranger(x5u="https://issuer.example/key.pem"),
    "a stranger's key inside": by_a_stranger(jwk=public_jwk("one", STRANGER)),
    "a stranger's certificate inside": by_a_stranger(x5c=["MIIB"]),
    "another audience": with_claims(aud="https://graph.microsoft.com"),
    "another audience that begins alike": with_claims(aud=f"{AUDIENCE}.example.com"),
    "several other audiences": with_claims(aud=["https://graph.microsoft.com", "api://other"]),
    "no audience": with_claims(aud=None),
    "an audience that is a number": with_claims(aud=7),
    "an empty list of audiences": with_claims(aud=[]),
    "another issuer": with_claims(iss="https://sts.windows.net/00000000-0000-0000-0000-000000000000/"),
    "an issuer that begins alike": lambda issuer: issuer.token(iss=f"{issuer.url}x"),
    "an issuer that is a list": lambda issuer: signed(
        issuer, b'{"alg":"RS256","kid":"one"}', json.dumps(issuer.claims(iss=[issuer.url])).encode()
    ),
    "no issuer": with_claims(iss=None),
    "expired": lambda issuer: issuer.token(exp=_now() - 61),
    "expired long ago": with_claims(exp=1),
    "no expiry": with_claims(exp=None),
    "an expiry in words": with_claims(exp="tomorrow"),
    "an expiry that is true": with_claims(exp=True),
    "an expiry in milliseconds": lambda issuer: issuer.token(exp=_now() * 1000),
    "an expiry without end": with_claims(exp=float("inf")),
    "an expiry that is no number": with_claims(exp=float("nan")),
    "an expiry of four hundred digits": with_claims(exp=10**400),
    "not good yet": lambda issuer: issuer.token(nbf=_now() + 120),
    "a start in words": with_claims(nbf="now"),
    "no bearer": with_claims(oid=None, sub=None),
    "a bearer with line breaks": with_claims(oid="a\nb", sub=None),
    "a bearer without end": with_claims(oid="x" * 129, sub=None),
    "a subject that is a number": with_claims(oid=None, sub=7),
    "an unknown kid": with_header(kid="two"),
    "no kid": with_header(kid=None),
    "a kid that is a number": with_header(kid=1),
    "a kid that is a list": with_header(kid=["one"]),
    "an empty kid": with_header(kid=""),
    "a kid with a path": with_header(kid="../../../../dev/null"),
    "a kid with SQL": with_header(kid="one' OR '1'='1"),
    "a kid of ten thousand characters": with_header(kid="k" * 10_000),
    "no alg": with_header(alg=None),
    "an alg that the key has not": with_header(alg="ES256"),
    "an alg that the signature has not": with_header(alg="RS512"),
    "crit": with_header(crit=["exp"]),
    "crit of a known extension": with_header(crit=["b64"], b64=False),
    "crit of an extension that changes nothing": with_header(crit=["b64"], b64=True),
    "crit that is empty": with_header(crit=[]),
    "crit that is null": raw(b'{"alg":"RS256","kid":"one","crit":null}'),
    "a header that is a list": raw(b"[]"),
    "a header that is a string": raw(b'"RS256"'),
    "a header that is no JSON": raw(b"{alg: RS256}"),
    "a header that is not UTF-8": raw(b'{"alg":"RS256","kid":"one","x":"\xff"}'),
    "a header of nothing but brackets": raw(b"[" * 9000),
    "a header of nested objects": raw(b'{"alg":"RS256","kid":"one","x":' + b'{"x":' * 1500),
    "claims that are a list": raw(b'{"alg":"RS256","kid":"one"}', b"[]"),
    "claims that are a number": raw(b'{"alg":"RS256","kid":"one"}', b"1"),
    "claims that are no JSON": raw(b'{"alg":"RS256","kid":"one"}', b"x"),
    "claims of nothing but brackets": raw(b'{"alg":"RS256","kid":"one"}', b"[" * 9000),
    "other claims under an old signature": changed(with_other_claims),
    "cut in its signature": changed(lambda token: token[:-8]),
    "cut behind its claims": changed(lambda token: token.rpartition(".")[0]),
    "without a signature": changed(lambda token: token.rpartition(".")[0] + "."),
    "without claims": changed(lambda token: ".".join((token.split(".")[0], "", token.split(".")[2]))),
    "with two signatures": changed(lambda token: f"{token}.AAAA"),
    "with a blank inside": changed(lambda token: f"{token[:40]} {token[40:]}"),
    "with letters beyond ASCII": changed(lambda token: f"{token[:-4]}üüüü"),
    "not base64": lambda _: "!!!!.????.####",
    "base64 of nothing": lambda _: "..",
    "letters": lambda _: "a.b.c",
    "huge": lambda issuer: issuer.token(padding="x" * 20_000),
    "huge and empty": lambda _: "." * 20_000,
    "encrypted": lambda _: ".".join(["eyJhbGciOiJSU0EtT0FFUCJ9", "AA", "AA", "AA", "AA"]),
}
