"""Thresholds, on texts that the scoring heads did not see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foveal.safety.head import Floats, Head
from training.content_filter.example import QUESTIONS, Example, answers

Mask = NDArray[np.bool_]

# Of harmless sentences, many of which are chosen to be hard, so that of everyday ones it is far fewer.
MOST_FALSE = {"low": 0.03, "medium": 0.002, "high": 0.0008, "jailbreak": 0.004}
MOST_FALSE_PLAIN = 0.001  # of code, logs and documentation
WEIGHTS = {"own": 1.0, "plain": 0.2, "openai": 1.0, "korean": 0.5, "davidson": 0.25}
LANGUAGES = ("en", "ko")  # the rows of `Head.thresholds`


def tuned(head: Head, examples: Sequence[Example], scores: Floats) -> Head:
    """The head with a threshold for each question and language: where the shares of right yeses and noes are
    largest together, but no lower than few harmless texts allow.
    """
    found = [
        _thresholds(
            [one for one in examples if one.language == language],
            scores[[at for at, one in enumerate(examples) if one.language == language]],
        )
        for language in LANGUAGES
    ]
    return replace(head, thresholds=head.thresholds + np.array(found, dtype=np.float32))


def _thresholds(examples: Sequence[Example], scores: Floats) -> list[float]:
    told = np.array([answers(one) for one in examples], dtype=np.float32)
    weights = np.array([WEIGHTS[one.source] * one.weight for one in examples], dtype=np.float32)
    safe = np.nan_to_num(told, nan=1).max(axis=1) == 0
    own = safe & np.array([one.source == "own" for one in examples])
    size = Counter(one.family for one in examples)
    shares = np.array([1 / size[one.family] for one in examples], dtype=np.float32)[own]
    plain = safe & np.array([one.source == "plain" for one in examples])
    found = []
    for at, question in enumerate(QUESTIONS):
        most = MOST_FALSE[question.rpartition(">=")[2]]
        floor = _exceeded_by(scores[own, at], shares, most)
        if plain.any():
            floor = max(floor, float(np.quantile(scores[plain, at], 1 - MOST_FALSE_PLAIN)))
        known = ~np.isnan(told[:, at])
        found.append(max(floor, _balanced(scores[known, at], told[known, at] == 1, weights[known])))
    return found


def _exceeded_by(scores: Floats, weights: Floats, share: float) -> float:
    """The score that this share of the weight exceeds at most."""
    order = np.argsort(-scores)
    return float(scores[order][np.searchsorted(np.cumsum(weights[order]) / weights.sum(), share)])


def _balanced(scores: Floats, yes: Mask, weights: Floats) -> float:
    order = np.argsort(-scores)
    right = np.cumsum((weights * yes)[order]) / (weights * yes).sum()
    wrong = np.cumsum((weights * ~yes)[order]) / (weights * ~yes).sum()
    return float(scores[order][np.argmax(right - wrong)])
