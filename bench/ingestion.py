"""A video from its file to its document, against the plain way to do the same.

    python -m bench.ingestion [--minutes 10] [--clips FOLDER] [--no-naive]

The clip is 720p film with speech, made by `bench.decoding`. Ours is the whole ingestion as a server does it:
fetched from uploaded media, decoded, looked at, listened to, embedded, published; once with speech and once
without, after a clip of eight seconds that loads the nets. Naive: every frame decoded, one a second looked at
as a picture of a chat is at low detail, Whisper with the defaults of faster-whisper over the whole sound; the
same weights. All in one run; factors are of real time. Memory is the largest of this process, before naive.
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
from bench.looking import as_pictures
from tests.support.clips import Scene, picture, speech, write_video

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
FEATURES = ("vision", "speech")


def ingest(house: VideoHouse, path: Path, name: str, features: Sequence[str]) -> float:
    """Seconds from the request to the published document."""
    wanted = read_new_index({"features": [{"name": one} for one in features]}, house.contract)
    house.indexes.create(OWNER, name, wanted)
    house.media.add(OWNER, f"{name}.mp4", path)
    url = house.media.url("http://127.0.0.1:8450", OWNER, f"{name}.mp4", timedelta(days=1))
    start = time.perf_counter()
    house.ingestions.create(OWNER, name, name, NewIngestion((VideoRequest("add", name, url),)))
    while house.worksheet.unfinished():
        time.sleep(0.1)
    seconds = time.perf_counter() - start
    held = house.indexes.holdings(OWNER, name)
    record = house.library.record(house.library.find(OWNER, name, name).key)
    print(f"  {len(record.frames)} frames, {len(record.speech or ())} segments; {held}")
    return seconds


def naive(settings: Settings, path: Path, *, listen: bool) -> float:
    finder = build_finder(settings)
    as_pictures(finder, [_first(path)], "low", 0)  # loads the nets
    start = time.perf_counter()
    due, jpegs = 0.0, []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= due:
                jpegs.append(_jpeg(frame))
                due += 1.0
    looked = len(as_pictures(finder, jpegs, "low", 1))
    said = 0
    if listen:
        from faster_whisper import WhisperModel

        folder = ModelStore(settings.models, load_catalogue()).path(WEIGHTS).parent
        said = sum(1 for _ in WhisperModel(str(folder)).transcribe(str(path))[0])
    seconds = time.perf_counter() - start
    finder.close()
    print(f"  {looked} frames, {said} segments")
    return seconds


def _jpeg(frame: av.VideoFrame) -> bytes:
    pixels = cv2.cvtColor(frame.to_ndarray(format="rgb24"), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def _first(path: Path) -> bytes:
    with av.open(str(path)) as container:
        return _jpeg(next(container.decode(video=0)))


def told(what: str, seconds: float, length: float) -> None:
    print(f"{what:<32} {seconds:7.1f} s  {length / seconds:5.1f} times real time", flush=True)


def main(minutes: int, clips: Path, data: Path, plain: bool) -> None:
    path, length = clip(clips, "marked", minutes), 60.0 * minutes
    settings = replace(load_settings({}, os.environ), data=data, engine="echo")
    database = open_database(data)
    open_accounts(database, operator_key="k" * 32, engine="echo", strict=False)
    database.dispose()
    with build_video(settings, work=True) as house:
        short = write_video(data / "short.mp4", [Scene(picture("cat"), 8)], sounds=[(0, speech("0880"))])
        print(f"{'8 seconds that load the nets':<32} {ingest(house, short, 'short', FEATURES):7.1f} s")
        silent = ingest(house, path, "silent", ["vision"])
        told("ours without speech", silent, length)
        heard = ingest(house, path, "heard", FEATURES)
        told("ours with speech", heard, length)
    print(f"{'largest memory':<32} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:7.0f} MiB")
    if not plain:
        return
    for listen, ours in ((False, silent), (True, heard)):
        seconds = naive(settings, path, listen=listen)
        told(f"naive with{'' if listen else 'out'} speech", seconds, length)
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
