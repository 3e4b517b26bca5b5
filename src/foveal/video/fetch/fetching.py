"""Videos fetched to disk: through the media door, from uploaded media, from the operator's own accounts.

A file may take long, and storages break: what has arrived stays beside the target, and the next attempt (of
this process or of a later one) asks for the rest, on the condition that the file is still the same.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from foveal.errors import InvalidVideo, VideoUnreachable
from foveal.images.fetch import (
    MediaAnswer,
    MediaError,
    MediaFetcher,
    MediaLost,
    Resolver,
    system_resolver,
)
from foveal.images.guard import redact
from foveal.resources.identity import StorageAccess
from foveal.store.media import MediaNotFound, MediaStore
from foveal.video.fetch.addresses import OwnMedia, VideoAddresses
from foveal.video.fetch.partial import Partial
from foveal.video.fetch.refusals import TRANSIENT, refused
from foveal.video.work import Source

log = logging.getLogger(__name__)

MIB = 1024 * 1024
MAX_BYTES = 8192 * MIB
KEEP_FREE = 256 * MIB  # bytes of the disk that a download leaves to the rest of the machine
SILENCE = 30.0  # seconds without a byte that end an attempt
TRICKLE = 64 * 1024  # bytes that each minute has to bring: less is silence in drops
TRIES = 5  # attempts in a row that brought nothing to speak of
_WORTH = 4 * MIB  # bytes that make an attempt one that brought something
_LONGEST_PAUSE = 30.0  # seconds between attempts
_TICK = 0.2  # seconds between two looks at whether the work is still wanted

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Bytes and seconds; `pause` is before the second attempt, and doubles."""

    max_bytes: int = MAX_BYTES
    keep_free: int = KEEP_FREE
    silence: float = SILENCE
    tries: int = TRIES
    pause: float = 1.0


