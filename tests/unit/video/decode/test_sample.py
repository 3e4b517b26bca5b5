"""Which frames are kept: shots, change, defects, and that windows make no difference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support import broken_clips as broken
from tests.support.clips import Picture, Scene, blurred, picture, plain, write_pictures, write_video

from foveal.errors import InvalidVideo
from foveal.images.header import read_header
from foveal.video.base import SampledFrame
from foveal.video.decode.client import ProcessDecoder
from foveal.video.decode.limits import Limits
from foveal.video.work import SampleState

FOUR = ["cat", "street", "coffee", "astronaut"]


def sampled(
    decoder: ProcessDecoder, path: Path, *, window: float | None = None, drop_defective: bool = False
) -> list[SampledFrame]:
    info = decoder.probe(path)
    frames: list[SampledFrame] = []
    state, start = SampleState(), 0.0
    while start < info.duration:
        end = min(info.duration, start + (window or info.duration))
        state = decoder.sample(path, info, start, end, state, frames.append, drop_defective=drop_defective)
        start = end
    return frames


def cuts(frames: Sequence[SampledFrame]) -> list[float]:
    """When the scenes begin, the first left out."""
    return [frame.start for before, frame in pairwise(frames) if frame.scene > before.scene]


def pixels(jpeg: bytes) -> NDArray[np.uint8]:
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert found is not None
    return np.asarray(found, np.uint8)


def colour(jpeg: bytes) -> list[int]:
    return [round(value) for value in pixels(jpeg).mean(axis=(0, 1))]


def test_scenes_begin_where_they_were_cut(decoder: ProcessDecoder, whole: Path) -> None:
    frames = sampled(decoder, whole)
    assert cuts(frames) == pytest.approx([3.0, 5.4], abs=0.1)
    assert {frame.scene for frame in frames} == {0, 1, 2}
    assert len(frames) <= 5


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "mpeg4", "mjpeg"])
@pytest.mark.parametrize("fps", [10, 60])
def test_cuts_are_found_in_every_codec_and_rate(
    decoder: ProcessDecoder, tmp_path: Path, codec: str, fps: int
) -> None:
    scenes = [Scene(picture(name), 1.5) for name in FOUR]
    path = write_video(tmp_path / "clip.mkv", scenes, size=(320, 180), codec=codec, fps=fps, keyframes=10_000)
    assert cuts(sampled(decoder, path)) == pytest.approx([1.5, 3.0, 4.5], abs=0.2)


def test_the_frames_cover_the_time_line_once(decoder: ProcessDecoder, whole: Path) -> None:
    frames = sampled(decoder, whole)
    assert frames[0].start == 0.0
    assert frames[-1].end == pytest.approx(8.0, abs=0.05)
    for before, frame in pairwise(frames):
        assert before.end == frame.start
    for frame in frames:
        assert frame.start <= frame.at <= frame.end


@pytest.mark.parametrize("window", [0.7, 2.0, 3.1, 5.0])
@pytest.mark.parametrize("name", ["busy.mp4", "busy.ts", "calm.mkv"])
def test_where_the_windows_end_makes_no_difference(
    decoder: ProcessDecoder, folder: Path, name: str, window: float
) -> None:
    in_one = sampled(decoder, folder / name)
    in_windows = sampled(decoder, folder / name, window=window)
    assert in_windows == in_one
    assert len(in_one) >= 6


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three videos of cuts, black, fast moves and stillness: one with rare key frames, one without an index,
    one with a key frame every second.
    """
    folder = tmp_path_factory.mktemp("clips")
    scenes = [
        Scene(picture("cat"), 1.3),
        Scene(plain(), 0.8, "still"),
        Scene(picture("street"), 4.0),
        Scene(picture("temple"), 0.6),
        Scene(picture("coffee"), 6.0, "still"),
        Scene(picture("astronaut"), 2.3, "zoom"),
        Scene(picture("receipt"), 3.0),
    ]
    for name, keyframes in (("busy.mp4", 100), ("busy.ts", 60), ("calm.mkv", 25)):
        write_video(folder / name, scenes, keyframes=keyframes)
    return folder


