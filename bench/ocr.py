"""How much of a text is read, and how fast, against stock RapidOCR in the same run.

    FOVEAL_MODELS=... python -m bench.ocr [--photos FOLDER] [--fonts FOLDER] [--kinds clean,dense,...]
                                         [--runs 3] [--no-stock] [--show]

Needs `rapidocr` and `onnxruntime` (its default engine: pip install onnxruntime), and Noto Sans CJK and Noto
Serif CJK (Debian: fonts-noto-cjk). `--photos` is a folder with scenetext01.jpg to 06.jpg (Debian: opencv-doc,
under examples/text); without it the photographed page of the tests is the only photo.

Accuracy is 1 - edit distance / characters of the whole page, its lines in reading order, blanks left out and
compatibility forms made one (NFKC); "spaced" counts blanks too. Both readers' lines are put in order by the
same rules (ours). Photos count each word found, in whatever order. Times: the ways take turns on each page,
so that a machine that is busy for a while is busy for both. Ratios are stock's time by ours, of the sums over
the pages, each page at its median; the second is of processor time, which others on the machine change less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from bench.ocr_pages import Fonts, Page, all_pages

from foveal.images.detail import Pixels
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.base import TextLine
from foveal.perception.ocr import load_reader
from foveal.perception.reading import in_reading_order
from foveal.perception.runtime import Runtime
from foveal.settings import load_settings

Read = Callable[[Pixels], list[str]]


@dataclass
class Score:
    """Sums over the pages of one kind; seconds by page."""

    characters: int = 0
    wrong: int = 0
    spaced_characters: int = 0
    spaced_wrong: int = 0
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def add(self, found: Sequence[str], page: Page, taken: Sequence[tuple[float, float]]) -> None:
        self.seconds.append(statistics.median(clock for clock, _ in taken))
        self.processor.append(statistics.median(used for _, used in taken))
        for blanks in (False, True):
            wrong, total = errors(found, page, blanks=blanks)
            if blanks:
                self.spaced_wrong += wrong
                self.spaced_characters += total
            else:
                self.wrong += wrong
                self.characters += total

    @property
    def accuracy(self) -> float:
        return 1 - self.wrong / max(1, self.characters)

    @property
    def spaced(self) -> float:
        return 1 - self.spaced_wrong / max(1, self.spaced_characters)


def errors(found: Sequence[str], page: Page, *, blanks: bool) -> tuple[int, int]:
    if page.kind == "photo":
        return errors_in_any_order(" ".join(found), " ".join(page.lines))
    truth = plain(" ".join(page.lines), blanks=blanks)
    return distance(plain(" ".join(found), blanks=blanks), truth), len(truth)


def errors_in_any_order(found: str, truth: str) -> tuple[int, int]:
    """Each word against the found word that is nearest, capitals aside; what a photo holds besides is not
    counted.
    """
    left = unicodedata.normalize("NFKC", found).casefold().split()
    words = unicodedata.normalize("NFKC", truth).casefold().split()
    pairs = sorted(
        (distance(text, word), at, to) for at, word in enumerate(words) for to, text in enumerate(left)
    )
    wrong = {at: len(word) for at, word in enumerate(words)}
    done: set[int] = set()
    taken: set[int] = set()
    for cost, at, to in pairs:
        if at not in done and to not in taken and cost < len(words[at]):
            wrong[at] = cost
            done.add(at)
            taken.add(to)
    return sum(wrong.values()), sum(map(len, words))


def plain(text: str, *, blanks: bool) -> str:
    words = unicodedata.normalize("NFKC", text).split()
    return (" " if blanks else "").join(words)


def distance(one: str, other: str) -> int:
    """Levenshtein; a row at a time, the insertions of a row by a running minimum."""
    letters = np.array([ord(letter) for letter in one], dtype=np.int64)
    ramp = np.arange(len(one) + 1)
    row = ramp.copy()
    for number, letter in enumerate(other, 1):
        replaced = np.minimum(row[:-1] + (letters != ord(letter)), row[1:] + 1)
        row = np.minimum.accumulate(np.concatenate([[number], replaced]) - ramp) + ramp
    return int(row[-1])


def our_reader(threads: int) -> Read:
    store = ModelStore(load_settings({}, os.environ).models, load_catalogue())
    reader = load_reader(store, Runtime(threads=threads, cache=store.folder / ".converted"))
    return lambda pixels: [line.text for line in reader.read(pixels)]


def stock_reader() -> Read:
    """`RapidOCR()` with its defaults; its log quiet."""
    from rapidocr import RapidOCR

    reader = RapidOCR(params={"Global.log_level": "critical"})

    def read(pixels: Pixels) -> list[str]:
        result: Any = reader(np.ascontiguousarray(pixels[:, :, ::-1]))
        if result.txts is None:
            return []
        height, width = pixels.shape[:2]
        lines = []
        for text, box in zip(result.txts, result.boxes, strict=True):
            a, b, c, d = ((float(x) / width, float(y) / height) for x, y in box)
            lines.append(TextLine(text, 1.0, (a, b, c, d)))
        return [line.text for line in in_reading_order(lines, aspect=width / height)]

    return read


def report(title: str, kinds: dict[str, dict[str, Score]]) -> None:
    ways = list(next(iter(kinds.values())))
    print(
        f"\n{title:20}"
        + "".join(f"{way:>10}{'spaced':>8}{'ms':>7}" for way in ways)
        + "  ratio, of processor"
    )
    for kind, scores in kinds.items():
        cells = "".join(
            f"{100 * score.accuracy:9.2f}%{100 * score.spaced:7.2f}%"
            f"{1000 * statistics.median(score.seconds):7.0f}"
            for score in scores.values()
        )
        print(f"{kind:20}{cells}{ratio(scores):>14}")


def ratio(scores: dict[str, Score]) -> str:
    """Stock's time by ours, on the clock and of the processor."""
    if len(scores) < 2:
        return ""
    ours, stock = scores.values()
    return f"{sum(stock.seconds) / sum(ours.seconds):.2f}x {sum(stock.processor) / sum(ours.processor):.2f}x"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts/opentype/noto"))
    parser.add_argument("--kinds", help="only kinds that begin with one of these, comma-separated")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-stock", action="store_true")
    parser.add_argument("--show", action="store_true", help="print every page, and the lines of bad ones")
    options = parser.parse_args()
    wanted = tuple((options.kinds or "").split(","))
    ways: dict[str, Read] = {"ours": our_reader(options.threads)}
    if not options.no_stock:
        ways["stock"] = stock_reader()
    kinds: dict[str, dict[str, Score]] = defaultdict(lambda: {way: Score() for way in ways})
    for page in all_pages(Fonts(options.fonts), options.photos):
        if not page.kind.startswith(wanted):
            continue
        times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        found: dict[str, list[str]] = {}
        for run in range(options.runs + 1):
            for way, read in ways.items():
                start, used = time.perf_counter(), time.process_time()
                found[way] = read(page.pixels)
                if run or not options.runs:  # the first run warms this size
                    times[way].append((time.perf_counter() - start, time.process_time() - used))
        for way in ways:
            kinds[page.kind][way].add(found[way], page, times[way])
        if options.show:
            show(page, found, times)
    report("kind", kinds)
    total = {way: Score() for way in ways}
    for scores in kinds.values():
        for way, score in scores.items():
            total[way].seconds += score.seconds
            total[way].processor += score.processor
    print(f"all pages: RapidOCR's time by ours {ratio(total)}")


def show(page: Page, found: dict[str, list[str]], times: dict[str, list[tuple[float, float]]]) -> None:
    for way, lines in found.items():
        wrong, total = errors(lines, page, blanks=False)
        seconds = statistics.median(clock for clock, _ in times[way])
        print(
            f"{page.kind}, {page.name}: {way} {wrong} of {total} wrong, {seconds * 1000:.0f} ms", flush=True
        )
        if wrong:
            truth = {plain(line, blanks=False) for line in page.lines}
            for line in lines:
                if plain(line, blanks=False) not in truth:
                    print("    ", line)


if __name__ == "__main__":
    main()
