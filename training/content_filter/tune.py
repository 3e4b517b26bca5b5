"""Thresholds, on texts that the scoring heads did not see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foveal.safety.head import JAILBREAK, Floats, Head
from training.content_filter.example import QUESTIONS, Example, answers

Mask = NDArray[np.bool_]

# Of our harmless sentences, many of which are chosen to be hard: the share that may be judged so gravely in
# any of the categories.
MOST_FALSE = {"low": 0.08, "medium": 0.005, "high": 0.001, JAILBREAK: 0.004}
MOST_FALSE_PLAIN = 0.001  # of code, logs and documentation, for each question
WEIGHTS = {"own": 1.0, "plain": 0.2, "openai": 1.0, "korean": 0.5, "davidson": 0.25}
FOUND = [at / 100 for at in range(1, 100)]  # shares of what is grave
LANGUAGES = ("en", "ko")  # the rows of `Head.thresholds`


def tuned(head: Head, examples: Sequence[Example], scores: Floats) -> Head:
    """The head with a threshold for each question and language: where the shares of right yeses and noes are
    largest together, but no lower than few harmless texts allow.
    """
    found = [
        thresholds(
            [one for one in examples if one.language == language],
            scores[[at for at, one in enumerate(examples) if one.language == language]],
        )
        for language in LANGUAGES
    ]
    return replace(head, thresholds=head.thresholds + np.array(found, dtype=np.float32))


def thresholds(examples: Sequence[Example], scores: Floats) -> list[float]:
    """One for each of `QUESTIONS`, from the scores of texts of one language.

    Of our own sentences the same share is found in each category, as large as `MOST_FALSE` allows; then more,
    in one category after the other, while there is room. A threshold is no lower than where the shares of
    right yeses and noes, in all sets, are largest together.
    """
    told = np.array([answers(one) for one in examples], dtype=np.float32)
    weights = np.array([WEIGHTS[one.source] * one.weight for one in examples], dtype=np.float32)
    safe = np.nan_to_num(told, nan=1).max(axis=1) == 0
    own = np.array([one.source == "own" for one in examples])
    plain = safe & np.array([one.source == "plain" for one in examples])
    size = Counter(one.family for one in examples)
    shares = np.array([1 / size[one.family] for one in examples], dtype=np.float32) * own
    found = [0.0] * len(QUESTIONS)
    for level, most in MOST_FALSE.items():
        columns = [at for at, question in enumerate(QUESTIONS) if question.rpartition(">=")[2] == level]
        ways = []
        for at in columns:
            known = ~np.isnan(told[:, at])
            least = _balanced(scores[known, at], told[known, at] == 1, weights[known])
            least = max(least, _upper(scores[:, at], plain.astype(np.float32), MOST_FALSE_PLAIN))
            yes = shares * (told[:, at] == 1)
            ways.append([max(least, _upper(scores[:, at], yes, share)) for share in FOUND])
        chosen = _within(ways, scores[:, columns], shares * safe / (shares * safe).sum(), most)
        for at, threshold in zip(columns, chosen, strict=True):
            found[at] = threshold
    return found


def _within(ways: Sequence[Sequence[float]], scores: Floats, shares: Floats, most: float) -> list[float]:
    """For each column one of its thresholds, which find more and more; `shares` are of the harmless texts."""

    def fits(places: list[int]) -> bool:
        chosen = np.array([way[place] for way, place in zip(ways, places, strict=True)], dtype=np.float32)
        return float(shares[(scores >= chosen).any(axis=1)].sum()) <= most

    places = [0] * len(ways)
    moved = True
    while moved and fits([place + 1 for place in places]):
        places = [place + 1 for place in places]
        moved = places[0] + 1 < len(FOUND)
    for _ in FOUND:
        for at, place in enumerate(places):
            tried = [*places[:at], min(place + 1, len(FOUND) - 1), *places[at + 1 :]]
            places = tried if fits(tried) else places
    return [way[place] for way, place in zip(ways, places, strict=True)]


def _upper(scores: Floats, weights: Floats, share: float) -> float:
    """The score that this share of the weight reaches; without weights, none."""
    order = np.argsort(-scores, kind="stable")
    total = np.cumsum(weights[order])
    if total[-1] == 0:
        return -np.inf
    return float(scores[order][min(np.searchsorted(total, share * total[-1]), len(order) - 1)])


def _balanced(scores: Floats, yes: Mask, weights: Floats) -> float:
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum((weights * yes)[order]) / (weights * yes).sum()
    wrong = np.cumsum((weights * ~yes)[order]) / (weights * ~yes).sum()
    return float(scores[order][np.argmax(right - wrong)])
