"""How long a text verdict takes on one core, and how right the text judge is on sentences it never saw.

    python bench/content_filter.py

Times are of one thread, after a first call that loads the weights. The sentences are those of tests/fixtures:
none of them taught the head. "late" were written after the others, "blind" by somebody else (see its README).
"""

from __future__ import annotations

import csv
import statistics
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from foveal.cl100k import Cl100k
from foveal.perception.embedding import SentenceEmbedder
from foveal.safety.base import CATEGORIES, Severity, Signs
from foveal.safety.head import buckets
from foveal.safety.text import HeadJudge
from foveal.safety.wording import pages, tidy

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures"
TIMES = 40
TOKENS = 200
TOGETHER = 6  # sentences of one long text
LONG = {"en": 300, "ko": 180}  # letters from which a line of the blind set is a paragraph
LEVELS = list(Severity)


def main() -> None:
    threadpool_limits(1, user_api="blas")  # as the server does
    embedder = SentenceEmbedder()
    judge = HeadJudge(embedder)
    benign = {name: read_benign(name) for name in ("en", "ko", "late")}
    speed(judge, embedder, benign)
    for name in ("en", "ko"):
        benign[f"{name}, {TOGETHER} in one text"] = together(benign[name])
        blind = (FIXTURES / "blind" / f"harmless_{name}.txt").read_text("utf-8").splitlines()
        benign[f"blind {name}, sentences"] = [line for line in blind if len(line) < LONG[name]]
        benign[f"blind {name}, long"] = [line for line in blind if len(line) >= LONG[name]]
    false_alarms(judge, benign)
    confusion(judge)


def read_benign(name: str) -> list[str]:
    lines = (FIXTURES / "benign" / f"{name}.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def together(texts: list[str]) -> list[str]:
    """Longer texts, of sentences that stand far apart in the file and so are of several subjects."""
    count = len(texts) // TOGETHER
    ended = [text if text.endswith((".", "?", "!")) else f"{text}." for text in texts]
    return [" ".join(ended[at : count * TOGETHER : count]) for at in range(count)]


def speed(judge: HeadJudge, embedder: SentenceEmbedder, benign: dict[str, list[str]]) -> None:
    tokens = Cl100k()
    english, korean = " ".join(benign["en"]), " ".join(benign["ko"])
    prompts = {
        "en, 20 tokens": cut(english, 20, tokens.count),
        f"en, {TOKENS} tokens": cut(english, TOKENS, tokens.count),
        f"ko, {TOKENS} tokens": cut(korean, TOKENS, tokens.count),
        "en, 2000 tokens": cut(english, 2_000, tokens.count),
    }
    ways: dict[str, Callable[[], object]] = {
        name: partial(judge.judge, [text]) for name, text in prompts.items()
    }
    middle = tidy(prompts[f"en, {TOKENS} tokens"])
    windows = [window for page in pages(middle) for window in page]
    ways[f"  of en, {TOKENS}: vectors"] = lambda: embedder.embed(windows)
    ways[f"  of en, {TOKENS}: letters"] = lambda: buckets([*windows, middle], 16_384)
    sentences = benign["en"]
    eight = [cut(" ".join(sentences[at::8]), TOKENS, tokens.count) for at in range(8)]
    ways[f"8 different ones, en, {TOKENS} tokens, at once"] = lambda: judge.judge(eight)
    took: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(TIMES):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            took[name].append((time.perf_counter() - start) * 1_000)
    print("| text | p50 ms | p95 ms |\n|---|---|---|")
    for name, times in took.items():
        print(f"| {name} | {statistics.median(times):.1f} | {sorted(times)[int(0.95 * len(times))]:.1f} |")


def cut(text: str, most: int, count: Callable[[str], int]) -> str:
    words = text.split(" ")
    low, high = 1, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(" ".join(words[:middle])) <= most else (low, middle - 1)
    return " ".join(words[:low])


def false_alarms(judge: HeadJudge, benign: dict[str, list[str]]) -> None:
    print("\n| harmless sentences | low | medium | high | medium or above | jailbreak | profanity |")
    print("|---|---|---|---|---|---|---|")
    for name, texts in benign.items():
        signs = judge.judge(texts)
        counts = Counter(gravest(one) for one in signs)
        above = counts[Severity.MEDIUM] + counts[Severity.HIGH]
        print(
            f"| {name} ({len(texts)}) | {counts[Severity.LOW]} | {counts[Severity.MEDIUM]}"
            f" | {counts[Severity.HIGH]} | {above / len(texts):.2%} | {sum(one.jailbreak for one in signs)}"
            f" | {sum(one.profanity for one in signs)} |"
        )


def gravest(signs: Signs) -> Severity:
    return max(signs.severities.of(category) for category in CATEGORIES)


def confusion(judge: HeadJudge) -> None:
    for name in ("graded/sentences", "graded/late", "blind/graded"):
        rows = read_rows(name)
        print_confusion(name, rows, judge.judge([row["sentence"] for row in rows]))
    for name in ("blind/attacks", "blind/attacks_not"):
        rows = read_rows(name)
        signs = judge.judge([row["sentence"] for row in rows])
        taken = Counter(row["language"] for row, one in zip(rows, signs, strict=True) if one.jailbreak)
        every = Counter(row["language"] for row in rows)
        print(
            f"{name}, taken for attacks:",
            ", ".join(f"{taken[each]} of {every[each]} {each}" for each in every),
        )


def read_rows(name: str) -> list[dict[str, str]]:
    with (FIXTURES / f"{name}.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def print_confusion(name: str, rows: list[dict[str, str]], signs: list[Signs]) -> None:
    told = [(row["language"], row["labels"].split(",")[0]) for row in rows]
    print(f"\n| {name}: category | language | graded | safe | low | medium | high |")
    print("|---|---|---|---|---|---|---|")
    for category in CATEGORIES:
        for language in ("en", "ko"):
            for level in LEVELS[1:]:
                wanted = (language, f"{category}={level.word}")
                found = Counter(
                    one.severities.of(category)
                    for one, each in zip(signs, told, strict=True)
                    if each == wanted
                )
                seen = " | ".join(str(found[each]) for each in LEVELS)
                print(f"| {category} | {language} | {level.word} ({found.total()}) | {seen} |")
    for language in ("en", "ko"):
        wanted = (language, "jailbreak=yes")
        marked = [one.jailbreak for one, each in zip(signs, told, strict=True) if each == wanted]
        if marked:
            print(f"attacks, {language}: {sum(marked)} of {len(marked)} found")


if __name__ == "__main__":
    main()
