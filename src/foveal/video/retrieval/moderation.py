"""Searches whose text is judged first, where they ask for it (`moderation`)."""

from __future__ import annotations

from foveal.errors import FovealError, InvalidRequest
from foveal.video.retrieval.query import Page, Query
from foveal.video.retrieval.retrieval import Searcher
from foveal.video.work import QueryGuard

NO_FILTER = (
    "This server has no content filter for texts, so 'moderation' cannot be true: leave it out or send "
    "false - 'moderation'"
)
REFUSED = (
    "The query text triggered the content filter, so nothing was searched for. Please modify it and retry - "
    "'queryText'"
)


class QueryRefused(FovealError):
    """A search for something harmful; the code is the one that Azure's content filter has."""

    code = "ResponsibleAIPolicyViolation"


class ModeratedSearch:
    """`Searcher` before another one. Without a `guard` nobody can ask for moderation."""

    def __init__(self, searcher: Searcher, guard: QueryGuard | None) -> None:
        self._searcher = searcher
        self._guard = guard

    def search(self, resource: str, index: str, query: Query) -> Page:
        """Raises what the other one raises, and `QueryRefused`."""
        if query.moderation:
            if self._guard is None:
                raise InvalidRequest(NO_FILTER, param="moderation")
            if self._guard.refuses([query.query_text]):
                raise QueryRefused(REFUSED, param="queryText")
        return self._searcher.search(resource, index, query)
