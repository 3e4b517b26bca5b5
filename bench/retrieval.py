"""How long a search of an index takes with a metadata filter, and what the vector index misses.

    python bench/retrieval.py [--frames 100000 1000000] [--long 10] [--keep FOLDER]

Frames and segments have texts as ingestion writes them (made facts put into words, made sentences), embedded
by the real embedder: a hundred thousand different ones take a minute or two, which `--keep` spares the next
run. Beyond these, rows are blends of two of them. Recall: how many of the ten nearest rows that comparing all
finds (in files, by LanceDB) are among the ten that the search of the store gives; rows as near as the tenth
count as it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.finding import near
from tests.support.searching import SearchHouse, open_search_house

from foveal.engines.evidence.vocabulary_tables import load_vocabulary
from foveal.perception.base import Box, Tag, TextLine, Vectors
from foveal.perception.embedding import SentenceEmbedder
from foveal.perception.facts import ColourShare, Facts, SeenObject
from foveal.store.lance import LanceVectorStore
from foveal.store.vectors import VectorKind, VectorRow
from foveal.video.ingest.describe import FrameWords
from foveal.video.retrieval.query import Filters, Query, StringFilter
from foveal.video.search.search import POOL
from foveal.video.search.shelf import Shelves

DIFFERENT = 100_000  # texts; more rows are made of these
TENDED = 1_000  # documents after which the table is tended: joining its files writes it anew
FRAMES, SEGMENTS = 56, 12  # of a document
COLOURS = ("black", "white", "red", "green", "blue", "yellow", "orange", "brown", "grey", "pink", "purple")
SEARCHES = """
a man riding a horse near the sea; three dogs and a cat on the street; 신호등이 있는 거리의 버스;
they repaired the boat; exit scoreboard; person with a red umbrella; 음식이 차려진 식탁;
who talked about the church?; a giraffe and a zebra; traffic lights at night;
computer and keyboard in an office; 노트북; a train at a railway; someone bought a piano; orange bicycle;
skier on the snow; brown bear; a cake and a fork; the company forgot the goldfish; two airplanes;
빨간 자동차와 오토바이; a bench under the trees; 고양이가 나오는 장면; surfers with surfboards
"""
FILTERS = {"half": 2, "tenth": 10, "hundredth": 100}  # one document in so many passes
KINDS: Sequence[VectorKind] = ("frame", "speech")


class Texts:
    """Texts of frames and of speech, the same in every run."""

    def __init__(self) -> None:
        vocabulary = load_vocabulary()
        self._labels, self._tags = list(vocabulary.objects), list(vocabulary.kinds)
        self._words = sorted({" ".join(key) for key in vocabulary.english})
        self._describe = FrameWords(vocabulary)

    def frame(self, seed: int) -> str:
        """Frames of one scene (a hundred seeds) have the same kinds of things."""
        scene, frame = random.Random(seed // 4), random.Random(seed)
        objects = []
        for _ in range(scene.randint(1, 4)):
            label = self._labels[min(int(scene.expovariate(0.07)), len(self._labels) - 1)]
            for _ in range(frame.randint(1, 4)):
                left, top = 0.7 * frame.random(), 0.7 * frame.random()
                colours = (ColourShare(frame.choice(COLOURS), 0.7),)
                box = Box(left, top, left + 0.25, top + 0.25)
                objects.append(SeenObject(label, 0.6 + 0.39 * frame.random(), box, colours, colours))
        lines = []
        if scene.random() < 0.25:
            text = " ".join(scene.choice(self._words) for _ in range(scene.randint(1, 3))).upper()
            lines.append(TextLine(text, 0.97, ((0.1, 0.1), (0.6, 0.1), (0.6, 0.15), (0.1, 0.15))))
        tags = (Tag(scene.choice(self._tags), 0.3 + 0.6 * frame.random()),)
        return self._describe(Facts(800, 600, "high", tuple(objects), tags=tags, lines=tuple(lines)))[0]

    def said(self, seed: int) -> str:
        pick = random.Random(-seed - 1).choice
        begin = pick(["so", "and then", "I think", "we saw that", "today"])
        who = pick(["they", "she", "the company", "my friend", "people"])
        did = pick(["talked about", "bought", "liked", "repaired", "forgot", "described"])
        how = pick(["near", "before", "because of", "without", "next to"])
        return f"{begin} {who} {did} the {pick(self._words)} {how} the {pick(self._words)}."


@dataclass(frozen=True, slots=True)
class Material:
    texts: list[str]
    vectors: Vectors


def material(count: int, keep: Path | None) -> Material:
    texts = Texts()
    every = FRAMES + SEGMENTS
    wording = [
        texts.frame(row) if row % every < FRAMES else texts.said(row) for row in range(min(count, DIFFERENT))
    ]
    kept = keep / f"retrieval-{len(wording)}.npy" if keep is not None else None
    if kept is not None and kept.exists():
        return Material(wording, np.load(kept))
    start = time.perf_counter()
    vectors = SentenceEmbedder().embed(wording)
    print(f"{len(wording)} texts embedded in {time.perf_counter() - start:.0f} s", flush=True)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, vectors)
    return Material(wording, vectors)


def rows_of(document: int, place: int, made: Material, long: int) -> Iterator[VectorRow]:
    """Of a video that is `long` times as long as usual."""
    every = FRAMES + SEGMENTS
    blend = np.random.default_rng(place)
    for number in range(every * long):
        at = place * every * long + number
        minute, rest = divmod(number, every)
        vector = made.vectors[at % len(made.texts)]
        if at >= len(made.texts):
            vector = 0.8 * vector + 0.2 * made.vectors[int(blend.integers(len(made.texts)))]
            vector = vector / np.linalg.norm(vector)
        speech = rest >= FRAMES
        count = minute * SEGMENTS + rest - FRAMES if speech else minute * FRAMES + rest
        text = made.texts[at % len(made.texts)]
        kind = KINDS[speech]
        yield VectorRow(document, kind, count, 2.0 * count, 2.0 * count + 2, 2.0 * count + 1, text, vector)


def fill(house: SearchHouse, index: int, first: int, last: int, made: Material, long: int) -> None:
    """Documents as ingestion publishes them, with one field for each filter; prints what a write takes."""
    took = []
    for place in range(first, last):
        metadata = {name: "yes" if hash_of(place) % share == 0 else "no" for name, share in FILTERS.items()}
        key = house.add(index, f"document {place}", metadata=metadata)
        rows = list(rows_of(key, place, made, long))
        start = time.perf_counter()
        house.vectors.replace(index, key, rows)
        took.append(time.perf_counter() - start)
        if place * long % TENDED > TENDED - 1 - long:
            house.vectors.tend(index)
    start = time.perf_counter()
    house.vectors.tend(index)
    written = 1000 * statistics.median(took)
    print(
        f"  a document of {long * (FRAMES + SEGMENTS)} rows is written in {written:.0f} ms (p50); "
        f"the last tending took {time.perf_counter() - start:.1f} s"
    )


def hash_of(place: int) -> int:
    """Spreads documents over the filters."""
    return place * 2_654_435_761 % 2**32 >> 7


@dataclass(slots=True)
class Times:
    """Seconds of each search; `missed` has the recall of each beside them."""

    whole: list[float] = field(default_factory=list)
    embedding: list[float] = field(default_factory=list)
    store: list[float] = field(default_factory=list)
    exact: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)


def measure(house: SearchHouse, files: LanceVectorStore, index: int, rounds: int) -> None:
    """`files` is the same store without rows in memory."""
    shelf = Shelves(house.database).open("local", "films")
    start = time.perf_counter()
    house.vectors.keep(index)
    print(f"  reading the rows into memory, if they may be kept there: {time.perf_counter() - start:.1f} s")
    print("  filter       search p50      p95  embedding  store p50  all rows  recall@10")
    for name in (None, *FILTERS):
        filters = Filters((StringFilter(name, ("yes",)),)) if name else Filters()
        documents = shelf.passing(filters)
        times = Times()
        searches = [text.strip() for text in SEARCHES.split(";")]
        for turn in range(rounds + 1):
            for text in searches:
                search_once(house, files, index, text, filters, documents, times, warm=turn > 0)
        cells = [
            1000 * statistics.median(one) for one in (times.whole, times.embedding, times.store, times.exact)
        ]
        p95 = 1000 * sorted(times.whole)[int(0.95 * len(times.whole))]
        print(
            f"  {name or 'none':<12} {cells[0]:7.1f} ms {p95:5.1f} ms {cells[1]:7.1f} ms {cells[2]:7.1f} ms "
            f"{cells[3]:6.0f} ms {statistics.mean(times.recall):10.3f}",
            flush=True,
        )


def search_once(
    house: SearchHouse,
    files: LanceVectorStore,
    index: int,
    text: str,
    filters: Filters,
    documents: frozenset[int] | None,
    times: Times,
    *,
    warm: bool,
) -> None:
    """The first round warms up, and compares with all rows."""
    moments = [time.perf_counter()]
    vector = house.embedder.embed([text])[0]
    moments.append(time.perf_counter())
    found = likenesses(house.vectors, index, vector, documents)[:10]
    moments.append(time.perf_counter())
    house.search.search("local", "films", Query(text, filters))
    moments.append(time.perf_counter())
    if warm:
        times.embedding.append(moments[1] - moments[0])
        times.store.append(moments[2] - moments[1])
        times.whole.append(moments[3] - moments[2])
        return
    true = likenesses(files, index, vector, documents, exact=True)[:10]
    times.exact.append(time.perf_counter() - moments[3])
    times.recall.append(sum(one >= true[-1] - 1e-4 for one in found) / len(true))


def likenesses(
    store: LanceVectorStore,
    index: int,
    vector: Vectors,
    documents: frozenset[int] | None,
    exact: bool = False,
) -> list[float]:
    hits = near(store, index, vector, kinds=KINDS, documents=documents, limit=POOL, exact=exact)
    return [hit.likeness for hit in hits]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--keep", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", type=int, default=1, help="times as many rows in each document")
    asked = parser.parse_args()
    long = asked.long
    sizes = sorted(asked.frames)
    made = material(sizes[-1], asked.keep)
    with tempfile.TemporaryDirectory() as folder:
        house = open_search_house(Path(folder), SentenceEmbedder(), indexed=10_000, kept=timedelta(0))
        files = LanceVectorStore(Path(folder) / "vectors", house.embedder.dimensions, resident=0)
        index = house.index(fields=[(name, "string", False, True) for name in FILTERS])
        done = 0
        for size in sizes:
            documents = size // (long * (FRAMES + SEGMENTS))
            print(f"{size} rows, {documents} documents")
            fill(house, index, done, documents, made, long)
            done = documents
            stored = sum(
                path.stat().st_size for path in (Path(folder) / "vectors").rglob("*") if path.is_file()
            )
            print(f"  {stored / size / 1024:.1f} KB on disk a row")
            measure(house, files, index, asked.rounds)
        house.close()
        files.close()


if __name__ == "__main__":
    main()
