"""What judging a picture for the content filter costs, and what the net says of a folder of pictures.

    FOVEAL_MODELS=... python bench/content_filter_pictures.py [--runs 60] [--threads 2] [--pictures DIR]

Times are of one picture at a time, in turns: the whole judge on a decoded picture (the views of a request are
decoded already), fitting it into the net's square, that with the net, and for comparison the judge on the
bytes of a JPEG, as frames of videos are judged. With `--pictures`, every picture below the folder is judged:
how many have which severity, and the worst by name, for calibration on pictures known to be ordinary.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from foveal.errors import InvalidImage
from foveal.images.decode import Limits, check, decode
from foveal.images.detail import DetailedImage
from foveal.images.frame import open_frame
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.base import Odds
from foveal.perception.safety import SafetyRater, framed, load_rater
from foveal.safety.pictures import FrameJudge, Steps, load_picture_judge, load_steps
from foveal.settings import load_settings

PICTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "pictures"
SHOWN = 5  # pictures that are named
SMALLEST = 100  # pixels of the longer side: below, it is an icon


def opened(path: Path) -> DetailedImage:
    data = path.read_bytes()
    return decode(data, check(data, Limits(), param=None), "high", Limits(), sha256=str, param=None)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds on the clock and of the processor (all threads)."""
    start, used = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - start) * 1000, (time.process_time() - used) * 1000


def measure(store: ModelStore, threads: int, runs: int) -> None:
    judge = load_picture_judge(store, threads=threads)
    rater = load_rater(store, threads=threads)
    paths = sorted(PICTURES.glob("*.jpg"))
    images = [opened(path) for path in paths]
    frames = [path.read_bytes() for path in paths]
    guard = FrameJudge(judge)
    start = time.perf_counter()
    judge.warm()
    print(f"loading: {(time.perf_counter() - start) * 1000:.0f} ms")
    ways: dict[str, Callable[[int], object]] = {
        "judge, decoded picture": lambda n: judge.judge(images[n]),
        "fit into the square": lambda n: framed(images[n].overview),
        "the square and the net": lambda n: rater.rate(images[n].overview),
        "judge, JPEG of a frame": lambda n: guard.refuses(frames[n]),
        "decode that JPEG": lambda n: open_frame(frames[n]),
    }
    for work in ways.values():
        work(0)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for run in range(runs):
        for name, work in ways.items():
            taken[name].append(timed(partial(work, run % len(paths))))
    print(f"{'':26}  p50 ms  p95 ms  processor ms")
    for name, pairs in taken.items():
        clock = sorted(wall for wall, _ in pairs)
        used = statistics.median(cpu for _, cpu in pairs)
        print(f"{name:26}{statistics.median(clock):8.1f}{clock[int(len(clock) * 0.95)]:8.1f}{used:14.1f}")


def below(folder: Path) -> Iterator[tuple[Path, DetailedImage]]:
    """Each content once; what is no picture or tiny is left out."""
    seen: set[bytes] = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp", ".gif"):
            continue
        try:
            image = opened(path)
        except InvalidImage:
            continue
        if max(image.width, image.height) >= SMALLEST and image.data not in seen:
            seen.add(image.data)
            yield path, image


def survey(rater: SafetyRater, folder: Path) -> None:
    steps = load_steps()
    found = [(path, rater.rate(image.overview)) for path, image in below(folder)]
    print(f"{len(found)} pictures below {folder}")
    kinds: tuple[tuple[str, Steps, Callable[[Odds], float]], ...] = (
        ("sexual", steps.sexual, lambda odds: odds.sexual),
        ("violence", steps.violence, lambda odds: odds.graphic),
    )
    for name, steep, share in kinds:
        counts = Counter(steep.severity(share(odds)).word for _, odds in found)
        print(f"{name}: {dict(counts)}")
        for path, odds in sorted(found, key=lambda one: -share(one[1]))[:SHOWN]:
            print(f"  {share(odds):.3f} {path.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    store = ModelStore(load_settings({}, dict(os.environ)).models, load_catalogue())
    measure(store, given.threads, given.runs)
    if given.pictures is not None:
        survey(load_rater(store, threads=given.threads), given.pictures)


if __name__ == "__main__":
    main()
