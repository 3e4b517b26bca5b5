from __future__ import annotations

import asyncio
import base64
import dataclasses
import logging
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.unit.images.pictures import corners, encode, noise
from tests.unit.images.server import Site, ok, redirect, serve, status

from foveal.errors import FovealError, InvalidImage, InvalidRequest, TooManyRequests
from foveal.images.base64_text import BadBase64, TooMuchBase64, decode_base64
from foveal.images.cache import ImageCache, size_in_bytes
from foveal.images.data_url import local_image_to_data_url
from foveal.images.decode import Limits
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher

PARAM = "messages[0].content[1].image_url.url"
PNG = encode(corners(), "PNG")
NOT_ACCESSIBLE = "The provided image url is not accessible. Please check the URL and try again."


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@pytest.fixture
async def door() -> AsyncIterator[ImageDoor]:
    door = ImageDoor(MediaFetcher(), workers=2)
    yield door
    await door.close()


async def refusal(door: ImageDoor, url: str) -> FovealError:
    with pytest.raises((InvalidImage, InvalidRequest)) as caught:
        await door.open(url, "auto", param=PARAM)
    assert caught.value.param == PARAM
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize(
    "media_type",
    [
        "image/png",
        "image/jpg",
        "image/jpeg",
        "application/octet-stream",
        "text/html",
        "",
        "IMAGE/PNG;charset=x",
    ],
)
async def test_the_media_type_is_not_trusted(door: ImageDoor, media_type: str) -> None:
    image = await door.open(data_url(PNG, media_type), "auto", param=PARAM)
    assert (image.format, image.media_type, image.data) == ("png", "image/png", PNG)
    assert (image.width, image.height, image.detail, image.tokens) == (96, 64, "low", 85)


async def test_the_pages_helper_makes_urls_that_open(door: ImageDoor, tmp_path: Path) -> None:
    path = tmp_path / "picture.unknown"
    path.write_bytes(PNG)
    assert (await door.open(local_image_to_data_url(path), "auto", param=PARAM)).data == PNG


async def test_detail(door: ImageDoor) -> None:
    data = encode(corners(1200, 900), "JPEG")
    high = await door.open_bytes(data, "auto", param=PARAM)
    low = await door.open_bytes(data, "low", param=PARAM)
    assert (high.detail, high.tokens, high.best.shape) == ("high", 765, (768, 1024, 3))
    assert (low.detail, low.tokens, low.best.shape) == ("low", 85, (384, 512, 3))
    assert high.sha256 == low.sha256


async def test_bare_base64_needs_its_own_call(door: ImageDoor) -> None:
    text = base64.b64encode(PNG).decode()
    assert (await door.open_base64(text, "auto", param=PARAM)).data == PNG
    assert isinstance(await refusal(door, text), InvalidRequest)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "   ",
        "picture.png",
        "/etc/passwd",
        "file:///etc/passwd",
        "ftp://h/a.png",
        "gs://b/a",
        " http://h/",
        "http:h",
    ],
)
async def test_what_is_no_url(door: ImageDoor, url: str) -> None:
    error = await refusal(door, url)
    assert isinstance(error, InvalidRequest)
    assert error.type == "invalid_request_error"


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,@@@@",
        "data:image/png;base64,AAAAA",
        "data:image/png;base64,AA==AA==",
        "data:image/png;base64,AA-_",
        "data:image/png;base64,%2B",
        "data:image/png;base64,한국",
        "data:image/png,AAAA",
        "data:,hello",
        "data:image/png;base64",
        "data:" + "x" * 10_000 + ";base64,AAAA",
    ],
)
async def test_bad_base64(door: ImageDoor, url: str) -> None:
    assert (await refusal(door, url)).message.startswith("Invalid image (base64) data.")


@pytest.mark.parametrize("data", [b"", b"hello", PNG[:200], PNG[:-12]])
async def test_bad_pictures(door: ImageDoor, data: bytes) -> None:
    assert (await refusal(door, data_url(data))).message.startswith("Invalid image data.")


async def test_21_megabytes(door: ImageDoor) -> None:
    text = data_url(PNG + b"\0" * (21 * 1024 * 1024))
    assert "at most 20 MB" in (await refusal(door, text)).message
    assert (await door.open(data_url(PNG), "auto", param=PARAM)).width == 96


async def test_url_through_the_network() -> None:
    html = ok(b"<!doctype html><html>Sign in</html>", "Content-Type: image/png")
    site = Site(
        {
            "/a": ok(PNG, "Content-Type: text/plain"),
            "/html": html,
            "/404": status("404 No"),
            "/inside": redirect("http://10.0.0.1/"),
            "/large": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n",
        }
    )
    async with serve(site):
        door = ImageDoor(MediaFetcher(allow_hosts=[f"127.0.0.1:{site.port}"]))
        assert (await door.open(site.url("/a"), "high", param=PARAM)).data == PNG
        assert (await refusal(door, site.url("/html"))).message.startswith("Invalid image data.")
        assert "at most 20 MB" in (await refusal(door, site.url("/large"))).message
        for url in (
            site.url("/404"),
            site.url("/inside"),
            "http://localhost:1/",
            "http://user@h/",
            "http://[::1/",
        ):
            error = await refusal(door, url)
            assert (error.message, error.code) == (NOT_ACCESSIBLE, "BadRequest")
        await door.close()