@pytest.mark.parametrize("every", [25, 50, 250])
def test_cuts_that_no_key_frame_marks(decoder: ProcessDecoder, tmp_path: Path, every: int) -> None:
    scenes = [Scene(picture(name), 3.3) for name in FOUR]
    options = {"preset": "veryfast", "x264-params": f"scenecut=0:keyint={every}:min-keyint={every}"}
    path = write_video(tmp_path / "clip.mp4", scenes, keyframes=every, options=options)
    assert cuts(sampled(decoder, path)) == pytest.approx([3.3, 6.6, 9.9], abs=0.2)


def test_somebody_who_comes_and_goes_between_two_key_frames(decoder: ProcessDecoder, tmp_path: Path) -> None:
    def shown(at: float) -> Picture:
        view = cv2.resize(picture("street"), (320, 180))
        if 3 < at < 7:
            view[20:180, 110:210] = cv2.resize(picture("astronaut"), (100, 160))
        return np.asarray(view, np.uint8)

    path = write_pictures(tmp_path / "visit.mp4", (shown(n / 25) for n in range(500)), fps=25)
    frames = sampled(decoder, path)
    assert any(3 < frame.at < 7 for frame in frames)
    assert {frame.scene for frame in frames} == {0}


def test_a_camera_that_stands_still_keeps_one_frame(decoder: ProcessDecoder, tmp_path: Path) -> None:
    scenes = [Scene(picture("street"), 40, "still", noise=4)]
    frames = sampled(decoder, write_video(tmp_path / "still.mp4", scenes, size=(320, 180), fps=10))
    assert [(frame.start, frame.scene) for frame in frames] == [(0.0, 0)]


def test_somebody_who_comes_in_is_kept(decoder: ProcessDecoder, tmp_path: Path) -> None:
    def shown(at: float) -> Picture:
        view = cv2.resize(picture("street"), (320, 180))
        view[:, 110:210] = view[:, 110:210] if at < 6 else cv2.resize(picture("astronaut"), (100, 180))
        return np.asarray(view, np.uint8)

    path = write_pictures(tmp_path / "visitor.mp4", (shown(n / 10) for n in range(120)), fps=10)
    frames = sampled(decoder, path)
    assert [frame.start for frame in frames] == pytest.approx([0.0, 6.0], abs=0.6)
    assert {frame.scene for frame in frames} == {0}


def test_a_long_pan_keeps_a_frame_now_and_then_and_is_one_shot(
    decoder: ProcessDecoder, tmp_path: Path
) -> None:
    wide = np.hstack([cv2.resize(picture(name), (320, 180)) for name in FOUR])

    def shown(at: float) -> Picture:
        left = round(at / 20 * (wide.shape[1] - 320))
        return np.asarray(wide[:, left : left + 320], np.uint8)

    path = write_pictures(tmp_path / "pan.mp4", (shown(n / 15) for n in range(300)), fps=15)
    frames = sampled(decoder, path)
    assert {frame.scene for frame in frames} == {0}
    assert 3 <= len(frames) <= 12


def test_a_flash_makes_no_shot(decoder: ProcessDecoder, tmp_path: Path) -> None:
    def shown(number: int) -> Picture:
        view = cv2.resize(picture("street"), (320, 180))
        return plain((255, 255, 255), (320, 180)) if number in (40, 41, 70) else np.asarray(view, np.uint8)

    path = write_pictures(tmp_path / "flash.mp4", (shown(n) for n in range(125)), fps=25)
    assert {frame.scene for frame in sampled(decoder, path)} == {0}


def test_a_whip_of_the_camera_makes_no_shots(decoder: ProcessDecoder, tmp_path: Path) -> None:
    wide = np.hstack([cv2.resize(picture(name), (320, 180)) for name in FOUR])

    def shown(number: int) -> Picture:
        left = min(wide.shape[1] - 320, max(0, (number - 40) * 60))
        return np.asarray(wide[:, left : left + 320], np.uint8)

    path = write_pictures(tmp_path / "whip.mp4", (shown(n) for n in range(100)), fps=25)
    assert {frame.scene for frame in sampled(decoder, path)} == {0}


