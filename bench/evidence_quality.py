"""How often the evidence engine's answers are right, on labelled pictures.

    python bench/evidence_quality.py FOLDER [--models DIR] [--describe] [--cache FILE] [--wrong]

FOLDER holds pictures and a labels.json:
    {"pictures": [{"file": "a.jpg",
                   "objects": [{"label": "dog", "box": [left, top, right, bottom], "crowd": 0}],
                   "questions": [{"ask": "reading", "question": "...", "expect": ["..."]}]}]}
Boxes are 0..1. Questions about presence, absence, counts and positions are generated from the boxes with a
fixed seed (`questions` adds others, kept verbatim); an answer is right when its words say so, as a reader
would judge them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pickle
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from foveal.engines.base import ImagePart, Prompt, Sampling, TextPart, Turn
from foveal.engines.evidence.engine import EvidenceEngine
from foveal.engines.llama import LlamaRuntime
from foveal.images.detail import DetailedImage
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.facts import Facts
from foveal.perception.finder import build_fact_finder

SALIENT = 0.01  # of the picture's area
# Things that are often together: an absent one is plausible when its neighbour is there.
NEIGHBOURS = {
    "fork": "knife",
    "knife": "spoon",
    "spoon": "fork",
    "keyboard": "mouse",
    "mouse": "laptop",
    "laptop": "cell phone",
    "cat": "dog",
    "dog": "cat",
    "horse": "cow",
    "cow": "sheep",
    "sheep": "horse",
    "car": "truck",
    "truck": "bus",
    "bus": "car",
    "bicycle": "motorcycle",
    "motorcycle": "bicycle",
    "chair": "couch",
    "couch": "bed",
    "bed": "couch",
    "oven": "microwave",
    "microwave": "toaster",
    "refrigerator": "oven",
    "sink": "toilet",
    "toilet": "sink",
    "cup": "wine glass",
    "wine glass": "bottle",
    "bottle": "cup",
    "bowl": "spoon",
    "banana": "apple",
    "apple": "orange",
    "orange": "banana",
    "pizza": "sandwich",
    "sandwich": "pizza",
    "cake": "donut",
    "donut": "cake",
    "tv": "remote",
    "remote": "tv",
    "book": "laptop",
    "skis": "snowboard",
    "snowboard": "skis",
    "surfboard": "boat",
    "tennis racket": "sports ball",
    "baseball bat": "baseball glove",
    "baseball glove": "baseball bat",
    "person": "dog",
    "zebra": "giraffe",
    "giraffe": "elephant",
    "elephant": "zebra",
    "traffic light": "stop sign",
    "stop sign": "traffic light",
    "handbag": "backpack",
    "backpack": "suitcase",
    "suitcase": "handbag",
    "umbrella": "handbag",
    "airplane": "truck",
    "train": "bus",
    "boat": "surfboard",
    "dining table": "chair",
    "vase": "potted plant",
    "potted plant": "vase",
    "broccoli": "carrot",
    "carrot": "broccoli",
    "bird": "cat",
    "kite": "umbrella",
    "bench": "chair",
    "clock": "tv",
}
UNANSWERABLE = (
    "What is the name of the person who took this picture?",
    "Why is it like this?",
    "What year was this photo taken?",
    "What will happen next?",
    "How much did it cost?",
    "What does it smell like?",
    "Who owns this place?",
    "What is the temperature here?",
    "What day of the week is it?",
    "What is the weather going to be tomorrow?",
    "Which city is this?",
    "What was here ten years ago?",
    "What is the person's favourite food?",
    "How old is it?",
)


@dataclass(frozen=True, slots=True)
class Case:
    kind: str
    question: str
    right: Callable[[str], bool]


def yes(answer: str) -> bool:
    return answer.lower().startswith(("yes", "네"))


def no(answer: str) -> bool:
    return bool(re.match(r"no\b|아니요|there (?:are|is) no\b|i (?:do not|don't) see", answer.lower()))


def admits(answer: str) -> bool:
    return bool(
        re.search(
            r"can't tell|can't say|cannot|don't see|not clear|unable|알 수 없|보이지 않", answer.lower()
        )
    )


def numbers(answer: str) -> list[int]:
    words = [
        "no",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ]
    found = [words.index(w) for w in re.findall(r"[a-z]+", answer.lower()) if w in words]
    return found + [int(n) for n in re.findall(r"\d+", answer)]


def plural(label: str) -> str:
    special = {
        "person": "people",
        "knife": "knives",
        "sheep": "sheep",
        "mouse": "mice",
        "scissors": "scissors",
        "skis": "skis",
    }
    return special.get(label) or (label + "es" if re.search(r"(s|ch|sh|ss)$", label) else label + "s")


def an(label: str) -> str:
    if label in ("scissors", "skis"):
        return f"a pair of {label}"
    return ("an " if label[0] in "aeiou" else "a ") + label


def cases(picture: dict[str, Any], pick: random.Random, labels: list[str]) -> Iterator[Case]:
    by_label: dict[str, list[dict[str, Any]]] = {}
    for one in picture["objects"]:
        by_label.setdefault(one["label"], []).append(one)
    present = sorted(by_label)
    for label in present:
        area = max(_area(one) for one in by_label[label])
        kind = "presence, salient" if area >= SALIENT else "presence, small"
        yield Case(kind, f"Is there {an(label)} in the picture?", yes)
    absent = [label for label in labels if label not in by_label]
    for label in pick.sample(absent, 2):
        yield Case("absent, random", f"Is there {an(label)} in the picture?", no)
    near = sorted({NEIGHBOURS[label] for label in present if label in NEIGHBOURS} - set(present))
    for label in near[:2]:
        yield Case("absent, plausible", f"Is there {an(label)} in the picture?", no)
    for label in present:
        group = by_label[label]
        if any(one.get("crowd") for one in group) or max(_area(one) for one in group) < SALIENT:
            continue
        count = len(group)
        kind = "counting, 1 to 5" if count <= 5 else "counting, over 5"
        yield Case(kind, f"How many {plural(label)} are there?", _counts(count))
        if count == 1 and _area(group[0]) < 0.5:
            yield from _where(label, group[0])
    yield Case(
        "counting, none",
        f"How many {plural(pick.choice(absent))} are there?",
        lambda a: no(a) or numbers(a)[:1] == [0],
    )
    for question in pick.sample(UNANSWERABLE, 2):
        yield Case("unanswerable", question, admits)
    for row in picture.get("questions", ()):
        yield Case(row["ask"], row["question"], _judge(row))


def _counts(count: int) -> Callable[[str], bool]:
    return lambda answer: numbers(answer)[:1] == [count]


def _where(label: str, one: dict[str, Any]) -> Iterator[Case]:
    x = (one["box"][0] + one["box"][2]) / 2
    side = "left" if x < 0.4 else "right" if x > 0.6 else "middle"
    if side == "middle":
        yield Case(
            "position", f"Where is the {label}?", lambda a: bool(re.search("middle|cent|fills", a.lower()))
        )
        return
    other = "right" if side == "left" else "left"
    yield Case(
        "position", f"Where is the {label}?", lambda a: side in a.lower() and f"the {other}" not in a.lower()
    )
    yield Case("position", f"Is the {label} on the {side} side of the picture?", yes)


def expected(answer: str, wanted: Sequence[str], avoid: Sequence[str] = ()) -> bool:
    """One of `wanted` is in the answer, none of `avoid`; "yes", "no", "unknown" judge the answer's sense."""
    low = _plain(answer)
    tests = {"yes": yes, "no": no, "unknown": admits}
    if any(_plain(word) in low for word in avoid):
        return False
    return any(tests[word](answer) if word in tests else _plain(word) in low for word in wanted)


