"""Searching real scenes and speech in English and Korean with the real models: is the right one first?

What was searched for is in tests/fixtures/search. Frames are real photos and drawn documents that the models
look at here, and kept facts of photos that they looked at before.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.grounding import cases
from tests.support.searching import SearchHouse, open_search_house

from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.embedding import SentenceEmbedder
from foveal.perception.facts import Facts
from foveal.perception.finder import build_fact_finder
from foveal.video.ingest.describe import FrameWords
from foveal.video.retrieval.query import Query

ROOT = Path(__file__).parents[3]
PHOTOS = {
    "demo": ROOT / "src/foveal/demo/pictures",
    "pictures": ROOT / "tests/fixtures/pictures",
    "documents": ROOT / "tests/fixtures/documents",
}
FIRST, AMONG_THREE = 0.8, 0.95  # share of the searches
SEEN_FIRST = 0.9  # of those that relevance was tuned with
MOST = 1_000


def searches() -> Mapping[str, Any]:
    path = ROOT / "tests/fixtures/search/questions.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def kept_facts() -> dict[str, Facts]:
    """What was found in photos that are not here."""
    found: dict[str, Facts] = {}
    for case in cases():
        if case.picture.startswith("coco"):
            seen = case.findings
            found[f"coco:{case.picture[-6:]}"] = Facts(
                640,
                480,
                "high",
                tuple(seen.objects),
                faces=tuple(seen.faces),
                lines=tuple(seen.lines),
            )
    return found


async def looked_at(models: Path) -> dict[str, Facts]:
    finder = build_fact_finder(ModelStore(models, load_catalogue()), threads=2, queue=64, cache_size=64)
    door = ImageDoor(MediaFetcher())
    found: dict[str, Facts] = {}
    try:
        for place, folder in PHOTOS.items():
            for path in sorted([*folder.glob("*.jpg"), *folder.glob("*.png")]):
                image = await door.open_bytes(path.read_bytes(), "high", param=None)
                found[f"{place}:{path.stem}"] = await finder.facts(image)
    finally:
        await door.close()
        finder.close()
    return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SearchHouse]:
    made = open_search_house(tmp_path, SentenceEmbedder())
    yield made
    made.close()


@pytest.mark.models
async def test_the_right_moment_comes_first(house: SearchHouse, models_folder: Path) -> None:
    table, words = searches(), FrameWords()
    index = house.index()
    for name, facts in {**await looked_at(models_folder), **kept_facts()}.items():
        house.add(index, name, list(words(facts)))
    for name, text in table["said"].items():
        house.add(index, f"said:{name}", said=[text])
    house.vectors.tend(index)
    wrong: list[str] = []
    for group, first in (("seen", SEEN_FIRST), ("unseen", FIRST)):
        ranks = []
        for text, right in table[group]["questions"]:
            found = [
                hit.document_id for hit in house.search.search("local", "films", Query(text, top=MOST)).hits
            ]
            ranks.append(min(found.index(name) for name in right))
            if ranks[-1]:
                wrong.append(f"{text}: place {ranks[-1] + 1} after {found[0]}")
        shares = [sum(rank < most for rank in ranks) / len(ranks) for most in (1, 3)]
        print(f"{group}: recall@1 {shares[0]:.3f}, recall@3 {shares[1]:.3f} of {len(ranks)}")
        assert shares[0] >= first, wrong
        assert shares[1] >= AMONG_THREE, wrong
