"""Frames at given times, by seeking."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support import broken_clips as broken
from tests.support.clips import Picture, Scene, picture, write_pictures, write_video

from foveal.video.decode.client import ProcessDecoder


def numbered(count: int) -> list[Picture]:
    """Frames that say their number: as the brightness of a bar for each of its bits."""
    found = []
    for number in range(count):
        view = np.full((96, 160, 3), 128, np.uint8)
        for bit in range(10):
            view[:, bit * 16 : bit * 16 + 16] = 220 if number >> bit & 1 else 30
        found.append(view)
    return found


def number_of(jpeg: bytes) -> int:
    grey = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    return sum(1 << bit for bit in range(10) if grey[40:60, bit * 16 + 4 : bit * 16 + 12].mean() > 128)


def picture_of(jpeg: bytes) -> NDArray[np.float32]:
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found.astype(np.float32)


@pytest.fixture(scope="session")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "counting.mp4"
    return write_pictures(path, numbered(500), fps=25)


def test_each_is_exactly_the_frame_that_is_shown(decoder: ProcessDecoder, counting: Path) -> None:
    info = decoder.probe(counting)
    times = [0.0, 0.039, 0.041, 3.3, 3.31, 9.99, 10.0, 17.5, 19.97]
    frames = decoder.frames_at(counting, info, times)
    assert [number_of(frame.jpeg) for frame in frames] == [int(at * 25 + 1e-6) for at in times]
    for frame, at in zip(frames, times, strict=True):
        assert frame.at <= at + 1e-6 < frame.end + 1e-3
        assert frame.start == frame.at


def test_the_order_is_that_of_the_question(decoder: ProcessDecoder, counting: Path) -> None:
    info = decoder.probe(counting)
    frames = decoder.frames_at(counting, info, [15.0, 1.0, 8.0, 1.0])
    assert [number_of(frame.jpeg) for frame in frames] == [375, 25, 200, 25]


def test_times_outside_give_the_first_and_the_last(decoder: ProcessDecoder, counting: Path) -> None:
    info = decoder.probe(counting)
    frames = decoder.frames_at(counting, info, [-5.0, 20.0, 99.0])
    assert [number_of(frame.jpeg) for frame in frames] == [0, 499, 499]


def test_no_times_no_frames(decoder: ProcessDecoder, counting: Path) -> None:
    assert decoder.frames_at(counting, decoder.probe(counting), []) == []


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.ts", "a.flv", "a.webm"])
def test_seeking_is_as_exact_in_other_containers(decoder: ProcessDecoder, tmp_path: Path, name: str) -> None:
    codec = {"a.avi": "mpeg4", "a.webm": "libvpx"}.get(name, "libx264")
    scenes = [Scene(picture(one), 2, "still") for one in ("cat", "street", "coffee", "astronaut")]
    path = write_video(tmp_path / name, scenes, size=(320, 180), codec=codec)
    info = decoder.probe(path)
    frames = decoder.frames_at(path, info, [1.9, 2.1, 5.9, 6.1])
    assert [frame.at for frame in frames] == pytest.approx([1.9, 2.1, 5.9, 6.1], abs=0.06)
    views = [picture_of(frame.jpeg) for frame in frames]
    apart = [np.abs(views[n] - views[n + 1]).mean() for n in range(3)]
    assert min(apart) > 15  # four scenes, none of them twice


def test_a_turned_video_gives_upright_frames(decoder: ProcessDecoder, tmp_path: Path) -> None:
    path = write_video(tmp_path / "phone.mp4", [Scene(picture("cat"), 1)], size=(320, 180), rotation=270)
    [frame] = decoder.frames_at(path, decoder.probe(path), [0.5])
    assert picture_of(frame.jpeg).shape == (320, 180, 3)


def test_a_part_that_is_gone_gives_what_is_left(decoder: ProcessDecoder, whole: Path, tmp_path: Path) -> None:
    info = decoder.probe(whole)
    front = broken.front_loaded(whole, tmp_path / "front.mp4")
    half = broken.truncated(front, tmp_path / "half.mp4", 0.5)
    frames = decoder.frames_at(half, info, [1.0, 7.5])
    assert frames[0].at == pytest.approx(1.0, abs=0.1)
    assert 1 < frames[1].at < 7.5
