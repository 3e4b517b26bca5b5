"""The keys of an identity provider: found by OIDC discovery, fetched, and fetched again.

Nothing that a token says decides what is fetched: the address is the operator's, the key set must lie on the
same host, redirects are not followed, and time and bytes are bounded. A key that the provider has taken away
is not believed after the next fetch.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import ssl
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import httpx
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import InvalidKeyError
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from foveal.errors import SetupError
from foveal.images.fetch import default_tls
from foveal.images.guard import BadUrl, Target, read_url
from foveal.resources.tokens import IssuerUnavailable

log = logging.getLogger(__name__)

FRESH = 3600.0  # seconds that keys are used before they are fetched again
TRUSTED = 86_400.0  # seconds that keys are believed while the provider cannot be reached
PAUSE = 60.0  # seconds between two fetches, whatever tokens come
FIRST_PAUSE = 5.0  # the same while there are no keys yet
DEADLINE = 5.0  # seconds for both documents together
MAX_BYTES = 512 * 1024  # of either document; Entra's key sets have about 20 KiB

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_EC = {"secp256r1": ("ES256",), "secp384r1": ("ES384",)}
_RSA_BITS = range(2048, 8193)


class IssuerError(Exception):
    """The provider gave no usable keys; the text is for the log."""


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A public key, and the algorithms that signatures by it may have. None of them is symmetric."""

    key: RSAPublicKey | EllipticCurvePublicKey
    algorithms: tuple[str, ...]


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


