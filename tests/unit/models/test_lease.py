"""Weights in use: loaded once, kept while used, unloaded when idle. Time is the test's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from foveal.models.lease import ModelLease, Timer, start_timer


@dataclass
class FakeTimer:
    due: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class FakeTime:
    now: float = 0.0
    timers: list[FakeTimer] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def timer(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = FakeTimer(self.now + seconds, call)
        self.timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for timer in [one for one in self.timers if one.due <= self.now]:
            self.timers.remove(timer)
            if not timer.cancelled:
                timer.call()


@dataclass
class Weights:
    loads: int = 0
    unloaded: list[str] = field(default_factory=list)

    def load(self) -> str:
        self.loads += 1
        return f"weights {self.loads}"


def lease_of(weights: Weights, time: FakeTime, idle: float | None = 60.0) -> ModelLease[str]:
    return ModelLease(
        weights.load, weights.unloaded.append, idle_seconds=idle, clock=time.clock, timer=time.timer
    )


def test_loaded_at_the_first_use_and_shared() -> None:
    weights, time = Weights(), FakeTime()
    lease = lease_of(weights, time)
    assert not lease.loaded
    with lease.use() as first, lease.use() as second:
        assert first is second
        assert lease.users == 2
    assert weights.loads == 1
    assert lease.loaded


def test_unloaded_after_idle_time_and_loaded_again() -> None:
    weights, time = Weights(), FakeTime()
    lease = lease_of(weights, time)
    with lease.use():
        pass
    time.advance(59)
    assert lease.loaded
    with lease.use():
        pass
    time.advance(59)
    assert lease.loaded, "idle counts from the last use"
    time.advance(1)
    assert not lease.loaded
    assert weights.unloaded == ["weights 1"]
    with lease.use() as again:
        assert again == "weights 2"


def test_never_unloaded_under_a_user() -> None:
    weights, time = Weights(), FakeTime()
    lease = lease_of(weights, time)
    with lease.use():
        pass
    with lease.use():
        time.advance(1000)
        assert lease.loaded
    time.advance(60)
    assert not lease.loaded


def test_without_idle_time_it_stays() -> None:
    weights, time = Weights(), FakeTime()
    lease = lease_of(weights, time, idle=None)
    with lease.use():
        pass
    assert time.timers == []
    lease.close()
    assert weights.unloaded == ["weights 1"]


def test_close_waits_for_the_last_user() -> None:
    weights, time = Weights(), FakeTime()
    lease = lease_of(weights, time)
    with lease.use():
        lease.close()
        assert weights.unloaded == []
    assert weights.unloaded == ["weights 1"]
    with pytest.raises(RuntimeError, match="closed"), lease.use():
        pass


def test_a_failed_load_is_tried_again() -> None:
    answers = iter([ValueError("no"), None])

    def load() -> str:
        answer = next(answers)
        if answer is not None:
            raise answer
        return "weights"

    lease = ModelLease(load)
    with pytest.raises(ValueError, match="no"), lease.use():
        pass
    with lease.use() as model:
        assert model == "weights"


def test_many_threads_load_once() -> None:
    weights, time = Weights(), FakeTime()
    lease = lease_of(weights, time)
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        with lease.use():
            pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert weights.loads == 1
    assert lease.users == 0


def test_the_real_timer_calls() -> None:
    called = threading.Event()
    start_timer(0.0, called.set)
    assert called.wait(10)
