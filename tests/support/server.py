"""A live server on a free loopback port, in a thread of its own, stopped gracefully."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp

T = TypeVar("T")


class _Server(uvicorn.Server):
    """Tells when it has started, and on which event loop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.up.set()


class LiveServer:
    """`url` is its base address; `call` runs a coroutine on its event loop; `stop` ends it gracefully.

    With a `certificate` (a PEM file that has the key too) it speaks TLS.
    """

    def __init__(self, app: ASGIApp, certificate: Path | None = None) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        self.url = f"{'http' if certificate is None else 'https'}://127.0.0.1:{self.port}"
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=20, ssl_certfile=certificate)
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), daemon=True)
        self._thread.start()
        assert self._server.up.wait(20), "the server did not start"

    def call(self, work: Coroutine[Any, Any, T], timeout: float = 20) -> T:
        assert self._server.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._server.loop).result(timeout)

    def begin_stop(self) -> None:
        self._server.should_exit = True

    def stop(self) -> None:
        self.begin_stop()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server did not stop"


@contextmanager
def live(app: ASGIApp, certificate: Path | None = None) -> Iterator[LiveServer]:
    server = LiveServer(app, certificate)
    try:
        yield server
    finally:
        server.stop()
