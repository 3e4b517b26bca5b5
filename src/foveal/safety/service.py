"""The content filter at work: prompts and answers in, verdicts out; nets run beside the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from foveal.errors import FovealError
from foveal.images.detail import DetailedImage
from foveal.resources.content_filters import Side
from foveal.safety.base import PictureJudge, Signs, TextJudge, steady, worst
from foveal.safety.blocklists import Blocklists
from foveal.safety.verdict import Verdict, rule

log = logging.getLogger(__name__)

PATIENCE = 120.0  # seconds after which a judgement counts as failed; the longest prompts take some 15
REMEMBERED = 4096  # texts, and pictures, whose signs are kept by the hash of their content

K = TypeVar("K")
Reader = Callable[[DetailedImage], Awaitable[str]]
Blocked = Callable[[str, str], None]


def uncounted(_direction: str, _category: str) -> None:
    return None


class FilterUnavailable(FovealError):
    """The content filter could not judge, and the operator wants nothing to pass that was not judged."""

    status = 503
    code = "ContentFilterUnavailable"


class ContentSafety:
    """`read` gives the text of a picture, for attacks that are written in one. `closed`: what cannot be
    judged is refused; otherwise it passes, and its verdict is None.
    """

    def __init__(
        self,
        texts: TextJudge,
        pictures: PictureJudge | None = None,
        *,
        read: Reader | None = None,
        closed: bool = True,
        threads: int = 2,
        blocked: Blocked = uncounted,
        patience: float = PATIENCE,
    ) -> None:
        """`blocked` is told the direction and the category of everything that is filtered."""
        self._texts = texts
        self._pictures = pictures
        self._read = read
        self._closed = closed
        self._blocked = blocked
        self._patience = patience
        self._lists = Blocklists()
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="safety")
        self._waiting: list[tuple[str, asyncio.Future[Signs]]] = []
        self._judging: asyncio.Task[None] | None = None
        self._read_texts: _Memory[bytes] = _Memory()
        self._seen: _Memory[str] = _Memory()

    async def prompt(
        self,
        side: Side,
        texts: Sequence[str],
        images: Sequence[DetailedImage] = (),
        frames: Sequence[DetailedImage] = (),
    ) -> Verdict | None:
        """`frames` are those of a video. Raises `FilterUnavailable`, and `TooManyRequests` where the text of
        pictures is read.
        """
        texts = list(texts)
        try:
            async with asyncio.timeout(self._patience):
                if side.jailbreak != "off" and self._read is not None:
                    texts += await asyncio.gather(*(self._read(image) for image in images))
                signs = await asyncio.gather(
                    *(self._text(text) for text in texts if text.strip()), *map(self._picture, images)
                )
                shown = await asyncio.gather(*map(self._picture, frames))
                listed = await self._listed(side, texts)
        except Exception as error:
            self._unavailable(error)
            return None
        signs.append(Signs(steady(one.severities for one in shown)))
        return self._ruled("prompt", rule(side, worst(signs), listed))

    async def completion(self, side: Side, text: str) -> Verdict | None:
        """Raises `FilterUnavailable`."""
        try:
            async with asyncio.timeout(self._patience):
                signs = await self._text(text) if text.strip() else Signs()
                listed = await self._listed(side, [text])
        except Exception as error:
            self._unavailable(error)
            return None
        return self._ruled("completion", rule(side, signs, listed))

    def refuses(self, texts: Sequence[str]) -> bool:
        """Whether one of them is over the default thresholds; blocks the calling thread."""
        return rule(Side(), worst(self._texts.judge(list(texts)))).blocked

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _ruled(self, direction: str, verdict: Verdict) -> Verdict:
        for category in verdict.filtered:
            self._blocked(direction, category)
        return verdict

    def _unavailable(self, error: Exception) -> None:
        if not self._closed:
            log.warning("the content filter could not judge; the content passes: %s", _reason(error))
            return
        if isinstance(error, FovealError):
            raise FilterUnavailable(f"The content filter cannot judge this: {error.message}") from error
        if isinstance(error, TimeoutError):
            log.error("the content filter took longer than %s s", self._patience)
            raise FilterUnavailable(
                f"The content filter cannot judge this: it took longer than {self._patience:g} seconds."
            ) from error
        log.error("the content filter failed", exc_info=error)
        raise FilterUnavailable("The content filter cannot judge this: it failed. See the server's log.")

    async def _text(self, text: str) -> Signs:
        """Texts that come while others are judged are judged together, next. Those of earlier turns of a
        conversation are known.
        """
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = self._read_texts.get(key)
        if known is not None:
            return known
        future: asyncio.Future[Signs] = asyncio.get_running_loop().create_future()
        self._waiting.append((text, future))
        if self._judging is None or self._judging.done():
            self._judging = asyncio.ensure_future(self._judge_waiting())
        signs = await future
        self._read_texts.put(key, signs)
        return signs

    async def _judge_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            now, self._waiting = self._waiting, []
            try:
                found = await loop.run_in_executor(self._pool, self._texts.judge, [text for text, _ in now])
            except Exception as error:
                for _, future in now:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), signs in zip(now, found, strict=True):
                if not future.done():
                    future.set_result(signs)

    async def _listed(self, side: Side, texts: Sequence[str]) -> list[str]:
        """The names of the blocklists of which something stands in a text."""
        if not side.blocklists:
            return []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._lists.found, side.blocklists, *texts)

    async def _picture(self, image: DetailedImage) -> Signs:
        known = self._seen.get(image.sha256)
        if known is None:
            if self._pictures is None:
                raise FilterUnavailable("there is nothing that judges pictures")
            loop = asyncio.get_running_loop()
            known = Signs(await loop.run_in_executor(self._pool, self._pictures.judge, image))
            self._seen.put(image.sha256, known)
        return known


class _Memory(Generic[K]):
    """The signs that were asked for lately; used on the event loop only."""

    def __init__(self) -> None:
        self._known: OrderedDict[K, Signs] = OrderedDict()

    def get(self, key: K) -> Signs | None:
        if key in self._known:
            self._known.move_to_end(key)
        return self._known.get(key)

    def put(self, key: K, signs: Signs) -> None:
        self._known[key] = signs
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, FovealError) else type(error).__name__
