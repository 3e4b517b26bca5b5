"""What the reading process gives up before it looks at the first byte of a video.

It has the file as an open descriptor and two pipes. From here on it can open no other descriptor: no file, no
socket, no pipe. So nothing that a file says can make it read or reach anything else, whatever the library
that reads it tries. Memory and processor time are bounded, and it steps back behind the server's own work.
"""

from __future__ import annotations

import contextlib
import os
import pkgutil
import resource
from importlib import import_module

import av

from foveal.video.decode.limits import Limits

_NICE = 5
_NEVER = ("av.__main__", "av.datasets", "av.device")


def prepare() -> None:
    """Import what PyAV imports only when it meets it: later no file can be opened for that."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in _NEVER:
            import_module(module.name)


def enter(limits: Limits) -> None:
    """From now on nothing can be opened. `prepare` comes first."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    if limits.memory:
        _lower(resource.RLIMIT_AS, limits.memory)
    _lower(resource.RLIMIT_NOFILE, 0)


def allow_cpu(seconds: float) -> None:
    """So much more processor time from now on; the process is ended when it is used up."""
    used = sum(os.times()[:2])
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(used + seconds) + 1
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    resource.setrlimit(resource.RLIMIT_CPU, (wanted, most))


def _lower(what: int, value: int) -> None:
    _, most = resource.getrlimit(what)
    if most != resource.RLIM_INFINITY:
        value = min(value, most)
    resource.setrlimit(what, (value, value))
