"""The process that reads one video: messages in, messages out, and nothing else.

    python -I -S -c BOOT PATHS DESCRIPTOR

It is started by `client.ProcessDecoder`, ends when its server does, and after a while without a call.
"""

from __future__ import annotations

import os
import select
import sys
import time
import traceback
from pathlib import Path
from typing import BinaryIO

import av
import av.logging
import cv2
import msgspec

from foveal.video.decode import sandbox
from foveal.video.decode.formats import Formats, load_formats
from foveal.video.decode.hearing import sound
from foveal.video.decode.limits import Limits
from foveal.video.decode.messages import (
    Begin,
    Broken,
    Done,
    Failed,
    FramesAt,
    Probe,
    Progress,
    Reply,
    Request,
    Sample,
    Sound,
    receive,
    send,
)
from foveal.video.decode.opening import Opened, Refused, open_video
from foveal.video.decode.probing import probe
from foveal.video.decode.sampling import sample
from foveal.video.decode.seeking import frames_at

_TELL = 0.3  # seconds between messages about progress


class Reader:
    """Answers the calls about one file."""

    def __init__(self, file: int, limits: Limits, output: BinaryIO) -> None:
        self._file, self._limits, self._output = file, limits, output
        self._formats: Formats = load_formats()
        self._told = 0.0

    def answer(self, request: Request) -> None:
        """Write the answer to a call. What goes wrong is an answer too."""
        self._told = 0.0
        self._progress(0.0)
        try:
            opened = open_video(self._file, self._limits, self._formats)
            try:
                done = self._work(opened, request)
            finally:
                opened.close()
        except Refused as refused:
            self._say(Failed(refused.code, refused.message))
        except MemoryError:
            self._say(Failed("VideoTooLarge", "The video needs more memory to be read than is allowed."))
        except (BrokenPipeError, Broken):
            raise
        except Exception as error:  # whatever a damaged file makes of the libraries; their words stay here
            self._say(Failed("BrokenVideo", "The video is damaged: it cannot be read.", _place(error)))
        else:
            self._say(done)

    def _work(self, opened: Opened, request: Request) -> Done:
        limits = self._limits
        match request:
            case Probe():
                sandbox.allow_cpu(limits.cpu_base)
                self._say(probe(opened, limits, self._formats))
            case Sample():
                sandbox.allow_cpu(limits.cpu_base + (request.end - request.start) * limits.cpu_per_second)
                return self._sample(opened, request)
            case FramesAt():
                sandbox.allow_cpu(limits.cpu_base * (1 + len(request.times)))
                frames_at(opened, request.times, request.duration, limits, self._say)
            case Sound():
                sandbox.allow_cpu(limits.cpu_base + (request.end - request.start))
                sound(opened, request.start, request.end, self._formats, self._say)
            case Begin():
                raise Broken
        return Done()

    def _sample(self, opened: Opened, request: Sample) -> Done:
        scout = open_video(self._file, self._limits, self._formats)
        try:
            return Done(*sample(opened, scout, request, self._limits, self._say, self._progress))
        finally:
            scout.close()

    def _progress(self, done: float) -> None:
        """Also how the end of the server is noticed while a long call runs: nobody reads any more."""
        now = time.monotonic()
        if now - self._told >= _TELL:
            self._told = now
            self._say(Progress(min(1.0, max(0.0, done))))

    def _say(self, reply: Reply) -> None:
        send(self._output, reply)


def _place(error: Exception) -> str:
    """The kind of an error and where it was raised, without what it says."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return " ".join([type(error).__name__, *(f"{Path(one.filename).name}:{one.lineno}" for one in last)])


def main(file: int) -> None:
    source, output = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    decoder = msgspec.msgpack.Decoder(Request)
    av.logging.set_level(None)
    cv2.setNumThreads(1)
    try:
        begin = receive(source, decoder)
        if not isinstance(begin, Begin):
            return
        reader = Reader(file, begin.limits, output)
        sandbox.prepare()
        sandbox.enter(begin.limits)
        while select.select([source], [], [], begin.limits.idle)[0]:
            reader.answer(receive(source, decoder))
    except (Broken, BrokenPipeError):
        return
    finally:
        os._exit(0)  # threads of the libraries are not waited for


if __name__ == "__main__":
    main(int(sys.argv[1]))