def _judge(row: dict[str, Any]) -> Callable[[str], bool]:
    return lambda answer: expected(answer, row["expect"], row.get("avoid", ()))


def _plain(text: str) -> str:
    return re.sub(r"[^\w]+", " ", text.lower()).strip()


def _area(one: dict[str, Any]) -> float:
    left, top, right, bottom = one["box"]
    return float((right - left) * (bottom - top))


def false_objects(text: str, picture: dict[str, Any], engine: EvidenceEngine) -> list[str]:
    """Detector kinds that are named and that no label backs (a group's word is backed by any member)."""
    labels = {one["label"] for one in picture["objects"]} | set(picture.get("also", ()))
    bare = re.sub(r"[“\"][^”\"]*[”\"]", "", text)
    bare = re.sub(
        r"\b(?:wears|mostly|colours? (?:is|are)) \w+(?: and \w+\b)?", "", bare
    )  # orange is no fruit there
    mentions = engine.lexicon.words.find(bare, "en")
    starts = {mention.start for mention in mentions}
    named = {
        mention.thing.key: mention.thing
        for mention in mentions
        if mention.thing.labels and not (mention.thing.key == "orange" and mention.end + 1 in starts)
    }
    return [key for key, thing in named.items() if not labels & set(thing.labels)]


class CachedFinder:
    """Facts kept in a file between runs, so that only answers are measured again."""

    def __init__(self, finder: Any, path: Path | None) -> None:
        self.finder, self.path = finder, path
        self.known: dict[str, Facts] = pickle.loads(path.read_bytes()) if path and path.exists() else {}
        self.seconds: list[float] = []

    async def facts(self, image: DetailedImage) -> Facts:
        if image.sha256 not in self.known:
            start = time.perf_counter()
            self.known[image.sha256] = await self.finder.facts(image)
            self.seconds.append(time.perf_counter() - start)
        return self.known[image.sha256]

    async def see(self, image: DetailedImage) -> Facts:
        return replace(await self.facts(image), lines=())

    async def warm(self) -> None:
        await self.finder.warm()

    def close(self) -> None:
        self.finder.close()

    def save(self) -> None:
        if self.path:
            self.path.write_bytes(pickle.dumps(self.known))


