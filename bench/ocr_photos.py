"""Words on unlabelled photos: which of those that either reader is sure of does each of them read?

    FOVEAL_MODELS=... python -m bench.ocr_photos FOLDER...

Needs onnxruntime (pip install onnxruntime) for stock RapidOCR's defaults. A word is a run of three or more
letters or digits that one reader gave with a confidence of 0.9 or more; the other reads it when it has the
same word, in a line of 0.5 or more. Ours reads the plan's view at high detail. Both read each photo in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
from rapidocr import RapidOCR

from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.sight import load_sight
from foveal.settings import load_settings

SURE, READ = 0.9, 0.5
Lines = list[tuple[str, float]]


def words(lines: Iterable[tuple[str, float]], floor: float) -> Counter[str]:
    return Counter(
        word
        for text, confidence in lines
        if confidence >= floor
        for word in re.findall(r"[^\W_]{3,}", text.lower())
    )


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    sight = load_sight(ModelStore(load_settings({}, os.environ).models, load_catalogue()), threads=2)
    door = ImageDoor(MediaFetcher())
    stock = RapidOCR(params={"Global.log_level": "critical"})
    wanted = ours_read = stock_read = 0
    seconds: list[tuple[float, float]] = []
    photos = [path for folder in options.folders for path in sorted(folder.glob("*.jpg"))]
    for path in photos:
        image = await door.open_bytes(path.read_bytes(), "high", param=None)
        pixels: Any = cv2.imread(str(path))
        start = time.perf_counter()
        ours: Lines = [(line.text, line.confidence) for line in sight.read(image)]
        middle = time.perf_counter()
        result: Any = stock(pixels)
        seconds.append((middle - start, time.perf_counter() - middle))
        theirs: Lines = list(zip(result.txts or (), result.scores or (), strict=True))
        either = words(ours, SURE) | words(theirs, SURE)
        wanted += either.total()
        ours_read += (words(ours, READ) & either).total()
        stock_read += (words(theirs, READ) & either).total()
    await door.close()
    mine, other = (statistics.median(times) * 1000 for times in zip(*seconds, strict=True))
    print(f"{len(photos)} photos, {wanted} words that either is sure of")
    print(f"ours      {ours_read / wanted:6.1%}  {mine:6.0f} ms a photo (median)")
    print(f"RapidOCR  {stock_read / wanted:6.1%}  {other:6.0f} ms, {other / mine:.2f} times as long")


if __name__ == "__main__":
    asyncio.run(main())
