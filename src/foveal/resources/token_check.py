"""Checks bearer tokens of the operator's issuer: signature, audience, time, and what the roles open."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
import msgspec
from jwt.utils import base64url_decode

from foveal.resources.accounts import Principal, Resource
from foveal.resources.token_issuer import IssuerKey
from foveal.resources.tokens import RoleTable, TokenBearer

log = logging.getLogger(__name__)

LEEWAY = 60  # seconds that clocks may differ
MAX_TOKEN = 16_384  # characters; tokens of Entra have 1,500 to 4,000
REMEMBERED = 4096  # good tokens that are not checked again; 1 KiB each
_LATEST = 10**11  # no expiry lies beyond: seconds, not milliseconds
_MAX_SUBJECT = 128


class KeySource(Protocol):
    """The issuer's keys. `names` is what its tokens call it."""

    @property
    def names(self) -> frozenset[str]: ...

    async def get(self, kid: str) -> IssuerKey | None: ...


class _Header(msgspec.Struct):
    alg: str
    kid: str
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class BadToken(Exception):
    """The token is none to go by; the text is for the log and holds nothing of the token."""


@dataclass(frozen=True, slots=True)
class _Good:
    """A token that was found good: by which key, until when (seconds), whose, and what its roles open."""

    kid: str
    key: IssuerKey
    until: float
    subject: str
    opens: frozenset[str]


class IssuerTokens:
    """`TokenChecker` of one issuer. Its tokens speak for one resource: what `resource` gives, if anything.

    `audiences` are those a token may be for. `grants` gives subjects roles beside those that their tokens
    name. Of good tokens `remember` are kept. `clock` is the time of day in seconds.
    """

    def __init__(
        self,
        keys: KeySource,
        resource: Callable[[], Resource | None],
        roles: RoleTable,
        *,
        audiences: Iterable[str],
        grants: Mapping[str, frozenset[str]],
        remember: int = REMEMBERED,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._resource = resource
        self._roles = roles
        plain = [audience.rstrip("/") for audience in audiences]
        self._audiences = [f"{audience}{end}" for audience in plain for end in ("", "/")]
        self._grants = grants
        self._room = remember
        self._clock = clock
        self._reader = jwt.PyJWT()
        self._good: OrderedDict[bytes, _Good] = OrderedDict()

    @property
    def remembered(self) -> int:
        """How many tokens are not checked again when they come again."""
        return len(self._good)

    async def check(self, token: str) -> TokenBearer | None:
        """Whom the token speaks for. A token seen before costs a hash; another one a signature's check."""
        try:
            good = await self._remembered(token)
        except BadToken as error:
            log.debug("a bearer token was refused: %s", error)
            return None
        resource = self._resource()
        if resource is None:
            return None
        return TokenBearer(Principal(resource, f"token:{good.subject}"), good.opens)

    async def _remembered(self, token: str) -> _Good:
        if len(token) > MAX_TOKEN or not token.isascii() or token.count(".") != 2:
            raise BadToken("it has not the form of one")
        name = hashlib.sha256(token.encode("ascii")).digest()
        known = self._good.get(name)
        if known is not None and self._clock() < known.until and await self._keys.get(known.kid) is known.key:
            return known
        self._good.pop(name, None)
        good = await self._verified(token)
        self._good[name] = good
        if len(self._good) > self._room:
            self._good.popitem(last=False)
        return good

    async def _verified(self, token: str) -> _Good:
        kid = _kid(token)
        key = await self._keys.get(kid)
        if key is None:
            raise BadToken("its key is none of the issuer's")
        claims = self._claims(token, key)
        until = _end(claims, self._clock())
        subject = _subject(claims)
        roles = claims.get("roles", [])
        named = [role for role in (roles if isinstance(roles, list) else [roles]) if isinstance(role, str)]
        opens = self._roles.opened_by(named) | self._grants.get(subject, frozenset())
        return _Good(kid, key, until, subject, opens)

    def _claims(self, token: str, key: IssuerKey) -> dict[str, Any]:
        """What the token says, once its signature, issuer and audience are good. Time is checked apart."""
        try:
            return self._reader.decode(
                token,
                key.key,
                algorithms=key.algorithms,
                audience=self._audiences,
                issuer=self._keys.names,
                options={
                    "require": ["exp", "iss", "aud"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise BadToken(type(error).__name__) from None


def _kid(token: str) -> str:
    """The name of the key. What else the header says (`jku`, `x5u`, `jwk`) is never followed."""
    try:
        header = msgspec.json.decode(base64url_decode(token.partition(".")[0]), type=_Header)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise BadToken("its header cannot be read") from None
    if header.crit is not msgspec.UNSET:
        raise BadToken("its header asks for extensions")
    return header.kid


def _end(claims: Mapping[str, Any], now: float) -> float:
    """When the token is over; raises `BadToken` outside its time."""
    end, start = claims["exp"], claims.get("nbf", 0)
    if not (_is_number(end) and _is_number(start)):
        raise BadToken("its times are no numbers")
    if not now < end + LEEWAY < _LATEST:
        raise BadToken("it has expired")
    if not start <= now + LEEWAY:
        raise BadToken("it is not good yet")
    return float(end + LEEWAY)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _subject(claims: Mapping[str, Any]) -> str:
    """Who the bearer is: Entra's object id, else the subject, else the application."""
    for name in ("oid", "sub", "appid", "azp"):
        value = claims.get(name)
        if isinstance(value, str) and 0 < len(value) <= _MAX_SUBJECT and value.isprintable():
            return value
    raise BadToken("it names no bearer")
