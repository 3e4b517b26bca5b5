"""How right a head is on texts that it never saw: Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foveal.safety.base import CATEGORIES, Category, Severity
from foveal.safety.head import Floats
from training.content_filter.example import QUESTIONS, Example, answers


def report(examples: Sequence[Example], scores: Floats) -> str:
    """A table of each question per source and language, and the confusion of our own graded sentences."""
    told = np.array([answers(one) for one in examples], dtype=np.float32)
    lines = [
        "| question | source | language | yes | no | found | precision | false alarms | AUC |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    kinds = sorted({(one.source, one.language) for one in examples})
    for column, question in enumerate(QUESTIONS):
        for source, language in kinds:
            among = np.array([(one.source, one.language) == (source, language) for one in examples])
            among &= ~np.isnan(told[:, column])
            yes, no = among & (told[:, column] == 1), among & (told[:, column] == 0)
            if not yes.any() or not no.any():
                continue
            found, false = (scores[yes, column] >= 0).sum(), (scores[no, column] >= 0).sum()
            lines.append(
                f"| {question} | {source} | {language} | {yes.sum()} | {no.sum()} | {found / yes.sum():.0%}"
                f" | {found / max(found + false, 1):.0%} | {false / no.sum():.1%}"
                f" | {_auc(scores[yes, column], scores[no, column]):.3f} |"
            )
    return "\n".join([*lines, "", *_confusion(examples, scores)])


def severities(scores: Floats) -> dict[Category, list[Severity]]:
    found = {}
    for at, category in enumerate(CATEGORIES):
        passed = np.max((scores[:, 3 * at : 3 * at + 3] >= 0) * np.array([1, 2, 3]), axis=1)
        found[category] = [Severity(int(level)) for level in passed]
    return found


def _confusion(examples: Sequence[Example], scores: Floats) -> list[str]:
    lines = ["| category | language | graded | safe | low | medium | high |", "|---|---|---|---|---|---|---|"]
    found = severities(scores)
    for category in CATEGORIES:
        for language in ("en", "ko"):
            for level in Severity:
                seen = [
                    found[category][at]
                    for at, one in enumerate(examples)
                    if one.source == "own"
                    and one.language == language
                    and one.known[category] == (level, level)
                ]
                counts = " | ".join(str(seen.count(other)) for other in Severity)
                lines.append(f"| {category} | {language} | {level.word} ({len(seen)}) | {counts} |")
    return lines


def _auc(yes: Floats, no: Floats) -> float:
    order = np.sort(no)
    below = np.searchsorted(order, yes, "left") + np.searchsorted(order, yes, "right")
    return float(below.mean() / 2 / len(no))