async def test_a_timeout_says_no_more_than_a_refusal() -> None:
    over = asyncio.Event()

    async def slow(_writer: asyncio.StreamWriter) -> None:
        await over.wait()

    async with serve(Site({"/": slow})) as site:
        door = ImageDoor(MediaFetcher(allow_hosts=["127.0.0.1"], deadline=0.05))
        assert (await refusal(door, site.url("/"))).message == NOT_ACCESSIBLE
        over.set()
        await door.close()


async def test_a_second_question_decodes_nothing(door: ImageDoor) -> None:
    data = encode(noise(700, 600), "JPEG")
    first = await door.open_bytes(data, "auto", param=PARAM)
    assert await door.open(data_url(data), "high", param=PARAM) is first
    assert await door.open_bytes(data, "low", param=PARAM) is not first


async def test_a_full_queue_refuses_at_once() -> None:
    door = ImageDoor(MediaFetcher(), workers=1, max_waiting=1)
    started, gate = threading.Event(), threading.Event()

    class Gate(str):
        def find(self, *_: object) -> int:
            started.set()
            gate.wait()
            return -1

    held = asyncio.create_task(door.open(Gate("data:"), "auto", param=PARAM))
    await asyncio.to_thread(started.wait)
    waiting = asyncio.create_task(door.open(data_url(PNG), "auto", param=PARAM))
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests) as caught:
        await door.open(data_url(PNG), "auto", param=PARAM)
    assert caught.value.status == 429
    assert caught.value.headers["retry-after"] == "1"
    held.cancel()
    gate.set()
    assert (await waiting).width == 96
    assert (await door.open(data_url(PNG), "auto", param=PARAM)).width == 96
    await door.close()


async def test_ten_pictures_at_once(door: ImageDoor) -> None:
    pictures = [encode(corners(600 + 10 * number, 500), "JPEG") for number in range(10)]
    images = await asyncio.gather(*(door.open(data_url(data), "auto", param=PARAM) for data in pictures))
    assert [image.width for image in images] == [600 + 10 * number for number in range(10)]


async def test_a_given_executor_stays_open() -> None:
    executor = ThreadPoolExecutor(1)
    door = ImageDoor(MediaFetcher(), executor=executor, workers=1)
    await door.open_bytes(PNG, "low", param=None)
    await door.close()
    assert executor.submit(lambda: 1).result() == 1
    executor.shutdown()


async def test_nothing_of_the_picture_is_logged(door: ImageDoor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    text = data_url(encode(noise(100, 100), "PNG")[:5000])
    await refusal(door, text)
    assert text[30:60] not in caplog.text


async def test_cache_is_bounded_by_bytes() -> None:
    door = ImageDoor(MediaFetcher(), cache_bytes=0)
    image = await door.open_bytes(PNG, "low", param=None)
    assert await door.open_bytes(PNG, "low", param=None) is not image
    await door.close()
    size = size_in_bytes(image)
    cache = ImageCache(3 * size)
    for number in range(5):
        cache.put((str(number), "low"), image)
        cache.get(("2", "low"))
    assert (len(cache), cache.bytes) == (3, 3 * size)
    assert [number for number in range(5) if cache.get((str(number), "low"))] == [2, 3, 4]
    assert cache.may_have(len(image.data))
    assert not cache.may_have(len(image.data) + 1)
    cache.put(("4", "low"), image)
    assert cache.bytes == 3 * size
    large = dataclasses.replace(image, overview=np.zeros((2000, 2000, 3), np.uint8))
    cache.put(("large", "low"), large)
    assert cache.get(("large", "low")) is None
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)
    assert not cache.may_have(len(image.data))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 100, (1 << 20) // 4 * 3, (1 << 20) // 4 * 3 + 1, 3_000_001])
@pytest.mark.parametrize("style", ["plain", "lines", "no padding", "lines without padding"])
def test_base64_forms(size: int, style: str) -> None:
    data = np.random.default_rng(size).bytes(size)
    text = base64.encodebytes(data).decode() if "lines" in style else base64.b64encode(data).decode()
    if "padding" in style:
        text = text.replace("=", "")
    assert decode_base64("head," + text, 5, max_bytes=size) == data
    if size:
        with pytest.raises(TooMuchBase64):
            decode_base64(text, 0, max_bytes=size - 1)


@pytest.mark.parametrize("place", [0, 5, 1 << 20, (1 << 20) + 1, 2_000_000])
@pytest.mark.parametrize("wrong", ["!", "=", "-", "é", "\x00"])
def test_base64_damage_anywhere_is_found(place: int, wrong: str) -> None:
    text = "A" * place + wrong + "A" * (2_400_000 - place - 1)
    with pytest.raises(BadBase64):
        decode_base64(text, 0, max_bytes=10_000_000)


def test_base64_after_the_end_of_a_piece() -> None:
    with pytest.raises(BadBase64):
        decode_base64("A" * ((1 << 20) - 2) + "==" + "AAAA", 0, max_bytes=10_000_000)
    assert len(decode_base64("A" * ((1 << 20) - 2) + "==" + "\n\n", 0, max_bytes=10_000_000)) == 786_430


def test_limits_can_be_lowered() -> None:
    async def check() -> None:
        with ThreadPoolExecutor(1) as executor:
            door = ImageDoor(MediaFetcher(), limits=Limits(max_pixels=1000), executor=executor)
            with pytest.raises(InvalidImage, match=r"0\.001 megapixels"):
                await door.open_bytes(PNG, "low", param=None)

    asyncio.run(check())
