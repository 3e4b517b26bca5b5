"""Videos without an index: what is done for which engine, what is remembered, who may go on."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.facts import street
from tests.support.videos import grey

from foveal.errors import InvalidVideo, TooManyRequests, VideoUnreachable
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.perception.base import Samples, SpeechSegment
from foveal.perception.facts import Facts
from foveal.video.base import SampledFrame, VideoInfo
from foveal.video.chat.asking import load_asking
from foveal.video.chat.glance import Ears, Glance, Limits
from foveal.video.chat.instant import InstantVideos
from foveal.video.work import Keep, SampleState, Source

LENGTH = 90.0
URL = "https://films.example/clip.mp4"


def calls() -> list[str]:
    return []


@dataclass
class Studio:
    """Everything a glance works with, made up; `done` says what was asked for. `held` stops the looking."""

    length: float = LENGTH
    sound: bool = True
    held: threading.Event | None = None
    done: list[str] = field(default_factory=calls)
    entered: threading.Event = field(default_factory=threading.Event)

    def check(self, source: Source) -> None:
        if "private" in source.url:
            raise VideoUnreachable("The video cannot be reached.")

    def fetch(self, source: Source, to: Path, progress: Callable[[float], None]) -> None:
        self.done.append(f"fetch for {source.resource}")
        progress(1.0)
        to.write_text(source.url, "utf-8")

    def probe(self, path: Path) -> VideoInfo:
        self.done.append("probe")
        if "broken" in path.read_text("utf-8"):
            raise InvalidVideo("This is not a video.", code="NotAVideo")
        return VideoInfo("mp4", self.length, 64, 48, 0, 25.0, "h264", "aac" if self.sound else None, 1)

    def sample(
        self,
        path: Path,
        info: VideoInfo,
        start: float,
        end: float,
        state: SampleState,
        keep: Keep,
        *,
        drop_defective: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> SampleState:
        assert path.is_file()
        self.done.append(f"sample {start:g}-{end:g}")
        frames = [
            SampledFrame(float(at), float(at), float(at) + 2, state.scene, grey(int(at)))
            for at in np.arange(start, end, 2)
        ]
        if progress is not None:
            progress(1.0)
        for frame in frames:
            keep(frame)
        return SampleState(b"seen", state.scene + 1)

    def frames_at(self, path: Path, info: VideoInfo, times: Sequence[float]) -> list[SampledFrame]:
        self.done.append(f"frames at {times[0]:g}")
        return [SampledFrame(at, at, at, 0, grey(int(at))) for at in times]

    def listen(self, path: Path, info: VideoInfo, start: float, end: float) -> Samples:
        return np.full(int((end - start) * 16_000), start, np.float32)

    def transcribe(self, samples: Samples, *, language: str | None = None) -> list[SpeechSegment]:
        self.done.append(f"listen at {samples[0]:g} for {len(samples) / 16_000:g} in {language}")
        return [SpeechSegment(1.0, 2.0, f"second {samples[0]:g}", "en", 0.9)]

    def look(self, jpegs: Iterable[bytes]) -> Iterator[Facts]:
        waiting = list(jpegs)
        self.done.append(f"look at {len(waiting)}")
        self.entered.set()
        for _ in waiting:
            if self.held is not None:
                assert self.held.wait(20)
            yield street()


class MadeDecoder:
    def __init__(self, studio: Studio) -> None:
        self.probe = studio.probe
        self.sample = studio.sample
        self.frames_at = studio.frames_at
        self.sound = studio.listen


def instant(studio: Studio, work: Path, **changes: Any) -> InstantVideos:
    parts: dict[str, Any] = {"looker": studio, "ears": Ears(studio, lambda _: 50.0), "work": work, **changes}
    glance = Glance(MadeDecoder(studio), studio, len, load_asking(), **parts)
    return InstantVideos(glance, ImageDoor(MediaFetcher()))


async def ask(videos: InstantVideos, place: str | Path = URL, question: str = "Describe it", **k: Any) -> Any:
    return await videos.watch(place, "local", question, **{"facts": True, "param": "here", **k})


def left_in(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def test_facts_for_an_engine_that_reads_facts(tmp_path: Path) -> None:
    studio = Studio()
    videos = instant(studio, tmp_path)
    part = await ask(videos)
    assert studio.done == [
        "fetch for local",
        "probe",
        "sample 0-60",
        "sample 60-90",
        "look at 15",
        "listen at 0 for 50 in None",
        "listen at 50 for 40 in en",
    ]
    assert (part.duration, part.start, part.end, len(part.frames)) == (90, 0, 90, 15)
    assert all(frame.facts is not None and frame.image.tokens == 85 for frame in part.frames)
    assert [frame.scene for frame in part.frames] == [0] * 10 + [1] * 5
    assert part.scenes == ((0, 60), (60, 90))
    assert [(one.start, one.text) for one in part.speech] == [(1, "second 0"), (51, "second 50")]
    await videos.close()
    assert left_in(tmp_path) == 0


async def test_frames_alone_for_an_engine_that_looks_itself(tmp_path: Path) -> None:
    studio = Studio()
    videos = instant(studio, tmp_path)
    part = await ask(videos, question="What happens from 20s to 40s?", facts=False)
    assert "frames at 20" in studio.done
    assert not [one for one in studio.done if one.startswith(("look", "sample"))]
    assert [frame.at for frame in part.frames] == [20 + 2 * n for n in range(10)]
    assert all(frame.facts is None for frame in part.frames)
    await videos.close()


async def test_a_second_question_costs_no_second_look(tmp_path: Path) -> None:
    studio = Studio()
    videos = instant(studio, tmp_path)
    first = await ask(videos)
    studio.done.clear()
    assert (await ask(videos)).frames == first.frames
    assert studio.done == ["fetch for local"]
    studio.done.clear()
    narrow = await ask(videos, question="What is at 0:33?")
    assert studio.done == ["fetch for local", "look at 2"]  # the frames around it that nobody looked at yet
    assert 33 in [round(frame.at) for frame in narrow.frames]
    await videos.close()


async def test_only_some_videos_are_remembered(tmp_path: Path) -> None:
    studio = Studio()
    videos = instant(studio, tmp_path)
    for number in range(6):
        await ask(videos, f"{URL}?{number}")
    assert left_in(tmp_path) == 4
    studio.done.clear()
    await ask(videos, f"{URL}?0")
    assert "probe" in studio.done
    await videos.close()


async def test_a_silent_video_and_a_house_without_ears(tmp_path: Path) -> None:
    silent = instant(Studio(sound=False), tmp_path)
    assert (await ask(silent)).speech == ()
    deaf = instant(Studio(), tmp_path, ears=None)
    assert (await ask(deaf)).speech is None
    blind = instant(Studio(), tmp_path, looker=None)
    assert all(frame.facts is None for frame in (await ask(blind)).frames)
    for videos in (silent, deaf, blind):
        await videos.close()


async def test_files_and_data_urls(tmp_path: Path) -> None:
    videos = instant(Studio(), tmp_path / "work")
    clip = tmp_path / "clip.mp4"
    clip.write_text("a clip")
    assert (await ask(videos, clip)).duration == LENGTH
    assert clip.exists()
    url = "data:video/mp4;base64," + b64encode(b"a clip").decode()
    assert (await ask(videos, url)).duration == LENGTH
    await videos.close()


@pytest.mark.parametrize(
    ("place", "says", "code"),
    [
        ("https://private.example/x", "cannot be reached", "VideoUrlNotAccessible"),
        ("https://films.example/broken", "not a video", "NotAVideo"),
        ("data:video/mp4;base64,****", "base64", "InvalidBase64"),
        ("data:video/mp4,abc", "base64", "InvalidBase64"),
        ("data:", "base64", "InvalidBase64"),
        ("data:video/mp4;base64," + "A" * 4000, "at most 0.000953674 MB", "VideoTooLarge"),
        (Path("/nowhere/clip.mp4"), "no such file", "VideoNotFound"),
    ],
)
async def test_what_cannot_be_looked_at(tmp_path: Path, place: str | Path, says: str, code: str) -> None:
    videos = instant(Studio(), tmp_path, limits=Limits(bytes=1000))
    with pytest.raises((InvalidVideo, VideoUnreachable), match=says) as failed:
        await ask(videos, place)
    assert (failed.value.status, failed.value.code, failed.value.param) == (400, code, "here")
    assert (await ask(videos)).frames  # the next one is served
    await videos.close()


async def test_too_long_and_without_length(tmp_path: Path) -> None:
    long = instant(Studio(length=36_000), tmp_path)
    with pytest.raises(InvalidVideo, match=r"36000 seconds long; .* at most 600 .* index") as failed:
        await ask(long)
    assert failed.value.code == "VideoTooLong"
    empty = instant(Studio(length=0.0), tmp_path)
    with pytest.raises(InvalidVideo, match="no length"):
        await ask(empty)
    for videos in (long, empty):
        await videos.close()


async def test_one_at_a_time(tmp_path: Path) -> None:
    studio = Studio(held=threading.Event())
    videos = instant(studio, tmp_path)
    first = asyncio.create_task(ask(videos))
    assert await asyncio.to_thread(studio.entered.wait, 20)
    with pytest.raises(TooManyRequests) as busy:
        await ask(videos, "https://films.example/second.mp4")
    assert busy.value.headers["retry-after"] == "5"
    assert studio.held is not None
    studio.held.set()
    assert (await first).frames
    assert (await ask(videos)).frames
    await videos.close()


async def test_the_work_stops_when_the_client_leaves(tmp_path: Path) -> None:
    studio = Studio(held=threading.Event())
    videos = instant(studio, tmp_path)
    task = asyncio.create_task(ask(videos))
    assert await asyncio.to_thread(studio.entered.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(TooManyRequests):  # its thread has not noticed yet
        await ask(videos)
    assert studio.held is not None
    studio.held.set()
    await videos.close()
    assert not [one for one in studio.done if one.startswith("listen")]
    assert left_in(tmp_path) == 0


async def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    videos = instant(Studio(), tmp_path)
    videos.tell(lambda step, done: told.append((step, done)))
    await ask(videos)
    assert list(dict.fromkeys(step for step, _ in told)) == ["fetching", "sampling", "looking", "listening"]
    assert all(0 <= done <= 1 for _, done in told)
    await videos.close()
