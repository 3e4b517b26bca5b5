"""How well objects are found on labelled pictures, at low and at high detail, and what one pass costs.

    FOVEAL_MODELS=... python bench/detection.py FOLDER [FOLDER ...] [--sheets] [--models DIR] [--runs 15]

FOLDER holds pictures and a labels.json:
    {"pictures": [{"file": "a.jpg",
                   "objects": [{"label": "dog", "box": [left, top, right, bottom], "crowd": 0}]}]}
Boxes are 0..1. A found box is right when it overlaps a label of its kind by IoU >= 0.5, each label once; one
that lies in a crowd's box is neither right nor wrong. Sizes are COCO's (32² and 96² pixels of the original
picture). mAP@0.5 is the mean over the kinds in the labels of the area under precision by recall, every found
box counted. `--sheets` lays four photos each, two by two, into one picture of 1280×960 pixels, which low
detail shrinks to 512: labelled photos of that size are rare.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from foveal.images.detail import DetailedImage
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.base import Box, DetectedObject
from foveal.perception.objects import SsdDetector, views
from foveal.perception.sight import Sight, load_sight
from foveal.settings import load_settings

SIZES = ("small", "medium", "large")
SAME = 0.5
CELL = (640, 480)  # pixels of one photo of a sheet


@dataclass(frozen=True, slots=True)
class Label:
    kind: str
    box: Box
    crowd: bool
    size: str


@dataclass(slots=True)
class Tally:
    """`ranked`: kind → (confidence, right) of every found box; `wanted`: kind → labels."""

    ranked: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: defaultdict(list))
    wanted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    right: int = 0
    said: int = 0
    met: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sized: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, found: Sequence[DetectedObject], labels: Sequence[Label], sure: float) -> None:
        wanted = [label for label in labels if not label.crowd]
        for label in wanted:
            self.wanted[label.kind] += 1
            self.sized[label.size] += 1
        free = set(range(len(wanted)))
        for one in sorted(found, key=lambda one: -one.confidence):
            best = max(
                (n for n in free if wanted[n].kind == one.label),
                key=lambda n: one.box.iou(wanted[n].box),
                default=None,
            )
            right = best is not None and one.box.iou(wanted[best].box) >= SAME
            if not right and _in_crowd(one, labels):
                continue
            self.ranked[one.label].append((one.confidence, right))
            if right and best is not None:
                free.remove(best)
                self.met[wanted[best].size] += one.confidence >= sure
            if one.confidence >= sure:
                self.said += 1
                self.right += right

    @property
    def precision(self) -> float:
        return self.right / max(1, self.said)

    @property
    def recall(self) -> float:
        return self.right / max(1, sum(self.wanted.values()))

    @property
    def mean_average_precision(self) -> float:
        return statistics.fmean(
            average_precision(self.ranked[kind], count) for kind, count in self.wanted.items()
        )


def _in_crowd(one: DetectedObject, labels: Sequence[Label]) -> bool:
    return any(
        label.crowd and label.kind == one.label and one.box.overlap(label.box) >= SAME * one.box.area
        for label in labels
    )


def average_precision(ranked: Sequence[tuple[float, bool]], wanted: int) -> float:
    """Area under the precision that is reached at each recall or beyond."""
    order = np.array([right for _, right in sorted(ranked, key=lambda pair: -pair[0])], dtype=float)
    if not len(order):
        return 0.0
    hits = np.cumsum(order)
    precision = hits / np.arange(1, len(order) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(precision * order) / wanted)


Rows = list[dict[str, Any]]


def read_labels(folder: Path) -> Iterator[tuple[bytes, Rows]]:
    for row in json.loads((folder / "labels.json").read_text(encoding="utf-8"))["pictures"]:
        yield (folder / row["file"]).read_bytes(), row["objects"]


def sheets(pictures: Iterable[tuple[bytes, Rows]]) -> Iterator[tuple[bytes, Rows]]:
    """Four pictures each, two by two; what is left over is left out."""
    for four in batched(pictures, 4):
        sheet = np.full((2 * CELL[1], 2 * CELL[0], 3), 127, dtype=np.uint8)
        rows: Rows = []
        for number, (data, objects) in enumerate(four):
            photo = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
            assert photo is not None
            high, wide = photo.shape[:2]
            scale = min(CELL[0] / wide, CELL[1] / high)
            size = round(wide * scale), round(high * scale)
            x, y = CELL[0] * (number % 2), CELL[1] * (number // 2)
            sheet[y : y + size[1], x : x + size[0]] = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
            for one in objects:
                left, top, right, bottom = one["box"]
                corners = (x + left * size[0], y + top * size[1], x + right * size[0], y + bottom * size[1])
                whole = (2 * CELL[0], 2 * CELL[1]) * 2
                rows.append({**one, "box": [a / b for a, b in zip(corners, whole, strict=True)]})
        yield cv2.imencode(".png", sheet)[1].tobytes(), rows


def batched(pictures: Iterable[tuple[bytes, Rows]], count: int) -> Iterator[list[tuple[bytes, Rows]]]:
    left = iter(pictures)
    while len(batch := list(islice(left, count))) == count:
        yield batch


def label_of(row: dict[str, Any], image: DetailedImage) -> Label:
    box = Box(*row["box"])
    area = box.area * image.width * image.height
    size = SIZES[0] if area < 32**2 else SIZES[1] if area < 96**2 else SIZES[2]
    return Label(str(row["label"]), box, bool(row.get("crowd")), size)


def look(sight: Sight, image: DetailedImage) -> list[DetectedObject]:
    """As `Sight.see` does: found, then checked against what the picture looks like."""
    found = sight.detector.detect(image.best)
    return sight.kinds.check(found, sight.tagger.tag(image.overview), image.best, sight.tagger)


async def measure(folders: Sequence[Path], sight: Sight, *, sheeted: bool) -> None:
    door = ImageDoor(MediaFetcher())
    details: tuple[Literal["low", "high"], ...] = ("low", "high")
    for folder in folders:
        tallies = {detail: Tally() for detail in details}
        count = 0
        pictures = sheets(read_labels(folder)) if sheeted else read_labels(folder)
        for data, rows in pictures:
            count += 1
            for detail in details:
                image = await door.open_bytes(data, detail, param=None)
                labels = [label_of(row, image) for row in rows]
                tallies[detail].add(look(sight, image), labels, sight.sure)
        labelled = sum(tallies["low"].wanted.values())
        print(f"{folder.name}: {count} {'sheets' if sheeted else 'pictures'}, {labelled} labelled boxes")
        for detail, tally in tallies.items():
            sizes = "  ".join(f"{s} {tally.met[s]}/{tally.sized[s]}" for s in SIZES)
            print(
                f"  {detail:5} mAP@0.5 {tally.mean_average_precision:.3f}   from {sight.sure}: precision "
                f"{tally.precision:.3f}, recall {tally.recall:.3f}   found: {sizes}"
            )
    await door.close()


def time_passes(sight: Sight, runs: int) -> None:
    """One view, and all of them, on a picture of noise: the net's work does not depend on what it shows."""
    pixels = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), dtype=np.uint8)
    detector = sight.detector
    assert isinstance(detector, SsdDetector)
    one, every = detector.with_plan(views()[:1]), detector
    took: dict[str, list[float]] = {"one pass": [], f"all {len(views())} passes": []}
    for _ in range(runs):
        for name, way in zip(took, (one, every), strict=True):
            start = time.perf_counter()
            way.detect(pixels)
            took[name].append(1000 * (time.perf_counter() - start))
    for name, times in took.items():
        print(f"{name:16} median {statistics.median(times):7.1f} ms, best {min(times):7.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--sheets", action="store_true", help="four photos each as one large picture")
    parser.add_argument("--models", type=Path, default=load_settings({}, os.environ).models)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    sight = load_sight(ModelStore(options.models, load_catalogue()), threads=options.threads)
    time_passes(sight, options.runs)
    asyncio.run(measure(options.folders, sight, sheeted=options.sheets))


if __name__ == "__main__":
    main()
