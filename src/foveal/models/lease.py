"""Loaded weights, shared by reference count and unloaded after a time of idleness."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Timer(Protocol):
    def cancel(self) -> None: ...


StartTimer = Callable[[float, Callable[[], None]], Timer]


def start_timer(seconds: float, call: Callable[[], None]) -> Timer:
    """A daemon timer: it never keeps a process alive."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer


class ModelLease(Generic[T]):
    """Loads at the first use, unloads when nobody has used it for `idle_seconds` (None: never).

        lease = ModelLease(load, unload, idle_seconds=600)
        with lease.use() as model: ...

    Thread-safe. `load` runs once however many ask at the same time; when it fails the next use tries again.
    """

    def __init__(
        self,
        load: Callable[[], T],
        unload: Callable[[T], None] = lambda _: None,
        *,
        idle_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        timer: StartTimer = start_timer,
    ) -> None:
        self._load = load
        self._unload = unload
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._start_timer = timer
        self._lock = threading.RLock()
        self._held: list[T] = []  # empty, or the one loaded model (which may itself be None)
        self._users = 0
        self._last_use = 0.0
        self._timer: Timer | None = None
        self._closed = False

    @property
    def loaded(self) -> bool:
        return bool(self._held)

    @property
    def users(self) -> int:
        return self._users

    @contextmanager
    def use(self) -> Iterator[T]:
        """The loaded model; it stays loaded at least as long as the block runs."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the lease is closed")
            if not self._held:
                self._held.append(self._load())
            self._users += 1
            model = self._held[0]
        try:
            yield model
        finally:
            self._release()

    def close(self) -> None:
        """Refuse new uses and unload, at once or when the last user is done."""
        with self._lock:
            self._closed = True
            self._stop_timer()
            if self._users == 0:
                self._drop()

    def _release(self) -> None:
        with self._lock:
            self._users -= 1
            self._last_use = self._clock()
            if self._users:
                return
            if self._closed:
                self._drop()
            elif self._idle_seconds is not None and self._timer is None:
                self._timer = self._start_timer(self._idle_seconds, self._look)

    def _look(self) -> None:
        """The timer's call: unload, or wait for the rest of the time when it was used meanwhile."""
        with self._lock:
            self._timer = None
            if self._closed or self._users or self._idle_seconds is None:
                return
            left = self._last_use + self._idle_seconds - self._clock()
            if left > 0:
                self._timer = self._start_timer(left, self._look)
            else:
                self._drop()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drop(self) -> None:
        if self._held:
            self._unload(self._held.pop())