class _Again(Exception):
    """An attempt broke in a way that the next may not; `wait`: seconds that the storage asked for."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


class MediaVideoFetcher:
    """`VideoFetcher`. Calls block and are thread-safe: each has an event loop and a door of its own.

    `allow_hosts` as for the door; `own_hosts` are names of this server beside those of loopback.
    """

    def __init__(
        self,
        *,
        allow_hosts: tuple[str, ...] = (),
        own_hosts: tuple[str, ...] = (),
        media: MediaStore | None = None,
        storage: StorageAccess | None = None,
        limits: FetchLimits | None = None,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._allow_hosts = allow_hosts
        self._addresses = VideoAddresses(allow_hosts, own_hosts, media, storage)
        self._media = media
        self._limits = limits or FetchLimits()
        self._resolver = resolver

    def check(self, source: Source) -> None:
        """Form, scheme, hosts that are never asked, what a SAS says of itself, identity and role."""
        self._addresses.find(source)

    def fetch(self, source: Source, to: Path, progress: Progress) -> None:
        """As the Protocol says. `to` appears when all of it is there; what is partly there is beside it."""
        with _disk(to):
            own = self._addresses.find(source)
            if isinstance(own, OwnMedia):
                self._copy(own, to, progress)
            else:
                asyncio.run(self._download(source, to, progress))

    def _copy(self, own: OwnMedia, to: Path, progress: Progress) -> None:
        """A file of our own, read where it lies: whatever name this server has, the network is not asked."""
        assert self._media is not None
        try:
            found = self._media.find(own.resource, own.name)
            self._check_size(found.size, to, already=0)
            with Partial(to) as part:
                part.restart()
                for piece in self._media.read(own.resource, own.name):
                    part.write(piece)
                    progress(part.size / found.size)
                part.finish()
        except MediaNotFound:
            raise VideoUnreachable(
                f"There is no uploaded file '{own.name}' (404, BlobNotFound): it was removed.",
                code="VideoNotFound",
            ) from None

    async def _download(self, source: Source, to: Path, progress: Progress) -> None:
        failures, pause = 0, self._limits.pause
        with Partial(to) as part:
            while True:
                before = part.size
                try:
                    await self._attempt(source, part, progress)
                    return
                except _Again as error:
                    broken = error
                if part.size - before >= _WORTH:
                    failures, pause = 0, self._limits.pause
                failures += 1
                log.info("video %s: %s; %s", redact(source.url), broken.reason, _so_far(part))
                if failures >= self._limits.tries:
                    raise VideoUnreachable(
                        f"The storage {broken.reason}, {failures} times in a row; {_so_far(part)}.",
                        code="VideoDownloadFailed",
                        again=True,
                    )
                await _wait(min(max(pause, broken.wait), _LONGEST_PAUSE), part, progress)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _attempt(self, source: Source, part: Partial, progress: Progress) -> None:
        """Ask for what is missing and write it; raises `_Again`, `VideoUnreachable` and `InvalidVideo`."""
        place = self._addresses.find(source)  # anew: a signature is short-lived, a role may be gone
        assert not isinstance(place, OwnMedia)
        if part.complete:  # an earlier process was stopped just before the end
            part.finish()
            return
        door = MediaFetcher(
            allow_hosts=(*self._allow_hosts, *place.hosts), concurrent=1, resolver=self._resolver
        )
        asked = part.rest()
        try:
            async with door.open(place.url, headers=asked, silence=self._limits.silence) as answer:
                if not self._accept(answer, part, resumed=bool(asked), signed="sig=" in place.url):
                    raise _Again("changed the file meanwhile")
                await self._receive(answer, part, progress)
        except MediaLost as lost:
            raise _Again(_lost(lost)) from None
        except MediaError as error:
            raise _unusable(error) from None

    def _accept(self, answer: MediaAnswer, part: Partial, *, resumed: bool, signed: bool) -> bool:
        """Whether what follows is what was asked for; makes `part` ready for it."""
        status = answer.status
        if status in (412, 416) and resumed:
            part.restart()
            return False
        if status in TRANSIENT or status >= 500:
            raise _Again(f"answers {status}", _retry_after(answer))
        if status not in (200, 206):
            raise refused(answer, signed=signed)
        if status == 200:
            part.restart()
        if not part.expect(answer.headers, ranged=status == 206):
            part.restart()
            return False
        if part.total is not None:
            self._check_size(part.total, part.target, already=part.size)
        return True

    async def _receive(self, answer: MediaAnswer, part: Partial, progress: Progress) -> None:
        look, minute, mark = part.size, time.monotonic(), part.size
        async for piece in answer.pieces:
            if part.size + len(piece) > self._limits.max_bytes:
                raise self._too_large(None)
            part.write(piece)
            if part.size - look >= MIB:
                look = part.size
                self._check_size(part.total or part.size, part.target, already=part.size)
            progress(part.fraction)
            if time.monotonic() - minute >= 60:
                if part.size - mark < TRICKLE:
                    raise _Again("sends next to nothing")
                minute, mark = time.monotonic(), part.size
        if part.total is not None and part.size != part.total:
            raise _Again("sent less than it announced")
        part.finish()

    def _check_size(self, size: int, to: Path, *, already: int) -> None:
        if size > self._limits.max_bytes:
            raise self._too_large(size)
        free = _free(to.parent)
        if size - already > free - self._limits.keep_free:
            raise InvalidVideo(
                f"The disk of the server is full: the video needs {_mib(size - already)} MB more, "
                f"{_mib(free)} MB are free, of which {_mib(self._limits.keep_free)} MB stay free.",
                code="DiskFull",
            )

    def _too_large(self, size: int | None) -> InvalidVideo:
        said = "more than that" if size is None else f"{_mib(size)} MB"
        return InvalidVideo(
            f"The video is too large: at most {_mib(self._limits.max_bytes)} MB are taken, it has {said}.",
            code="VideoTooLarge",
        )


async def _wait(seconds: float, part: Partial, progress: Progress) -> None:
    """A pause in which the work can still be stopped."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        progress(part.fraction)
        await asyncio.sleep(min(left, _TICK))


def _unusable(error: MediaError) -> VideoUnreachable:
    """Why the door refused an address. All that concerns where names lead reads alike: it is no map of the
    network behind this server.
    """
    reason = str(error)
    if "redirects" in reason or "encoding" in reason:
        return VideoUnreachable(f"The video's address {reason}.")
    return VideoUnreachable(
        "The video's host cannot be found, or this server may not fetch from it (its operator allows hosts "
        "that are not public with FOVEAL_ALLOW_HOSTS)."
    )


def _lost(error: MediaLost) -> str:
    reason = str(error)
    if "Connect" in reason or "gaierror" in reason:
        return "cannot be reached"
    return "went silent" if reason == "took too long" else "broke the connection"


def _so_far(part: Partial) -> str:
    if not part.size:
        return "nothing of the video has arrived"
    of = "" if part.total is None else f" of {part.total}"
    return f"{part.size}{of} bytes have arrived"


def _retry_after(answer: MediaAnswer) -> float:
    given = answer.headers.get("retry-after", "")
    return float(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0.0


@contextmanager
def _disk(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        Partial(to).discard()
        raise InvalidVideo("The disk of the server is full.", code="DiskFull") from None


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _mib(size: int) -> str:
    return f"{max(size, 0) / 1e6:,.0f}"
