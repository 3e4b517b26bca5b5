"""A document of an index as part of a prompt: the frames, scenes and words that a question asks for."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from foveal.engines.base import VideoFrame, VideoPart
from foveal.errors import FovealError
from foveal.images.detail import Detail, DetailedImage
from foveal.store.vectors import VectorHit
from foveal.video.base import VideoRecord
from foveal.video.chat.asking import Asked, Asking, Stretch
from foveal.video.chat.picking import TOPIC_FRAMES, Count, Pick, pick, said_within, scenes
from foveal.video.library import DocumentNotFound, FoundDocument, VideoLibrary

RECORDS = 16  # that are kept in memory; one of a three-minute video is some hundred kilobytes
OPENING = 4  # stored frames that are opened at once: the door has room for chats about pictures beside them


class VideoSamplingFailed(FovealError):
    """The video of a chat cannot be used. `code` says why (DocumentNotFound, IndexNotFound,
    DocumentNotReady); the message begins as Azure's does.
    """

    code = "DocumentNotFound"


class MomentFinder(Protocol):
    def moments(self, document: FoundDocument, text: str, *, limit: int) -> Sequence[VectorHit]:
        """The frames and segments of a document that fit a text, best first. Blocks."""
        ...


class StillDoor(Protocol):
    """The media door for pictures that were stored as files."""

    async def open_bytes(self, data: bytes, detail: Detail, /, *, param: str) -> DetailedImage: ...


@dataclass(frozen=True, slots=True)
class Watched:
    """`queries`: how often the index was searched for it."""

    part: VideoPart
    queries: int = 0


class VideoChat:
    """`finder` None: topics of questions are not looked for."""

    def __init__(
        self,
        library: VideoLibrary,
        door: StillDoor,
        count: Count,
        asking: Asking,
        finder: MomentFinder | None = None,
    ) -> None:
        self._library = library
        self._count = count
        self._asking = asking
        self._finder = finder
        self._stills = Stills(door)
        self._records: OrderedDict[int, VideoRecord] = OrderedDict()
        self._lock = threading.Lock()

    async def watch(
        self, resource: str, index: str, document_id: str, question: str, *, param: str
    ) -> Watched:
        """A document of an index of the resource, for a question. Raises `VideoSamplingFailed` (`param`)."""
        try:
            chosen = await asyncio.to_thread(self._choose, resource, index, document_id, question)
        except DocumentNotFound as error:
            raise _failed(error, param) from None
        images = await self._stills.open(chosen.jpegs, param=param)
        record = chosen.record
        frames = tuple(
            VideoFrame(
                one.at,
                images[one.place],
                record.frames[one.place].facts,
                record.frames[one.place].scene,
            )
            for one in chosen.picks
        )
        start, end = chosen.stretch.start, chosen.stretch.end
        heard = record.speech
        part = VideoPart(
            duration=record.info.duration,
            start=start,
            end=end,
            frames=frames,
            scenes=scenes(record.frames, start, end),
            speech=None if heard is None else said_within(heard, start, end, self._count, chosen.said),
            sound=record.info.audio_codec is not None,
        )
        return Watched(part, chosen.queries)

    def _choose(self, resource: str, index: str, document_id: str, question: str) -> _Chosen:
        document = self._library.find(resource, index, document_id)
        record = self._record(document.key)
        asked = self._asking.read(question, record.info.duration)
        stretch = asked.stretch or Stretch(0.0, record.info.duration)
        hits, queries = self._hits(document, asked)
        moments = [hit.best for hit in hits]
        if stretch.at is not None:
            moments.insert(0, stretch.at)
        picks = pick(record.frames, stretch.start, stretch.end, moments)
        jpegs = {
            place: self._library.frame(document.key, record.frames[place].number)
            for place in sorted({one.place for one in picks})
        }
        said = [hit.number for hit in hits if hit.kind == "speech"]
        return _Chosen(record, stretch, picks, jpegs, said, queries)

    def _hits(self, document: FoundDocument, asked: Asked) -> tuple[Sequence[VectorHit], int]:
        if self._finder is None or asked.topic is None:
            return (), 0
        return self._finder.moments(document, asked.topic, limit=4 * TOPIC_FRAMES), 1

    def _record(self, key: int) -> VideoRecord:
        """What is kept of a document never changes: a new key is made for what is added again."""
        with self._lock:
            if key in self._records:
                self._records.move_to_end(key)
                return self._records[key]
        record = self._library.record(key)
        with self._lock:
            self._records[key] = record
            while len(self._records) > RECORDS:
                self._records.popitem(last=False)
        return record


class Stills:
    """Opens stored frames at low detail, some at once."""

    def __init__(self, door: StillDoor) -> None:
        self._door = door
        self._turns = asyncio.Semaphore(OPENING)

    async def open(self, jpegs: Mapping[int, bytes], *, param: str) -> dict[int, DetailedImage]:
        tasks = {place: asyncio.ensure_future(self._open(jpeg, param)) for place, jpeg in jpegs.items()}
        try:
            return {place: await task for place, task in tasks.items()}
        except BaseException:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            raise

    async def _open(self, jpeg: bytes, param: str) -> DetailedImage:
        async with self._turns:
            return await self._door.open_bytes(jpeg, "low", param=param)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """`jpegs` by the place of their frame in the record; `said`: segments that fit the topic, best first."""

    record: VideoRecord
    stretch: Stretch
    picks: Sequence[Pick]
    jpegs: Mapping[int, bytes]
    said: Sequence[int]
    queries: int


def _failed(error: DocumentNotFound, param: str) -> VideoSamplingFailed:
    reason = error.message
    if error.code == "IndexNotFound":
        reason = f"Document does not exist. {reason}"
    return VideoSamplingFailed(f"'Video sampling' failed: {reason}", code=error.code, param=param)