def test_a_dissolve_and_a_fade_through_black_are_shots(decoder: ProcessDecoder, tmp_path: Path) -> None:
    views = [cv2.resize(picture(name), (320, 180)).astype(np.float32) for name in FOUR[:3]]

    def shown(at: float) -> Picture:
        mixed = np.clip(at - 3, 0, 1)  # a dissolve from 3 to 4
        view = views[0] * (1 - mixed) + views[1] * mixed
        if at > 6.5:  # black at 7.5, the next from there on
            view = views[1] * max(0.0, 7.5 - at) if at < 7.5 else views[2] * min(1.0, at - 7.5)
        return np.asarray(view, np.uint8)

    path = write_pictures(tmp_path / "soft.mp4", (shown(n / 25) for n in range(275)), fps=25)
    frames = sampled(decoder, path)
    assert cuts(frames) == pytest.approx([3.5, 7.5], abs=0.4)


def test_a_fade_in_from_black_is_no_second_scene(decoder: ProcessDecoder, tmp_path: Path) -> None:
    scenes = [Scene(plain(), 1.5, "still"), Scene(picture("cat"), 3)]
    frames = sampled(decoder, write_video(tmp_path / "opening.mp4", scenes))
    assert {frame.scene for frame in frames} == {0}
    assert [frame.defect for frame in frames] == ["black", None]


def test_black_and_blurred_frames_are_marked(decoder: ProcessDecoder, tmp_path: Path) -> None:
    frames = sampled(decoder, defective(tmp_path))
    assert [frame.defect for frame in frames] == [None, "black", "blurred", None]


def test_defective_frames_are_dropped_on_request(decoder: ProcessDecoder, tmp_path: Path) -> None:
    frames = sampled(decoder, defective(tmp_path), drop_defective=True)
    assert [(round(frame.start), frame.defect) for frame in frames] == [(0, None), (6, None)]


def defective(folder: Path) -> Path:
    scenes = [
        Scene(picture("cat"), 2),
        Scene(plain(), 2, "still"),
        Scene(blurred(picture("street"), 30), 2),
        Scene(picture("coffee"), 2),
    ]
    return write_video(folder / "defective.mp4", scenes)


@pytest.mark.parametrize("window", [None, 1.0])
def test_a_video_of_which_nothing_is_left_says_so(
    decoder: ProcessDecoder, tmp_path: Path, window: float | None
) -> None:
    path = write_video(tmp_path / "black.mp4", [Scene(plain(), 3, "still")])
    with pytest.raises(InvalidVideo, match="black or blurred") as caught:
        sampled(decoder, path, drop_defective=True, window=window)
    assert caught.value.code == "OnlyDefectiveFrames"
    assert [frame.defect for frame in sampled(decoder, path)] == ["black"]


def test_the_sharpest_of_the_first_second_is_chosen(decoder: ProcessDecoder, tmp_path: Path) -> None:
    sharp = picture("street")
    scenes = [
        Scene(blurred(sharp, 4), 0.5, "still"),
        Scene(sharp, 0.25, "still"),
        Scene(blurred(sharp, 4), 4, "still"),
    ]
    frames = sampled(decoder, write_video(tmp_path / "focus.mp4", scenes))
    assert len(frames) == 1
    assert 0.5 <= frames[0].at < 0.75


def test_endless_cutting_stays_within_the_budget(tmp_path: Path) -> None:
    names = ["cat", "street", "coffee", "astronaut", "temple", "page", "rocket", "flower"]
    scenes = [Scene(picture(names[n % 8]), 0.6) for n in range(60)]
    path = write_video(tmp_path / "clip.mp4", scenes, size=(320, 180))
    decoder = ProcessDecoder(Limits(frames_per_minute=12))
    frames = sampled(decoder, path)
    decoder.close()
    assert 8 <= len(frames) <= 4 + 12 * 36 / 60 + 1  # a third at once, then 12 a minute
    assert frames[-1].scene > 50


def test_frames_are_upright(decoder: ProcessDecoder, tmp_path: Path) -> None:
    half = np.zeros((180, 320, 3), np.uint8)
    half[:, :160] = (230, 30, 30)  # red on the left, where 90° clockwise puts it on top
    half[:, 160:] = (30, 30, 230)
    path = write_video(tmp_path / "phone.mp4", [Scene(half, 1, "still")], size=(320, 180), rotation=90)
    shown = pixels(sampled(decoder, path)[0].jpeg)
    assert shown.shape == (320, 180, 3)
    assert shown[40, 90, 0] > 180
    assert shown[280, 90, 2] > 180


