"""What `foveal index` and `foveal video` stand on: Video Retrieval in process, on the data directory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import click

from foveal.errors import SetupError
from foveal.resources.accounts import open_accounts
from foveal.resources.register import list_resources
from foveal.settings import Settings
from foveal.store.database import open_database
from foveal.store.media import MediaStore
from foveal.video.library import VideoLibrary
from foveal.video.retrieval.contract import RetrievalContract
from foveal.video.retrieval.documents import VideoDocuments
from foveal.video.retrieval.indexes import VideoIndexes
from foveal.video.retrieval.ingestions import VideoIngestions
from foveal.video.retrieval.retrieval import Searcher

HOUSE_SETTINGS = ("data", "models", "blobs", "vectors", "threads", "allow_hosts")
resource_option = click.option(
    "--resource", metavar="NAME", help="Whose indexes (see `foveal resource list`); the first by default."
)
index_option = click.option("--index", "index_name", required=True, metavar="NAME", help="The index.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class VideoHouse(Protocol):
    """As `foveal.assembly` builds it. While it is open it works on what waits, unless a server does."""

    @property
    def contract(self) -> RetrievalContract: ...
    @property
    def indexes(self) -> VideoIndexes: ...
    @property
    def ingestions(self) -> VideoIngestions: ...
    @property
    def documents(self) -> VideoDocuments: ...
    @property
    def library(self) -> VideoLibrary: ...
    @property
    def search(self) -> Searcher: ...
    @property
    def media(self) -> MediaStore: ...
    def sweep(self) -> None: ...


def build(settings: Settings, *, work: bool) -> AbstractContextManager[VideoHouse]:
    """`work`: whether this process may ingest videos. Imported here: most commands need none of it."""
    from foveal.assembly.video import build_video

    return build_video(settings, work=work)


@contextmanager
def open_house(
    settings: Settings, resource: str | None, *, work: bool = False
) -> Iterator[tuple[VideoHouse, str]]:
    """The house, and the name of the resource that is meant. Raises `SetupError` when there is none of it."""
    name = _resource(settings, resource)
    with build(settings, work=work) as house:
        yield house, name


def _resource(settings: Settings, wanted: str | None) -> str:
    database = open_database(settings.data)
    try:
        accounts, generated = open_accounts(
            database, operator_key=settings.api_key, engine=settings.engine, strict=settings.strict
        )
        if generated is not None:
            first = next(iter(accounts.resources))
            click.echo(f"Key 1 of resource {first} (shown this once): {generated}", err=True)
        names = [one.name for one in list_resources(database)]
    finally:
        database.dispose()
    if wanted is None:
        return names[0]
    if wanted not in names:
        raise SetupError(f"there is no resource '{wanted}'; there are {', '.join(names)}")
    return wanted


def show_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def named_values(given: tuple[str, ...], option: str) -> Mapping[str, str]:
    """`k=v` options as a mapping. Raises `click.UsageError`."""
    values: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"{option} {text}: write it as name=value")
        values[name.strip()] = value
    return values


def length(seconds: float) -> str:
    """'1:02:03', or '2:03' below an hour."""
    whole = round(seconds)
    minutes = f"{whole // 60 % 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{minutes:0>5}" if whole >= 3600 else minutes


def size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.2f} GB"


def plain(text: str) -> str:
    """Safe as a cell of a rich table: nothing of it is markup."""
    return text.replace("[", r"\[")
