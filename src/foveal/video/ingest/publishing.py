"""The last step on a video: everything that was found becomes a document, at once. And its opposite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from foveal.store.blobs import BlobStore
from foveal.store.vectors import VectorRow, VectorStore
from foveal.video.base import VideoInfo, VideoRecord
from foveal.video.ingest.shards import FramesShard, SpeechShard, WorkFolder
from foveal.video.ingest.worksheet import Task, Worksheet
from foveal.video.library import folder as blobs_of
from foveal.video.library import record_path


@dataclass(frozen=True, slots=True)
class Publisher:
    worksheet: Worksheet
    blobs: BlobStore
    vectors: Callable[[], VectorStore]  # opened when it is first used: its library takes a second to import

    def publish(
        self, task: Task, folder: WorkFolder, info: dict[str, Any], windows: int, speech: int | None
    ) -> None:
        """May be repeated. Raises `Cancelled`."""
        document = task.document
        assert document is not None
        looked = folder.frames(windows)
        heard = None if speech is None else folder.speech(speech)
        record = VideoRecord(
            msgspec.convert(info, VideoInfo),
            tuple(frame for shard in looked for frame in shard.frames),
            None if heard is None else tuple(segment for shard in heard for segment in shard.segments),
            sum(shard.withheld for shard in looked),
        )
        self.blobs.put(record_path(document), msgspec.msgpack.encode(record))
        rows = [*_frame_rows(task, looked), *_speech_rows(task, heard or ())]
        self.vectors().replace(task.index, document, rows)
        size = sum(blob.size for blob in self.blobs.list(blobs_of(document)))
        self.worksheet.publish(task, record.info, len(record.frames), len(record.speech or ()), size)

    def discard(self, index: int, documents: Sequence[int]) -> None:
        """Free what stands outside SQL of documents whose rows are gone."""
        if documents:
            self.vectors().remove(index, documents)
        for document in documents:
            self.blobs.remove(blobs_of(document))

    def sweep(self) -> None:
        """Free what stands outside SQL and belongs to no row, published or being made.

        The rows are read last: a row is there before anything else of its document.
        """
        kept = {int(blob.path.split("/")[1]) for blob in self.blobs.list("documents/")}
        for document in kept - self.worksheet.documents():
            self.blobs.remove(blobs_of(document))
        if not kept and not self.worksheet.indexes():
            return  # a process that has to do with pictures only need not load what keeps vectors
        vectors = self.vectors()
        for collection in vectors.collections():
            found = vectors.documents(collection)
            if collection not in self.worksheet.indexes():
                vectors.drop(collection)
            elif gone := found - self.worksheet.documents():
                vectors.remove(collection, gone)


def _frame_rows(task: Task, shards: Sequence[FramesShard]) -> list[VectorRow]:
    """None when the index does not search by vision: the frames are kept for chat all the same."""
    if "vision" not in task.features:
        return []
    assert task.document is not None
    rows = []
    for shard in shards:
        frames = {frame.number: frame for frame in shard.frames}
        for one in shard.vectors:
            frame = frames[one.item]
            rows.append(
                VectorRow(
                    task.document,
                    "frame",
                    frame.number,
                    frame.start,
                    frame.end,
                    frame.at,
                    one.text,
                    np.frombuffer(one.vector, np.float32),
                )
            )
    return rows


def _speech_rows(task: Task, shards: Sequence[SpeechShard]) -> list[VectorRow]:
    if "speech" not in task.features:
        return []
    assert task.document is not None
    rows, before = [], 0
    for shard in shards:
        for one in shard.vectors:
            said = shard.segments[one.item]
            rows.append(
                VectorRow(
                    task.document,
                    "speech",
                    before + one.item,
                    said.start,
                    said.end,
                    said.start,
                    one.text,
                    np.frombuffer(one.vector, np.float32),
                )
            )
        before += len(shard.segments)
    return rows
