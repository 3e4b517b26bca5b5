"""Video Retrieval: the indexes, ingestions and documents of a Computer Vision resource, and searches.

Every operation is at the path that its reference gives, and below `/computervision` as its samples have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from foveal.errors import FovealError, NotSupported
from foveal.http.auth import VISION_KINDS, authenticate
from foveal.http.body import SHELL_TYPES, check_content_type, read_body
from foveal.http.pool import Pool
from foveal.http.relaxed import read_relaxed
from foveal.http.retrieval_form import (
    query_parameters,
    read_index_changes,
    read_new_index,
    read_new_ingestion,
    read_query,
    whole_number,
)
from foveal.http.retrieval_json import document_json, hit_json, index_json, ingestion_json
from foveal.http.services import Services
from foveal.video.retrieval.indexes import Listing
from foveal.video.retrieval.moderation import QueryRefused
from foveal.video.retrieval.retrieval import Retrieval

INDEXES = "/retrieval/indexes"
INDEX = f"{INDEXES}/{{index}}"
INGESTIONS = f"{INDEX}/ingestions"
DOCUMENTS = f"{INDEX}/documents"
PREFIXES = ("/computervision", "")
OFF = "This server was started without Video Retrieval."


@dataclass(frozen=True, slots=True)
class Call:
    """One request: whose and by which key, about what, with which query parameters (names in lower case) and
    body.
    """

    request: Request
    house: Retrieval
    resource: str
    principal: str
    query: Mapping[str, str]
    body: bytes

    @property
    def index(self) -> str:
        return self._named("index")

    @property
    def ingestion(self) -> str:
        return self._named("ingestion")

    @property
    def document(self) -> str:
        return self._named("document")

    def json(self) -> dict[str, Any]:
        """An object; a body of nothing is an empty one, as every field of an index has its default."""
        return read_relaxed(self.body) if self.body.strip() else {}

    def page(self) -> tuple[int, int]:
        """How many rows to skip, and how many to give at most."""
        limits = self.house.contract.limits
        skip = whole_number(self.query, "$skip", 0, limits.skip)
        top = whole_number(self.query, "$top", 1, limits.top)
        return skip or 0, limits.page if top is None else top

    def detailed(self, usual: bool) -> bool:
        """Whether the status of every file is wanted."""
        level = self.query.get("detaillevel")
        return usual if not level else level.lower() != "none"

    def link(self, path: str | None = None, **parameters: int) -> str:
        """The address of this request, or of `path`, with the same api-version and further parameters."""
        url = self.request.url
        query = {key: value for key, value in self.query.items() if key not in ("$skip", "$top")}
        named = {**(query if path is None else {"api-version": query["api-version"]})}
        named |= {f"${name}": str(value) for name, value in parameters.items()}
        where = quote(self.request.url.path if path is None else path, safe="/:%")
        return f"{url.scheme}://{url.netloc}{where}?{urlencode(named, safe='$')}"

    def _named(self, name: str) -> str:
        return str(self.request.path_params[name])


@dataclass(frozen=True, slots=True)
class Answer:
    """`content` is JSON, or bytes of `media_type`, or nothing."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


Operation = Callable[[Call], Answer]


class RetrievalRoutes:
    def __init__(self, services: Services) -> None:
        self._services = services
        # Searches work for a while; the other calls read or write a few rows.
        self._calls = Pool("foveal-retrieval", threads=4, waiting=128)
        self._searches = Pool("foveal-search", threads=2, waiting=64)

    def routes(self) -> list[Route]:
        """Most used first: the router takes the first that fits."""
        operations: list[tuple[str, str, Operation]] = [
            ("POST", f"{INDEX}:queryByText", _search),
            ("GET", INGESTIONS, _list_ingestions),
            ("GET", f"{INGESTIONS}/{{ingestion}}", _get_ingestion),
            ("PUT", f"{INGESTIONS}/{{ingestion}}", _create_ingestion),
            ("DELETE", f"{INGESTIONS}/{{ingestion}}", _cancel_ingestion),
            ("GET", DOCUMENTS, _list_documents),
            ("GET", f"{DOCUMENTS}/{{document:path}}/thumbnails/{{number:int}}", _thumbnail),
            ("GET", f"{DOCUMENTS}/{{document:path}}", _get_document),
            ("GET", INDEXES, _list_indexes),
            ("GET", INDEX, _get_index),
            ("PUT", INDEX, _create_index),
            ("PATCH", INDEX, _update_index),
            ("DELETE", INDEX, _delete_index),
        ]
        return [
            Route(f"{prefix}{path}", self._endpoint(operation), methods=[method])
            for prefix in PREFIXES
            for method, path, operation in operations
        ]

    def _endpoint(self, operation: Operation) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            return await self._serve(request, operation)

        return endpoint

    async def _serve(self, request: Request, operation: Operation) -> Response:
        who = await authenticate(request, self._services, VISION_KINDS)
        resource = who.resource.name
        house = self._services.retrieval
        if house is None:
            raise NotSupported(OFF)
        searching = operation is _search
        query = query_parameters(request.query_params.multi_items())
        known = house.contract.check_version(query.get("api-version"), search=searching)
        supported = {"api-supported-versions": ",".join(known)}
        try:
            if searching or operation is _create_ingestion:
                self._services.meter.admit(resource)
            body = b""
            if request.method in ("PUT", "PATCH", "POST"):
                check_content_type(request, SHELL_TYPES)
                body = await read_body(request, min(self._services.max_body, house.contract.limits.body))
            call = Call(request, house, resource, who.name, query, body)
            pool = self._searches if searching else self._calls
            answer = await pool.run(lambda: operation(call))
        except FovealError as error:
            if isinstance(error, QueryRefused):
                self._services.meter.settle(resource, who.name, "query", "filtered", {})
            error.headers = {**supported, **error.headers}
            raise
        if searching:
            self._services.metrics.unit("video.query")
            self._services.meter.settle(resource, who.name, "query", "answered", {"video_queries": 1})
        return _response(answer, supported)


