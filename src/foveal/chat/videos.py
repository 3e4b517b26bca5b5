"""The video of a request: which index or URL it comes from, and who may ask for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from foveal.chat.request import ChatRequest, DataSource, DocumentContent, VideoContent
from foveal.chat.rules import VIDEO, VIDEO_INDEX
from foveal.engines.base import VideoPart
from foveal.errors import InvalidDataSource, InvalidRequest
from foveal.resources.callers import Caller, Elsewhere, SourceWords, VisionResources
from foveal.video.chat.chatting import Watched

NEEDS_SOURCE = f"The '{VIDEO}' enhancement requires a data source of type '{VIDEO_INDEX}'."  # Azure's words
NEEDS_VIDEO = (
    f"The '{VIDEO}' enhancement needs a video: send the id of a document of the index in a user message, as "
    '{"type": "acv_document_id", "acv_document_id": ID}.'
)
NOT_SET_UP = "Video is not set up on this server"
# The spellings of all published samples; where a source has several, the first of these counts.
ENDPOINTS = ("computerVisionBaseUrl", "computerVisionResource", "endpoint")
KEYS = ("computerVisionApiKey", "key")
AUTHENTICATION_KINDS = ("none", "managedidentity")

Watch = Callable[[], Awaitable[Watched]]


class IndexedVideos(Protocol):
    async def watch(
        self, resource: str, index: str, document_id: str, question: str, *, param: str
    ) -> Watched: ...


class InlineVideos(Protocol):
    async def watch(
        self, place: str | Path, resource: str, question: str, *, facts: bool, param: str
    ) -> VideoPart: ...


class VideoDesk:
    """Where a chat gets its video; what is None is not set up and refused by name."""

    def __init__(
        self,
        resources: VisionResources,
        indexed: IndexedVideos | None = None,
        inline: InlineVideos | None = None,
    ) -> None:
        self._resources = resources
        self._indexed = indexed
        self._inline = inline

    def begin(self, request: ChatRequest, caller: Caller, *, facts: bool) -> Watch | None:
        """How to get the request's video; None when it asks for none. Nothing is read yet.

        `facts`: the engine needs them. Raises `InvalidDataSource`, `InvalidRequest`.
        """
        video = request.video
        if isinstance(video, VideoContent):
            return self._from_url(video, request.question, caller, facts)
        if video is None and VIDEO not in request.enhancements:
            return None
        source = _only_source(request)
        if video is None:
            raise InvalidRequest(NEEDS_VIDEO, param="messages")
        return self._from_index(video, source, request.question, caller)

    def _from_index(self, video: DocumentContent, source: DataSource, question: str, caller: Caller) -> Watch:
        indexed = self._indexed
        if indexed is None:
            raise InvalidRequest(f"{NOT_SET_UP}: there are no video indexes.", param=video.param)
        words, index = _read_source(source)
        if caller.resource is None:
            raise InvalidDataSource(f"{words.shown} needs the key of a resource.", param=words.param)
        found = self._resources.named(words, caller, caller.resource)
        if isinstance(found, Elsewhere):
            raise InvalidDataSource(
                f"The '{words.endpoint_name}' of the data source '{words.type}' ({words.param}) is "
                f"{found.endpoint.host}, which is not this server (FOVEAL_OWN_HOSTS lists further names of "
                "it): an index can be used only on the server that holds it.",
                param=words.endpoint_param,
            )
        owner = found.name
        return lambda: indexed.watch(owner, index, video.document_id, question, param=video.param)

    def _from_url(self, video: VideoContent, question: str, caller: Caller, facts: bool) -> Watch:
        inline = self._inline
        if inline is None:
            raise InvalidRequest(f"{NOT_SET_UP}: a video needs an index.", param=video.param)
        place = _place(video, caller)
        resource = "" if caller.resource is None else caller.resource.name

        async def watch() -> Watched:
            part = await inline.watch(place, resource, question, facts=facts, param=video.param)
            return Watched(part)

        return watch


def not_set_up(request: ChatRequest) -> None:
    """Raise `InvalidRequest` when a request needs what a server without videos does not have."""
    if request.video is not None:
        raise InvalidRequest(f"{NOT_SET_UP}.", param=request.video.param)
    if VIDEO in request.enhancements:
        raise InvalidRequest(f"{NOT_SET_UP}.", param=f"enhancements.{VIDEO}")


def _place(video: VideoContent, caller: Caller) -> str | Path:
    """The URL; a file for the operator on the command line, and for nobody else."""
    url = video.url.strip()
    scheme = url[:8].lower()
    if scheme.startswith(("http://", "https://", "data:")):
        return url
    if scheme.startswith("file:") and caller.resource is None:
        return Path(unquote(urlsplit(url).path))
    raise InvalidRequest(
        "Invalid video URL: an http(s) URL or a data URL with base64 data was expected.",
        param=video.param,
        code="invalid_video_url",
    )


def _only_source(request: ChatRequest) -> DataSource:
    sources = [one for one in request.data_sources if one.is_a(VIDEO_INDEX)]
    if not sources:
        raise InvalidDataSource(NEEDS_SOURCE, param="dataSources")
    for other in sources[1:]:
        if other.parameters != sources[0].parameters:
            raise InvalidDataSource(
                f"There is more than one data source of type '{VIDEO_INDEX}'; a video is in one index.",
                param=other.param,
            )
    return sources[0]


def _read_source(source: DataSource) -> tuple[SourceWords, str]:
    """What the source says of the resource, and the name of the index."""
    values = source.parameters
    endpoint_name = _first(values, ENDPOINTS)
    key_name = _first(values, KEYS)
    words = SourceWords(
        VIDEO_INDEX, source.param, values.get(endpoint_name), values.get(key_name), endpoint_name, key_name
    )
    index = values.get("indexName")
    if not isinstance(index, str) or not index.strip():
        raise InvalidDataSource(
            f"{words.shown} has no 'indexName': set it to the name of the index that holds the video.",
            param=f"{source.param}.parameters.indexName",
        )
    kind = values.get("documentAuthenticationKind")
    if kind is not None and not (isinstance(kind, str) and kind.lower() in AUTHENTICATION_KINDS):
        raise InvalidDataSource(
            f"The 'documentAuthenticationKind' of the data source ({source.param}) must be 'none' or "
            "'managedIdentity'.",
            param=f"{source.param}.parameters.documentAuthenticationKind",
        )
    urls = values.get("videoUrls")
    if not (urls is None or isinstance(urls, str) or _are_texts(urls)):
        raise InvalidDataSource(
            f"The 'videoUrls' of the data source ({source.param}) must be an array of URLs.",
            param=f"{source.param}.parameters.videoUrls",
        )
    return words, index.strip()


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((name for name in names if values.get(name) is not None), names[0])


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
