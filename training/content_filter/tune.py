"""Thresholds, on texts that the scoring heads did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foveal.safety.head import Floats, Head
from training.content_filter.example import QUESTIONS, Example, answers

Mask = NDArray[np.bool_]

# Of harmless sentences, half of which are chosen to be hard, so that of everyday ones it is far fewer.
MOST_FALSE = {"low": 0.03, "medium": 0.008, "high": 0.004, "jailbreak": 0.008}
WEIGHTS = {"own": 1.0, "openai": 1.0, "korean": 0.5, "davidson": 0.25}


def tuned(head: Head, examples: Sequence[Example], scores: Floats) -> Head:
    """The head with a threshold for each question: where the shares of right yeses and right noes are largest
    together, but no lower than few harmless texts allow.
    """
    told = np.array([answers(one) for one in examples], dtype=np.float32)
    weights = np.array([WEIGHTS[one.source] * one.weight for one in examples], dtype=np.float32)
    harmless = np.array([one.source == "own" for one in examples]) & (
        np.nan_to_num(told, nan=1).max(axis=1) == 0
    )
    found = []
    for at, question in enumerate(QUESTIONS):
        floor = float(np.quantile(scores[harmless, at], 1 - MOST_FALSE[question.rpartition(">=")[2]]))
        known = ~np.isnan(told[:, at])
        found.append(max(floor, _balanced(scores[known, at], told[known, at] == 1, weights[known])))
    return replace(head, thresholds=head.thresholds + np.array(found, dtype=np.float32))


def _balanced(scores: Floats, yes: Mask, weights: Floats) -> float:
    order = np.argsort(-scores)
    right = np.cumsum((weights * yes)[order]) / (weights * yes).sum()
    wrong = np.cumsum((weights * ~yes)[order]) / (weights * ~yes).sum()
    return float(scores[order][np.argmax(right - wrong)])
