"""From the body of a chat request to pixels that an engine can take: ours against the plain way, in one run.

    python bench/images.py [--runs 15]

The picture is made here: 12 megapixels of gradients, soft colour patches and sensor-like noise, saved by
Pillow as a JPEG of about 3 MB. Both ways start from the same JSON bytes and end with the two views of high
detail (512×384 and 1024×768):

  ours    msgspec, then `ImageDoor` without its cache, handing over to its threads included
  plain   json, base64, Pillow: open, convert, resize twice

The ways take turns, so a machine that is busy for a while is busy for both. It also prints how long the event
loop was held while `ImageDoor` opened pictures.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import statistics
import time

import cv2
import msgspec
import numpy as np
from PIL import Image

from foveal.images.detail import DetailedImage, Pixels
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.images.tiles import overview_size, working_size


class _ImageUrl(msgspec.Struct):
    url: str


class _Part(msgspec.Struct):
    type: str
    text: str = ""
    image_url: _ImageUrl | None = None


class _Message(msgspec.Struct):
    role: str
    content: list[_Part]


class _Body(msgspec.Struct):
    messages: list[_Message]


def make_jpeg(width: int = 4032, height: int = 3024, size: int = 3_000_000) -> bytes:
    """A picture whose JPEG has about `size` bytes; always the same one."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    gradient = np.stack([x / width, y / height, (x + y) / (width + height)], axis=-1) * 255
    patches = random.normal(0, 30, (height // 8, width // 8, 3)).astype(np.float32)
    patches = np.asarray(cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC))
    noise = random.normal(0, 9, (height, width, 1)).astype(np.float32)
    picture = Image.fromarray(np.clip(gradient + patches + noise, 0, 255).astype(np.uint8))
    saved = []
    for quality in range(60, 90):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        saved.append(file.getvalue())
        if len(saved[-1]) >= size:
            break
    return min(saved, key=lambda jpeg: abs(len(jpeg) - size))


def make_body(jpeg: bytes) -> bytes:
    url = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    return json.dumps({"messages": [{"role": "user", "content": parts}], "max_tokens": 100}).encode()


async def ours(body: bytes, decoder: msgspec.json.Decoder[_Body], door: ImageDoor) -> DetailedImage:
    part = decoder.decode(body).messages[0].content[1]
    assert part.image_url is not None
    return await door.open(part.image_url.url, "auto", param=None)


def plain(body: bytes) -> tuple[Pixels, Pixels]:
    url = json.loads(body)["messages"][0]["content"][1]["image_url"]["url"]
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")
    return (
        np.asarray(picture.resize(overview_size(*picture.size))),
        np.asarray(picture.resize(working_size(*picture.size))),
    )


async def longest_hold(jpeg: bytes, times: int) -> tuple[float, float]:
    """(idle, busy): the longest gap between two beats of the event loop, seconds."""
    url = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    door = ImageDoor(MediaFetcher(), cache_bytes=0)
    gaps: list[float] = []

    async def beat() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last - 0.001)
            last = now

    heart = asyncio.create_task(beat())
    await asyncio.sleep(0.3)
    idle = max(gaps)
    gaps.clear()
    await asyncio.gather(*(door.open(url, "auto", param=None) for _ in range(times)))
    heart.cancel()
    await door.close()
    return idle, max(gaps)


async def compare(jpeg: bytes, runs: int) -> tuple[list[float], list[float]]:
    """Seconds of each run, ours and plain, after one run of each that is not counted."""
    body = make_body(jpeg)
    decoder = msgspec.json.Decoder(_Body)
    door = ImageDoor(MediaFetcher(), cache_bytes=0)
    image = await ours(body, decoder, door)
    overview, scaled = plain(body)
    assert image.scaled is not None
    assert (image.overview.shape, image.scaled.shape) == (overview.shape, scaled.shape)
    our_times, plain_times = [], []
    for _ in range(runs):
        started = time.perf_counter()
        await ours(body, decoder, door)
        between = time.perf_counter()
        plain(body)
        our_times.append(between - started)
        plain_times.append(time.perf_counter() - between)
    await door.close()
    return our_times, plain_times


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--runs", type=int, default=15)
    runs: int = arguments.parse_args().runs
    jpeg = make_jpeg()
    our_times, plain_times = asyncio.run(compare(jpeg, runs))
    our_median, plain_median = statistics.median(our_times), statistics.median(plain_times)
    print(f"picture   4032×3024, JPEG of {len(jpeg) / 1e6:.2f} MB")
    print(f"ours      {our_median * 1e3:6.1f} ms median, {min(our_times) * 1e3:6.1f} ms best")
    print(f"plain     {plain_median * 1e3:6.1f} ms median, {min(plain_times) * 1e3:6.1f} ms best")
    print(f"ratio     {plain_median / our_median:6.2f} × faster")
    idle, busy = asyncio.run(longest_hold(jpeg, 16))
    print(f"loop held {busy * 1e3:6.1f} ms at most while opening 16 pictures ({idle * 1e3:.1f} ms idle)")


if __name__ == "__main__":
    main()
