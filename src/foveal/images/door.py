"""The media door: whatever a client calls a picture → one checked `DetailedImage`, or a 4xx that says why.

Data URLs, bare base64, bytes and http(s) URLs meet here; what follows is the same for all. The event loop
only hands over: base64, hashing and decoding run in a bounded pool of threads, and when too much waits for
it the door refuses (429) instead of piling up.

The threads keep the priority of the process. Niceness was tried: beside busy model threads, a nice thread
that is put aside while it has the GIL stops the event loop (longest hold 24 → 92 ms on two cores at
niceness 10) and its pictures take four times as long.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from foveal.errors import InvalidImage, InvalidRequest, TooManyRequests
from foveal.images.base64_text import BadBase64, TooMuchBase64, decode_base64
from foveal.images.cache import ImageCache
from foveal.images.decode import Limits, check, decode, too_large
from foveal.images.detail import DetailedImage
from foveal.images.fetch import MediaError, MediaFetcher, MediaTooLarge
from foveal.images.tiles import AskedDetail, choose_detail

NOT_ACCESSIBLE = "The provided image url is not accessible. Please check the URL and try again."
INVALID_BASE64 = "Invalid image (base64) data."

DEFAULT_CACHE_BYTES = 64 * 1024 * 1024  # some forty pictures: full soon, so that memory does not creep
_MAX_DATA_URL_HEAD = 256  # characters before the comma; longer ones are no media type

T = TypeVar("T")


class ImageDoor:
    """One per server. `param` of every method is the name of the request's field, for the error.

    `workers` threads decode (default: one less than the cores, at least one, at most four) and at most
    `max_waiting` pictures wait for them. The executor and the fetcher may be given; the door closes only
    what it made itself.
    """

    def __init__(
        self,
        fetcher: MediaFetcher,
        *,
        limits: Limits | None = None,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        workers: int | None = None,
        max_waiting: int = 64,
        executor: ThreadPoolExecutor | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._limits = limits or Limits()
        self._cache = ImageCache(cache_bytes)
        workers = workers or min(4, max(1, (os.cpu_count() or 2) - 1))
        self._owns_executor = executor is None
        self._executor = executor or ThreadPoolExecutor(workers, thread_name_prefix="foveal-image")
        self._hasher = ThreadPoolExecutor(1, thread_name_prefix="foveal-image-sha256")
        self._room = threading.BoundedSemaphore(workers + max_waiting)

    async def open(self, url: str, detail: AskedDetail, *, param: str | None) -> DetailedImage:
        """The picture at a data URL or an http(s) URL."""
        scheme = url[:8].lower()
        if scheme.startswith("data:"):
            return await self._in_pool(lambda: self._from_data_url(url, detail, param))
        if not scheme.startswith(("http://", "https://")):
            raise InvalidRequest(
                "Invalid image URL: an http(s) URL or a data URL with base64 data was expected.",
                param=param,
                code="invalid_image_url",
            )
        try:
            data = await self._fetcher.fetch_bytes(url, max_bytes=self._limits.max_bytes)
        except MediaTooLarge as error:
            raise too_large(self._limits, param) from error
        except MediaError as error:  # one text for all reasons: a client must not learn what exists inside
            raise InvalidImage(NOT_ACCESSIBLE, param=param, reason="url") from error
        return await self.open_bytes(data, detail, param=param)

    async def open_base64(self, text: str, detail: AskedDetail, *, param: str | None) -> DetailedImage:
        """The picture in bare base64, without `data:` before it (an early form of the API)."""
        return await self._in_pool(lambda: self._from_base64(text, 0, detail, param))

    async def open_bytes(self, data: bytes, detail: AskedDetail, *, param: str | None) -> DetailedImage:
        """The picture in an image file's bytes."""
        return await self._in_pool(lambda: self._from_bytes(data, detail, param))

    async def close(self) -> None:
        """Let running work end; no more is taken."""
        self._cache.clear()
        if self._owns_executor:
            await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)
        await asyncio.to_thread(self._hasher.shutdown, wait=True)

    async def _in_pool(self, work: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            raise TooManyRequests("Too many images are waiting. Please retry.", headers={"retry-after": "1"})
        try:
            future = self._executor.submit(work)
        except BaseException:
            self._room.release()
            raise
        future.add_done_callback(
            self._leave
        )  # also when the client has gone: the thread decides, not the task
        return await asyncio.wrap_future(future)

    def _leave(self, _: Future[T]) -> None:
        self._room.release()

    def _from_data_url(self, url: str, detail: AskedDetail, param: str | None) -> DetailedImage:
        comma = url.find(",", 0, _MAX_DATA_URL_HEAD)
        if comma < 0 or not url[:comma].rstrip().lower().endswith(";base64"):
            raise InvalidImage(
                f"{INVALID_BASE64} A data URL must have the form data:image/png;base64,… .", param=param
            )
        return self._from_base64(url, comma + 1, detail, param)

    def _from_base64(self, text: str, start: int, detail: AskedDetail, param: str | None) -> DetailedImage:
        try:
            data = decode_base64(text, start, max_bytes=self._limits.max_bytes)
        except BadBase64 as error:
            raise InvalidImage(INVALID_BASE64, param=param) from error
        except TooMuchBase64 as error:
            raise too_large(self._limits, param) from error
        return self._from_bytes(data, detail, param)

    def _from_bytes(self, data: bytes, detail: AskedDetail, param: str | None) -> DetailedImage:
        header = check(data, self._limits, param=param)
        resolved = choose_detail(detail, *header.upright_size)
        # A picture that cannot be known yet is hashed while it is decoded: a twentieth of the whole time.
        digest = self._hasher.submit(_sha256, data)
        if self._cache.may_have(len(data)):
            known = self._cache.get((digest.result(), resolved))
            if known is not None:
                return known
        image = decode(data, header, resolved, self._limits, sha256=digest.result, param=param)
        self._cache.put((image.sha256, resolved), image)
        return image


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
