"""How often questions about documents are answered right, with and without the OCR enhancement.

    python bench/documents.py [FOLDER] [--wrong]

FOLDER holds pictures and documents.toml (default: tests/fixtures/documents). Without the enhancement the
engine has what the detail plan's view shows, at high detail; with it, the text read at the picture's own
resolution.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import time
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foveal.cl100k import Cl100k
from foveal.engines.base import ImagePart, Prompt, Sampling, TextPart, Turn
from foveal.engines.evidence.engine import EvidenceEngine
from foveal.engines.llama import LlamaRuntime
from foveal.enhancements.ocr import read_text
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.finder import build_fact_finder

FOLDER = Path(__file__).parents[1] / "tests" / "fixtures" / "documents"
ROOM = 200  # characters that an answer may be longer than what it must hold: the whole page is no answer
ADMITTED = re.compile(r"can't tell|알 수 없|확인할 수 없|don't see a readable", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Judged:
    document: str
    question: str
    enhanced: bool
    answer: str
    right: bool
    seconds: float
    unseen: bool


def judge(answer: str, wanted: Sequence[str], unwanted: Sequence[str]) -> bool:
    """Every text of `wanted` is in the answer ("a|b": one of them), none of `unwanted`, and not much else."""
    low = _bare(answer)
    if len(answer) > ROOM + sum(map(len, wanted)):
        return False
    for text in wanted:
        if text == "unknown":
            fits = bool(ADMITTED.search(answer))
        elif text in ("yes", "no"):
            fits = bool(re.match({"yes": r"yes\b|네|예", "no": r"no\b|아니"}[text], answer, re.IGNORECASE))
        else:
            fits = any(_bare(one) in low for one in text.split("|"))
        if not fits:
            return False
    return not any(_bare(one) in low for one in unwanted)


def _bare(text: str) -> str:
    return re.sub(r"[\s,]+", "", unicodedata.normalize("NFKC", text).casefold())


async def run(
    folder: Path, weights: Path, *, without: int | None = None, unseen: bool = True
) -> list[Judged]:
    """Every question with the enhancement, and the first `without` of each document (None: all) without;
    `unseen` False leaves out what was asked after the rules were made.
    """
    models = ModelStore(weights, load_catalogue())
    finder = build_fact_finder(models, threads=2, queue=32, cache_size=64)
    runtime = LlamaRuntime(models.path("qwen2.5-coder-1.5b-instruct-q4_k_m"), threads=2, context=8192)
    engine = EvidenceEngine(finder, runtime)
    door = ImageDoor(MediaFetcher())
    count = Cl100k().count
    judged: list[Judged] = []
    table: dict[str, Any] = tomllib.loads((folder / "documents.toml").read_text(encoding="utf-8"))
    try:
        for document in table["document"]:
            asked = [(one, False) for one in document["ask"]]
            asked += [(one, True) for one in document.get("unseen", ()) if unseen]
            if not asked:
                continue
            image = await door.open_bytes((folder / document["file"]).read_bytes(), "high", param=None)
            lines = await finder.read(image)
            await finder.facts(image)  # found once, so that the times below are those of answering
            for number, ((question, wanted, unwanted), later) in enumerate(asked):
                for enhanced in (True, False) if without is None or number < without else (True,):
                    read = read_text(lines, question, count=count) if enhanced else None
                    start = time.perf_counter()
                    answer = await ask(engine, ImagePart(image, read), question)
                    seconds = time.perf_counter() - start
                    right = judge(answer, wanted, unwanted)
                    judged.append(Judged(document["file"], question, enhanced, answer, right, seconds, later))
    finally:
        await engine.close()
        await door.close()
    return judged


async def ask(engine: EvidenceEngine, picture: ImagePart, question: str) -> str:
    prompt = Prompt((Turn("user", (TextPart(question), picture)),), Sampling(temperature=0, seed=1))
    return "".join([delta.text async for delta in engine.answer(prompt)])


def print_table(judged: Sequence[Judged]) -> None:
    print(f"{'document':<26}{'with':>9}{'without':>9}")
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[one.document].append(one)
    for name, found in [*groups.items(), ("all", list(judged))]:
        shown = [
            f"{sum(one.right for one in part)}/{len(part)}"
            for part in ([one for one in found if one.enhanced], [one for one in found if not one.enhanced])
        ]
        print(f"{name:<26}{shown[0]:>9}{shown[1]:>9}")
    for unseen in (False, True):
        part = [one for one in judged if one.enhanced and one.unseen == unseen]
        if part:
            share = sum(one.right for one in part)
            print(f"{'unseen by the rules' if unseen else 'rules were made with'}: {share}/{len(part)} with")
    for enhanced in (True, False):
        times = [one.seconds for one in judged if one.enhanced == enhanced]
        if times:
            word = "with" if enhanced else "without"
            print(f"seconds a question {word}: median {statistics.median(times):.3f}, most {max(times):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--wrong", action="store_true", help="print the wrong answers")
    options = parser.parse_args()
    home = os.environ.get("FOVEAL_MODELS")
    weights = Path(home) if home else Path.home() / ".cache" / "foveal" / "models"
    judged = asyncio.run(run(options.folder, weights))
    if options.wrong:
        for one in judged:
            if one.enhanced and not one.right:
                print(f"{one.document}: {one.question}\n    {one.answer}\n")
    print_table(judged)


if __name__ == "__main__":
    main()
