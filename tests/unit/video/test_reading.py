"""A window is looked at while it is still read."""

from __future__ import annotations

import threading

import pytest

from foveal.errors import InvalidVideo
from foveal.video.base import Progress, SampledFrame
from foveal.video.ingest.reading import reading
from foveal.video.work import Keep, SampleState


def frame(number: int) -> SampledFrame:
    return SampledFrame(float(number), float(number), number + 1.0, 0, b"%d" % number)


def ignore(_: float) -> None:
    """Progress is not the point here."""


def test_the_first_frame_is_there_before_the_last_is_read() -> None:
    looked_at = threading.Event()

    def sample(keep: Keep, told: Progress) -> SampleState:
        keep(frame(0))
        assert looked_at.wait(20)
        keep(frame(1))
        return SampleState(b"end", 3)

    with reading(sample, ignore) as found:
        jpegs = found.jpegs()
        assert next(jpegs) == b"0"
        looked_at.set()
        assert list(jpegs) == [b"1"]
        assert [found.taken().at, found.taken().at] == [0.0, 1.0]
        assert found.state == SampleState(b"end", 3)


def test_progress_grows_to_one_with_what_is_looked_at() -> None:
    said: list[float] = []

    def sample(keep: Keep, told: Progress) -> SampleState:
        for number in range(4):
            keep(frame(number))
            told((number + 1) / 4)
        return SampleState()

    with reading(sample, said.append) as found:
        for _ in found.jpegs():
            found.taken()
    assert said == sorted(said)
    assert said[0] < 1.0
    assert said[-1] == 1.0


def test_what_goes_wrong_is_raised_to_whoever_looks() -> None:
    def sample(keep: Keep, told: Progress) -> SampleState:
        keep(frame(0))
        raise InvalidVideo("It is broken.", code="BrokenVideo")

    with reading(sample, ignore) as found:
        jpegs = found.jpegs()
        assert next(jpegs) == b"0"
        with pytest.raises(InvalidVideo, match="broken"):
            next(jpegs)


def test_whoever_goes_away_ends_the_reading() -> None:
    """Here by what `progress` raises, as when an ingestion is cancelled."""
    read: list[int] = []
    asked = threading.Event()

    def sample(keep: Keep, told: Progress) -> SampleState:
        try:
            for number in range(1_000_000):
                read.append(number)
                told(0.0)
                assert asked.wait(20)
        finally:
            read.append(-1)
        return SampleState()

    def cancelled(_: float) -> None:
        raise KeyError("cancelled")

    def one_frame() -> None:
        with reading(sample, cancelled) as found:
            try:
                next(found.jpegs())
            finally:
                asked.set()

    with pytest.raises(KeyError):
        one_frame()
    assert read[-1] == -1
    assert len(read) < 1_000_000