@pytest.mark.parametrize("rgb", [(200, 40, 40), (40, 160, 60), (30, 60, 200), (128, 128, 128)])
@pytest.mark.parametrize("size", [(640, 360), (1280, 720)])
def test_colours_stay_what_they_are(
    decoder: ProcessDecoder, tmp_path: Path, rgb: tuple[int, int, int], size: tuple[int, int]
) -> None:
    path = write_video(tmp_path / "plain.mp4", [Scene(plain(rgb), 0.5, "still")], size=size, standard=True)
    assert colour(sampled(decoder, path)[0].jpeg) == pytest.approx(list(rgb), abs=5)


@pytest.mark.parametrize(
    ("codec", "pixel_format"), [("libx265", "yuv420p10le"), ("libx264", "yuv444p"), ("libx264", "yuv422p")]
)
def test_other_depths_and_layouts_of_colour(
    decoder: ProcessDecoder, tmp_path: Path, codec: str, pixel_format: str
) -> None:
    scenes = [Scene(picture("cat"), 2), Scene(picture("street"), 2)]
    path = write_video(tmp_path / "deep.mkv", scenes, codec=codec, pixel_format=pixel_format)
    frames = sampled(decoder, path)
    assert cuts(frames) == pytest.approx([2.0], abs=0.1)
    assert [frame.defect for frame in frames] == [None] * len(frames)


def test_4k_is_scaled_down(decoder: ProcessDecoder, tmp_path: Path) -> None:
    scenes = [Scene(picture("cat"), 0.6, "still"), Scene(picture("street"), 0.6, "still")]
    options = {"preset": "ultrafast", "crf": "28"}
    path = write_video(tmp_path / "4k.mp4", scenes, size=(3840, 2160), fps=10, options=options)
    frames = sampled(decoder, path)
    assert cuts(frames) == pytest.approx([0.6], abs=0.15)
    header = read_header(frames[0].jpeg)
    assert (header.width, header.height) == (1280, 720)


def test_a_varying_frame_rate_keeps_its_times(decoder: ProcessDecoder, tmp_path: Path) -> None:
    scenes = [Scene(picture(name), 2) for name in FOUR]
    path = write_video(tmp_path / "varying.mp4", scenes, variable=True)
    assert cuts(sampled(decoder, path)) == pytest.approx([2.0, 4.0, 6.0], abs=0.1)


def test_one_picture_a_second_is_a_video_too(decoder: ProcessDecoder, tmp_path: Path) -> None:
    scenes = [Scene(picture(name), 5, "still") for name in FOUR]
    frames = sampled(decoder, write_video(tmp_path / "slides.mp4", scenes, fps=1))
    assert cuts(frames) == pytest.approx([5.0, 10.0, 15.0], abs=0.01)


def test_damage_in_the_middle_is_stepped_over(decoder: ProcessDecoder, whole: Path, tmp_path: Path) -> None:
    frames = sampled(decoder, broken.damaged(whole, tmp_path / "damaged.mp4"))
    assert frames[0].start == 0.0
    assert frames[-1].end == pytest.approx(8, abs=0.1)
    assert frames[-1].scene >= 1


def test_the_playable_part_of_a_cut_off_file_is_sampled(
    decoder: ProcessDecoder, whole: Path, tmp_path: Path
) -> None:
    front = broken.front_loaded(whole, tmp_path / "front.mp4")
    path = broken.truncated(front, tmp_path / "half.mp4", 0.6)
    frames = sampled(decoder, path)
    assert 1 <= len(frames) <= 4
    assert frames[-1].end == pytest.approx(decoder.probe(path).duration)


def test_progress_grows(decoder: ProcessDecoder, whole: Path) -> None:
    frames: list[SampledFrame] = []
    said: list[float] = []
    info = decoder.probe(whole)
    decoder.sample(whole, info, 0, info.duration, SampleState(), frames.append, progress=said.append)
    assert said == sorted(said)
    assert said[0] == 0.0
    assert said[-1] <= 1.0
