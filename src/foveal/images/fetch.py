"""The one place of Foveal that fetches a URL.

Every address that a client names passes here, of pictures and of videos. The URL is read once (`guard`),
its name resolved once, every address that it resolves to must be public, and the connection goes to exactly
those addresses while Host, SNI and certificate keep the name. A redirect is a new URL and starts from
scratch. Time, bytes and the number of fetches at once are bounded. Nothing of ours travels along: no
cookies, no credentials, no proxy of the environment, no referrer.

What an operator lists in `allow_hosts` may be private; a cloud's metadata service may not even then.
"""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TypeVar

import certifi
import httpcore

from foveal.errors import TooManyRequests
from foveal.images.guard import (
    BadUrl,
    Target,
    is_metadata,
    is_metadata_name,
    is_public,
    read_address,
    read_url,
    redact,
    redirect_target,
)

log = logging.getLogger(__name__)

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
Headers = Sequence[tuple[bytes, bytes]]

DEFAULT_DEADLINE = 10.0  # seconds
MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRY_AFTER = {"retry-after": "1"}
# What anyio imports at the first connection; 150 ms that would hold the event loop.
_IMPORTED_LATE = ("anyio.abc", "anyio.streams.tls", "anyio.to_thread", "encodings.idna")

T = TypeVar("T")


class MediaError(Exception):
    """The fetch failed or was refused. The text is for the log, never for a client: it tells what exists."""


class MediaTooLarge(MediaError):
    """More bytes than the caller takes, as announced or as counted."""


class MediaLost(MediaError):
    """The network or the other end failed on the way: trying once more can help."""


@dataclass(frozen=True, slots=True)
class MediaAnswer:
    """What a server answered at the end of the redirects, whatever its status. Names of `headers` are lower
    case; `pieces` are of at most 64 KiB.
    """

    status: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Every address of a name by the system's resolver, in its order of preference."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def default_tls() -> ssl.SSLContext:
    """Certificates as the system trusts them, and certifi's where a system has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class MediaFetcher:
    """The media door to the network.

    `allow_hosts` are entries `host` or `host:port` (IPv6 addresses in brackets when a port follows).
    `deadline` covers name, connection, redirects and body together, in seconds. At most `concurrent` fetches
    run and `max_waiting` wait; more are refused with 429.
    """

    def __init__(
        self,
        *,
        allow_hosts: Iterable[str] = (),
        deadline: float = DEFAULT_DEADLINE,
        concurrent: int = 16,
        max_waiting: int = 128,
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        for name in _IMPORTED_LATE:
            import_module(name)
        self._allowed = frozenset(_allowed_host(entry) for entry in allow_hosts if entry.strip())
        self._deadline = deadline
        self._slots = asyncio.Semaphore(concurrent)
        self._room = concurrent + max_waiting
        self._inside = 0
        self._resolve = resolver
        self._tls = tls

    async def fetch_bytes(self, url: str, *, max_bytes: int, deadline: float | None = None) -> bytes:
        """The whole body; raises `MediaError` (`MediaTooLarge` above `max_bytes`) or `TooManyRequests`."""
        body = io.BytesIO()  # grows in place; joining 20 MB of pieces would hold the event loop
        async with aclosing(self.stream(url, max_bytes=max_bytes, deadline=deadline)) as pieces:
            async for piece in pieces:
                body.write(piece)
        return body.getvalue()

    async def stream(
        self, url: str, *, max_bytes: int, deadline: float | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The body piece by piece, each at most 64 KiB. Use it inside `contextlib.aclosing`."""
        async with self._admitted(url) as stack:
            until = asyncio.get_running_loop().time() + (self._deadline if deadline is None else deadline)
            response = await _within(until, self._follow(url, (), stack))
            _check_answer(response, max_bytes)
            pieces = _pieces(response, stack)
            received = 0
            while (piece := await _within(until, anext(pieces, None))) is not None:
                received += len(piece)
                if received > max_bytes:
                    raise MediaTooLarge(f"more than {max_bytes} bytes")
                yield piece

    @asynccontextmanager
    async def open(
        self, url: str, *, headers: Mapping[str, str], silence: float
    ) -> AsyncIterator[MediaAnswer]:
        """An answer of any length and status; nothing but a silence of so many seconds ends it.

        `headers` are added to the request, also where a redirect leads. The caller counts the bytes.
        """
        loop = asyncio.get_running_loop()
        async with self._admitted(url) as stack:
            extra = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
            response = await _within(loop.time() + silence, self._follow(url, extra, stack))
            _check_encoding(response)
            found = {
                name.decode("latin-1").lower(): value.decode("utf-8", errors="replace")
                for name, value in response.headers
            }
            pieces = _pieces(response, stack)

            async def heard() -> AsyncGenerator[bytes, None]:
                while (piece := await _within(loop.time() + silence, anext(pieces, None))) is not None:
                    yield piece

            answer = heard()
            stack.push_async_callback(answer.aclose)
            yield MediaAnswer(response.status, found, answer)

    @asynccontextmanager
    async def _admitted(self, url: str) -> AsyncIterator[AsyncExitStack]:
        """One of the places for a fetch, and what is to be closed at its end."""
        if self._inside >= self._room:
            raise TooManyRequests("Too many downloads are waiting. Please retry.", headers=_RETRY_AFTER)
        self._inside += 1
        try:
            async with self._slots, AsyncExitStack() as stack:
                yield stack
        except MediaError as error:
            log.info("media door: %s: %s", redact(url), error)
            raise
        finally:
            self._inside -= 1

    async def _follow(self, url: str, headers: Headers, stack: AsyncExitStack) -> httpcore.Response:
        """The answer at the end of the redirects, its body unread."""
        target = _checked(read_url, url)
        for _ in range(MAX_REDIRECTS + 1):
            hop = await stack.enter_async_context(AsyncExitStack())
            response = await self._request(target, headers, hop)
            if response.status not in _REDIRECTS:
                return response
            location = _header(response, b"location")
            await hop.aclose()
            if location is None:
                raise MediaError("redirects to nowhere")
            target = _checked(partial(redirect_target, target), location)
        raise MediaError("redirects too often")

    async def _request(self, target: Target, headers: Headers, stack: AsyncExitStack) -> httpcore.Response:
        addresses = await self._addresses(target)
        if self._tls is None and target.scheme == "https":
            self._tls = await asyncio.to_thread(default_tls)  # reads files
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=httpcore.AnyIOBackend(),
        )
        await stack.enter_async_context(pool)
        *others, last = addresses
        for address in others:
            try:  # an address that does not answer must not eat the whole deadline
                return await _ask(pool, target, address, headers, stack, connect_seconds=2.0)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await _ask(pool, target, last, headers, stack, connect_seconds=None)

    async def _addresses(self, target: Target) -> Sequence[str]:
        """Resolve once; every address must pass, because any of them may be the one that answers."""
        if is_metadata_name(target.host):
            raise MediaError("a metadata service")
        found = [_checked(read_address, text) for text in await self._resolve(target.host, target.port)]
        if not found:
            raise MediaError("has no address")
        if any(is_metadata(address) for address in found):
            raise MediaError("a metadata service")
        allowed = {(target.host, None), (target.host, target.port)} & self._allowed
        if not allowed and not all(is_public(address) for address in found):
            raise MediaError("resolves to an address that is not public")
        return [str(address) for address in found]


