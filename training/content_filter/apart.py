"""Keeps what is measured on apart from what teaches: no sentence of tests/fixtures, nor one much like it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foveal.safety.wording import tidy
from training.content_filter.example import Example

FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures"
MOST_ALIKE = 0.6  # letter groups that two sentences share, of all that they have
_OTHER = re.compile(r"[\W_]+")
_LATIN = re.compile("[a-z]")


class NotApart(ValueError):
    """A sentence of ours that teaches is also one that is measured on."""


def apart(examples: Sequence[Example]) -> list[Example]:
    """The examples without those that are like a sentence of the fixtures. Raises `NotApart` when one of them
    is ours: that is to be taken out by hand.
    """
    near = likeness([one.text for one in examples], measured())
    ours = [one.text for one, share in zip(examples, near, strict=True) if share >= MOST_ALIKE and _own(one)]
    if ours:
        raise NotApart(f"These sentences are measured on, or nearly so, and must not teach: {ours}")
    return [one for one, share in zip(examples, near, strict=True) if share < MOST_ALIKE]


def measured() -> list[str]:
    """All sentences that tests and benchmarks measure the text judge on."""
    found: list[str] = []
    for path in sorted([*(FIXTURES / "graded").glob("*.tsv"), *(FIXTURES / "blind").glob("*.tsv")]):
        with path.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            found += [row["sentence"] for row in rows]
    for path in sorted([*(FIXTURES / "benign").glob("*.txt"), *(FIXTURES / "blind").glob("*.txt")]):
        found += [line for line in path.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return found


def likeness(texts: Sequence[str], others: Sequence[str]) -> list[float]:
    """For each text the largest share of letter groups that it has in common with one of `others`: 1 when
    they differ in nothing but case, spaces and punctuation.
    """
    places: dict[str, list[int]] = {}
    for at, other in enumerate(others):
        for group in _groups(other):
            places.setdefault(group, []).append(at)
    kept = {group: np.array(found, dtype=np.int64) for group, found in places.items()}
    sizes = np.array([len(_groups(other)) for other in others], dtype=np.int64)
    return list(_shares(texts, kept, sizes))


def _shares(
    texts: Sequence[str], places: dict[str, NDArray[np.int64]], sizes: NDArray[np.int64]
) -> Iterator[float]:
    for text in texts:
        groups = _groups(text)
        hits = [places[group] for group in groups if group in places]
        if not hits:
            yield 0.0
            continue
        shared = np.bincount(np.concatenate(hits), minlength=len(sizes))
        yield float((shared / (len(groups) + sizes - shared)).max())


def _groups(text: str) -> set[str]:
    """Groups of three Latin letters, of two of other scripts, whose letters say more."""
    bare = f" {_OTHER.sub('', tidy(text))} "
    length = 3 if _LATIN.search(bare) else 2
    return {bare[at : at + length] for at in range(len(bare) - length + 1)}


def _own(example: Example) -> bool:
    return example.source == "own"
