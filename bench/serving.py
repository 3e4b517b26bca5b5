"""The whole server with the echo engine, against a bare ASGI application in the same process and run.

    python bench/serving.py [--seconds 4] [--images 500]

  added    16 clients paced to 500 requests a second in all: p50 and p99 of ours less those of the bare one
  closed   16 clients without pause, server on one core: requests a second
  hold     how long the event loop was held while four clients send 3 MB JPEGs as data URLs
  beside   a text question's p50 alone, and beside four clients that send 3 MB JPEGs without pause
  memory   RSS after 50 and after 500 image requests

The server runs in a process of its own: pinned to one core for `added` and `closed` (the client is pinned to
another), free for the rest. Ours and the bare one take turns, so a busy machine is busy for both.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from PIL import Image
from starlette.types import ASGIApp, Receive, Scope, Send

from foveal.assembly.server import assemble_server
from foveal.resources.accounts import open_accounts
from foveal.settings import Settings
from foveal.store.database import open_database

KEY = "bench-key-0123456789abcdef"
CLIENTS = 16
PACE = 500  # requests a second, all clients together
PATH = "/openai/deployments/gpt-4v/chat/completions?api-version=2023-12-01-preview"
QUESTION = {
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France, and how many people live there?"},
    ],
    "max_tokens": 100,
}


# --- the server's process -------------------------------------------------------------------------------


class Bench:
    """Ours, and beside it `/bare` (reads the body, answers as many bytes) and `/state` (heartbeat, RSS)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._gaps = [0.0]
        self._beat: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/bare":
            while (await receive()).get("more_body"):
                pass
            await _answer(send, b"x" * 650)
        elif scope["type"] == "http" and scope["path"] == "/state":
            await receive()
            gaps, self._gaps = self._gaps, [0.0]
            if self._beat is None:
                self._beat = asyncio.create_task(self._heartbeat())
            await _answer(send, json.dumps(_state(gaps)).encode())
        else:
            await self._app(scope, receive, send)

    async def _heartbeat(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self._gaps.append((time.perf_counter() - before) * 1000 - 1)


def _state(gaps: list[float]) -> dict[str, float]:
    return {"hold_max": max(gaps), "hold_p99": percentile(gaps, 0.99), "rss": _rss()}


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _rss() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _serve(cores: set[int], port: Connection) -> None:
    os.sched_setaffinity(0, cores)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), engine="echo", api_key=KEY)
        database = open_database(settings.data)
        open_accounts(database, operator_key=KEY, engine="echo", strict=False)
        listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        port.send(listening.getsockname()[1])
        config = uvicorn.Config(
            Bench(assemble_server(settings, database)),
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        uvicorn.Server(config).run(sockets=[listening])


class Server:
    def __init__(self, cores: set[int]) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(cores, theirs), daemon=True)
        self._process.start()
        self.port: int = ours.recv()

    def stop(self) -> None:
        self._process.terminate()
        self._process.join()


# --- the client -----------------------------------------------------------------------------------------


def request(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\napi-key: {KEY}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Client:
    """One keep-alive connection that sends prepared bytes: as little work as can be on this side."""

    @classmethod
    async def connect(cls, port: int) -> Client:
        client = cls()
        client._reader, client._writer = await asyncio.open_connection("127.0.0.1", port)
        return client

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    async def send(self, raw: bytes) -> bytes:
        self._writer.write(raw)
        await self._writer.drain()
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"unexpected answer: {head[:300]!r}")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        return await self._reader.readexactly(length)

    async def timed(self, raw: bytes) -> float:
        before = time.perf_counter()
        await self.send(raw)
        return (time.perf_counter() - before) * 1000

    def close(self) -> None:
        self._writer.close()


async def with_clients(port: int, count: int, work: Callable[[int, Client], Awaitable[Any]]) -> list[Any]:
    clients = [await Client.connect(port) for _ in range(count)]
    try:
        return await asyncio.gather(*(work(index, client) for index, client in enumerate(clients)))
    finally:
        for client in clients:
            client.close()


async def paced(port: int, raw: bytes, seconds: float) -> list[float]:
    """Milliseconds of each request, sent on a fixed plan by `CLIENTS` clients."""
    gap = CLIENTS / PACE
    start = time.perf_counter() + 0.1

    async def work(index: int, client: Client) -> list[float]:
        times = []
        for turn in range(int(seconds / gap)):
            await asyncio.sleep(start + (turn + index / CLIENTS) * gap - time.perf_counter())
            times.append(await client.timed(raw))
        return times

    return [time for times in await with_clients(port, CLIENTS, work) for time in times]


async def closed_loop(port: int, raw: bytes, seconds: float, clients: int = CLIENTS) -> list[float]:
    end = time.perf_counter() + seconds

    async def work(_: int, client: Client) -> list[float]:
        times = []
        while time.perf_counter() < end:
            times.append(await client.timed(raw))
        return times

    return [time for times in await with_clients(port, clients, work) for time in times]


