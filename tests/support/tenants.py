"""A live server with two tenants: multi-service resources of one region whose things have the same names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine
from tests.support.house import API_VERSION, enhancements, services
from tests.support.metering import Office, open_office
from tests.support.retrieval import PaperGuard, PaperQueue
from tests.support.safety import written_safety
from tests.support.searching import WordEmbedder
from tests.support.server import LiveServer, live
from tests.support.videos import Shelf, made_video

from foveal.chat.videos import VideoDesk
from foveal.cl100k import Cl100k
from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.http.retrieval_form import read_new_index
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.perception.base import SpeechSegment
from foveal.resources.accounts import open_accounts
from foveal.resources.callers import VisionResources
from foveal.resources.content_filters import Blocklist, StoredFilter, StoredSide
from foveal.resources.deployment_register import DeploymentRow, put_deployment
from foveal.resources.filter_register import attach_filter, put_blocklist, put_filter
from foveal.resources.identity import StorageAccess
from foveal.resources.limits import RateLimits
from foveal.resources.live import LiveAccounts
from foveal.resources.register import add_resource
from foveal.store.lance import LanceVectorStore
from foveal.store.lance_tending import Tending
from foveal.store.media import MediaStore, open_media
from foveal.store.object_blobs import open_blobs
from foveal.video.base import VideoRecord
from foveal.video.chat.asking import load_asking
from foveal.video.chat.chatting import VideoChat
from foveal.video.fetch.fetching import MediaVideoFetcher
from foveal.video.ingest.worksheet import Worksheet
from foveal.video.retrieval.contract import RetrievalContract, load_retrieval_contract
from foveal.video.retrieval.documents import VideoDocuments
from foveal.video.retrieval.indexes import VideoIndexes
from foveal.video.retrieval.ingestions import VideoIngestions
from foveal.video.retrieval.moderation import ModeratedSearch
from foveal.video.retrieval.retrieval import Retrieval
from foveal.video.search.search import VideoSearch
from foveal.video.search.shelf import Shelves
from foveal.video.search.wanted import index_words

ALPHA, BETA = "alpha", "beta"
# What is said in the video `film` of the index `cameras` of each.
SAID = {ALPHA: "The violet otter opens the safe.", BETA: "The amber heron closes the gate."}
# The one entry of the blocklist `words` of each.
FORBIDDEN = {ALPHA: "zebra", BETA: "yak"}
CAPACITY = {ALPHA: 100, BETA: 60, "only-alpha": 80}  # of the deployments `gpt-4v`, and of alpha's other one
OWN_HOSTS = ("alpha.example", "beta.example")
RETRIEVAL = "/computervision/retrieval/indexes"
VIDEO_INDEX = "AzureComputerVisionVideoIndex"
_RETRIEVAL_VERSION = "2023-05-01-preview"


@dataclass(frozen=True)
class Tenant:
    """`key` and `second` are its keys."""

    name: str
    key: str
    second: str
    http: httpx.Client

    def ask(self, text: str = "hi", deployment: str = "gpt-4v", **fields: Any) -> httpx.Response:
        body = {"messages": [{"role": "user", "content": text}], "max_tokens": 300, **fields}
        return self.chat(body, deployment)

    def chat(self, body: Mapping[str, Any], deployment: str = "gpt-4v") -> httpx.Response:
        path = f"/openai/deployments/{deployment}/chat/completions"
        return self.http.post(path, params={"api-version": API_VERSION}, json=body)

    def about_a_video(self, index: str, document: str, **parameters: Any) -> httpx.Response:
        source = {"type": VIDEO_INDEX, "parameters": {"indexName": index, **parameters}}
        content = [
            {"type": "acv_document_id", "acv_document_id": document},
            {"type": "text", "text": "What is said?"},
        ]
        return self.chat(
            {
                "enhancements": {"video": {"enabled": True}},
                "dataSources": [source],
                "messages": [{"role": "user", "content": content}],
                "max_tokens": 1000,
            }
        )

    def retrieval(self, method: str, path: str = "", body: Any = None) -> httpx.Response:
        """`path` follows the list of indexes."""
        params = {"api-version": _RETRIEVAL_VERSION}
        return self.http.request(method, RETRIEVAL + path, params=params, json=body)

    def search(self, index: str, text: str, **fields: Any) -> httpx.Response:
        return self.retrieval("POST", f"/{index}:queryByText", {"queryText": text, **fields})


@dataclass(frozen=True)
class Tenants:
    server: LiveServer
    office: Office
    accounts: LiveAccounts
    media: MediaStore
    shelf: Shelf
    alpha: Tenant
    beta: Tenant


def film_of(resource: str) -> VideoRecord:
    """A video in which only one sentence is said, its frames told by the resource's name."""
    made = made_video(20.0)
    frames = tuple(replace(one, text=f"a street of {resource}") for one in made.frames)
    return replace(made, frames=frames, speech=(SpeechSegment(2.0, 6.0, SAID[resource], "en", 0.95),))


