"""The life of the reading processes."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from tests.support.clips import Scene, picture, write_video

from foveal.errors import InvalidVideo
from foveal.video.base import SampledFrame
from foveal.video.decode.client import ProcessDecoder
from foveal.video.decode.limits import Limits
from foveal.video.work import SampleState


def ignore(_: SampledFrame) -> None:
    """Frames are not the point here."""


class Stop(Exception):
    """Raised by a listener of progress."""


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_one_process_answers_all_calls_about_a_video(whole: Path) -> None:
    decoder = ProcessDecoder()
    info = decoder.probe(whole)
    first = decoder.processes
    decoder.sample(whole, info, 0, 8, SampleState(), ignore)
    decoder.sound(whole, info, 0, 8)
    decoder.frames_at(whole, info, [1.0])
    assert decoder.processes == first
    decoder.close()
    assert decoder.processes == ()
    assert gone(first[0])


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    decoder = ProcessDecoder()
    write_video(path, [Scene(picture("cat"), 1)])
    assert decoder.probe(path).duration == pytest.approx(1, abs=0.1)
    write_video(path, [Scene(picture("cat"), 2)])
    assert decoder.probe(path).duration == pytest.approx(2, abs=0.1)
    decoder.close()


def test_a_process_that_died_while_it_waited_is_replaced(whole: Path) -> None:
    decoder = ProcessDecoder()
    decoder.probe(whole)
    [process] = decoder.processes
    os.kill(process, signal.SIGKILL)
    assert decoder.probe(whole).width == 640
    assert decoder.processes != (process,)
    decoder.close()


def test_a_process_without_calls_ends_by_itself(whole: Path) -> None:
    decoder = ProcessDecoder(Limits(idle=0.05))
    decoder.probe(whole)
    [process] = decoder.processes
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)  # returns when it has ended
    assert decoder.probe(whole).width == 640
    decoder.close()


def test_too_slow_is_killed_and_said(whole: Path) -> None:
    decoder = ProcessDecoder(Limits(wall_base=0.0, wall_per_second=0.0))
    with pytest.raises(InvalidVideo, match="too long") as caught:
        decoder.probe(whole)
    assert caught.value.code == "DecodingTimeout"
    assert decoder.processes == ()


def test_processor_time_is_bounded(decoder: ProcessDecoder, whole: Path) -> None:
    info = decoder.probe(whole)
    strict = ProcessDecoder(Limits(cpu_base=0.0, cpu_per_second=0.0))
    with pytest.raises(InvalidVideo, match="too long") as caught:
        strict.frames_at(whole, info, [n / 1000 for n in range(8000)])
    assert caught.value.code == "DecodingTimeout"
    assert strict.processes == ()


def test_a_crash_is_the_fault_of_the_file(whole: Path) -> None:
    decoder = ProcessDecoder()
    info = decoder.probe(whole)
    [process] = decoder.processes

    def crash(_: float) -> None:
        os.kill(process, signal.SIGSEGV)

    with pytest.raises(InvalidVideo, match="damaged") as caught:
        decoder.sample(whole, info, 0, 8, SampleState(), ignore, progress=crash)
    assert caught.value.code == "BrokenVideo"
    assert decoder.probe(whole).width == 640
    decoder.close()


def test_whoever_listens_to_progress_can_stop_the_work(whole: Path) -> None:
    decoder = ProcessDecoder()
    info = decoder.probe(whole)
    [process] = decoder.processes

    def stop(_: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        decoder.sample(whole, info, 0, 8, SampleState(), ignore, progress=stop)
    assert gone(process)
    assert decoder.processes == ()


def test_too_little_memory_is_said(whole: Path) -> None:
    decoder = ProcessDecoder(Limits(memory=1 << 20))
    with pytest.raises(InvalidVideo) as caught:
        decoder.probe(whole)
    assert caught.value.code in ("VideoTooLarge", "BrokenVideo")
    decoder.close()


def test_several_threads_may_ask_at_once(whole: Path) -> None:
    decoder = ProcessDecoder()
    info = decoder.probe(whole)
    lengths: list[int] = []

    def ask() -> None:
        lengths.append(len(decoder.frames_at(whole, info, [0.5, 4.0, 7.0])))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lengths == [3] * 4
    assert len(decoder.processes) <= 2
    decoder.close()


def test_no_file_is_an_ordinary_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ProcessDecoder().probe(tmp_path / "none.mp4")
