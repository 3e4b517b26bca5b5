"""Work that gives way: threads of perception run at a lower priority than those that answer requests."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_NICE = 10

T = TypeVar("T")


def step_back() -> None:
    """Lower the priority of this thread; threads that a net starts from it inherit that on Linux."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def in_background(work: Callable[[], T]) -> T:
    """Do this now, in a thread that stepped back, so that what it starts is of low priority for good."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="background", initializer=step_back) as pool:
        return pool.submit(work).result()