def _minute() -> float:
    """One that does not end, for rate limits."""
    return 1_700_000_040.0


def _fill(database: Engine, shelf: Shelf, contract: RetrievalContract) -> dict[str, tuple[str, str]]:
    """Both have `gpt-4v`, the index `cameras` with `film`, the filter `strict` with the blocklist `words`;
    alpha alone has the deployment `only-alpha` and the index `only-alpha` with `alphas-film`.
    """
    open_accounts(database, operator_key="o" * 32, engine="scripted", strict=False)
    keys = {}
    both = read_new_index({"features": [{"name": "vision"}, {"name": "speech"}]}, contract)
    indexes = VideoIndexes(database, contract, PaperQueue(Worksheet(database)))
    for name in (ALPHA, BETA):
        _, keys[name] = add_resource(database, name, "AIServices", deployments=False)
        put_deployment(database, name, DeploymentRow("gpt-4v", capacity=CAPACITY[name]))
        put_blocklist(database, name, Blocklist("words", (FORBIDDEN[name],)))
        put_filter(database, name, "strict", StoredFilter(StoredSide(blocklists=("words",))))
        attach_filter(database, name, "strict", "gpt-4v")
        indexes.create(name, "cameras", both)
        shelf.publish(film_of(name), "film", index="cameras", resource=name)
    put_deployment(database, ALPHA, DeploymentRow("only-alpha", capacity=CAPACITY["only-alpha"]))
    indexes.create(ALPHA, "only-alpha", both)
    shelf.publish(film_of(ALPHA), "alphas-film", index="only-alpha", resource=ALPHA)
    return keys


@contextmanager
def serve_tenants(data: Path) -> Iterator[Tenants]:
    office = open_office(data)
    database, embedder, blobs = office.database, WordEmbedder(), open_blobs(data / "blobs")
    vectors = LanceVectorStore(
        data / "vectors", embedder.dimensions, words=index_words, tending=Tending(background=False)
    )
    shelf, contract = Shelf(database, blobs, vectors, embedder), load_retrieval_contract()
    keys = _fill(database, shelf, contract)
    accounts = LiveAccounts(database, engine="scripted", strict=False)
    media, worksheet, limits = (
        open_media(blobs, data, database),
        Worksheet(database),
        RateLimits(data, _minute),
    )
    queue = PaperQueue(worksheet)
    fetcher = MediaVideoFetcher(media=media, storage=StorageAccess(database))
    search = VideoSearch(embedder, lambda: vectors, Shelves(database))
    retrieval = Retrieval(
        contract,
        VideoIndexes(database, contract, queue),
        VideoIngestions(database, contract, queue, fetcher.check),
        VideoDocuments(database, contract),
        shelf.library,
        ModeratedSearch(search, PaperGuard()),
    )
    door = ImageDoor(MediaFetcher())
    chat = VideoChat(shelf.library, door, Cl100k().count, load_asking(), search)
    app = build_app(
        services(
            EchoEngine(),
            door=door,
            keys=accounts,
            deployments=accounts,
            enhanced=enhancements(keys=accounts, own_hosts=OWN_HOSTS),
            videos=VideoDesk(VisionResources(accounts, own_hosts=OWN_HOSTS), chat),
            safety=written_safety(),
            meter=office.metering,
            usage=office.metering.usage,
            limits=limits,
            retrieval=retrieval,
            media=media,
        )
    )
    with live(app) as server, _client(server, keys[ALPHA][0]) as a, _client(server, keys[BETA][0]) as b:
        alpha, beta = Tenant(ALPHA, *keys[ALPHA], a), Tenant(BETA, *keys[BETA], b)
        yield Tenants(server, office, accounts, media, shelf, alpha, beta)
        server.call(door.close())
    limits.close()
    vectors.close()
    office.close()


@contextmanager
def _client(server: LiveServer, key: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"api-key": key}, timeout=30) as made:
        yield made
