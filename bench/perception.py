"""What seeing a picture costs, stage by stage, and our reading against stock RapidOCR in the same run.

    FOVEAL_MODELS=... python bench/perception.py [--runs 9] [--threads 2] [--pictures 0]

The picture has 1280×720 pixels and is put together here from the test pictures: a palace, a person, a cup,
a scanned page and three lines of Chinese. Stages run alone first; "all" is `FactFinder.facts`, which runs
reading beside the rest, and "again" is the same call once more. Stock RapidOCR is `RapidOCR()` with its
defaults, on OpenVINO when onnxruntime (its default: pip install onnxruntime) is not installed. The ways take
turns, so that a machine that is busy for a while is busy for both. `--pictures N` looks at N different
pictures and prints how the resident memory grew. Processor time is that of all threads: half of it is the
least that two cores can need.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from foveal.images.detail import DetailedImage, Pixels
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.boxes import View
from foveal.perception.finder import build_fact_finder
from foveal.perception.objects import SsdDetector
from foveal.perception.sight import load_sight
from foveal.settings import load_settings

PICTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "pictures"


def load(name: str, width: int, height: int) -> Pixels:
    picture = cv2.imread(str(PICTURES / name), cv2.IMREAD_COLOR)
    assert picture is not None, name
    resized = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(resized[:, :, ::-1]).astype(np.uint8)


def make_scene() -> Pixels:
    scene = load("china.jpg", 1280, 720)
    for name, x, y, width, height in (
        ("astronaut.jpg", 30, 280, 420, 420),
        ("coffee.jpg", 480, 420, 420, 280),
        ("page.jpg", 760, 40, 500, 250),
        ("text-zh.png", 920, 480, 340, 90),
    ):
        scene[y : y + height, x : x + width] = load(name, width, height)
    return scene


def image_of(scene: Pixels, number: int) -> DetailedImage:
    overview = cv2.resize(scene, (512, 288), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return DetailedImage(f"{number:064x}", "png", 1280, 720, "high", 1105, overview, scene, (), b"")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds on the clock and of the processor (all threads)."""
    start, used = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - start) * 1000, (time.process_time() - used) * 1000


def stock_reader() -> tuple[str, Callable[[Pixels], Any]]:
    from rapidocr import RapidOCR
    from rapidocr.utils.typings import EngineType

    engine = EngineType.ONNXRUNTIME if find_spec("onnxruntime") else EngineType.OPENVINO
    params: dict[str, Any] = {f"{part}.engine_type": engine for part in ("Det", "Cls", "Rec")}
    reader = RapidOCR(params={**params, "Global.log_level": "critical"})
    return engine.value, lambda pixels: reader(np.ascontiguousarray(pixels[:, :, ::-1]))


def resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def whole(store: ModelStore, scene: Pixels, runs: int, threads: int) -> tuple[float, float]:
    """Median milliseconds of a new picture and of a known one."""
    finder = build_fact_finder(store, threads=threads, queue=8, cache_size=64)
    await finder.warm()
    await finder.facts(image_of(scene, 0))
    new, known = [], []
    for number in range(1, runs + 1):
        start = time.perf_counter()
        await finder.facts(image_of(scene, number))
        new.append((time.perf_counter() - start) * 1000)
    again = image_of(scene, runs)
    for _ in range(200):
        start = time.perf_counter()
        await finder.facts(again)
        known.append((time.perf_counter() - start) * 1000)
    finder.close()
    return statistics.median(new), statistics.median(known)


async def growth(store: ModelStore, scene: Pixels, count: int, threads: int) -> None:
    finder = build_fact_finder(store, threads=threads, queue=8, cache_size=8)
    random = np.random.default_rng(1)
    for number in range(count):
        height, width = (int(size) for size in random.integers((200, 300), (721, 1281)))
        window = np.ascontiguousarray(scene[:height, :width])
        await finder.facts(
            DetailedImage(f"{number:064x}", "png", width, height, "high", 85, window, window, (), b"")
        )
        if (number + 1) % max(1, count // 6) == 0:
            print(f"after {number + 1:4} pictures: {resident_mib():7.0f} MiB resident", flush=True)
    finder.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pictures", type=int, default=0)
    options = parser.parse_args()
    store = ModelStore(load_settings({}, os.environ).models, load_catalogue())
    scene = make_scene()
    if options.pictures:
        asyncio.run(growth(store, scene, options.pictures, options.threads))
        return
    sight = load_sight(store, threads=options.threads)
    assert isinstance(sight.detector, SsdDetector)
    single = sight.detector.with_plan([View(0.0, 0.0, 1.0, 1.0)])
    image, bare = image_of(scene, 0), load("china.jpg", 1280, 720)
    engine, stock = stock_reader()
    ways: dict[str, Callable[[], object]] = {
        "objects, one pass": lambda: single.detect(scene),
        "objects, all passes": lambda: sight.detector.detect(scene),
        "tags": lambda: sight.tagger.tag(image.overview),
        "faces": lambda: sight.faces.find(scene),
        "text (ours)": lambda: sight.reader.read(scene),
        "text of a photo without (ours)": lambda: sight.reader.read(bare),
        f"text (RapidOCR, {engine})": lambda: stock(scene),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for run in range(options.runs + 1):
        for name, way in ways.items():
            spent = timed(way)
            if run:  # the first run warms
                taken[name].append(spent)
    medians = {
        name: [statistics.median(times) for times in zip(*both, strict=True)] for name, both in taken.items()
    }
    for name, (clock, used) in medians.items():
        print(f"{name:32} {clock:8.1f} ms {used:8.1f} ms of processor")
    ours, theirs = medians["text (ours)"], medians[f"text (RapidOCR, {engine})"]
    print(f"{'reading, RapidOCR / ours':32} {theirs[0] / ours[0]:8.2f} x  {theirs[1] / ours[1]:8.2f} x")
    print(f"lines: ours {len(sight.reader.read(scene))}, RapidOCR {len(stock(scene).txts or ())}")
    signed = bare.copy()
    signed[480:570, 920:1260] = load("text-zh.png", 340, 90)  # a sign of three lines
    for title, pixels in (
        ("the scene", scene),
        ("a photo with three lines", signed),
        ("a photo without text", bare),
    ):
        new, known = asyncio.run(whole(store, pixels, options.runs, options.threads))
        print(f"{f'all of {title}':32} {new:8.1f} ms")
        print(f"{'  again (known picture)':32} {known:8.3f} ms")


if __name__ == "__main__":
    main()
