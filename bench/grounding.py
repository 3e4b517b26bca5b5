"""How often an answer's phrases get the right boxes, on the judged answers of tests/fixtures/grounding.

    python bench/grounding.py                                    with the findings that were kept
    FOVEAL_MODELS=... python bench/grounding.py FOLDER [--wrong]  looking at the photos of FOLDER again

FOLDER holds the photos of COCO val2017 by their names (000000037777.jpg) and those of the demo
(coffee.jpg); those that are not there are left out. The judged boxes are compared with what is found now, by
place: a phrase whose boxes are no longer found counts as missed. Precision: spans whose phrase and boxes
(IoU >= 0.5 with the judged ones) are right. Recall: judged phrases that name something detected and got such
a span.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.grounding import Case, Score, cases, score

from foveal.enhancements.grounding import Grounder, load_grounder
from foveal.enhancements.service import LocalVision
from foveal.enhancements.spans import Findings
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.finder import build_fact_finder
from foveal.settings import load_settings

NOTHING = Score(0, 0, 0, 0)


def photo_of(picture: str, folder: Path) -> Path:
    return folder / (picture.removeprefix("coco-val2017-").removeprefix("demo-") + ".jpg")


async def look_again(folder: Path, models: Path) -> dict[str, Findings]:
    """What is found now in each judged photo of the folder."""
    finder = build_fact_finder(ModelStore(models, load_catalogue()), threads=2, queue=16, cache_size=2)
    vision, door = LocalVision(finder), ImageDoor(MediaFetcher())
    found: dict[str, Findings] = {}
    for picture in dict.fromkeys(case.picture for case in cases()):
        path = photo_of(picture, folder)
        if path.exists():
            image = await door.open_bytes(path.read_bytes(), "high", param=None)
            found[picture] = await vision.look(image, ocr=False, grounding=True)
    await door.close()
    finder.close()
    return found


def measure(grounder: Grounder, given: Mapping[str, Findings] | None, *, wrong: bool) -> None:
    totals: dict[str, Score] = defaultdict(lambda: NOTHING)
    took: list[float] = []
    for case in cases():
        if given is not None and case.picture not in given:
            continue
        now = case if given is None else replace(case, findings=given[case.picture])
        for _ in range(5):
            start = time.perf_counter()
            line = grounder.ground(now.text, now.findings)
            took.append(1000 * (time.perf_counter() - start))
        result = score(now, line)
        for group in ("all", f"answers by {case.by}", f"round {case.round}"):
            totals[group] += result
    for group, result in sorted(totals.items()):
        print(
            f"{group:20} precision {result.precision:.3f} of {result.spans} spans, "
            f"recall {result.recall:.3f} of {result.wanted} phrases"
        )
    print(f"{'per answer':20} median {statistics.median(took):.2f} ms, longest {max(took):.2f} ms")
    if wrong:
        print(*totals["all"].wrong, *totals["all"].missed, sep="\n")


def long_answer(grounder: Grounder) -> None:
    """300 words about forty objects: the judged answers end to end over one picture's findings."""
    every: list[Case] = list(cases())
    most = max(every, key=lambda case: len(case.findings.objects))
    findings = replace(most.findings, objects=most.findings.objects[:40])
    words = " ".join(case.text for case in every if case.text.isascii()).split()[:300]
    took = []
    for _ in range(15):
        start = time.perf_counter()
        grounder.ground(" ".join(words), findings)
        took.append(1000 * (time.perf_counter() - start))
    print(f"{'300 words, 40 boxes':20} median {statistics.median(took):.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--models", type=Path, default=load_settings({}, os.environ).models)
    parser.add_argument("--wrong", action="store_true", help="name what was wrong and what was missed")
    options = parser.parse_args()
    grounder = load_grounder()
    given = asyncio.run(look_again(options.folder, options.models)) if options.folder else None
    measure(grounder, given, wrong=options.wrong)
    long_answer(grounder)


if __name__ == "__main__":
    main()
