"""Frames of videos in the background: in order, bounded, after requests; and what is read on them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from tests.support.clips import picture
from tests.unit.perception.helpers import plain

from foveal.errors import EngineUnavailable, InvalidImage
from foveal.images.detail import Pixels
from foveal.models.catalogue import load_catalogue
from foveal.models.lease import ModelLease
from foveal.models.store import ModelStore
from foveal.perception.base import DetectedObject, Face, Tag, TextLine
from foveal.perception.colours import load_namer
from foveal.perception.facts import Facts
from foveal.perception.finder import PooledFactFinder
from foveal.perception.kinds import KindCheck
from foveal.perception.looker import BackgroundLooker, RequestsFirst
from foveal.perception.sight import Sight, load_sight

WAIT = 10.0  # seconds that a test waits at most for another thread


def jpeg(pixels: Pixels) -> bytes:
    done, data = cv2.imencode(
        ".jpg", np.ascontiguousarray(pixels[:, :, ::-1]), (cv2.IMWRITE_JPEG_QUALITY, 88)
    )
    assert done
    return data.tobytes()


def grey(level: int) -> bytes:
    return jpeg(np.full((36, 64, 3), level, dtype=np.uint8))


@dataclass
class Gated:
    """Every ability at once; each look waits until `gate` is open and notes how many there are at a time."""

    gate: threading.Event = field(default_factory=threading.Event)
    began: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    lock: threading.Lock = field(default_factory=threading.Lock)
    now: int = 0
    most: int = 0
    looks: int = 0

    def detect(self, pixels: Pixels) -> list[DetectedObject]:
        with self.lock:
            self.now, self.looks = self.now + 1, self.looks + 1
            self.most = max(self.most, self.now)
        self.began.release()
        assert self.gate.wait(WAIT)
        with self.lock:
            self.now -= 1
        return []

    def tag(self, pixels: Pixels) -> list[Tag]:
        return [Tag(f"grey {round(float(pixels.mean()) / 10) * 10}", 0.9)]

    def find(self, pixels: Pixels) -> list[Face]:
        return []

    def read(self, pixels: Pixels) -> list[TextLine]:
        return []


@pytest.fixture
def gated() -> Iterator[Gated]:
    one = Gated()
    yield one
    one.gate.set()


Build = Callable[..., BackgroundLooker]


def sight_of(gated: Gated) -> Sight:
    return Sight(gated, gated, gated, gated, load_namer(), KindCheck({}, frozenset()), sure=0.4)


@pytest.fixture
def build(gated: Gated) -> Iterator[Build]:
    lookers: list[BackgroundLooker] = []

    def make(*, threads: int = 2, first: RequestsFirst | None = None) -> BackgroundLooker:
        lease = ModelLease(lambda: sight_of(gated))
        lookers.append(BackgroundLooker(lease, first or RequestsFirst(), threads=threads))
        return lookers[-1]

    yield make
    gated.gate.set()
    for looker in lookers:
        looker.close()


def names(found: Sequence[Facts]) -> list[str]:
    return [facts.tags[0].name for facts in found]


def test_facts_come_in_the_order_of_the_frames(gated: Gated, build: Build) -> None:
    gated.gate.set()
    levels = [10, 200, 50, 120, 90, 240, 30]
    found = list(build().look([grey(level) for level in levels]))
    assert names(found) == [f"grey {level}" for level in levels]
    assert {(facts.width, facts.height, facts.detail) for facts in found} == {(64, 36, "low")}
    assert set(found[0].stage_seconds) == {"objects", "tags", "faces", "colours", "text"}
    assert list(build().look([])) == []


def test_no_more_frames_are_looked_at_than_there_are_threads(gated: Gated, build: Build) -> None:
    looker = build(threads=2)
    videos = [threading.Thread(target=lambda: list(looker.look([grey(0)] * 4))) for _ in range(3)]
    for video in videos:
        video.start()
    for _ in range(2):
        assert gated.began.acquire(timeout=WAIT)
    gated.gate.set()
    for video in videos:
        video.join(WAIT)
    assert (gated.looks, gated.most) == (12, 2)


def test_who_stops_asking_stops_the_work(gated: Gated, build: Build) -> None:
    gated.gate.set()
    looker = build(threads=1)
    asked = looker.look([grey(0)] * 100)
    next(asked)
    del asked
    looker.close()
    assert gated.looks <= 4


def test_a_broken_frame_is_told(gated: Gated, build: Build) -> None:
    gated.gate.set()
    found = build().look([grey(0), b"no picture"])
    next(found)
    with pytest.raises(InvalidImage):
        next(found)


def test_background_work_waits_for_requests_but_not_for_ever(gated: Gated, build: Build) -> None:
    gated.gate.set()
    first = RequestsFirst(patience=WAIT * 10)
    looker = build(first=first)
    first.begin()
    found = threading.Thread(target=lambda: list(looker.look([grey(0)])))
    found.start()
    assert not gated.began.acquire(timeout=0.05), "a request is being looked at"
    first.end()
    assert gated.began.acquire(timeout=WAIT)
    found.join(WAIT)
    impatient = RequestsFirst(patience=0.01)
    impatient.begin()
    assert len(list(build(first=impatient).look([grey(0)]))) == 1


async def test_requests_and_frames_share_the_nets_and_requests_go_first(gated: Gated) -> None:
    loads: list[int] = []

    def load() -> Sight:
        loads.append(1)
        return sight_of(gated)

    finder = PooledFactFinder(load, threads=1, queue=1, cache_size=2)
    request = asyncio.create_task(finder.see(plain()))
    assert await asyncio.to_thread(gated.began.acquire, timeout=WAIT)
    frames = asyncio.create_task(asyncio.to_thread(lambda: list(finder.look([grey(0), grey(90)]))))
    assert not await asyncio.to_thread(gated.began.acquire, timeout=0.05), "the frames wait"
    gated.gate.set()
    await request
    assert names(await frames) == ["grey 0", "grey 90"]
    assert (len(loads), gated.looks) == (1, 3)
    finder.close()


def test_without_weights_it_says_what_to_run(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, load_catalogue())
    finder = PooledFactFinder(lambda: load_sight(store, threads=1), threads=1, queue=1, cache_size=1)
    with pytest.raises(EngineUnavailable, match="Run: foveal models pull"):
        next(finder.look([grey(0)]))
    finder.close()


@pytest.fixture(scope="module")
def finder(models_folder: Path) -> Iterator[PooledFactFinder]:
    store = ModelStore(models_folder, load_catalogue())
    made = PooledFactFinder(lambda: load_sight(store, threads=2), threads=2, queue=4, cache_size=4)
    yield made
    made.close()


def scene(name: str) -> Pixels:
    """A photo as a frame of 1280×720."""
    pixels = picture(name)
    scale = max(1280 / pixels.shape[1], 720 / pixels.shape[0])
    large = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large[:720, :1280]).astype(np.uint8)


def subtitled(pixels: Pixels, text: str, size: int = 36) -> Pixels:
    canvas = Image.fromarray(pixels)
    at, font = (640, 700 - size), ImageFont.load_default(size)
    draw = ImageDraw.Draw(canvas)
    draw.text(at, text, "white", font=font, anchor="ms", stroke_width=2, stroke_fill="black")
    return np.asarray(canvas, dtype=np.uint8)


def slide(lines: Sequence[str], size: int) -> Pixels:
    canvas = Image.new("RGB", (1280, 720), (248, 248, 244))
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        draw.text((90, 80 + 2 * size * number), line, (20, 30, 60), font=ImageFont.load_default(size))
    return np.asarray(canvas, dtype=np.uint8)


def texts(facts: Facts) -> list[str]:
    return [line.text for line in facts.lines]


@pytest.mark.models
@pytest.mark.parametrize("name", ["street", "coffee", "china"])
@pytest.mark.parametrize("size", [24, 40])
def test_subtitles_over_photos_are_read(finder: PooledFactFinder, name: str, size: int) -> None:
    said = "The last train leaves at midnight"
    [facts] = finder.look([jpeg(subtitled(scene(name), said, size))])
    [line] = [line for line in facts.lines if line.box.centre[1] > 0.8]
    assert line.text == said
    assert line.box.centre[0] == pytest.approx(0.5, abs=0.03)


def korean_subtitle(pixels: Pixels, pictures: Path, top: int, bottom: int) -> Pixels:
    """A line of text-ko.png (its rows from top to bottom), white with a black rim, at the foot of a frame."""
    written = cv2.imread(str(pictures / "text-ko.png"), cv2.IMREAD_GRAYSCALE)
    assert written is not None
    ink = cv2.resize(255 - written[top:bottom, :430], None, fx=1.4, fy=1.4, interpolation=cv2.INTER_CUBIC)
    rim = cv2.dilate(ink, np.ones((5, 5), dtype=np.uint8))
    drawn = pixels.astype(np.float32)
    height, width = ink.shape
    place = drawn[690 - height : 690, 340 : 340 + width]
    place *= 1 - rim[:, :, None].astype(np.float32) / 255
    place += ink[:, :, None].astype(np.float32)
    return np.clip(drawn, 0, 255).astype(np.uint8)


@pytest.mark.models
@pytest.mark.parametrize("name", ["street", "coffee", "cat"])
def test_korean_subtitles_over_photos_are_read(finder: PooledFactFinder, pictures: Path, name: str) -> None:
    [facts] = finder.look([jpeg(korean_subtitle(scene(name), pictures, 105, 150))])
    [line] = [line for line in facts.lines if line.box.centre[1] > 0.8]
    alike = SequenceMatcher(None, line.text.replace(" ", ""), "출입금지관계자외출입을금합니다").ratio()
    assert alike > 0.85  # two of fifteen letters may suffer from what is behind them
    assert line.language == "ko"


@pytest.mark.models
@pytest.mark.parametrize("size", [14, 18, 28])
def test_slides_are_read_down_to_small_print(finder: PooledFactFinder, size: int) -> None:
    lines = (
        "Revenue grew by 12% to 4.6 million",
        "Two new markets: Norway and Chile",
        "Costs of shipping fell for the first time",
        "More people were hired than left",
        "The office in Lyon was closed",
        "The new site opened in the spring",
        "Next review on 14 November",
    )
    [facts] = finder.look([jpeg(slide(lines, size))])
    assert texts(facts) == list(lines)


@pytest.mark.models
def test_a_subtitle_that_changes_is_read_again(finder: PooledFactFinder) -> None:
    said = ["Gate 17 closes at 10:45", "Gate 17 closes at 10:45", "Gate 17 closes at 10:46", "Welcome aboard"]
    found = finder.look([jpeg(subtitled(scene("street"), text)) for text in said])
    bottom = [[line.text for line in facts.lines if line.box.centre[1] > 0.8] for facts in found]
    assert bottom == [[text] for text in said]


@pytest.mark.models
def test_what_is_in_a_frame_is_seen(finder: PooledFactFinder) -> None:
    street, cat, upright = finder.look(
        [jpeg(scene("street")), jpeg(scene("cat")), jpeg(np.rot90(scene("street")).copy()[:, 100:620])]
    )
    people = [one for one in street.objects if one.label == "person"]
    assert len(people) in range(4, 11)
    assert "car" in [one.label for one in street.objects]
    assert [one.label for one in cat.objects][:1] == ["cat"]
    assert street.colours
    assert 0.1 < street.brightness < 0.9
    assert (upright.width, upright.height) == (520, 1280)
