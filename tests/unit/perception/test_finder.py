"""The pool: one computation per picture, a bounded queue, a bounded memory."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest
from tests.unit.perception.helpers import plain

from foveal.errors import EngineUnavailable, InvalidImage, TooManyRequests
from foveal.images.decode import Limits, check, decode
from foveal.images.detail import Detail, DetailedImage, Pixels
from foveal.perception.base import DetectedObject, Face, Tag, TextLine
from foveal.perception.colours import load_namer
from foveal.perception.finder import PooledFactFinder
from foveal.perception.kinds import KindCheck
from foveal.perception.sight import Sight


@dataclass
class Blind:
    """Every ability at once: sees nothing, counts how often it was asked, and waits at a gate."""

    gate: threading.Event = field(default_factory=threading.Event)
    looks: int = 0
    reads: list[tuple[int, int]] = field(default_factory=list)
    priorities: list[int] = field(default_factory=list)
    fail: Exception | None = None

    def detect(self, pixels: Pixels) -> list[DetectedObject]:
        self.looks += 1
        self.priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        assert self.gate.wait(10)
        if self.fail is not None:
            raise self.fail
        return []

    def tag(self, pixels: Pixels) -> list[Tag]:
        return [Tag("espresso", 0.9)]

    def find(self, pixels: Pixels) -> list[Face]:
        return []

    def read(self, pixels: Pixels) -> list[TextLine]:
        height, width = pixels.shape[:2]
        self.reads.append((width, height))
        assert self.gate.wait(10)
        return [TextLine(f"{width}x{height}", 0.9, ((0, 0), (1, 0), (1, 1), (0, 1)))]


def sight_of(blind: Blind) -> Sight:
    return Sight(blind, blind, blind, blind, load_namer(), KindCheck({}, frozenset()), sure=0.4)


Build = Callable[..., PooledFactFinder]


@pytest.fixture
def blind() -> Blind:
    return Blind()


@pytest.fixture
async def build(blind: Blind) -> AsyncIterator[Build]:
    finders: list[PooledFactFinder] = []

    def make(*, threads: int = 2, queue: int = 1, cache_size: int = 2) -> PooledFactFinder:
        finders.append(
            PooledFactFinder(lambda: sight_of(blind), threads=threads, queue=queue, cache_size=cache_size)
        )
        return finders[-1]

    yield make
    blind.gate.set()
    for finder in finders:
        finder.close()


async def test_a_picture_is_looked_at_once(blind: Blind, build: Build) -> None:
    finder = build()
    calls = [asyncio.create_task(finder.facts(plain())) for _ in range(5)]
    await asyncio.sleep(0)
    blind.gate.set()
    results = await asyncio.gather(*calls)
    assert blind.looks == 1
    assert all(result == results[0] for result in results)
    assert await finder.facts(plain()) == results[0]
    assert (blind.looks, len(blind.reads)) == (1, 1)
    assert set(results[0].stage_seconds) == {"objects", "tags", "faces", "colours", "text"}
    assert results[0].tags == (Tag("espresso", 0.9),)
    assert results[0].colours[0].name == "black"


async def test_seeing_reads_nothing_and_reading_sees_nothing(blind: Blind, build: Build) -> None:
    blind.gate.set()
    finder = build()
    seen = await finder.see(plain())
    assert (seen.lines, blind.looks, blind.reads) == ((), 1, [])
    assert "text" not in seen.stage_seconds
    lines = await finder.read(plain(1))
    assert (lines[0].text, blind.looks, len(blind.reads)) == ("60x40", 1, 1)


async def test_facts_are_what_was_seen_and_read_before(blind: Blind, build: Build) -> None:
    blind.gate.set()
    finder = build()
    seen, lines = await finder.see(plain()), await finder.read(plain())
    facts = await finder.facts(plain())
    assert (facts.tags, facts.lines) == (seen.tags, lines)
    assert (blind.looks, len(blind.reads)) == (1, 1), "the plan's view was the whole picture: read once"


def large_picture(detail: Detail = "high") -> DetailedImage:
    """1800×900 as PNG; the plan's view has 1536×768."""
    drawn, png = cv2.imencode(".png", np.full((900, 1800, 3), 200, dtype=np.uint8))
    assert drawn
    data, limits = png.tobytes(), Limits()
    header = check(data, limits, param=None)
    return decode(data, header, detail, limits, sha256=lambda: "a", param=None)


