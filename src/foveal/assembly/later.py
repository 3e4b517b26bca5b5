"""Things that are opened when they are first used, because a process may never need them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """Calls `open` once, at the first call; thread-safe."""

    def __init__(self, open: Callable[[], T]) -> None:
        self._open = open
        self._lock = threading.Lock()
        self._opened: list[T] = []

    def __call__(self) -> T:
        with self._lock:
            if not self._opened:
                self._opened.append(self._open())
            return self._opened[0]

    @property
    def opened(self) -> T | None:
        """What was opened, if it was."""
        with self._lock:
            return self._opened[0] if self._opened else None
