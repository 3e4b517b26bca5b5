"""Uploaded media over HTTP: what Azure's SDK reads, ranges, refusals, uploads, whose they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobClient
from tests.support.house import KEY, services
from tests.support.server import live

from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.resources.accounts import open_accounts
from foveal.store.database import open_database
from foveal.store.media import MediaStore, open_media
from foveal.store.object_blobs import open_blobs

DATA = os.urandom(100_000)
NAME = "길 거리 1+2&3=%41.mp4"
LIMIT = 5_000_000


@dataclass(frozen=True)
class Served:
    url: str
    store: MediaStore
    client: httpx.Client

    def signed(self, name: str = NAME, lasts: timedelta = timedelta(hours=1)) -> str:
        return self.store.url(self.url, "local", name, lasts)

    def put(self, name: str, data: bytes, **headers: str) -> httpx.Response:
        return self.client.put(f"/storage/local/{name}", content=data, headers=headers)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("media")
    database = open_database(folder)
    open_accounts(database, operator_key=None, engine="echo", strict=False)
    store = open_media(open_blobs(folder / "blobs"), folder, database, max_bytes=LIMIT)
    (folder / "film").write_bytes(DATA)
    store.add("local", NAME, folder / "film")
    with (
        live(build_app(services(EchoEngine(), media=store))) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        yield Served(server.url, store, client)
    database.dispose()


def refused(answer: httpx.Response, status: int, code: str) -> str:
    """The error is in Azure Storage's form; returns its message and detail."""
    assert answer.status_code == status, answer.text
    assert answer.headers["x-ms-error-code"] == code
    assert answer.headers["content-type"].startswith("application/xml")
    error = ElementTree.fromstring(answer.text)
    assert (error.tag, error.findtext("Code")) == ("Error", code)
    assert error.findtext("Message")
    return f"{error.findtext('Message')} {error.findtext('AuthenticationErrorDetail') or ''}"


def test_the_sdk_reads_it_like_a_blob(served: Served) -> None:
    with BlobClient.from_blob_url(served.signed()) as blob:
        assert (blob.container_name, blob.blob_name) == ("local", NAME)
        assert blob.download_blob().readall() == DATA
        assert blob.download_blob(offset=10, length=20).readall() == DATA[10:30]
        found = blob.get_blob_properties()
        assert (found.size, found.content_settings.content_type) == (len(DATA), "video/mp4")
        with pytest.raises(HttpResponseError):
            blob.upload_blob(b"x", overwrite=True)
        assert blob.download_blob().readall() == DATA
    with (
        BlobClient.from_blob_url(served.signed("none.mp4")) as none,
        pytest.raises(ResourceNotFoundError) as told,
    ):
        none.download_blob()
    assert "BlobNotFound" in str(told.value)


def test_all_of_it(served: Served) -> None:
    answer = served.client.get(served.signed())
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "video/mp4"
    head = served.client.head(served.signed())
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "etag", "last-modified"):
        assert head.headers[name] == answer.headers[name]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=99990-", 99_990, 100_000),
        ("bytes=-10", 99_990, 100_000),
        ("bytes=-200000", 0, 100_000),
        ("bytes=99999-200000", 99_999, 100_000),
    ],
)
def test_ranges(served: Served, asked: str, start: int, end: int) -> None:
    for method in ("GET", "HEAD"):
        answer = served.client.request(method, served.signed(), headers={"Range": asked})
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/100000"
        assert answer.headers["content-length"] == str(end - start)
        assert answer.content == (DATA[start:end] if method == "GET" else b"")


@pytest.mark.parametrize("asked", ["bytes=100000-", "bytes=100000-100001", "bytes=-0"])
def test_a_range_outside(served: Served, asked: str) -> None:
    answer = served.client.get(served.signed(), headers={"Range": asked})
    refused(answer, 416, "InvalidRange")
    assert answer.headers["content-range"] == "bytes */100000"


@pytest.mark.parametrize("asked", ["bytes=5-3", "bytes=0-1,4-5", "bytes=-", "lines=1-2", "bytes=x-", ""])
def test_what_is_no_range_means_all_of_it(served: Served, asked: str) -> None:
    answer = served.client.get(served.signed(), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, DATA)


