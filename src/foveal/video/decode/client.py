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
from collections.abc import Callable, Sequence
from contextlib import suppress
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
from foveal.video.work import Keep, SampleState

log = logging.getLogger(__name__)

_BOOT = (
    "import sys; sys.path[:] = sys.argv[1].split(sys.argv[2]); "
    "from foveal.video.decode.child import main; main(int(sys.argv[3]))"
)
_SPARE = 2  # processes that may wait for the next call
_Key = tuple[int, int, int, int]


class _Child:
    """A reading process. Its answers are read by a thread, so that waiting for them can end."""

    def __init__(self, process: subprocess.Popen[bytes], key: _Key) -> None:
        self.process, self.key = process, key
        self.answers: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=_listen, args=(process.stdout, self.answers), daemon=True)
        self._reader.start()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
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
        found: list[Info] = []

        def heed(reply: Reply) -> None:
            if isinstance(reply, Info):
                found.append(reply)

        self._call(path, Probe(), 0.0, heed)
        return VideoInfo(**msgspec.structs.asdict(found[0]))

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
        """The frames whose segments begin in the window: the last may end behind it, and the next window's
        first begins there, so that all frames together cover the time line once.
        """

        def heed(reply: Reply) -> None:
            if isinstance(reply, Kept):
                keep(_frame(reply))
            elif isinstance(reply, Progress) and progress is not None:
                progress(reply.done)

        wish = Sample(float(start), float(end), info.duration, state.signature, state.scene, drop_defective)
        done = self._call(path, wish, end - start, heed)
        return SampleState(done.state, done.scene)

    def frames_at(self, path: Path, info: VideoInfo, times: Sequence[float]) -> list[SampledFrame]:
        frames: list[SampledFrame] = []

        def heed(reply: Reply) -> None:
            if isinstance(reply, Kept):
                frames.append(_frame(reply))

        self._call(path, FramesAt([float(at) for at in times], info.duration), 10.0 * len(times), heed)
        return frames

    def sound(self, path: Path, info: VideoInfo, start: float, end: float) -> Samples:
        pieces: list[Samples] = [np.zeros(0, np.float32)]

        def heed(reply: Reply) -> None:
            if isinstance(reply, Heard):
                pieces.append(np.frombuffer(reply.samples, np.float32))

        self._call(path, Sound(float(start), float(min(end, info.duration))), end - start, heed)
        return np.concatenate(pieces)

    @property
    def processes(self) -> tuple[int, ...]:
        """The numbers of those that wait for the next call."""
        with self._lock:
            return tuple(child.process.pid for child in self._waiting)

    def close(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for child in waiting:
            child.kill()

    def _call(self, path: Path, request: Request, seconds: float, heed: Callable[[Reply], None]) -> Done:
        """Hand every reply to `heed`, up to `Done`. The process is kept for the next call if all goes well,
        and killed otherwise. Raises `InvalidVideo`, and whatever `heed` raises.
        """
        deadline = time.monotonic() + self._limits.wall_base + seconds * self._limits.wall_per_second
        child, reply = self._begin(path, request, deadline)
        try:
            while not isinstance(reply, Done):
                if reply is None:
                    raise _gone(child)
                if isinstance(reply, Failed):
                    raise _refused(reply)
                heed(reply)
                reply = _next(child, deadline)
        except BaseException:
            child.kill()
            raise
        self._give(child)
        return reply

    def _begin(self, path: Path, request: Request, deadline: float) -> tuple[_Child, Reply | None]:
        """A process that has begun to answer: the one that waits for this file, or a new one."""
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            child = self._take(key)
            if child is not None:
                reply = _ask(child, request, deadline)
                if reply is not None:
                    return child, reply
                child.kill()  # it had ended while it waited
            child = _start(file, key, self._limits)
            return child, _ask(child, request, deadline)

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
        return _next(child, deadline)
    except OSError:
        return None
    except BaseException:
        child.kill()
        raise


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


def _refused(failed: Failed) -> InvalidVideo:
    if failed.place:
        log.warning("a video could not be read: %s", failed.place[:200])
    return InvalidVideo(failed.message, code=failed.code)


def _broken() -> InvalidVideo:
    return InvalidVideo("The video is damaged: it cannot be read.", code="BrokenVideo")


def _frame(kept: Kept) -> SampledFrame:
    defect = cast("Defect | None", kept.defect)
    return SampledFrame(kept.at, kept.start, kept.end, kept.scene, kept.jpeg, defect)
