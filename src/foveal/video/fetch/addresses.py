"""What the address of a video says before anybody is asked for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote

from foveal.errors import VideoUnreachable
from foveal.images.guard import (
    BadUrl,
    Target,
    is_metadata,
    is_metadata_name,
    is_public,
    read_address,
    read_url,
)
from foveal.resources.identity import StorageAccess
from foveal.store.media import ROUTE, AuthenticationFailed, MediaStore
from foveal.store.sas import READ, read_time
from foveal.video.work import Source

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SKEW = timedelta(minutes=15)  # how far two clocks may be apart; within that the storage judges


@dataclass(frozen=True, slots=True)
class OwnMedia:
    """An uploaded file of a resource of this server; the address was checked."""

    resource: str
    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """An address to fetch from; `hosts` count as allowed, because the operator named them."""

    url: str
    hosts: tuple[str, ...] = ()


class VideoAddresses:
    """`allow_hosts` and `own_hosts` are entries `host` or `host:port`."""

    def __init__(
        self,
        allow_hosts: Iterable[str],
        own_hosts: Iterable[str],
        media: MediaStore | None,
        storage: StorageAccess | None,
    ) -> None:
        self._allowed = frozenset(host.strip().lower() for host in allow_hosts)
        self._own = frozenset(host.strip().lower() for host in own_hosts)
        self._media = media
        self._storage = storage

    def find(self, source: Source) -> OwnMedia | Place:
        """Where a video is. Raises `VideoUnreachable` for what can be told without asking the network."""
        url = tidy(source.url)
        try:
            target = read_url(url)
        except BadUrl as error:
            raise VideoUnreachable(f"The video's address {error}.") from None
        own = self._own_media(target)
        if own is not None:
            return own
        if source.managed_identity:
            return self._by_identity(source.resource, url)
        self._check_host(target)
        _check_signature(_query(target))
        return Place(url)

    def _own_media(self, target: Target) -> OwnMedia | None:
        """Ours is what our key signed, under whatever name this server is reached; and what is addressed to a
        name of this server is never fetched, so a signature that is not right is told at once.
        """
        path, _, query = target.path.decode("ascii").partition("?")
        if self._media is None or not path.startswith(ROUTE):
            return None
        resource, _, name = (unquote(part) for part in path[len(ROUTE) :].partition("/"))
        fields = dict(parse_qsl(query))
        here = target.host in _LOOPBACK or bool(_names(target) & self._own)
        if _names(target) & self._allowed:  # a server beside this one, as the operator says
            here = False
        if not (here or self._media.is_signed(resource, name, fields)):
            return None
        try:
            self._media.check(resource, name, fields)
        except AuthenticationFailed as error:
            raise VideoUnreachable(
                f"The address of the uploaded file was refused (403, {error.code}): {error.detail} "
                "`foveal media url` makes a new one.",
                code="VideoAccessDenied",
            ) from None
        return OwnMedia(resource, name)

    def _by_identity(self, resource: str, url: str) -> Place:
        if self._storage is None:
            raise VideoUnreachable("There are no managed identities here.", code="ManagedIdentityNotEnabled")
        signed = self._storage.address(resource, url)
        return Place(signed.url, (signed.host,))

    def _check_host(self, target: Target) -> None:
        """Hosts that need no resolver to be refused; the media door judges all of them again."""
        if is_metadata_name(target.host):
            raise _forbidden()
        try:
            address = read_address(target.host)
        except BadUrl:
            return
        if is_metadata(address) or not (is_public(address) or _names(target) & self._allowed):
            raise _forbidden()


def tidy(url: str) -> str:
    """The address as it was meant: Azure's page prints one with a `[` before it."""
    return url.strip().removeprefix("[")


def _forbidden() -> VideoUnreachable:
    return VideoUnreachable(
        "The video's host cannot be found, or this server may not fetch from it (its operator allows hosts "
        "that are not public with FOVEAL_ALLOW_HOSTS)."
    )


def _check_signature(query: dict[str, str]) -> None:
    """What a SAS says of itself, when it is plainly not one that can read now."""
    if "sig" not in query:
        return
    now = datetime.now(UTC)
    until, since = read_time(query.get("se", "")), read_time(query.get("st", ""))
    if until is not None and until + _SKEW < now:
        raise VideoUnreachable(
            f"The SAS of the address expired at {query['se'][:40]}: make a new one.", code="VideoAccessDenied"
        )
    if since is not None and since - _SKEW > now:
        raise VideoUnreachable(
            f"The SAS of the address is not valid before {query['st'][:40]}.", code="VideoAccessDenied"
        )
    if query.get("sp") and "se" in query and READ not in query["sp"]:
        raise VideoUnreachable(
            "The SAS of the address lacks the read permission (sp=r).", code="VideoAccessDenied"
        )


def _query(target: Target) -> dict[str, str]:
    return dict(parse_qsl(target.path.decode("ascii").partition("?")[2]))


def _names(target: Target) -> set[str]:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return {target.host, f"{host}:{target.port}"}
