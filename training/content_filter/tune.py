"""Thresholds, on texts that training did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foveal.safety.head import Floats, Head
from training.content_filter.example import QUESTIONS, Example, answers

MOST_FALSE = {"low": 0.03, "medium": 0.005, "high": 0.003, "jailbreak": 0.005}  # of harmless texts


def tuned(head: Head, examples: Sequence[Example], scores: Floats) -> Head:
    """The head with the threshold, for each question, of the best F1 that alarms on few harmless texts."""
    told = np.array([answers(one) for one in examples], dtype=np.float32)
    weights = np.array([one.weight for one in examples], dtype=np.float32)
    harmless = np.array(
        [one.source == "own" and not np.nanmax(row) for one, row in zip(examples, told, strict=True)]
    )
    thresholds = [
        _threshold(scores[:, at], told[:, at], weights, harmless, MOST_FALSE[name.rpartition(">=")[2]])
        for at, name in enumerate(QUESTIONS)
    ]
    return replace(head, thresholds=head.thresholds + np.array(thresholds, dtype=np.float32))


def _threshold(scores: Floats, told: Floats, weights: Floats, harmless: np.ndarray, most: float) -> float:
    known = ~np.isnan(told)
    floor = float(np.quantile(scores[harmless], 1 - most))
    best, found = -1.0, floor
    for at in np.quantile(scores[known], np.linspace(0.3, 0.999, 300)):
        if at < floor:
            continue
        yes = scores[known] >= at
        right = float((weights[known] * (yes & (told[known] == 1))).sum())
        wrong = float((weights[known] * (yes != (told[known] == 1))).sum())
        value = 2 * right / max(2 * right + wrong, 1e-9)
        if value > best:
            best, found = value, float(at)
    return found
