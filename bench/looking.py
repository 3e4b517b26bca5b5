"""What looking at the frames of a video costs in the background, and how much of their text is read.

    FOVEAL_MODELS=... python -m bench.looking [--frames 60] [--threads 2] [--runs 3] [--fonts FOLDER]
                                              [--video FILE]

Three ways take turns: as frames of a video (`look`), and as the pictures of chat requests at low and at high
detail. Frames have 1280×720 pixels: a slow pan over each of the test photos (nothing is written on them), the
same with subtitles that change every third frame, and slides with a moving picture beside the text. `--video`
looks at frames of a real file instead, two a second. Processor time is that of all threads: half of it is
the least that two cores can need.

Text is drawn with Noto Sans CJK (the Debian package fonts-noto-cjk) over photos and on slides at several
heights; accuracy is 1 - edit distance / characters of the frame, blanks left out.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
from bench.ocr import distance, plain
from bench.ocr_pages import Fonts
from PIL import Image, ImageDraw

from foveal.assembly.engines import HouseFinder
from foveal.images.decode import Limits, check, decode
from foveal.images.detail import Detail, DetailedImage, Pixels
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.facts import Facts
from foveal.perception.finder import PooledFactFinder, build_fact_finder
from foveal.settings import load_settings

PICTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "pictures"
PHOTOS = ("china", "coffee", "astronaut", "chelsea", "rocket", "flower")
WIDTH, HEIGHT = 1280, 720
SAID = {
    "en": (
        "I have never seen the harbour so quiet",
        "The last train leaves at 23:45",
        "- Where did you put the key?",
        "She did not come back until spring",
    ),
    "ko": ("오늘은 항구가 아주 조용하네요", "마지막 기차는 11시에 떠납니다"),
    "zh": ("今天的港口非常安静", "最后一班火车十一点开"),
}
SLIDE = (
    "Results of the third quarter",
    "Revenue grew by 12 % to 4.6 million",
    "Two new markets: Norway and Chile",
    "Costs of shipping fell for the first time",
    "Next review on 14 November",
)


@dataclass(frozen=True, slots=True)
class Drawn:
    kind: str
    pixels: Pixels
    lines: tuple[str, ...]


def photo(name: str, place: float = 0.5) -> Pixels:
    """A window of 1280×720 of a test photo; `place` is how far it has moved, 0..1."""
    picture = cv2.imread(str(PICTURES / f"{name}.jpg"), cv2.IMREAD_COLOR_RGB)
    assert picture is not None, name
    scale = 1.15 * max(WIDTH / picture.shape[1], HEIGHT / picture.shape[0])
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    left = round((picture.shape[1] - WIDTH) * place)
    top = (picture.shape[0] - HEIGHT) // 2
    return np.ascontiguousarray(picture[top : top + HEIGHT, left : left + WIDTH]).astype(np.uint8)


def subtitled(pixels: Pixels, lines: Sequence[str], fonts: Fonts, language: str, size: int) -> Pixels:
    canvas = Image.fromarray(pixels)
    draw = ImageDraw.Draw(canvas)
    font = fonts.sans(language, size)
    for number, line in enumerate(lines):
        at = (WIDTH / 2, HEIGHT - 40 - (len(lines) - number) * 1.3 * size)
        draw.text(at, line, "white", font=font, anchor="ma", stroke_width=2, stroke_fill="black")
    return np.asarray(canvas, dtype=np.uint8)


def slide(fonts: Fonts, size: int, beside: Pixels | None = None) -> Drawn:
    canvas = Image.new("RGB", (WIDTH, HEIGHT), (250, 249, 245))
    draw = ImageDraw.Draw(canvas)
    draw.text((60, 40), SLIDE[0], (20, 40, 90), font=fonts.sans("en", round(1.6 * size)))
    for number, line in enumerate(SLIDE[1:]):
        draw.text((80, 150 + number * 2 * size), line, (30, 30, 30), font=fonts.sans("en", size))
    if beside is not None:
        canvas.paste(Image.fromarray(beside).resize((400, 225)), (860, 470))
    return Drawn(f"slide, {size} pixels", np.asarray(canvas, dtype=np.uint8), SLIDE)


def drawn(fonts: Fonts) -> Iterator[Drawn]:
    for size in (20, 28, 40):
        for number, name in enumerate(PHOTOS):
            first = number % len(SAID["en"])
            lines = SAID["en"][first : first + 1 + number % 2]
            yield Drawn(
                f"subtitles, {size} pixels", subtitled(photo(name), lines, fonts, "en", size), tuple(lines)
            )
    for language in ("ko", "zh"):
        for name, line in zip(PHOTOS, SAID[language] * 3, strict=True):
            yield Drawn(
                f"subtitles, {language}, 40 pixels",
                subtitled(photo(name), [line], fonts, language, 40),
                (line,),
            )
    for size in (14, 18, 24, 32):
        yield slide(fonts, size)
        yield replace(slide(fonts, size, photo("china")), kind=f"slide, {size} pixels")


def clips(fonts: Fonts, count: int) -> Iterator[tuple[str, list[bytes]]]:
    """Frames as they come from a decoder, by what they show."""
    moving = [photo(PHOTOS[number % len(PHOTOS)], number / count) for number in range(count)]
    yield "photos", [_jpeg(one) for one in moving]
    said = SAID["en"]
    yield (
        "photos with subtitles",
        [
            _jpeg(subtitled(one, [said[number // 3 % len(said)]], fonts, "en", 36))
            for number, one in enumerate(moving)
        ],
    )
    yield "slides with a film", [_jpeg(slide(fonts, 24, one).pixels) for one in moving]


def _jpeg(pixels: Pixels) -> bytes:
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, 85))
    assert done
    return data.tobytes()


def frames_of(path: Path, count: int) -> list[bytes]:
    """Two a second, their longer side at most 1280."""
    found: list[bytes] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if len(found) == count:
                break
            if frame.time is not None and frame.time * 2 >= len(found):
                pixels = frame.to_ndarray(format="rgb24")
                scale = min(1.0, WIDTH / max(pixels.shape[:2]))
                smaller = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                found.append(_jpeg(smaller.astype(np.uint8)))
    return found


def opened(jpeg: bytes, detail: Detail, number: int) -> DetailedImage:
    """`number` makes it a picture that was not seen before."""
    limits = Limits()
    return decode(
        jpeg, check(jpeg, limits, param=None), detail, limits, sha256=lambda: f"{number:064x}", param=None
    )


def as_pictures(finder: HouseFinder, jpegs: Sequence[bytes], detail: Detail, first: int) -> list[Facts]:
    async def one_by_one() -> list[Facts]:
        return [await finder.facts(opened(jpeg, detail, first + number)) for number, jpeg in enumerate(jpegs)]

    return asyncio.run(one_by_one())


def speed(finder: PooledFactFinder, name: str, jpegs: list[bytes], runs: int) -> None:
    fresh = iter(range(0, 10**9, len(jpegs)))
    ways: dict[str, Callable[[], list[Facts]]] = {
        "frames": lambda: list(finder.look(jpegs)),
        "low detail": lambda: as_pictures(finder, jpegs, "low", next(fresh)),
        "high detail": lambda: as_pictures(finder, jpegs, "high", next(fresh)),
    }
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    lines: dict[str, int] = {}
    for _ in range(runs):
        for way, work in ways.items():
            start, used = time.perf_counter(), time.process_time()
            facts = work()
            spent = time.perf_counter() - start, time.process_time() - used
            taken[way].append((spent[0] / len(jpegs) * 1000, spent[1] / len(jpegs) * 1000))
            lines[way] = sum(len(one.lines) for one in facts)
    for way, spent_all in taken.items():
        clock, used = (statistics.median(times) for times in zip(*spent_all, strict=True))
        print(f"{name:24} {way:12} {clock:7.1f} ms a frame {used:7.1f} ms of processor {lines[way]:5} lines")


def reading(finder: PooledFactFinder, fonts: Fonts) -> None:
    """Each frame alone: nothing is remembered from the one before."""
    wrong: dict[str, dict[str, list[int]]] = {}
    for number, page in enumerate(drawn(fonts)):
        jpeg = _jpeg(page.pixels)
        truth = plain(" ".join(page.lines), blanks=False)
        found = {
            "frames": next(iter(finder.look([jpeg]))),
            "low detail": as_pictures(finder, [jpeg], "low", -2 * number - 1)[0],
            "high detail": as_pictures(finder, [jpeg], "high", -2 * number - 2)[0],
        }
        for way, facts in found.items():
            text = plain(" ".join(line.text for line in facts.lines), blanks=False)
            sums = wrong.setdefault(page.kind, {}).setdefault(way, [0, 0])
            sums[0] += min(len(truth), distance(text, truth))
            sums[1] += len(truth)
    for kind, ways in wrong.items():
        scores = "  ".join(f"{way} {100 * (1 - bad / all_):5.1f} %" for way, (bad, all_) in ways.items())
        print(f"{kind:28} {scores}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts/opentype/noto"))
    parser.add_argument("--video", type=Path)
    options = parser.parse_args()
    store = ModelStore(load_settings({}, os.environ).models, load_catalogue())
    finder = build_fact_finder(store, threads=options.threads, queue=8, cache_size=8)
    fonts = Fonts(options.fonts)
    list(finder.look([_jpeg(photo("china"))]))  # loads the nets
    if options.video:
        speed(finder, options.video.name, frames_of(options.video, options.frames), options.runs)
    else:
        for name, jpegs in clips(fonts, options.frames):
            speed(finder, name, jpegs, options.runs)
        reading(finder, fonts)
    finder.close()


if __name__ == "__main__":
    main()