def _response(answer: Answer, headers: Mapping[str, str]) -> Response:
    content = answer.content
    if content is not None and not isinstance(content, bytes):
        content = msgspec.json.encode(content)
    media_type = None if content is None else answer.media_type
    return Response(content, answer.status, headers={**headers, **answer.headers}, media_type=media_type)


def _create_index(call: Call) -> Answer:
    new = read_new_index(call.json(), call.house.contract)
    index, made = call.house.indexes.create(call.resource, call.index, new)
    return Answer(index_json(index), 201 if made else 200)


def _get_index(call: Call) -> Answer:
    return Answer(index_json(call.house.indexes.get(call.resource, call.index)))


def _update_index(call: Call) -> Answer:
    changes = read_index_changes(call.json(), call.house.contract)
    return Answer(index_json(call.house.indexes.update(call.resource, call.index, changes)))


def _delete_index(call: Call) -> Answer:
    """As on Azure, also when there is none."""
    call.house.indexes.delete(call.resource, call.index)
    return Answer(status=204)


def _list_indexes(call: Call) -> Answer:
    skip, top = call.page()
    return _page(call, call.house.indexes.list(call.resource, skip, top), index_json)


def _create_ingestion(call: Call) -> Answer:
    new = read_new_ingestion(call.json(), call.house.contract.limits)
    ingestion = call.house.ingestions.create(call.resource, call.index, call.ingestion, new, call.principal)
    where = {"operation-location": call.link(call.request.url.path)}
    return Answer(ingestion_json(ingestion, detail=call.detailed(usual=False)), 202, where)


def _get_ingestion(call: Call) -> Answer:
    ingestion = call.house.ingestions.get(call.resource, call.index, call.ingestion)
    return Answer(ingestion_json(ingestion, detail=call.detailed(usual=True)))


def _list_ingestions(call: Call) -> Answer:
    skip, top = call.page()
    detail = call.detailed(usual=False)
    found = call.house.ingestions.list(call.resource, call.index, skip, top, files=detail)
    return _page(call, found, lambda one: ingestion_json(one, detail=detail))


def _cancel_ingestion(call: Call) -> Answer:
    call.house.ingestions.cancel(call.resource, call.index, call.ingestion)
    return Answer(status=204)


def _list_documents(call: Call) -> Answer:
    skip, top = call.page()
    found = call.house.documents.list(call.resource, call.index, skip, top)
    return _page(call, found, document_json)


def _get_document(call: Call) -> Answer:
    document = call.house.documents.get(call.resource, call.index, call.document)
    return Answer(document_json(document, detail=True))


def _thumbnail(call: Call) -> Answer:
    document = call.house.documents.get(call.resource, call.index, call.document)
    picture = call.house.library.thumbnail(document.key, call.request.path_params["number"])
    return Answer(picture, media_type="image/jpeg")


def _search(call: Call) -> Answer:
    """`$skip` and `$top` of the address, where a `nextLink` has them, win over the body's."""
    limits = call.house.contract.limits
    query = read_query(call.json(), limits)
    skip = whole_number(call.query, "$skip", 0, limits.skip)
    top = whole_number(call.query, "$top", 1, limits.top)
    query = replace(query, skip=query.skip if skip is None else skip, top=query.top if top is None else top)
    index = call.house.contract.name(call.index, "indexName")
    page = call.house.search.search(call.resource, index, query)
    body: dict[str, Any] = {"value": [hit_json(hit) for hit in page.hits]}
    if page.more:
        body["nextLink"] = call.link(skip=query.skip + len(page.hits), top=query.top)
    return Answer(body)


def _page(call: Call, found: Listing[Any], render: Callable[[Any], dict[str, Any]]) -> Answer:
    body: dict[str, Any] = {"value": [render(row) for row in found.rows]}
    if found.more:
        skip, top = call.page()
        body["nextLink"] = call.link(skip=skip + top, top=top)
    return Answer(body)
