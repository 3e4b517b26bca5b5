"""Video Retrieval as one piece: what the HTTP surface calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from foveal.video.library import VideoLibrary
from foveal.video.retrieval.contract import RetrievalContract
from foveal.video.retrieval.documents import VideoDocuments
from foveal.video.retrieval.indexes import VideoIndexes
from foveal.video.retrieval.ingestions import VideoIngestions
from foveal.video.retrieval.query import Page, Query


class Searcher(Protocol):
    def search(self, resource: str, index: str, query: Query) -> Page:
        """The hits in an index of the resource (its name) and in those that the query adds.

        Blocks. Raises `NotFound` for an index that is not there, `InvalidRequest` for a filter that does not
        fit the index's metadata schema.
        """
        ...


@dataclass(frozen=True, slots=True)
class Retrieval:
    contract: RetrievalContract
    indexes: VideoIndexes
    ingestions: VideoIngestions
    documents: VideoDocuments
    library: VideoLibrary
    search: Searcher
