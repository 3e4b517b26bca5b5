"""How thresholds are set when the text judge is trained, and what teaches it."""

from __future__ import annotations

import numpy as np
from training.content_filter.augment import augmented
from training.content_filter.example import ALL_SAFE, FOLDS, QUESTIONS, Example, answers
from training.content_filter.sentences import own_sentences, read_groups, read_labels
from training.content_filter.tune import MOST_FALSE, thresholds

from foveal.safety.base import CATEGORIES, Severity


def scored(
    chance: np.random.Generator,
) -> tuple[list[Example], np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """Harmless texts and texts of each grade, whose scores lie higher where the answer is yes."""
    examples = [
        Example(f"safe {at}", dict(ALL_SAFE), False, "en", "own", f"safe {at}") for at in range(4_000)
    ]
    for category in CATEGORIES:
        for level in list(Severity)[1:]:
            known = {**ALL_SAFE, category: (level, level)}
            named = [f"{category} {level.word} {at}" for at in range(100)]
            examples += [Example(text, known, False, "en", "own", text) for text in named]
    examples += [Example(f"attack {at}", dict(ALL_SAFE), True, "en", "own", f"a {at}") for at in range(100)]
    told = np.array([answers(one) for one in examples], dtype=np.float32)
    noise = chance.standard_normal(told.shape, np.float32)
    return examples, (noise + 3.0 * told).astype(np.float32)


def test_thresholds_keep_harmless_texts_and_find_as_much_in_each_category() -> None:
    examples, scores = scored(np.random.default_rng(3))
    found = np.array(thresholds(examples, scores), dtype=np.float32)
    yes = scores >= found
    told = np.array([answers(one) for one in examples])
    for level, most in MOST_FALSE.items():
        columns = [at for at, question in enumerate(QUESTIONS) if question.rpartition(">=")[2] == level]
        stopped = yes[:4_000, columns].any(axis=1).mean()
        assert stopped <= most
        shares = [yes[told[:, at] == 1, at].mean() for at in columns]
        assert min(shares) > 0.1
        assert max(shares) - min(shares) < 0.3


def test_what_comes_of_one_sentence_stays_in_one_fold() -> None:
    some = own_sentences(read_groups())[::40]
    more = augmented(some)
    assert len(more) > 1.9 * len(some)
    folds: dict[str, set[int | None]] = {}
    for one in more:
        folds.setdefault(one.family, set()).add(one.fold())
    assert all(len(found) == 1 for found in folds.values())
    assert {fold for found in folds.values() for fold in found} == {*range(FOLDS), None}


def test_labels_say_what_is_known() -> None:
    known, attack = read_labels("hate=high,violence=medium")
    assert known["hate"] == (Severity.HIGH, Severity.HIGH)
    assert known["violence"] == (Severity.MEDIUM, Severity.MEDIUM)
    assert known["sexual"] == (Severity.SAFE, Severity.LOW)
    assert not attack
    assert read_labels("safe") == (dict(ALL_SAFE), False)
    assert read_labels("jailbreak=yes") == (dict(ALL_SAFE), True)
