"""How fast and how well speech is written down, against faster-whisper as it comes, in one run.

    FOVEAL_MODELS=... python -m bench.speech [--minutes 5] [--threads 2] [--runs 2] [--sound FILE]

The sound is the five LibriVox readings of the tests with a second of silence between them, again and again.
Four ways take turns, all with the same weights in 8 bit on so many threads: ours; `WhisperModel.transcribe`
with its defaults (beam 5, no voice detection, each window told of the last); the same greedily, with voice
detection; and `BatchedInferencePipeline` greedily. Times are of the clock and of the processor (all threads)
by the length of the sound; half of the second is the least that two cores can need. Word error rate: words to
insert, delete or replace by words of the readings; case and punctuation left out. `--sound FILE` times any
sound or video file (its first `--minutes`) and prints what was heard instead.

Memory is what this process holds at most while ours alone works on it, and on four times as much in windows.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel

from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.base import Samples
from foveal.perception.speech import WEIGHTS, WhisperTranscriber
from foveal.settings import load_settings

RATE = 16_000
WINDOW = 300.0  # seconds, as ingestion does it
SPEECH = Path(__file__).parent.parent / "tests" / "fixtures" / "speech"


def sound_of(path: Path, seconds: float = 1e9) -> Samples:
    """Mono, 16,000 samples a second."""
    parts: list[Samples] = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", RATE)
        for frame in container.decode(audio=0):
            if frame.time is not None and frame.time > seconds:
                break
            for part in resampler.resample(frame):
                parts.append(np.asarray(part.to_ndarray(), dtype=np.float32).reshape(-1))
    return np.concatenate(parts)


def readings(minutes: float) -> tuple[Samples, list[str]]:
    """The readings over and over, and their words."""
    texts: dict[str, str] = json.loads((SPEECH / "transcripts.json").read_text(encoding="utf-8"))
    pause = np.zeros(RATE, dtype=np.float32)
    once = np.concatenate([part for name in texts for part in (sound_of(SPEECH / f"{name}.flac"), pause)])
    times = max(1, round(minutes * 60 * RATE / len(once)))
    return np.tile(once, times), words_of(" ".join(texts.values())) * times


def words_of(text: str) -> list[str]:
    plain = text.lower().replace("mr.", "mister").replace("-", " ")
    return re.sub(r"[^a-z0-9' ]", " ", plain).split()


def wrong_words(wanted: list[str], got: list[str]) -> int:
    row = np.arange(len(got) + 1)
    heard = np.array(got)
    for number, word in enumerate(wanted, start=1):
        best = np.minimum(row[1:] + 1, row[:-1] + (heard != word))
        row = np.concatenate(([number], best))
        row = np.minimum.accumulate(row - np.arange(len(row))) + np.arange(len(row))
    return int(row[-1])


def in_windows(transcriber: WhisperTranscriber, samples: Samples) -> list[str]:
    said: list[str] = []
    start = 0
    while start < len(samples):
        window = samples[start : start + round(WINDOW * RATE)]
        if start + len(window) < len(samples):
            window = window[: round(transcriber.cut_point(window) * RATE)]
        said += [segment.text for segment in transcriber.transcribe(window)]
        start += len(window)
    return said


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(work: Callable[[], list[str]]) -> tuple[list[str], float, float]:
    start, used = time.perf_counter(), time.process_time()
    said = work()
    return said, time.perf_counter() - start, time.process_time() - used


def compare(ours: WhisperTranscriber, theirs: WhisperModel, minutes: float, runs: int) -> None:
    samples, wanted = readings(minutes)
    seconds = len(samples) / RATE
    batched = BatchedInferencePipeline(theirs)
    ways: dict[str, Callable[[], list[str]]] = {
        "ours, in windows": lambda: in_windows(ours, samples),
        "defaults": lambda: [one.text for one in theirs.transcribe(samples)[0]],
        "greedy, voice detection": lambda: [
            one.text
            for one in theirs.transcribe(
                samples, beam_size=1, vad_filter=True, condition_on_previous_text=False
            )[0]
        ],
        "batched, greedy": lambda: [
            one.text for one in batched.transcribe(samples, beam_size=1, batch_size=8)[0]
        ],
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    said: dict[str, list[str]] = {}
    for _ in range(runs):
        for name, way in ways.items():
            said[name], clock, used = timed(way)
            taken[name].append((clock / seconds, used / seconds))
    first = statistics.median(clock for clock, _ in taken["ours, in windows"])
    for name, spent in taken.items():
        clock, used = (statistics.median(times) for times in zip(*spent, strict=True))
        wrong = wrong_words(wanted, words_of(" ".join(said[name]))) / len(wanted)
        print(
            f"{name:24} {clock:6.3f} of the length, {used:6.3f} of processor, {clock / first:5.2f} x ours, "
            f"{100 * wrong:5.1f} % words wrong, {len(said[name])} segments"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--sound", type=Path)
    options = parser.parse_args()
    store = ModelStore(load_settings({}, os.environ).models, load_catalogue())
    ours = WhisperTranscriber(store, threads=options.threads)
    if options.sound:
        samples = sound_of(options.sound, options.minutes * 60)
        start = time.perf_counter()
        for one in ours.transcribe(samples):
            print(f"{one.start:8.2f} {one.end:8.2f}  {one.language} {one.confidence:.2f}  {one.text}")
        print(f"{(time.perf_counter() - start) / (len(samples) / RATE):.3f} of the length, loading included")
        return
    before = peak_mib()
    for minutes in (options.minutes, 4 * options.minutes):
        in_windows(ours, readings(minutes)[0])
        print(f"ours on {minutes:g} minutes: {peak_mib():.0f} MiB at most ({before:.0f} before)")
    folder = str(store.path(WEIGHTS).parent)
    theirs = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=options.threads)
    compare(ours, theirs, options.minutes, options.runs)


if __name__ == "__main__":
    main()