def test_conditions(served: Served) -> None:
    url = served.signed()
    known = served.client.head(url).headers
    part = {"Range": "bytes=0-9"}
    for same in (known["etag"], known["last-modified"]):
        assert served.client.get(url, headers={**part, "If-Range": same}).status_code == 206
    for other in ('"0x0"', "W/" + known["etag"], "Mon, 01 Jan 2024 00:00:00 GMT", "nonsense"):
        assert served.client.get(url, headers={**part, "If-Range": other}).content == DATA
    assert served.client.get(url, headers={**part, "If-Match": known["etag"]}).status_code == 206
    refused(served.client.get(url, headers={"If-Match": '"0x0"'}), 412, "ConditionNotMet")
    unchanged = served.client.get(url, headers={"If-None-Match": known["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_signatures(served: Served) -> None:
    url = served.signed()
    over = served.client.get(served.signed(lasts=timedelta(seconds=-1)))
    assert "Signature not valid in the specified time frame" in refused(over, 403, "AuthenticationFailed")
    wrong = [
        url.partition("?")[0],
        url.replace("sp=r", "sp=rw"),
        url.replace("se=2", "se=3"),
        url.replace("sr=b", "sr=c"),
        url.replace("sv=2020-12-06", "sv=2023-01-03"),
        f"{url}&spr=https",
        f"{url}&st=2020-01-01",
        f"{url[:-8]}AAAA%3D",
        url.replace("sig=", "sig=%ED%A0%80"),
        served.signed("other.mp4").replace("other.mp4", "none.mp4"),
        url.replace("/storage/local/", "/storage/other/"),
        url.replace("/storage/local/", "/storage/media/"),
        url.partition("&sig=")[0],
    ]
    for one in wrong:
        # 403 before 404: without a signature nobody learns what is there
        assert "Signature did not match" in refused(served.client.get(one), 403, "AuthenticationFailed"), one
    refused(served.client.get(served.signed("none.mp4")), 404, "BlobNotFound")
    with_key = served.client.get(url.partition("?")[0], headers={"api-key": KEY})
    refused(with_key, 403, "AuthenticationFailed")


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%5c..%5cfoveal.db", "%00", "media.key", "a%23b"])
def test_no_name_leads_out(served: Served, name: str) -> None:
    for answer in (
        served.client.get(f"/storage/local/{name}"),
        served.client.get(served.signed(name)),
    ):
        assert answer.status_code in (403, 404)
    answer = served.put(name, b"x", **{"api-key": KEY})
    assert answer.status_code in (201, 400, 404, 405)
    if answer.status_code == 201:
        assert name == "media.key"  # a file like any other, below the blobs
        served.store.remove("local", name)


@pytest.mark.parametrize(
    "headers",
    [{"api-key": KEY}, {"Ocp-Apim-Subscription-Key": KEY}, {"Authorization": f"Bearer {KEY}"}],
)
def test_an_upload_answers_with_an_address(served: Served, headers: dict[str, str]) -> None:
    data = os.urandom(3_000_000)
    made = served.put("clip one.mp4", data, **headers)
    assert made.status_code == 201
    body = made.json()
    assert (body["name"], body["size"]) == ("clip one.mp4", len(data))
    assert body["url"].startswith(f"{served.url}/storage/local/clip%20one.mp4?")
    answer = served.client.get(body["url"])
    assert (answer.content, answer.headers["etag"]) == (data, made.headers["etag"])
    served.store.remove("local", "clip one.mp4")


def test_an_upload_in_pieces_and_one_over_another(served: Served) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    made = served.client.put("/storage/local/pieces.bin", content=pieces(), headers={"api-key": KEY})
    assert (made.status_code, made.json()["size"]) == (201, 2_000_000)
    kept = served.put("pieces.bin", b"new", **{"api-key": KEY, "If-None-Match": "*"})
    refused(kept, 409, "BlobAlreadyExists")
    assert served.put("pieces.bin", b"new", **{"api-key": KEY}).status_code == 201
    answer = served.client.get(served.signed("pieces.bin"))
    assert answer.content == b"new"
    assert answer.headers["content-type"] == "application/octet-stream"
    served.store.remove("local", "pieces.bin")


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "script.js"])
def test_a_browser_runs_nothing_of_what_was_uploaded(served: Served, name: str) -> None:
    assert served.put(name, b"<script>alert(1)</script>", **{"api-key": KEY}).status_code == 201
    answer = served.client.get(served.signed(name))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    served.store.remove("local", name)


def test_uploads_that_are_refused(served: Served, tmp_path: Path) -> None:
    before = [one.name for one in served.store.all("local")]
    for headers in ({}, {"api-key": "wrong"}, {"Authorization": "Bearer wrong"}):
        refused(served.put("x.mp4", b"x", **headers), 401, "InvalidAuthenticationInfo")
    # a signature reads and does not write
    signed = served.client.put(served.signed("x.mp4"), content=b"x")
    refused(signed, 401, "InvalidAuthenticationInfo")

    def endless() -> Iterator[bytes]:
        for _ in range(LIMIT // 100_000 + 2):
            yield bytes(100_000)

    big = served.client.put("/storage/local/x.mp4", content=endless(), headers={"api-key": KEY})
    refused(big, 413, "RequestBodyTooLarge")
    refused(served.put("x.mp4", bytes(LIMIT + 1), **{"api-key": KEY}), 413, "RequestBodyTooLarge")
    refused(served.put("x.mp4?comp=block&blockid=AA", b"x", **{"api-key": KEY}), 501, "NotImplemented")
    refused(served.put("a%23b", b"x", **{"api-key": KEY}), 400, "InvalidInput")
    refused(served.client.delete("/storage/local/x.mp4"), 405, "UnsupportedHttpVerb")
    refused(served.client.get("/storage/x.mp4"), 404, "ResourceNotFound")
    assert [one.name for one in served.store.all("local")] == before
