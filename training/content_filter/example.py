"""A labelled text: what is known of each question, and where it comes from."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from foveal.safety.base import CATEGORIES, Category, Severity
from foveal.safety.head import JAILBREAK

QUESTIONS = (
    *(f"{category}>={level.word}" for category in CATEGORIES for level in list(Severity)[1:]),
    JAILBREAK,
)
FOLDS = 5
Range = tuple[Severity, Severity]  # the severity is known to lie between these, both included
ALL_SAFE: Mapping[Category, Range] = dict.fromkeys(CATEGORIES, (Severity.SAFE, Severity.SAFE))


@dataclass(frozen=True, slots=True)
class Example:
    """`known` has no entry for a category that nobody labelled."""

    text: str
    known: Mapping[Category, Range]
    jailbreak: bool | None
    language: str
    source: str
    family: str  # what comes of one sentence or one text; a family is never split between the parts
    weight: float = 1.0
    taught: bool = True  # False: it is only measured; there are more of its kind than are needed

    def fold(self) -> int | None:
        """0..4, the fold in which this teaches nothing but is scored; None for what only the test sees. By
        the family, the same in every run.
        """
        place = zlib.crc32(f"{self.source}:{self.family}".encode()) % 100
        return None if place >= 90 else place // 18

    def told(self, text: str, weight: float | None = None) -> Example:
        return replace(self, text=text, weight=self.weight if weight is None else weight)


def answers(example: Example) -> list[float]:
    """For each of `QUESTIONS`: 1 yes, 0 no, NaN unknown."""
    found = []
    for category in CATEGORIES:
        low, high = example.known.get(category, (Severity.SAFE, Severity.HIGH))
        for level in list(Severity)[1:]:
            found.append(1.0 if low >= level else 0.0 if high < level else float("nan"))
    unknown = example.jailbreak is None
    return [*found, float("nan") if unknown else float(bool(example.jailbreak))]
