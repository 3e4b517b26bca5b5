"""From a video file to the frames worth keeping: ours against the naive way, in one run.

    python -m bench.decoding [--minutes 10] [--rounds 3] [--clips FOLDER]

Two clips of 1280×720 at 25 frames a second are made here (H.264, about 2 Mbit/s, with the grain of a camera;
scenes of 3 to 12 seconds that pan, zoom or stand still; speech as sound) and kept in a folder for the next
run:

  marked   key frames as x264 sets them by itself: at cuts, and every 10 seconds
  blind    a key frame every 10 seconds and none at cuts, so that nearly everything must be decoded

and each is gone through by

  ours     `ProcessDecoder`, its process started anew: probe, then sample, JPEGs included
  naive    PyAV as its documentation shows it: decode every frame, one a second to RGB

which take turns, so a machine that is busy for a while is busy for both. It also prints the time for 20
frames at given times, for the sound, and the largest memory of a reading process.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
from tests.support.clips import Motion, Scene, picture, repeated, speech, transcripts, write_video

from foveal.video.base import SampledFrame, VideoInfo
from foveal.video.decode.client import ProcessDecoder
from foveal.video.work import SampleState

SCENES: tuple[tuple[str, float, Motion], ...] = (
    ("cat", 6.0, "pan"),
    ("street", 4.0, "zoom"),
    ("coffee", 12.0, "still"),
    ("astronaut", 5.0, "pan"),
    ("temple", 7.0, "zoom"),
    ("page", 3.0, "still"),
    ("rocket", 10.0, "pan"),
    ("flower", 4.0, "zoom"),
    ("china", 9.0, "pan"),
)
GRAIN = 4.0
BLIND = "scenecut=0:keyint=250:min-keyint=250"


def clip(folder: Path, name: str, minutes: int) -> Path:
    """Made once: a minute is encoded, the others are copies of it."""
    path = folder / f"foveal-bench-{name}-{minutes}.mp4"
    if not path.exists():
        scenes = [Scene(picture(one), seconds, motion, GRAIN) for one, seconds, motion in SCENES]
        options = {"preset": "veryfast", "crf": "23"}
        if name == "blind":
            options["x264-params"] = BLIND
        minute, part = folder / "minute.mp4", path.with_suffix(".part.mp4")
        sounds = [(12.0 * n, speech(name)) for n, name in enumerate(transcripts())]
        write_video(minute, scenes, size=(1280, 720), keyframes=250, options=options, sounds=sounds)
        repeated(minute, part, minutes).replace(path)
        minute.unlink()
    return path


def ours(path: Path) -> int:
    decoder = ProcessDecoder()
    info = decoder.probe(path)
    frames: list[SampledFrame] = []
    decoder.sample(path, info, 0, info.duration, SampleState(), frames.append)
    decoder.close()
    return len(frames)


def naive(path: Path) -> int:
    kept, due = [], 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time >= due:
                kept.append(frame.to_ndarray(format="rgb24").shape)
                due += 1.0
    return len(kept)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(path: Path, rounds: int) -> None:
    ours_times: list[float] = []
    naive_times: list[float] = []
    for _ in range(rounds):
        ours_times.append(timed(lambda: ours(path)))
        naive_times.append(timed(lambda: naive(path)))
    kept = ours(path)
    decoder = ProcessDecoder()
    info = decoder.probe(path)
    our, their = statistics.median(ours_times), statistics.median(naive_times)
    print(f"  ours    {our:6.2f} s  {info.duration / our:5.0f} × real time, {kept} frames kept")
    print(f"  naive   {their:6.2f} s  {info.duration / their:5.0f} × real time")
    print(f"  naive / ours {their / our:.1f}")
    print(f"  20 frames at given times {timed(lambda: at_times(decoder, path, info)):6.2f} s")
    print(f"  sound {timed(lambda: decoder.sound(path, info, 0, info.duration)):6.2f} s")
    decoder.close()


def at_times(decoder: ProcessDecoder, path: Path, info: VideoInfo) -> None:
    frames = decoder.frames_at(path, info, [info.duration * (n + 0.5) / 20 for n in range(20)])
    assert len(frames) == 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clips", type=Path, default=Path(tempfile.gettempdir()))
    wish = parser.parse_args()
    for name in ("marked", "blind"):
        path = clip(wish.clips, name, wish.minutes)
        rate = path.stat().st_size * 8 / (60 * wish.minutes) / 1e6
        print(f"{name}: {wish.minutes} minutes of 1280×720, {rate:.1f} Mbit/s")
        compare(path, wish.rounds)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest memory of a reading process: {most:.0f} MB")


if __name__ == "__main__":
    main()
