"""Finding moments of videos by a text: vectors and words, put into one order with one relevance.

How it is done, and what each part is worth: docs/video-search.md. All calls block and are thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from foveal.perception.base import Embedder
from foveal.store.vectors import Holding, Near, VectorHit, VectorKind, VectorStore
from foveal.video.library import FoundDocument
from foveal.video.retrieval.query import DocumentKind, Hit, Page, Query
from foveal.video.search.ranking import Moment, joined, scored
from foveal.video.search.shelf import Shelf, Shelves
from foveal.video.search.wanted import Wanted, Wanting

POOL = 128  # rows nearest to the search that are put in order together first
WIDE = 1_024  # rows that the next block looks for; each after it for four times as many
LITERAL = 48  # rows that hold its words, wherever their vectors lie
NAMED = 48  # rows of documents whose metadata holds its words
CLOSE = 0.5  # moments of a document count as long as they have this share of its best one's relevance

_KIND: dict[VectorKind, DocumentKind] = {"frame": "VideoFrame", "speech": "SpeechTextSegment"}
_Found = tuple[int, VectorHit]  # with the place of its index


@dataclass(frozen=True, slots=True)
class _Asked:
    """One search, ready to be put to the store; by place of the shelf: the `documents` that pass the filters
    (None: all), the `kinds` of rows, and how much of the words the `metadata` of documents holds.
    """

    shelves: tuple[Shelf, ...]
    documents: tuple[frozenset[int] | None, ...]
    kinds: tuple[frozenset[VectorKind], ...]
    wanted: Wanted
    metadata: tuple[Mapping[int, float], ...]
    vector: NDArray[np.float32]

    def extra(self, shelf: int, document: int) -> float:
        return self.metadata[shelf].get(document, 0.0)

    def told(self, shelf: int, row: VectorHit) -> bool:
        """Whether the row's document is published."""
        return row.document in self.shelves[shelf].ids