async def _ask(
    pool: httpcore.AsyncConnectionPool,
    target: Target,
    address: str,
    headers: Headers,
    stack: AsyncExitStack,
    *,
    connect_seconds: float | None,
) -> httpcore.Response:
    """One GET to this address and no other: the name is only in Host, SNI and the certificate's check."""
    request = httpcore.Request(
        b"GET",
        httpcore.URL(scheme=target.scheme, host=address, port=target.port, target=target.path),
        headers=[
            (b"Host", target.host_header),
            (b"User-Agent", b"Foveal-media-door/1"),
            (b"Accept", b"*/*"),
            (b"Accept-Encoding", b"identity"),
            (b"Connection", b"close"),
            *headers,
        ],
        extensions={"sni_hostname": target.host, "timeout": {"connect": connect_seconds}},
    )
    response = await pool.handle_async_request(request)
    stack.push_async_callback(response.aclose)
    return response


async def _within(until: float, work: Awaitable[T]) -> T:
    """Await something until a time of the loop's clock, failures of the network as `MediaError`."""
    try:
        async with asyncio.timeout_at(until):
            return await work
    except TimeoutError as error:
        raise MediaLost("took too long") from error
    except socket.gaierror as error:
        known = error.errno not in (socket.EAI_NONAME, socket.EAI_FAIL)  # the resolver itself had no answer
        raise (MediaLost if known else MediaError)(f"{type(error).__name__} on the way") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        raise MediaLost(f"{type(error).__name__} on the way") from error
    except UnicodeError as error:
        raise MediaError("has a name that cannot be resolved") from error


def _checked(check: Callable[[str], T], value: str) -> T:
    try:
        return check(value)
    except BadUrl as error:
        raise MediaError(str(error)) from error


def _check_answer(response: httpcore.Response, max_bytes: int) -> None:
    if response.status != 200:
        raise MediaError(f"answers {response.status}")
    _check_encoding(response)
    length = _header(response, b"content-length")
    if length is not None and length.isdecimal() and int(length) > max_bytes:
        raise MediaTooLarge(f"announces {length[:20]} bytes")


def _check_encoding(response: httpcore.Response) -> None:
    encoding = _header(response, b"content-encoding") or "identity"
    if encoding.strip().lower() != "identity":
        raise MediaError("answers in an encoding that was not asked for")


def _pieces(response: httpcore.Response, stack: AsyncExitStack) -> AsyncIterator[bytes]:
    pieces = response.aiter_stream()
    if isinstance(pieces, AsyncGenerator):
        stack.push_async_callback(pieces.aclose)
    return aiter(pieces)


def _header(response: httpcore.Response, name: bytes) -> str | None:
    for key, value in response.headers:
        if key.lower() == name:
            return value.decode("utf-8", errors="replace")
    return None


def _allowed_host(entry: str) -> tuple[str, int | None]:
    """`host` or `host:port` as (host, port); a bare IPv6 address is a host."""
    entry = entry.strip().lower()
    host, colon, port = entry.rpartition(":")
    if colon and port.isdecimal() and (":" not in host or host.endswith("]")):
        return host.strip("[]").rstrip("."), int(port)
    return entry.strip("[]").rstrip("."), None
