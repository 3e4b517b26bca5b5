"""Looking at a video and listening to it, window by window, so that memory does not grow with its length."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import msgspec

from foveal.errors import EngineUnavailable, InvalidVideo
from foveal.images.thumbnail import thumbnail
from foveal.perception.base import Embedder, Samples, Transcriber
from foveal.perception.facts import Facts
from foveal.store.blobs import BlobStore
from foveal.video.base import FrameRecord, Progress, SampledFrame, VideoInfo
from foveal.video.ingest.progress import Pace
from foveal.video.ingest.reading import reading
from foveal.video.ingest.shards import FramesShard, SpeechShard, TextVector, WorkFolder
from foveal.video.ingest.worksheet import Task
from foveal.video.library import frame_path, thumbnail_path
from foveal.video.work import Decoder, FrameGuard, FrameLooker, Keep, SampleState

WINDOW = 300.0  # seconds of video that a step looks at or listens to

_LITTLE = 0.1  # of a window: a rest that is not worth a step of its own

Outcome = dict[str, Any]
Report = Callable[[Task, str, float], None]


@dataclass(frozen=True, slots=True)
class Part:
    """A window: its number from 0, and its seconds."""

    number: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Study:
    """`describe` gives the texts that a frame's facts are found by, the first of them for people to read;
    `cut` the second of a sound at which it can be cut without hurting a word; `guard` keeps harmful frames
    out where an ingestion asks for moderation.
    """

    decoder: Decoder
    looker: FrameLooker
    transcriber: Transcriber
    cut: Callable[[Samples], float]
    embedder: Embedder
    describe: Callable[[Facts], Sequence[str]]
    blobs: BlobStore
    window: float = WINDOW
    guard: FrameGuard | None = None

    def pace(self, task: Task, report: Report) -> Pace:
        return Pace(lambda step, done: report(task, step, done), task.wants_speech)

    def probe(self, folder: WorkFolder) -> Outcome:
        """`VideoInfo` as builtins. Raises `InvalidVideo`."""
        info: Outcome = msgspec.to_builtins(self.decoder.probe(folder.video))
        return info

    def parts(self, info: Outcome) -> list[Part]:
        duration = float(info["duration"])
        count = max(1, math.ceil(duration / self.window - _LITTLE))
        ends = [(number + 1) * self.window for number in range(count - 1)]
        return [Part(n, *times) for n, times in enumerate(pairwise([0.0, *ends, duration]))]

    def look(
        self,
        task: Task,
        folder: WorkFolder,
        info: Outcome,
        part: Part,
        before: Outcome | None,
        report: Report,
    ) -> Outcome:
        """Keep the frames of one window. Returns what the next window goes on from.

        Raises `EngineUnavailable`, saying what to run, when weights are missing.
        """
        facts = _info(info)
        assert task.document is not None
        progress = self.pace(task, report).looking(part.start / facts.duration, part.end / facts.duration)
        first, state = 0, SampleState()
        if before is not None:
            first, state = before["frames"], SampleState(b64decode(before["signature"]), before["scene"])

        gate = self._gate(task)

        def sample(keep: Keep, told: Progress) -> SampleState:
            return self.decoder.sample(
                folder.video,
                facts,
                part.start,
                part.end,
                state,
                keep if gate is None else gate.before(keep),
                drop_defective=bool(task.options.get("filterDefectedFrames")),
                progress=told,
            )

        records: list[FrameRecord] = []
        vectors: list[TextVector] = []
        with reading(sample, progress) as found:
            for seen in self.looker.look(found.jpegs()):
                place, frame = first + len(records), found.taken()
                self._keep(task.document, place, frame)
                texts = [text for text in self.describe(seen) if text.strip()]
                records.append(_record(place, frame, seen, texts[0] if texts else ""))
                vectors.extend(TextVector(place, text, b"") for text in texts)
        withheld = 0 if gate is None else gate.withheld
        folder.put(f"frames-{part.number:05d}", FramesShard(tuple(records), self._embed(vectors), withheld))
        return {
            "frames": first + len(records),
            "signature": b64encode(found.state.signature).decode(),
            "scene": found.state.scene,
        }

    def goes_on(self, info: Outcome, heard: Sequence[Outcome]) -> bool:
        """Whether there is sound left after what was listened to."""
        if info["audio_codec"] is None:
            return False
        return not heard or float(heard[-1]["until"]) < float(info["duration"])

    def listen(
        self,
        task: Task,
        folder: WorkFolder,
        info: Outcome,
        before: Sequence[Outcome],
        report: Report,
    ) -> Outcome:
        """Write down the speech of one window. Returns up to where it was listened to."""
        facts = _info(info)
        start = float(before[-1]["until"]) if before else 0.0
        end = min(facts.duration, start + self.window)
        self.pace(task, report).listening(start / facts.duration)
        samples = self.decoder.sound(folder.video, facts, start, end)
        if end < facts.duration and len(samples):
            end = min(end, start + max(1.0, self.cut(samples)))
            samples = samples[: int((end - start) * 16_000)]
        language = before[-1]["language"] if before else None
        said = self.transcriber.transcribe(samples, language=language) if len(samples) else []
        segments = tuple(segment.later(start) for segment in said)
        vectors = [TextVector(place, one.text, b"") for place, one in enumerate(segments)]
        folder.put(f"speech-{len(before):05d}", SpeechShard(segments, self._embed(vectors)))
        # The language of the first speech is that of the video: a short window could be taken for another.
        return {"until": end, "language": language or (segments[0].language if segments else None)}

    def _gate(self, task: Task) -> _Gate | None:
        if not task.options.get("moderation"):
            return None
        if self.guard is None:
            raise EngineUnavailable(
                "This server has no content filter for pictures: 'moderation' must be false."
            )
        return _Gate(self.guard)

    def _keep(self, document: int, number: int, frame: SampledFrame) -> None:
        self.blobs.put(frame_path(document, number), frame.jpeg)
        self.blobs.put(thumbnail_path(document, number), thumbnail(frame.jpeg))

    def _embed(self, texts: Sequence[TextVector]) -> tuple[TextVector, ...]:
        if not texts:
            return ()
        vectors = self.embedder.embed([one.text for one in texts])
        return tuple(
            replace(one, vector=vector.tobytes()) for one, vector in zip(texts, vectors, strict=True)
        )


@dataclass(slots=True)
class _Gate:
    """Stands before what takes the frames of a window: nobody looks at a frame that is refused, and nothing
    of it is kept. `withheld` counts them.
    """

    guard: FrameGuard
    withheld: int = field(default=0, init=False)

    def before(self, keep: Keep) -> Keep:
        def judged(frame: SampledFrame) -> None:
            if self.guard.refuses(frame.jpeg):
                self.withheld += 1
            else:
                keep(frame)

        return judged


def _info(outcome: Outcome) -> VideoInfo:
    info = msgspec.convert(outcome, VideoInfo)
    if not info.duration > 0:
        raise InvalidVideo("The video has no length.", code="EmptyVideo")
    return info


def _record(number: int, frame: SampledFrame, seen: Facts, text: str) -> FrameRecord:
    return FrameRecord(
        number, frame.at, frame.start, frame.end, frame.scene, seen, text=text, defect=frame.defect
    )
