"""Trains, tunes and measures the text judge's head; see the package."""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from foveal.perception.base import Embedder
from foveal.perception.embedding import SentenceEmbedder
from foveal.safety.head import Buckets as Places
from foveal.safety.head import Floats, Head, load_head, rows_of
from foveal.safety.text import HeadJudge
from foveal.safety.wording import pages, tidy
from training.content_filter.apart import apart
from training.content_filter.augment import augmented
from training.content_filter.example import FOLDS, QUESTIONS, Example, answers
from training.content_filter.fit import Lessons, Recipe, fit, hashed, mean_of
from training.content_filter.plain import plain_examples
from training.content_filter.public import public_examples
from training.content_filter.report import report
from training.content_filter.sentences import own_sentences, read_groups
from training.content_filter.tune import tuned

HEAD = Path(__file__).parents[2] / "src" / "foveal" / "safety" / "data" / "head.npz"


class KeptVectors:
    """`Embedder` that remembers, and can keep what it knows in a file (vectors and hashes, no text)."""

    def __init__(self, inner: Embedder, path: Path | None) -> None:
        self._inner, self._path = inner, path
        self._known: dict[str, Floats] = {}
        if path is not None and path.is_file():
            with np.load(path, allow_pickle=False) as kept:
                self._known = dict(zip(kept["hashes"].tolist(), kept["vectors"], strict=True))

    @property
    def dimensions(self) -> int:
        return self._inner.dimensions

    def embed(self, texts: Sequence[str]) -> Floats:
        names = [hashlib.sha1(text.encode("utf-8", "replace")).hexdigest() for text in texts]
        missing = {name: text for name, text in zip(names, texts, strict=True) if name not in self._known}
        ordered = sorted(missing.items(), key=lambda item: len(item[1]))
        vectors = self._inner.embed([text for _, text in ordered])
        self._known.update(zip((name for name, _ in ordered), vectors, strict=True))
        return np.stack([self._known[name] for name in names]) if names else vectors

    def keep(self) -> None:
        if self._path is not None:
            np.savez(self._path, hashes=list(self._known), vectors=np.stack(list(self._known.values())))


def lessons(examples: Sequence[Example], embedder: Embedder, recipe: Recipe) -> tuple[Lessons, Places]:
    """A row for each window and each page, and the place of its example. What a text is not, none of its
    windows is; what it is, its pages are, and of its windows nobody knows.
    """
    kept = [pages(tidy(one.text)) for one in examples]
    rows = rows_of([page for found in kept for page in found], embedder)
    owners = [at for at, found in enumerate(kept) for _ in found]
    owner = np.array([owners[page] for page in rows.owners])
    told = np.array([answers(one) for one in examples], dtype=np.float32)[owner]
    counts = np.bincount(owner, minlength=len(kept))
    small = ~np.array(rows.whole)
    weights = np.array([one.weight for one in examples], np.float32)[owner]
    weights = np.where(small, weights / np.sqrt(counts[owner]), weights).astype(np.float32)
    told[small[:, None] & (told == 1)] = np.nan
    return Lessons(rows.vectors, *hashed(rows.texts, recipe), told, weights), owner


def save(head: Head, path: Path) -> None:
    """Small: half precision, and the table in steps of 1/127 of each column's largest."""
    scale = np.abs(head.table).max(axis=0) / 127
    steps = np.rint(head.table / np.where(scale > 0, scale, 1)).astype(np.int8)
    names = ("thresholds", "hidden", "hidden_bias", "out", "straight", "bias")
    halves = {name: getattr(head, name).astype(np.float16) for name in names}
    packed = io.BytesIO()
    np.savez_compressed(packed, questions=np.array(head.questions), table=steps, table_scale=scale, **halves)
    path.write_bytes(packed.getvalue())


def trained(examples: Sequence[Example], embedder: KeptVectors, recipe: Recipe) -> Head:
    """The mean of a few heads for each fold, which did not see it; the thresholds are of what these make of
    it.
    """
    known = [one for one in examples if one.fold() is not None]
    taught = [one for one in augmented(known) if one.taught]
    rows, owner = lessons(taught, embedder, recipe)
    folds = np.array([one.fold() for one in taught])[owner]
    scores = np.zeros((len(known), len(QUESTIONS)), dtype=np.float32)
    heads: list[Head] = []
    for fold in range(FOLDS):
        seen = rows.chosen(np.flatnonzero(folds != fold))
        seeds = [recipe.seed + fold * recipe.heads + at for at in range(recipe.heads)]
        fitted = [fit(seen, replace(recipe, seed=seed)) for seed in seeds]
        left = [at for at, one in enumerate(known) if one.fold() == fold]
        scores[left] = HeadJudge(embedder, mean_of(fitted)).scores([known[at].text for at in left])
        heads += fitted
    return tuned(mean_of(heads), known, scores)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.content_filter", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public labelled sets")
    parser.add_argument("--vectors", type=Path, help="file that keeps vectors for the next run")
    parser.add_argument(
        "--out", type=Path, default=HEAD, help="the trained head (default: that of the package)"
    )
    parser.add_argument("--check", action="store_true", help="measure the head in --out, train nothing")
    chosen = parser.parse_args()
    embedder = KeptVectors(SentenceEmbedder(), chosen.vectors)
    examples = apart(own_sentences(read_groups()) + plain_examples() + public_examples(chosen.data))
    if not chosen.check:
        with threadpool_limits(1):  # sums in another order would be another head
            save(trained(examples, embedder, Recipe()), chosen.out)
    judge = HeadJudge(embedder, load_head(chosen.out.read_bytes()))
    test = [one for one in examples if one.fold() is None]
    sys.stdout.write(report(test, judge.scores([one.text for one in test])) + "\n")
    embedder.keep()


if __name__ == "__main__":
    main()