async def test_close_reading_is_of_the_original_and_kept_apart(blind: Blind, build: Build) -> None:
    blind.gate.set()
    finder = build()
    facts = await finder.facts(large_picture())
    assert facts.lines[0].text == "1536x768"
    for image in (large_picture(), large_picture("low"), large_picture()):
        assert (await finder.read(image))[0].text == "1800x900"
    assert blind.reads == [(1536, 768), (1800, 900)]
    assert blind.looks == 1


async def test_close_readings_are_shared_and_outlive_a_caller_that_leaves(blind: Blind, build: Build) -> None:
    finder = build()
    first, second = (asyncio.create_task(finder.read(large_picture())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    blind.gate.set()
    assert (await second)[0].text == "1800x900"
    assert len(blind.reads) == 1


async def test_broken_bytes_fail_the_close_reading_only(blind: Blind, build: Build) -> None:
    blind.gate.set()
    finder = build()
    broken = replace(large_picture(), data=large_picture().data[:60])
    with pytest.raises(InvalidImage):
        await finder.read(broken)
    assert (await finder.facts(broken)).lines[0].text == "1536x768"


async def test_detail_is_part_of_the_question(blind: Blind, build: Build) -> None:
    blind.gate.set()
    finder = build()
    high, low = await finder.facts(plain()), await finder.facts(plain(detail="low"))
    assert (high.detail, low.detail) == ("high", "low")
    assert blind.looks == 2


async def test_the_oldest_is_forgotten(blind: Blind, build: Build) -> None:
    blind.gate.set()
    finder = build(cache_size=2)
    for number in (1, 2, 1, 3):  # 2 is the least recently used when 3 comes
        await finder.facts(plain(number))
    assert blind.looks == 3
    await finder.facts(plain(1))
    assert blind.looks == 3
    await finder.facts(plain(2))
    assert blind.looks == 4


async def test_a_full_queue_refuses_at_once(blind: Blind, build: Build) -> None:
    finder = build(threads=1, queue=1)
    waiting = [asyncio.create_task(finder.facts(plain(number))) for number in (1, 2)]
    await asyncio.sleep(0)
    for ask in (finder.facts, finder.see, finder.read):
        with pytest.raises(TooManyRequests) as refused:
            await ask(plain(3))
        assert int(refused.value.headers["retry-after"]) > 0
    waiting.append(asyncio.create_task(finder.facts(plain(1))))  # a picture in work takes no further room
    blind.gate.set()
    await asyncio.gather(*waiting)
    await finder.facts(plain(3))


async def test_a_caller_that_leaves_does_not_take_the_result_along(blind: Blind, build: Build) -> None:
    finder = build()
    first, second = (asyncio.create_task(finder.facts(plain())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    blind.gate.set()
    assert (await second).width == 60
    assert blind.looks == 1


async def test_a_failure_is_told_and_not_kept(blind: Blind, build: Build) -> None:
    blind.gate.set()
    blind.fail = EngineUnavailable("no weights")
    finder = build()
    with pytest.raises(EngineUnavailable, match="no weights"):
        await finder.facts(plain())
    blind.fail = None
    assert (await finder.facts(plain())).height == 40


async def test_workers_give_way_to_other_threads(blind: Blind, build: Build) -> None:
    blind.gate.set()
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    await build().facts(plain())
    assert blind.priorities[0] >= min(19, max(own, 10))
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


async def test_warm_loads_ahead(blind: Blind) -> None:
    loads: list[int] = []

    def load() -> Sight:
        loads.append(1)
        return sight_of(blind)

    finder = PooledFactFinder(load, threads=1, queue=1, cache_size=1)
    await finder.warm()
    await finder.warm()
    assert loads == [1]
    finder.close()
