"""What is known of a video's address before anybody is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine

from foveal.errors import VideoUnreachable
from foveal.resources.accounts import open_accounts
from foveal.store.database import open_database
from foveal.store.media import MediaStore, open_media
from foveal.store.object_blobs import open_blobs
from foveal.video.fetch.fetching import MediaVideoFetcher
from foveal.video.work import Source

BLOB = "https://account.blob.core.windows.net/videos/film.mp4"


def checked(url: str, fetcher: MediaVideoFetcher | None = None) -> str:
    """Why an address is refused; nothing when it is not."""
    try:
        (fetcher or MediaVideoFetcher()).check(Source(url, "local"))
    except VideoUnreachable as refused:
        told = refused.message
    else:
        told = ""
    assert "SECRET" not in told
    return told


def sas(**fields: str) -> str:
    return f"{BLOB}?{urlencode({'sp': 'r', 'sv': '2023-01-03', 'sr': 'b', **fields, 'sig': 'SECRET'})}"


def iso(days: float) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "concat:https://a.example/1.mp4|file:///etc/passwd",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "hls+https://a.example/list.m3u8",
        "rtmp://a.example/live",
        "data:video/mp4;base64,AAAA",
        "ftp://a.example/film.mp4",
        "",
        "[",
        "https://",
        "https://user:SECRET@a.example/film.mp4",
        "https://a.example\\@10.0.0.1/film.mp4",
        "https://a.example/a b.mp4",
        "https://a.example/\n/film.mp4",
    ],
)
def test_only_plain_web_addresses(url: str) -> None:
    assert checked(url).startswith("The video's address ")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8450/film.mp4",
        "http://[::1]/film.mp4",
        "http://10.0.0.7/film.mp4",
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://[::ffff:127.0.0.1]/film.mp4",
    ],
)
def test_hosts_that_are_never_asked(url: str) -> None:
    assert "may not fetch from it" in checked(url)


def test_metadata_is_refused_even_where_the_operator_allows_it() -> None:
    allowed = MediaVideoFetcher(allow_hosts=("169.254.169.254", "127.0.0.1:9000"))
    assert "may not fetch" in checked("http://169.254.169.254/film.mp4", allowed)
    assert checked("http://127.0.0.1:9000/film.mp4", allowed) == ""
    assert "may not fetch" in checked("http://127.0.0.1:9001/film.mp4", allowed)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"se": 1}, ""),
        ({"se": "2999-01-01"}, ""),
        ({"st": -1, "se": 1}, ""),
        ({"se": -1}, "expired at "),
        ({"se": "2024-05-01"}, "expired at 2024-05-01"),
        ({"se": -0.005}, ""),  # 7 minutes: clocks differ, the storage judges
        ({"st": 1, "se": 2}, "not valid before "),
        ({"se": 1, "sp": "wl"}, "lacks the read permission"),
        ({"se": 1, "sp": "racwdl"}, ""),
        ({"se": "soon"}, ""),  # the storage will say
    ],
)
def test_what_a_sas_says_of_itself(fields: dict[str, str | float], reason: str) -> None:
    """Numbers are days from now: taken when the test runs, which may be long after it was collected."""
    url = sas(**{name: value if isinstance(value, str) else iso(value) for name, value in fields.items()})
    assert reason in checked(url)
    assert bool(reason) == bool(checked(url))


def test_an_address_without_a_signature_is_no_sas() -> None:
    assert checked(BLOB) == checked(f"{BLOB}?se=2024-05-01") == ""


def test_the_stray_bracket_of_the_page() -> None:
    assert checked(f"[{sas(se=iso(1))}") == ""
    assert "expired" in checked(f" [{sas(se=iso(-1))} ")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    made = open_database(tmp_path)
    open_accounts(made, operator_key=None, engine="echo", strict=False)
    yield made
    made.dispose()


@pytest.fixture
def media(tmp_path: Path, database: Engine) -> MediaStore:
    store = open_media(open_blobs(tmp_path / "blobs"), tmp_path, database)
    (tmp_path / "film").write_bytes(b"moving pictures")
    store.add("local", "길 거리.mp4", tmp_path / "film")
    return store


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:8450", "https://foveal.example", "http://10.1.2.3", "http://x/"]
)
def test_an_uploaded_file_is_read_without_the_network(media: MediaStore, tmp_path: Path, base: str) -> None:
    async def nobody(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host}:{port} was looked up")

    fetcher = MediaVideoFetcher(media=media, resolver=nobody)
    heard: list[float] = []
    for identity in (False, True):
        source = Source(media.url(base, "local", "길 거리.mp4"), "local", identity)
        fetcher.fetch(source, tmp_path / "there.mp4", heard.append)
        assert (tmp_path / "there.mp4").read_bytes() == b"moving pictures"
    assert heard == [1.0, 1.0]


@pytest.mark.parametrize("base", ["http://localhost:8450", "https://foveal.example"])
def test_an_address_of_an_uploaded_file_that_does_not_work(
    media: MediaStore, base: str, tmp_path: Path
) -> None:
    fetcher = MediaVideoFetcher(media=media, own_hosts=("foveal.example",))
    late = media.url(base, "local", "길 거리.mp4", timedelta(seconds=-1))
    assert "(403, AuthenticationFailed): Signature not valid in the specified time frame" in checked(
        late, fetcher
    )
    other = media.url(base, "local", "other.mp4").replace("other.mp4", "길.mp4")
    assert "Signature did not match" in checked(other, fetcher)
    foreign = media.url(base, "local", "길 거리.mp4").replace("/local/", "/other/")
    assert "Signature did not match" in checked(foreign, fetcher)
    assert "Signature did not match" in checked(f"{base}/storage/local", fetcher)
    gone = media.url(base, "local", "gone")
    assert checked(gone, fetcher) == ""
    with pytest.raises(VideoUnreachable, match="no uploaded file 'gone'"):
        fetcher.fetch(Source(gone, "local"), tmp_path / "film.mp4", lambda _: None)


def test_a_foveal_elsewhere_is_a_storage_like_any_other(
    media: MediaStore, tmp_path: Path, database: Engine
) -> None:
    other = open_media(open_blobs(tmp_path / "blobs"), tmp_path / "other", database)
    url = other.url("https://other.example", "local", "film.mp4")
    assert checked(url, MediaVideoFetcher(media=media)) == ""


def test_no_identity_without_accounts() -> None:
    with pytest.raises(VideoUnreachable) as told:
        MediaVideoFetcher().check(Source(BLOB, "local", managed_identity=True))
    assert told.value.code == "ManagedIdentityNotEnabled"