async def state(port: int) -> dict[str, float]:
    client = await Client.connect(port)
    found: dict[str, float] = json.loads(await client.send(request("/state", b"")))
    client.close()
    return found


def make_jpeg(size: int = 3_000_000) -> bytes:
    """A 12-megapixel JPEG of about `size` bytes."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[0:3024, 0:4032].astype(np.float32)
    smooth = np.stack([x / 4032, y / 3024, (x + y) / 7056], axis=-1) * 255
    pixels = (smooth + random.normal(0, 9, smooth.shape)).clip(0, 255).astype(np.uint8)
    for quality in range(95, 10, -5):
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "JPEG", quality=quality)
        if out.tell() <= size:
            break
    return out.getvalue()


def image_request(jpeg: bytes) -> bytes:
    jpeg += bytes(-len(jpeg) % 3 + 12)  # what stands after a JPEG's end is not a part of the picture
    url = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    part = {"type": "image_url", "image_url": {"url": url, "detail": "high"}}
    content = [{"type": "text", "text": "What is this?"}, part]
    body = {"messages": [{"role": "user", "content": content}], "max_tokens": 50}
    return request(PATH, json.dumps(body).encode())


def different(raw: bytes, number: int) -> bytes:
    """The same picture with other bytes after its end: nothing is answered from a cache of pictures."""
    place = raw.rindex(b'", "detail"') - 16
    return raw[:place] + f"{number:016d}".encode() + raw[place + 16 :]


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


# --- what is measured -----------------------------------------------------------------------------------


async def measure_text(port: int, seconds: float) -> None:
    ours, bare = request(PATH, json.dumps(QUESTION).encode()), request("/bare", json.dumps(QUESTION).encode())
    await closed_loop(port, ours, 0.5)
    added: dict[str, list[float]] = {"ours": [], "bare": []}
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(3):
        for name, raw in (("bare", bare), ("ours", ours)):
            added[name] += await paced(port, raw, seconds)
            rates[name].append(len(await closed_loop(port, raw, seconds / 2)) / (seconds / 2))
    for share in (0.5, 0.99):
        one, other = percentile(added["ours"], share), percentile(added["bare"], share)
        print(
            f"added    p{share * 100:.0f}: ours {one:.2f} ms, bare {other:.2f} ms, added {one - other:.2f} ms"
        )
    print(
        f"closed   ours {statistics.median(rates['ours']):.0f} requests/s, "
        f"bare {statistics.median(rates['bare']):.0f} requests/s, one core"
    )


async def measure_images(port: int, seconds: float, count: int) -> None:
    text = request(PATH, json.dumps(QUESTION).encode())
    raw = image_request(make_jpeg())
    await state(port)  # starts the heartbeat
    lone = await closed_loop(port, text, seconds / 2, clients=1)
    await state(port)
    done = 0
    stop = asyncio.Event()

    async def send_images(_: int, client: Client) -> None:
        nonlocal done
        while not stop.is_set():
            done += 1
            await client.send(different(raw, done))

    await closed_loop(port, request("/bare", raw), seconds / 2, clients=4)
    machine = await state(port)
    sending = asyncio.create_task(with_clients(port, 4, send_images))
    await asyncio.sleep(0.5)
    beside = await closed_loop(port, text, seconds, clients=1)
    stop.set()
    await sending
    found = await state(port)
    a, b = statistics.median(lone), statistics.median(beside)
    for name, held in (("3 MB JPEGs answered", found), ("the same bytes only received", machine)):
        print(f"hold     p99 {held['hold_p99']:.1f} ms, max {held['hold_max']:.1f} ms: {name}")
    print(f"beside   text p50 {a:.2f} ms alone, {b:.2f} ms beside four image clients: {b / a:.2f}×")
    await measure_memory(port, raw, count)


async def measure_memory(port: int, raw: bytes, count: int) -> None:
    client = await Client.connect(port)
    sizes = {}
    for number in range(1, count + 1):
        await client.send(different(raw, 10**9 + number))
        if number in (50, count):
            sizes[number] = (await state(port))["rss"]
    client.close()
    first, last = sizes[50] / 1e6, sizes[count] / 1e6
    print(f"memory   RSS {first:.0f} MB after 50 images, {last:.0f} MB after {count}: {last / first:.3f}×")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--images", type=int, default=500)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    pinned = Server({cores[0]})
    asyncio.run(measure_text(pinned.port, options.seconds))
    pinned.stop()
    os.sched_setaffinity(0, set(cores))
    free = Server(set(cores))
    asyncio.run(measure_images(free.port, options.seconds, options.images))
    free.stop()


if __name__ == "__main__":
    main()
