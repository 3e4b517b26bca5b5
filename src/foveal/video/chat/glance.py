"""A look at a video that is in no index: fetched, sampled and listened to, then remembered for a while.

What an engine does not need is not done: one that looks at frames itself gets those of the question; for one
that reads facts every shot is found once, and the frames of the question are looked at. The speech is
written down for both. All calls block, and one thread at a time calls.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from foveal.engines.base import VideoPart
from foveal.errors import InvalidVideo
from foveal.images.base64_text import BadBase64, TooMuchBase64, decode_base64
from foveal.perception.base import Samples, SpeechSegment, Transcriber
from foveal.perception.facts import Facts
from foveal.video.base import Progress, SampledFrame, VideoInfo
from foveal.video.chat.asking import Asking, Stretch
from foveal.video.chat.picking import Count, how_many, pick, said_within, sample_times, scenes
from foveal.video.work import Decoder, FrameLooker, SampleState, Source, VideoFetcher

REMEMBERED = 4  # videos
WINDOW = 60.0  # seconds that are decoded or listened to in one go
INVALID_BASE64 = "Invalid video (base64) data."

Report = Callable[[str, float], None]  # what is done, 0..1 of it; raises to stop


@dataclass(frozen=True, slots=True)
class Ears:
    """`cut` gives the second of a sound at which it can be cut without hurting a word."""

    transcriber: Transcriber
    cut: Callable[[Samples], float]


@dataclass(frozen=True, slots=True)
class Limits:
    """A video is at most so many seconds long, a data URL so many bytes."""

    seconds: float = 600.0
    bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """`part` has no frames yet: `frames` are their times and numbers, `jpegs`, `facts` and `scenes` what is
    known of each number.
    """

    part: VideoPart
    frames: Sequence[tuple[float, int]]
    jpegs: Mapping[int, bytes]
    facts: Mapping[int, Facts]
    scenes: Mapping[int, int]


class Glance:
    """`work` is a folder for what is fetched and sampled. Without a `looker` there are no facts, without
    `ears` nothing is heard.
    """

    def __init__(
        self,
        decoder: Decoder,
        fetcher: VideoFetcher,
        count: Count,
        asking: Asking,
        *,
        work: Path,
        looker: FrameLooker | None = None,
        ears: Ears | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._decoder = decoder
        self._fetcher = fetcher
        self._count = count
        self._asking = asking
        self._work = work
        self._looker = looker
        self._ears = ears
        self._limits = limits or Limits()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def look(self, place: str | Path, resource: str, question: str, *, facts: bool, report: Report) -> Seen:
        """A video at an http(s) or data URL (asked for by `resource`), or in a file.

        Raises `InvalidVideo`, `VideoUnreachable`, and what `report` raises.
        """
        self._work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._work, prefix="glance-") as folder:
            path = self._file(place, resource, Path(folder) / "video", report)
            known = self._know(path)
            stretch = self._asking.read(question, known.info.duration).stretch
            stretch = stretch or Stretch(0.0, known.info.duration)
            if facts and self._looker is not None:
                seen = self._studied(path, known, stretch, self._looker, report)
            else:
                seen = self._sampled(path, known, stretch, report)
            if self._ears is not None and known.speech is None and known.info.audio_codec is not None:
                known.speech = tuple(self._heard(path, known.info, self._ears, report))
        speech = known.speech
        if speech is not None:
            speech = said_within(speech, stretch.start, stretch.end, self._count)
        elif known.info.audio_codec is None:
            speech = ()
        sound = known.info.audio_codec is not None
        return replace(seen, part=replace(seen.part, speech=speech, sound=sound))

    def forget(self) -> None:
        """Remove everything that is remembered."""
        while self._known:
            self._known.popitem()[1].folder.cleanup()

    def _file(self, place: str | Path, resource: str, to: Path, report: Report) -> Path:
        if isinstance(place, Path):
            if not place.is_file():
                raise InvalidVideo(f"{place}: there is no such file.", code="VideoNotFound")
            return place
        if place[:5].lower() == "data:":
            to.write_bytes(self._from_data_url(place))
            return to
        source = Source(place, resource)
        self._fetcher.check(source)
        self._fetcher.fetch(source, to, lambda done: report("fetching", done))
        return to

    def _from_data_url(self, url: str) -> bytes:
        comma = url.find(",", 0, 256)
        if comma < 0 or not url[:comma].rstrip().lower().endswith(";base64"):
            raise InvalidVideo(
                f"{INVALID_BASE64} A data URL must have the form data:video/mp4;base64,… .",
                code="InvalidBase64",
            )
        try:
            return decode_base64(url, comma + 1, max_bytes=self._limits.bytes)
        except BadBase64:
            raise InvalidVideo(INVALID_BASE64, code="InvalidBase64") from None
        except TooMuchBase64:
            most = self._limits.bytes / (1024 * 1024)
            raise InvalidVideo(
                f"A video in a data URL may have at most {most:g} MB.", code="VideoTooLarge"
            ) from None

    def _know(self, path: Path) -> _Known:
        digest = _digest(path)
        known = self._known.get(digest)
        if known is not None:
            self._known.move_to_end(digest)
            return known
        info = self._decoder.probe(path)
        if not info.duration > 0:
            raise InvalidVideo("The video has no length.", code="EmptyVideo")
        if info.duration > self._limits.seconds:
            raise InvalidVideo(
                f"The video is {info.duration:.0f} seconds long; without an index, at most "
                f"{self._limits.seconds:.0f} are looked at. Add it to an index to ask about it.",
                code="VideoTooLong",
            )
        known = _Known(tempfile.TemporaryDirectory(dir=self._work, prefix="seen-"), info)
        self._known[digest] = known
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)[1].folder.cleanup()
        return known

    def _sampled(self, path: Path, known: _Known, stretch: Stretch, report: Report) -> Seen:
        """The frames shown at the times that the question asks for, and nothing else."""
        info, start, end = known.info, stretch.start, stretch.end
        report("sampling", 0.0)
        times = sample_times(start, end, how_many(end - start))
        found = self._decoder.frames_at(path, info, times)
        return Seen(
            VideoPart(info.duration, start, end, (), (), None),
            [(at, number) for number, at in enumerate(times[: len(found)])],
            {number: frame.jpeg for number, frame in enumerate(found)},
            {},
            {number: frame.scene for number, frame in enumerate(found)},
        )

    def _studied(
        self, path: Path, known: _Known, stretch: Stretch, looker: FrameLooker, report: Report
    ) -> Seen:
        if known.stills is None:
            known.stills = self._stills(path, known, report)
        stills = known.stills
        moments = () if stretch.at is None else (stretch.at,)
        picks = pick(stills, stretch.start, stretch.end, moments)
        jpegs = {place: known.still(place).read_bytes() for place in sorted({one.place for one in picks})}
        new = [place for place in jpegs if place not in known.facts]
        if new:
            found = looker.look([jpegs[place] for place in new])
            for done, (place, facts) in enumerate(zip(new, found, strict=True), 1):
                known.facts[place] = facts
                report("looking", done / len(new))
        shots = scenes(stills, stretch.start, stretch.end)
        return Seen(
            VideoPart(known.info.duration, stretch.start, stretch.end, (), shots, None),
            [(one.at, one.place) for one in picks],
            jpegs,
            {place: known.facts[place] for place in jpegs},
            {place: stills[place].scene for place in jpegs},
        )

    def _stills(self, path: Path, known: _Known, report: Report) -> tuple[SampledFrame, ...]:
        """Every frame worth keeping, its picture in the folder."""
        stills: list[SampledFrame] = []

        def keep(frame: SampledFrame) -> None:
            known.still(len(stills)).write_bytes(frame.jpeg)
            stills.append(replace(frame, jpeg=b""))

        state, start, duration = SampleState(), 0.0, known.info.duration
        while start < duration:
            end = min(duration, start + WINDOW)
            progress = _share(report, "sampling", start / duration, end / duration)
            state = self._decoder.sample(path, known.info, start, end, state, keep, progress=progress)
            start = end
        return tuple(stills)

    def _heard(self, path: Path, info: VideoInfo, ears: Ears, report: Report) -> list[SpeechSegment]:
        said: list[SpeechSegment] = []
        start, language = 0.0, None
        while start < info.duration:
            report("listening", start / info.duration)
            end = min(info.duration, start + WINDOW)
            samples = self._decoder.sound(path, info, start, end)
            if end < info.duration and len(samples):
                end = min(end, start + max(1.0, ears.cut(samples)))
                samples = samples[: int((end - start) * 16_000)]
            if len(samples):
                found = ears.transcriber.transcribe(samples, language=language)
                said.extend(segment.later(start) for segment in found)
            language = said[0].language if said else None
            start = end
        return said


@dataclass(slots=True)
class _Known:
    """What was found out about a video; the pictures of its `stills` lie in `folder` by their number."""

    folder: tempfile.TemporaryDirectory[str]
    info: VideoInfo
    stills: tuple[SampledFrame, ...] | None = None
    facts: dict[int, Facts] = field(default_factory=dict)
    speech: tuple[SpeechSegment, ...] | None = None

    def still(self, number: int) -> Path:
        return Path(self.folder.name) / f"{number:06d}.jpg"


def _share(report: Report, step: str, start: float, end: float) -> Progress:
    return lambda done: report(step, start + (end - start) * done)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
