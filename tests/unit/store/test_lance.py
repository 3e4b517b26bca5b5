"""Vectors in LanceDB: what is found, what is exchanged, what is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.finding import holding, near

from foveal.store.lance import LanceVectorStore, probes
from foveal.store.lance_resident import MOST
from foveal.store.lance_tending import Tending
from foveal.store.vectors import VectorKind, VectorRow

SIDE = 16


def unit(seed: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).standard_normal(SIDE).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def turned(vector: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """A vector near the first."""
    both = vector + 0.4 * other
    return np.asarray(both / np.linalg.norm(both), dtype=np.float32)


def row(
    document: int, number: int, *, kind: VectorKind = "frame", text: str = "", seed: int = 0
) -> VectorRow:
    vector = unit(seed or 1000 * document + number)
    return VectorRow(document, kind, number, float(number), number + 1.0, number + 0.5, text, vector)


def rows(document: int, count: int, first: int = 0) -> list[VectorRow]:
    return [row(document, number) for number in range(first, first + count)]


def store_in(folder: Path, resident: int = MOST) -> LanceVectorStore:
    tending = Tending(indexed=2_000, background=False)
    return LanceVectorStore(folder, dimensions=SIDE, words=str.split, tending=tending, resident=resident)


@pytest.fixture(params=[0, MOST], ids=["from files", "from memory"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LanceVectorStore]:
    made = store_in(tmp_path / "vectors", request.param)
    yield made
    made.close()


FRAMES: Sequence[VectorKind] = ("frame",)
SPEECH: Sequence[VectorKind] = ("speech",)
BOTH = (*FRAMES, *SPEECH)


def test_the_nearest_rows_come_first_with_their_cosine(store: LanceVectorStore) -> None:
    store.replace(1, 7, rows(7, 20))
    hits = near(store, 1, unit(7003), kinds=BOTH, documents=None, limit=5)
    assert hits[0].number == 3
    assert len(hits) == 5
    assert hits[0].likeness == pytest.approx(1.0, abs=2e-3)
    exact = sorted((float(unit(7000 + n) @ unit(7003)) for n in range(20)), reverse=True)[:5]
    assert [hit.likeness for hit in hits] == pytest.approx(exact, abs=2e-3)
    assert (hits[0].document, hits[0].kind, hits[0].start, hits[0].end, hits[0].best) == (
        7,
        "frame",
        3,
        4,
        3.5,
    )


def test_rows_are_narrowed_by_document_and_kind(store: LanceVectorStore) -> None:
    for document in (1, 2, 3):
        store.replace(1, document, [*rows(document, 5), row(document, 0, kind="speech", text="said")])
    found = near(store, 1, unit(5), kinds=FRAMES, documents={1, 3}, limit=100)
    assert {(hit.document, hit.kind) for hit in found} == {(1, "frame"), (3, "frame")}
    said = near(store, 1, unit(5), kinds=SPEECH, documents=None, limit=100)
    assert [(hit.document, hit.text) for hit in sorted(said, key=lambda hit: hit.document)] == [
        (1, "said"),
        (2, "said"),
        (3, "said"),
    ]
    assert near(store, 1, unit(5), kinds=BOTH, documents=(), limit=100) == []
    assert near(store, 1, unit(5), kinds=(), documents=None, limit=100) == []


def test_replacing_a_document_leaves_none_of_its_old_rows_and_all_of_the_others(
    store: LanceVectorStore,
) -> None:
    store.replace(1, 1, rows(1, 10))
    store.replace(1, 2, rows(2, 3))
    store.replace(1, 1, rows(1, 4, first=8))
    found = near(store, 1, unit(1), kinds=BOTH, documents=None, limit=100)
    assert sorted((hit.document, hit.number) for hit in found) == [
        (1, 8), (1, 9), (1, 10), (1, 11), (2, 0), (2, 1), (2, 2),
    ]  # fmt: skip
    store.replace(1, 1, rows(1, 4, first=8))
    assert len(near(store, 1, unit(1), kinds=BOTH, documents={1}, limit=100)) == 4
    store.replace(1, 1, [])
    assert store.documents(1) == {2}


def test_a_frame_may_have_several_texts(store: LanceVectorStore) -> None:
    two = [row(1, 0, text="a dog", seed=1), row(1, 0, text="EXIT", seed=2)]
    store.replace(1, 1, two)
    store.replace(1, 1, two)
    found = near(store, 1, unit(2), kinds=BOTH, documents=None, limit=10)
    assert [(hit.number, hit.text) for hit in found] == [(0, "EXIT"), (0, "a dog")]


def test_rows_of_another_document_are_refused(store: LanceVectorStore) -> None:
    with pytest.raises(ValueError, match="another document"):
        store.replace(1, 1, rows(2, 1))


def test_collections_are_apart_and_can_be_dropped(store: LanceVectorStore) -> None:
    store.replace(1, 1, rows(1, 2))
    store.replace(12, 5, rows(5, 2))
    assert store.collections() == {1, 12}
    assert store.documents(12) == {5}
    store.drop(1)
    store.drop(1)
    store.drop(99)
    assert store.collections() == {12}
    assert store.documents(1) == set()
    assert near(store, 1, unit(1), kinds=BOTH, documents=None, limit=5) == []
    store.remove(1, [1])
    store.replace(99, 1, [])
    assert store.collections() == {12}


def test_more_collections_than_a_page_of_names(store: LanceVectorStore) -> None:
    for collection in range(1, 24):
        store.replace(collection, 1, rows(1, 1))
    assert store.collections() == set(range(1, 24))


def test_removed_documents_are_not_found(store: LanceVectorStore) -> None:
    for document in (1, 2, 3):
        store.replace(1, document, rows(document, 2))
    store.remove(1, [1, 3, 77])
    assert store.documents(1) == {2}
    store.remove(1, [])
    assert store.documents(1) == {2}


def test_what_another_store_wrote_dropped_or_replaced_is_seen_at_once(tmp_path: Path) -> None:
    one, other = store_in(tmp_path), store_in(tmp_path)
    one.replace(1, 1, rows(1, 2))
    assert len(near(other, 1, unit(1), kinds=BOTH, documents=None, limit=9)) == 2
    one.replace(1, 1, rows(1, 5))
    assert len(near(other, 1, unit(1), kinds=BOTH, documents=None, limit=9)) == 5
    one.drop(1)
    assert near(other, 1, unit(1), kinds=BOTH, documents=None, limit=9) == []
    assert other.documents(1) == set()
    other.remove(1, [1])
    one.replace(1, 2, rows(2, 3))
    other.replace(1, 3, rows(3, 1))
    one.drop(1)
    other.replace(1, 4, rows(4, 1))
    assert one.documents(1) == {4}


def test_a_document_written_twice_at_once_is_there_once(tmp_path: Path) -> None:
    """Both writers see no rows, as when a worker that was given up writes beside the one that took over."""
    first, second = store_in(tmp_path), store_in(tmp_path)
    first.replace(1, 9, rows(9, 1))
    table = second._table(1)
    assert table is not None
    table.add(second._table_of(rows(5, 3)))  # what the other one wrote between our look and our write
    first_table = first._table(1)
    assert first_table is not None
    first_table.add(first._table_of(rows(5, 3)))
    first.replace(1, 5, rows(5, 3))
    found = near(first, 1, unit(1), kinds=BOTH, documents={5}, limit=100)
    assert sorted(hit.number for hit in found) == [0, 1, 2]


def test_words_find_rows_that_likeness_would_not(store: LanceVectorStore) -> None:
    words = {3: "exit 24", 5: "24 kiosk", 8: "kiosk"}
    store.replace(1, 1, [row(1, number, text=words.get(number, "street")) for number in range(40)])
    store.tend(1)
    found = holding(store, 1, ["kiosk", "24"], unit(1), kinds=BOTH, documents=None, limit=9)
    assert found[0].number == 5
    assert {hit.number for hit in found} == {3, 5, 8}
    assert found[0].likeness == pytest.approx(float(unit(1005) @ unit(1)), abs=2e-3)
    assert holding(store, 1, ["kiosk"], unit(1), kinds=SPEECH, documents=None, limit=9) == []
    assert holding(store, 1, ["kiosk"], unit(1), kinds=BOTH, documents={2}, limit=9) == []
    assert holding(store, 1, ["nothing"], unit(1), kinds=BOTH, documents=None, limit=9) == []
    assert holding(store, 1, [], unit(1), kinds=BOTH, documents=None, limit=9) == []
    store.replace(1, 2, [row(2, 0, text="kiosk again")])  # not in the index yet
    assert {
        hit.document for hit in holding(store, 1, ["kiosk"], unit(1), kinds=BOTH, documents=None, limit=9)
    } == {1, 2}


def test_with_an_index_the_same_rows_are_found(store: LanceVectorStore) -> None:
    for document in range(1, 31):
        store.replace(1, document, rows(document, 100))
    queries = [unit(seed) for seed in range(90_000, 90_030)]

    def ask(exact: bool) -> list[set[tuple[int, int]]]:
        return [
            {
                (hit.document, hit.number)
                for hit in near(store, 1, query, kinds=BOTH, documents=None, limit=10, exact=exact)
            }
            for query in queries
        ]

    before = ask(exact=False)
    store.tend(1)
    table = store._table(1)
    assert table is not None
    assert any(one.index_type.upper().startswith("IVF") for one in table.list_indices())
    assert ask(exact=True) == before
    found = ask(exact=False)
    assert sum(len(a & b) for a, b in zip(found, before, strict=True)) >= 0.95 * 300
    store.replace(1, 77, rows(77, 5))  # beside the index
    assert near(store, 1, unit(77_003), kinds=BOTH, documents=None, limit=1)[0].document == 77
    store.remove(1, [77])
    assert all(
        hit.document != 77 for hit in near(store, 1, unit(77_003), kinds=BOTH, documents=None, limit=9)
    )


@pytest.mark.parametrize(
    "passing", [range(1, 31), range(31, 61), range(20, 42), range(2, 61, 2), range(5, 8)]
)
def test_filters_beside_an_index_find_what_all_rows_would(store: LanceVectorStore, passing: range) -> None:
    """The first half of the documents lies where the searches look: the second is found all the same."""
    centre = unit(1)
    for document in range(1, 61):
        made = [row(document, number) for number in range(100)]
        if document <= 30:
            made = [replace(one, vector=turned(centre, one.vector)) for one in made]
        store.replace(1, document, made)
    store.tend(1)
    wanted = set(passing)
    shares = []
    for seed in range(12):
        query = turned(centre, unit(seed + 500))
        found = near(store, 1, query, kinds=FRAMES, documents=wanted, limit=20)
        true = near(store, 1, query, kinds=FRAMES, documents=wanted, limit=20, exact=True)
        assert len(found) == len(true) == 20
        assert {hit.document for hit in found} <= wanted
        places = [{(hit.document, hit.number) for hit in hits} for hits in (found, true)]
        shares.append(len(places[0] & places[1]) / 20)
    assert sum(shares) / len(shares) >= 0.95


def test_a_grown_index_is_made_anew_and_files_are_joined(tmp_path: Path) -> None:
    store = LanceVectorStore(
        tmp_path, dimensions=SIDE, tending=Tending(indexed=400, fragments=4, background=False)
    )
    store.replace(1, 1, rows(1, 400))
    store.tend(1)
    for document in range(2, 9):
        store.replace(1, document, rows(document, 300))
    store.tend(1)
    table = store._table(1)
    assert table is not None
    assert [one.name for one in table.list_indices() if "vector" in one.columns] == ["vector_in_19"]
    stats: Any = table.stats()
    assert stats["fragment_stats"]["num_fragments"] <= 2  # of eight writes
    assert store.documents(1) == set(range(1, 9))
    assert len(near(store, 1, unit(1), kinds=BOTH, documents={4}, limit=1_000)) == 300


def test_narrow_filters_look_into_more_parts() -> None:
    assert probes(10, 1.0) == 10
    assert probes(1000, 1.0) < probes(1000, 0.1) < probes(1000, 0.001) <= 1000


def test_documents_in_a_row_and_alone_are_found_alike(store: LanceVectorStore) -> None:
    for document in range(1, 15):
        store.replace(1, document, rows(document, 1))
    wanted = {1, 3, 4, 5, 6, 7, 9, 10, 13}
    found = near(store, 1, unit(1), kinds=FRAMES, documents=wanted, limit=100)
    assert {hit.document for hit in found} == wanted
    store.remove(1, wanted)
    assert store.documents(1) == {2, 8, 11, 12, 14}


def test_an_empty_vector_is_like_nothing(store: LanceVectorStore) -> None:
    store.replace(1, 1, [row(1, 0), VectorRow(1, "frame", 1, 1, 2, 1.5, "", np.zeros(SIDE, np.float32))])
    found = near(store, 1, unit(1000), kinds=BOTH, documents=None, limit=5)
    assert [hit.number for hit in found] == [0, 1]
    assert found[1].likeness == 0.0


def test_old_versions_are_freed_when_nobody_writes_any_more(tmp_path: Path) -> None:
    store = LanceVectorStore(tmp_path, SIDE, tending=Tending(kept=timedelta(milliseconds=50)))
    for _ in range(12):
        store.replace(1, 1, rows(1, 50))
    versions = tmp_path / "index-1.lance" / "_versions"
    deadline = time.monotonic() + 30
    while len(list(versions.glob("*.manifest"))) > 3:
        assert time.monotonic() < deadline, "old versions are there still"
        near(store, 1, unit(1), kinds=BOTH, documents=None, limit=5)
    assert len(near(store, 1, unit(1), kinds=BOTH, documents=None, limit=100)) == 50
    store.close()


@pytest.mark.parametrize("kinds", [BOTH, FRAMES, SPEECH])
@pytest.mark.parametrize("documents", [None, {2}, {1, 2, 3, 9}, {99}])
def test_rows_in_memory_are_found_as_those_in_files(
    large: tuple[LanceVectorStore, LanceVectorStore],
    kinds: Sequence[VectorKind],
    documents: set[int] | None,
) -> None:
    """With any filter, as near and in the same order."""
    files, memory = large
    for seed in range(10):
        found = near(memory, 1, unit(seed), kinds=kinds, documents=documents, limit=20)
        true = near(files, 1, unit(seed), kinds=kinds, documents=documents, limit=20, exact=True)
        assert [replace(hit, likeness=0) for hit in found] == [replace(hit, likeness=0) for hit in true]
        assert [hit.likeness for hit in found] == pytest.approx([hit.likeness for hit in true], abs=1e-6)


def test_rows_in_memory_hold_the_words_of_those_in_files(
    large: tuple[LanceVectorStore, LanceVectorStore],
) -> None:
    files, memory = (
        {(hit.document, hit.number) for hit in holding(store, 1, ["w3", "w12"], unit(1), limit=71)}
        for store in large
    )
    assert files == memory == {(12, number) for number in range(3, 500, 7)}


@pytest.fixture(scope="module")
def large(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[LanceVectorStore, LanceVectorStore]]:
    """One table, too large to be read with a search: as it is in files, and kept in memory."""
    folder = tmp_path_factory.mktemp("large")
    files, memory = store_in(folder, resident=0), store_in(folder)
    for document in range(1, 13):
        frames = [row(document, number, text=f"w{number % 7} w{document}") for number in range(500)]
        said = [row(document, number, kind="speech", seed=document * 77 + number) for number in range(20)]
        files.replace(1, document, [*frames, *said])
    files.tend(1)
    memory.keep(1)
    yield files, memory
    files.close()
    memory.close()


def test_a_write_is_seen_at_once_whatever_is_in_memory(tmp_path: Path) -> None:
    one, other = store_in(tmp_path), store_in(tmp_path)
    for document in range(1, 8):
        one.replace(1, document, rows(document, 900))
    other.keep(1)
    one.replace(1, 8, rows(8, 1))
    one.remove(1, [3])
    assert near(other, 1, unit(8000), limit=1)[0].document == 8
    assert near(other, 1, unit(3000), documents={3}, limit=1) == []
    other.keep(1)
    assert near(other, 1, unit(8000), limit=1)[0].document == 8
    assert near(other, 1, unit(3000), documents={3}, limit=1) == []
    one.drop(1)
    assert near(other, 1, unit(8000), limit=1) == []


def test_the_tables_searched_longest_ago_leave_the_memory(tmp_path: Path) -> None:
    store = store_in(tmp_path, resident=25)
    for collection in (1, 2, 3):
        store.replace(collection, 1, rows(1, 10))
    store.replace(4, 1, rows(1, 30))  # never kept
    for _ in range(2):
        for collection, count in ((1, 10), (2, 10), (3, 10), (4, 30)):
            assert len(near(store, collection, unit(1), limit=100)) == count
    store.close()