async def ask(engine: EvidenceEngine, image: DetailedImage, question: str) -> str:
    turn = Turn("user", (TextPart(question), ImagePart(image)))
    prompt = Prompt((turn,), Sampling(temperature=0, seed=0))
    return "".join([delta.text async for delta in engine.answer(prompt)])


async def measure(args: argparse.Namespace) -> dict[str, list[bool]]:
    models = ModelStore(args.models, load_catalogue())
    finder = build_fact_finder(models, threads=2, queue=16, cache_size=8)
    cached = CachedFinder(finder, args.cache)
    runtime = LlamaRuntime(models.path(args.llm), threads=2, context=8192)
    engine = EvidenceEngine(cached, runtime)
    door = ImageDoor(MediaFetcher())
    rows: dict[str, list[bool]] = {}
    pictures = json.loads((args.folder / "labels.json").read_text())["pictures"]
    labels = sorted(label for label in engine.lexicon.words.objects)
    pick = random.Random(7)
    false, described, seconds, answers = 0, 0, 0.0, []
    for picture in pictures:
        image = await door.open_bytes((args.folder / picture["file"]).read_bytes(), args.detail, param=None)
        for case in cases(picture, pick, labels):
            start = time.perf_counter()
            answer = await ask(engine, image, case.question)
            answers.append(time.perf_counter() - start)
            right = case.right(answer)
            rows.setdefault(case.kind, []).append(right)
            if case.kind == "position" and "don't see" not in answer:
                rows.setdefault("position, of those found", []).append(right)
            if args.wrong and not right and re.search(args.wrong, case.kind):
                print(f"  {picture['file']} [{case.kind}] {case.question} -> {answer}")
        if args.describe:
            start = time.perf_counter()
            text = await ask(engine, image, args.describe)
            seconds += time.perf_counter() - start
            wrong = false_objects(text, picture, engine)
            false, described = false + len(wrong), described + 1
            if args.wrong:
                print(f"  {picture['file']} {text}  {wrong or ''}")
    cached.save()
    report(rows, answers, cached.seconds)
    if described:
        print(
            f"description: {false / described:.3f} false objects each, "
            f"{seconds / described:.2f} s, {described} pictures"
        )
    await door.close()
    await engine.close()
    return rows


def report(rows: dict[str, list[bool]], answers: list[float], looking: list[float]) -> None:
    groups = dict(rows)
    for name in ("presence", "absent", "counting"):
        groups[f"{name}, all"] = [ok for kind, found in rows.items() if kind.startswith(name) for ok in found]
    groups["counting, one or more"] = rows.get("counting, 1 to 5", []) + rows.get("counting, over 5", [])
    for kind in sorted(groups):
        found = groups[kind]
        if found:
            print(f"{kind:28} {100 * sum(found) / len(found):5.1f} %  of {len(found)}")
    middle = sorted(answers)[len(answers) // 2]
    print(
        f"answer: median {1000 * middle:.1f} ms; looking at a picture: "
        f"{sum(looking) / max(1, len(looking)):.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    default = os.environ.get("FOVEAL_MODELS") or Path.home() / ".cache/foveal/models"
    parser.add_argument("--models", type=Path, default=default)
    parser.add_argument("--llm", default="qwen2.5-coder-1.5b-instruct-q4_k_m")
    parser.add_argument("--detail", default="high", choices=("low", "high", "auto"))
    parser.add_argument(
        "--describe", nargs="?", const="Describe this picture.", help="also describe, with this request"
    )
    parser.add_argument("--cache", type=Path, help="keep the facts in this file")
    parser.add_argument("--wrong", nargs="?", const=".", help="print wrong answers (of kinds that match)")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