class IssuerKeys:
    """The keys of one provider, by their `kid`. For one event loop.

    `allow_hosts` (host or host:port) may be asked without TLS, as loopback may. `clock` counts seconds.
    Raises `SetupError` for an address that no provider can have.
    """

    def __init__(
        self,
        issuer: str,
        *,
        allow_hosts: Iterable[str] = (),
        tls: Callable[[], ssl.SSLContext] = default_tls,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = issuer.strip().rstrip("/")
        self._target = _read_issuer(self._base, frozenset(allow_hosts))
        self.names = frozenset(f"{name}{end}" for name in _names(self._base) for end in ("", "/"))
        self._tls = tls
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: Mapping[str, IssuerKey] = {}
        self._document = b""
        self._fetched: float | None = None
        self._tried: float | None = None

    async def get(self, kid: str) -> IssuerKey | None:
        """The key of this name. Waits only when keys are fetched: for a name that is not known, and once they
        are no longer fresh. Raises `IssuerUnavailable` while there are no keys to go by.
        """
        known = kid in self._keys
        if not known or self._older_than(FRESH):
            # One request fetches; those that need nothing new do not wait for it.
            if not (known and self._lock.locked()):
                await self.refresh()
            if self._older_than(TRUSTED):
                raise IssuerUnavailable
        return self._keys.get(kid)

    async def refresh(self) -> None:
        """Fetch the keys, unless that was tried a moment ago. A failure is logged, and the old keys stay."""
        async with self._lock:  # whoever comes while a fetch runs waits for what it brings
            if self._just_tried():
                return
            self._tried = self._clock()
            known = self._keys
            try:
                count = await self.fetch()
            except IssuerError as error:
                log.warning("the keys of the issuer %s cannot be had: %s", self._base, error)
            else:
                if self._keys is not known:
                    level = logging.INFO if count else logging.WARNING
                    log.log(level, "read %d key(s) of the issuer %s", count, self._base)

    async def fetch(self) -> int:
        """Fetch the keys now; how many there are. Raises `IssuerError`."""
        document = await self._download()
        if document != self._document:  # else those that are known stay the same objects
            self._keys, self._document = read_keys(document), document
        self._fetched = self._clock()
        return len(self._keys)

    def _older_than(self, seconds: float) -> bool:
        return self._fetched is None or self._clock() - self._fetched > seconds

    def _just_tried(self) -> bool:
        pause = FIRST_PAUSE if self._fetched is None else PAUSE
        return self._tried is not None and self._clock() - self._tried < pause

    async def _download(self) -> bytes:
        """The key set as it is served."""
        tls = await asyncio.to_thread(self._tls)
        try:
            async with (
                asyncio.timeout(DEADLINE),
                httpx.AsyncClient(verify=tls, trust_env=False, follow_redirects=False) as client,
            ):
                found = await _get(client, f"{self._base}/.well-known/openid-configuration")
                return await _get(client, self._key_address(found))
        except TimeoutError:
            raise IssuerError(f"no answer within {DEADLINE:.0f} seconds") from None
        except httpx.HTTPError as error:
            raise IssuerError(f"it cannot be reached ({type(error).__name__})") from None

    def _key_address(self, document: bytes) -> str:
        """Where the key set lies, out of the discovery document."""
        try:
            found = msgspec.json.decode(document, type=_Discovery)
            target = read_url(found.jwks_uri)
        except (msgspec.DecodeError, RecursionError):
            raise IssuerError("its discovery document is none") from None
        except BadUrl as error:
            raise IssuerError(f"the address of its keys {error}") from None
        if found.issuer.rstrip("/") != self._base:
            raise IssuerError(f"its discovery document is that of {found.issuer[:200]!r}")
        own = self._target
        if (target.scheme, target.host, target.port) != (own.scheme, own.host, own.port):
            raise IssuerError(f"its keys lie on another host, {target.host}")
        return str(target.url)


def read_keys(document: bytes) -> dict[str, IssuerKey]:
    """The usable keys of a key set (RFC 7517), by `kid`; raises `IssuerError` when it is no key set."""
    try:
        rows = msgspec.json.decode(document, type=_KeySet).keys
    except (msgspec.DecodeError, RecursionError):
        raise IssuerError("its key set is none") from None
    found: dict[str, IssuerKey] = {}
    for row in rows:
        kid, key = row.get("kid"), _read_key(row)
        if isinstance(kid, str) and key is not None:
            found.setdefault(kid, key)
    return found


def _read_key(row: dict[str, Any]) -> IssuerKey | None:
    """A public key for signatures, if the row is one that is strong enough."""
    key: object = None
    algorithms: tuple[str, ...] = ()
    try:
        if row.get("use", "sig") != "sig" or "verify" not in row.get("key_ops", ("verify",)):
            return None
        if row.get("kty") == "RSA":
            key = RSAAlgorithm.from_jwk(row)
        elif row.get("kty") == "EC":
            key = ECAlgorithm.from_jwk(row)
    except (InvalidKeyError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size in _RSA_BITS:
        algorithms = _RSA
    elif isinstance(key, EllipticCurvePublicKey):
        algorithms = _EC.get(key.curve.name, ())
    else:
        return None
    if "alg" in row:
        algorithms = tuple(name for name in algorithms if name == row["alg"])
    return IssuerKey(key, algorithms) if algorithms else None


async def _get(client: httpx.AsyncClient, url: str) -> bytes:
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code != 200:
            raise IssuerError(f"{url} answers {response.status_code}")
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > MAX_BYTES:
                raise IssuerError(f"{url} has more than {MAX_BYTES} bytes")
    return bytes(body)


def _read_issuer(base: str, allowed: frozenset[str]) -> Target:
    try:
        target = read_url(base)
    except BadUrl as error:
        raise SetupError(f"the issuer {base!r} is no address: it {error}", param="entra_issuer") from None
    if "?" in base or "#" in base:
        raise SetupError(f"the issuer {base!r} has a query or a fragment", param="entra_issuer")
    plain = _is_loopback(target.host) or not allowed.isdisjoint({target.host, f"{target.host}:{target.port}"})
    if target.scheme != "https" and not plain:
        raise SetupError(
            f"the issuer {base!r} must be an https address (or list its host in FOVEAL_ALLOW_HOSTS)",
            param="entra_issuer",
        )
    return target


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _names(base: str) -> list[str]:
    """What tokens of this issuer call it: Entra's older tokens have another name than its address."""
    rows = tomllib.loads(files("foveal.resources").joinpath("data/token_issuers.toml").read_text("utf-8"))
    names = [base]
    for row in rows["issuer"]:
        found = re.fullmatch(re.escape(row["address"]).replace(r"\{tenant\}", r"([0-9a-fA-F-]{36})"), base)
        if found is not None:
            names += [name.replace("{tenant}", found.group(1)) for name in row["also"]]
    return names
