"""The text judge: what is hateful, sexual, violent or about self-harm in a text, and how gravely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from foveal.perception.base import Embedder
from foveal.safety.base import CATEGORIES, Category, Severities, Severity, Signs
from foveal.safety.head import JAILBREAK, Floats, Head, load_head, rows_of
from foveal.safety.profanity import Profanity, load_profanity
from foveal.safety.wording import pages, tidy, undisguised

_AT_ONCE = 256  # windows whose vectors are held at one time, however long the texts are


class HeadJudge:
    """`TextJudge`: a trained head on sentence vectors and letter groups. English and Korean.

    A text is read in windows of a few sentences, and again undisguised where letters are spaced, swapped or
    look alike; its gravest window counts. The time grows with the length of the text, and nothing is kept
    between calls.
    """

    def __init__(
        self, embedder: Embedder, head: Head | None = None, profanity: Profanity | None = None
    ) -> None:
        self._embedder = embedder
        self._head = head or load_head()
        self._profanity = profanity or load_profanity()

    def judge(self, texts: Sequence[str]) -> list[Signs]:
        read = [self._read(text) for text in texts]
        coarse = [any(map(self._profanity.within, readings)) for readings in read]
        scores = self._worst(read)
        return [self._signs(row, rude) for row, rude in zip(scores, coarse, strict=True)]

    def scores(self, texts: Sequence[str]) -> Floats:
        """[texts, questions of the head]: log odds in each text's gravest window, less the threshold: from 0
        on it is a yes.
        """
        return self._worst([self._read(text) for text in texts])

    @staticmethod
    def _read(text: str) -> list[str]:
        """The text tidied; and undisguised, if that is another."""
        plain = tidy(text)
        bare = undisguised(plain)
        return [plain] if bare is None else [plain, bare]

    def _worst(self, read: list[list[str]]) -> Floats:
        worst = np.full((len(read), len(self._head.questions)), -np.inf, dtype=np.float32)
        seen = [(at, page) for at, readings in enumerate(read) for page in _pages(readings)]
        for some in _batches(seen):
            rows = rows_of([page for _, page in some], self._embedder)
            owners = [some[at][0] for at in rows.owners]
            np.maximum.at(worst, owners, self._head.margins(rows))
        return worst

    def _signs(self, scores: Floats, profanity: bool) -> Signs:
        yes = {name for name, score in zip(self._head.questions, scores, strict=True) if score >= 0}
        found = {category: _severity(category, yes) for category in CATEGORIES}
        return Signs(Severities(**found), profanity, JAILBREAK in yes)


def _pages(readings: list[str]) -> list[tuple[str, ...]]:
    """The pages of all readings; a second reading has only those that differ."""
    return list(dict.fromkeys(page for reading in readings for page in pages(reading)))


def _batches(seen: list[tuple[int, tuple[str, ...]]]) -> Iterator[list[tuple[int, tuple[str, ...]]]]:
    batch: list[tuple[int, tuple[str, ...]]] = []
    for at, page in seen:
        batch.append((at, page))
        if sum(len(windows) for _, windows in batch) >= _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _severity(category: Category, yes: set[str]) -> Severity:
    """The gravest level that is reached; each has a threshold of its own."""
    return max((level for level in Severity if f"{category}>={level.word}" in yes), default=Severity.SAFE)