class VideoSearch:
    """`Searcher` and, for chat, the finder of a document's moments. What it needs is opened when it
    first needs it; `vectors` opens the store.
    """

    def __init__(
        self,
        embedder: Embedder,
        vectors: Callable[[], VectorStore],
        shelves: Shelves,
    ) -> None:
        self._embedder = embedder
        self._vectors = vectors
        self._shelves = shelves
        self._wanting: Wanting | None = None
        self._beside = ThreadPoolExecutor(4, "video-search")

    def search(self, resource: str, index: str, query: Query) -> Page:
        """One page of the hits. Raises `NotFound` for an index that is not there, `InvalidRequest` for a
        filter that does not fit its metadata schema.
        """
        vector = self._beside.submit(self._embedder.embed, [query.query_text])
        names = dict.fromkeys([index.lower(), *(name.lower() for name in query.additional_index_names)])
        shelves = tuple(self._shelves.open(resource, name) for name in names)
        wanted = self._read(query.query_text)
        asked = _Asked(
            shelves,
            tuple(shelf.passing(query.filters) for shelf in shelves),
            tuple(shelf.wanted_kinds(query.filters) for shelf in shelves),
            wanted,
            tuple({} if query.disable_metadata_search else shelf.naming(wanted) for shelf in shelves),
            vector.result()[0],
        )
        found = self._ordered(asked, dedup=query.dedup)
        if query.dedup and query.dedup_max_document_count is not None:
            found = _of_documents(found, query.dedup_max_document_count)
        page = list(islice(found, query.skip, query.skip + query.top + 1))
        hits = (_hit(moment, shelves[moment.shelf]) for moment in page[: query.top])
        return Page(tuple(hits), len(page) > query.top)

    def moments(self, document: FoundDocument, text: str, *, limit: int) -> list[VectorHit]:
        """The frames and segments of a document that fit a text, best first; what fits much less well than
        the best is left out.
        """
        vector = self._embedder.embed([text])[0]
        near = Near(vector, max(POOL, 4 * limit), ("frame", "speech"), (document.key,))
        (rows,) = self._vectors().find(document.collection, [near])
        found = scored([(0, row) for row in rows], self._read(text))
        least = CLOSE * found[0].relevance if found else 0.0
        return [one.row for one in found if one.relevance >= least][:limit]

    def _read(self, text: str) -> Wanted:
        if self._wanting is None:  # two threads at once would only read the tables twice
            self._wanting = Wanting()
        return self._wanting.read(text)

    def _ordered(self, asked: _Asked, *, dedup: bool) -> Iterator[Moment]:
        """All hits, best first. The first block holds what lies nearest and what holds the words; the blocks
        behind it ever more of the rest by likeness, from the third on exactly, each put in order by itself.
        So the order of a page does not hang on how far somebody pages, and no row is lost or told twice.
        """
        ranked = partial(scored, wanted=asked.wanted, extra=asked.extra)
        first = self._first(asked)
        told = {_key(pair) for pair in first}
        moments = ranked(first)
        yield from joined(moments) if dedup else moments
        least = min((one.relevance for one in moments), default=1.0)
        size = WIDE
        while True:
            rows = self._nearest(asked, size, exact=size > WIDE)
            fresh = [pair for pair in rows if _key(pair) not in told and asked.told(*pair)]
            told.update(_key(pair) for pair in fresh)
            moments = ranked(fresh, most=least)
            yield from joined(moments) if dedup else moments
            least = min((one.relevance for one in moments), default=least)
            if size > WIDE and len(rows) < size:
                return
            size *= 4

    def _first(self, asked: _Asked) -> list[_Found]:
        answers = self._beside.map(partial(self._near_or_literal, asked), range(len(asked.shelves)))
        found = [pair for some in answers for pair in some]
        return [pair for pair in dict.fromkeys(found) if asked.told(*pair)]

    def _near_or_literal(self, asked: _Asked, place: int) -> list[_Found]:
        """What of one index is near, holds the words, or is of a document whose metadata does."""
        kinds, documents = asked.kinds[place], asked.documents[place]
        questions: list[Near | Holding] = [Near(asked.vector, POOL, kinds, documents)]
        if keys := asked.wanted.index_keys():
            questions.append(Holding(keys, asked.vector, LITERAL, kinds, documents))
        if named := asked.metadata[place].keys():
            within = named if documents is None else named & documents
            questions.append(Near(asked.vector, NAMED, kinds, within))
        answers = self._vectors().find(asked.shelves[place].collection, questions)
        return [(place, row) for rows in answers for row in rows]

    def _nearest(self, asked: _Asked, size: int, *, exact: bool) -> list[_Found]:
        """The `size` nearest rows of all the indexes."""
        found: list[_Found] = []
        for place, shelf in enumerate(asked.shelves):
            near = Near(asked.vector, size, asked.kinds[place], asked.documents[place], exact)
            (rows,) = self._vectors().find(shelf.collection, [near])
            found += [(place, row) for row in rows]
        return sorted(found, key=lambda pair: (-pair[1].likeness, _key(pair), pair[1].text))[:size]


def _key(pair: _Found) -> tuple[int, int, VectorKind, int]:
    place, row = pair
    return place, row.document, row.kind, row.number


def _of_documents(moments: Iterator[Moment], most: int) -> Iterator[Moment]:
    """The moments of the `most` documents that come first."""
    known: set[tuple[int, int]] = set()
    for moment in moments:
        document = moment.shelf, moment.row.document
        if document in known or len(known) < most:
            known.add(document)
            yield moment


def _hit(moment: Moment, shelf: Shelf) -> Hit:
    row = moment.row
    return Hit(
        document_id=shelf.ids[row.document],
        document_kind=_KIND[row.kind],
        start=moment.start,
        end=moment.end,
        best=row.best,
        relevance=moment.relevance,
        additional_metadata=dict(shelf.metadata[row.document]) or None,
        index_name=shelf.name,
        document=row.document,
        number=row.number,
        text=row.text,
    )
