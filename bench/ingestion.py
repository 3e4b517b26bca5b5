"""A video from its file to its document, against the plain way to do the same.

    python -m bench.ingestion [--minutes 10] [--clips FOLDER] [--no-naive]

The clip is 720p film with speech, made by `bench.decoding`. Ours is the whole ingestion as a server does it:
fetched from uploaded media, decoded, looked at, listened to, embedded, published; once with speech and once
without. Naive: every frame decoded, one a second looked at, Whisper with its defaults over the whole sound.
All in one run; factors are of real time. Memory is the largest of this process and of the reading process.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import cv2
from bench.decoding import clip

from foveal.assembly.engines import build_finder
from foveal.assembly.video import VideoHouse, build_video
from foveal.http.retrieval_form import read_new_index
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.speech import WEIGHTS
from foveal.resources.accounts import open_accounts
from foveal.settings import Settings, load_settings
from foveal.store.database import open_database
from foveal.video.retrieval.ingestion_request import NewIngestion, VideoRequest

OWNER = "local"


def ingest(house: VideoHouse, path: Path, name: str, features: Sequence[str]) -> float:
    """Seconds from the request to the published document."""
    wanted = read_new_index({"features": [{"name": one} for one in features]}, house.contract)
    house.indexes.create(OWNER, name, wanted)
    house.media.add(f"{name}.mp4", path)
    url = house.media.url("http://127.0.0.1:8450", f"{name}.mp4", timedelta(days=1))
    start = time.perf_counter()
    house.ingestions.create(OWNER, name, name, NewIngestion((VideoRequest("add", name, url),)))
    while house.worksheet.unfinished():
        time.sleep(0.1)
    seconds = time.perf_counter() - start
    held = house.indexes.holdings(OWNER, name)
    record = house.library.record(house.library.find(OWNER, name, name).key)
    print(f"  {len(record.frames)} frames, {len(record.speech or ())} segments; {held}")
    return seconds


def naive(settings: Settings, path: Path, *, speech: bool) -> float:
    start = time.perf_counter()
    finder = build_finder(settings)
    due, jpegs = 0.0, []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= due:
                pixels = cv2.cvtColor(frame.to_ndarray(format="rgb24"), cv2.COLOR_RGB2BGR)
                jpegs.append(cv2.imencode(".jpg", pixels)[1].tobytes())
                due += 1.0
    looked = sum(1 for _ in finder.look(jpegs))
    finder.close()
    said = 0
    if speech:
        from faster_whisper import WhisperModel

        folder = ModelStore(settings.models, load_catalogue()).path(WEIGHTS).parent
        whisper = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=settings.threads)
        said = sum(1 for _ in whisper.transcribe(str(path))[0])
    print(f"  {looked} frames, {said} segments")
    return time.perf_counter() - start


def told(what: str, seconds: float, length: float) -> None:
    print(f"{what:<32} {seconds:7.1f} s  {length / seconds:5.1f} times real time", flush=True)


def main(minutes: int, clips: Path, data: Path, plain: bool) -> None:
    path, length = clip(clips, "marked", minutes), 60.0 * minutes
    settings = replace(load_settings({}, os.environ), data=data, engine="echo")
    database = open_database(data)
    open_accounts(database, operator_key="k" * 32, engine="echo", strict=False)
    database.dispose()
    with build_video(settings, work=True) as house:
        silent = ingest(house, path, "silent", ["vision"])
        told("ours without speech", silent, length)
        heard = ingest(house, path, "heard", ["vision", "speech"])
        told("ours with speech", heard, length)
    for who, what in ((resource.RUSAGE_SELF, "this process"), (resource.RUSAGE_CHILDREN, "reading process")):
        print(f"largest memory, {what:<18} {resource.getrusage(who).ru_maxrss / 1024:7.0f} MiB")
    if not plain:
        return
    for speech, ours in ((False, silent), (True, heard)):
        seconds = naive(settings, path, speech=speech)
        told(f"naive with{'' if speech else 'out'} speech", seconds, length)
        print(f"{'ratio':<32} {seconds / ours:7.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--clips", type=Path, default=Path(tempfile.gettempdir()) / "foveal-bench")
    parser.add_argument("--no-naive", action="store_true")
    options = parser.parse_args()
    options.clips.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        main(options.minutes, options.clips, Path(folder), not options.no_naive)
