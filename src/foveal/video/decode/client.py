"""`Decoder` over reading processes: one a video, kept for a while for the next call about it."""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
import numpy as np

from foveal.errors import InvalidVideo
from foveal.perception.base import Samples
from foveal.video.base import Defect, SampledFrame, VideoInfo
from foveal.video.decode.limits import Limits
from foveal.video.decode.messages import (
    Begin,
    Broken,
    Done,
    Failed,
    FramesAt,
    Heard,
    Info,
    Kept,
    Probe,
    Progress,
    Reply,
    Request,
    Sample,
    Sound,
    receive,
    send,
)
from foveal.video.work import SampleState, Window

log = logging.getLogger(__name__)

_BOOT = (
    "import sys; sys.path[:] = sys.argv[1].split(sys.argv[2]); "
    "from foveal.video.decode.child import main; main(int(sys.argv[3]))"
)
_SPARE = 2  # processes that may wait for the next call
_Key = tuple[int, int, int, int]


@dataclass(slots=True)
class _Child:
    """A reading process. Its answers are read by a thread, so that waiting for them can end."""

    process: subprocess.Popen[bytes]
    key: _Key
    answers: queue.SimpleQueue[Reply | None] = field(default_factory=queue.SimpleQueue)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


class ProcessDecoder:
    """See `foveal.video.work.Decoder`. Safe for threads; `close` ends what still waits."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._waiting: list[_Child] = []
        self._lock = threading.Lock()

    def probe(self, path: Path) -> VideoInfo:
        for reply in self._call(path, Probe(), 0.0):
            if isinstance(reply, Info):
                return VideoInfo(**msgspec.structs.asdict(reply))
        raise _broken()

    def sample(
        self,
        path: Path,
        info: VideoInfo,
        start: float,
        end: float,
        state: SampleState,
        *,
        drop_defective: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> Window:
        """The frames whose segments begin in the window: the last may end behind it, and the next window's
        first begins there, so that all frames together cover the time line once.
        """
        wish = Sample(start, end, info.duration, state.signature, state.scene, drop_defective)
        frames = []
        for reply in self._call(path, wish, end - start):
            match reply:
                case Kept():
                    frames.append(_frame(reply))
                case Progress() if progress is not None:
                    progress(reply.done)
                case Done():
                    return Window(tuple(frames), SampleState(reply.state, reply.scene))
        raise _broken()

    def frames_at(self, path: Path, info: VideoInfo, times: Sequence[float]) -> list[SampledFrame]:
        wish = FramesAt([float(at) for at in times], info.duration)
        replies = self._call(path, wish, 10.0 * len(times))
        return [_frame(reply) for reply in replies if isinstance(reply, Kept)]

    def sound(self, path: Path, info: VideoInfo, start: float, end: float) -> Samples:
        replies = self._call(path, Sound(start, min(end, info.duration)), end - start)
        pieces = [np.frombuffer(reply.samples, np.float32) for reply in replies if isinstance(reply, Heard)]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    def close(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for child in waiting:
            child.kill()

    def _call(self, path: Path, request: Request, seconds: float) -> Iterator[Reply]:
        """The replies to a request, `Done` the last. Raises `InvalidVideo`."""
        deadline = time.monotonic() + self._limits.wall_base + seconds * self._limits.wall_per_second
        with self._child(path, request, deadline) as (child, first):
            reply: Reply | None = first
            while True:
                match reply:
                    case None:
                        raise _gone(child)
                    case Failed():
                        if reply.place:
                            log.warning("a video could not be read: %s", reply.place[:200])
                        raise InvalidVideo(reply.message, code=reply.code)
                    case _:
                        yield reply
                if isinstance(reply, Done):
                    break
                reply = _next(child, deadline)

    @contextmanager
    def _child(self, path: Path, request: Request, deadline: float) -> Iterator[tuple[_Child, Reply | None]]:
        """A process that has begun to answer. It is kept for the next call if all goes well; otherwise, and
        when nobody wants the rest of the answer, it is killed.
        """
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            child, first = self._take(key), None
            if child is not None:
                first = _ask(child, request, deadline)
                if first is None:  # it ended while it waited
                    child.kill()
                    child = None
            if child is None:
                child = _start(file, key, self._limits)
                first = _ask(child, request, deadline)
        try:
            yield child, first
        except BaseException:
            child.kill()
            raise
        self._give(child)

    def _take(self, key: _Key) -> _Child | None:
        with self._lock:
            ended = [child for child in self._waiting if child.process.poll() is not None]
            self._waiting = [child for child in self._waiting if child not in ended]
            child = next((child for child in self._waiting if child.key == key), None)
            if child is not None:
                self._waiting.remove(child)
        for one in ended:
            one.kill()
        return child

    def _give(self, child: _Child) -> None:
        with self._lock:
            self._waiting.append(child)
            over, self._waiting = self._waiting[:-_SPARE], self._waiting[-_SPARE:]
        for one in over:
            one.kill()


def _start(file: BinaryIO, key: _Key, limits: Limits) -> _Child:
    number = file.fileno()
    paths = [path for path in sys.path if path]
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _BOOT, os.pathsep.join(paths), os.pathsep, str(number)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(number,),
        env={},
        cwd="/",
    )
    child = _Child(process, key)
    threading.Thread(target=_listen, args=(process.stdout, child.answers), daemon=True).start()
    with suppress(OSError):
        send(cast(BinaryIO, process.stdin), Begin(limits))
    return child


def _listen(pipe: BinaryIO, answers: queue.SimpleQueue[Reply | None]) -> None:
    """Until the process ends; None is the last."""
    decoder = msgspec.msgpack.Decoder(Reply)
    with suppress(Broken, OSError, ValueError):
        while True:
            answers.put(receive(pipe, decoder))
    answers.put(None)


def _ask(child: _Child, request: Request, deadline: float) -> Reply | None:
    """The first reply, which comes at once; None when the process is gone."""
    try:
        send(cast(BinaryIO, child.process.stdin), request)
    except OSError:
        return None
    return _next(child, deadline)


def _next(child: _Child, deadline: float) -> Reply | None:
    try:
        return child.answers.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise InvalidVideo(
            "Reading the video takes too long; it is given up.", code="DecodingTimeout"
        ) from None


def _gone(child: _Child) -> InvalidVideo:
    """Why a process ended by itself: its processor time was used up, or the file made it crash."""
    with suppress(subprocess.TimeoutExpired):
        child.process.wait(5)
    if child.process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return InvalidVideo("Reading the video takes too long; it is given up.", code="DecodingTimeout")
    return _broken()


def _broken() -> InvalidVideo:
    return InvalidVideo("The video is damaged: it cannot be read.", code="BrokenVideo")


def _frame(kept: Kept) -> SampledFrame:
    defect = cast("Defect | None", kept.defect)
    return SampledFrame(kept.at, kept.start, kept.end, kept.scene, kept.jpeg, defect)
