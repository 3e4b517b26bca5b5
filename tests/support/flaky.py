"""A storage on loopback that breaks as it is told: dies, changes the file, refuses, goes silent."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Step:
    """How one request is answered. `data` becomes the file from then on; `cut`: so many bytes of the body,
    then the connection ends (`silent`: it stays, and nothing comes); `ranges` False: a Range is ignored.
    """

    status: int | None = None
    data: bytes | None = None
    cut: int | None = None
    silent: bool = False
    ranges: bool = True
    shift: int = 0  # a range begins so many bytes after what was asked for
    chunked: bool = False
    etag: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class FlakyStorage:
    """Answers requests by `steps`, in order, and properly when there is none left."""

    data: bytes
    steps: list[Step] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    wake: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    @property
    def ranges(self) -> list[str | None]:
        return [request.get("range") for request in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    storage: FlakyStorage

    def log_message(self, format: str, *args: object) -> None:
        return None

    def do_GET(self) -> None:
        storage = self.storage
        storage.requests.append({name.lower(): value for name, value in self.headers.items()})
        step = storage.steps.pop(0) if storage.steps else Step()
        if step.data is not None:
            storage.data = step.data
        self.close_connection = True
        if step.status is not None:
            self._send(step.status, b"", step)
            return
        data = storage.data
        etag = f'"{hash(data):x}"'
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if step.ranges else None
        if found is None:
            self._send(200, data, step, {"ETag": etag} if step.etag else {})
        elif self.headers.get("If-Match", etag) != etag:
            self._send(412, b"", step)
        else:
            start = int(found.group(1)) + step.shift
            headers = {"ETag": etag, "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
            self._send(206, data[start:], step, headers)

    def _send(self, status: int, body: bytes, step: Step, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), **step.headers}.items():
            self.send_header(name, value)
        if step.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if step.cut is None else body[: step.cut])
        if step.silent:
            self.wfile.flush()
            self.storage.wake.wait(60)


@contextmanager
def flaky(data: bytes, *steps: Step) -> Iterator[FlakyStorage]:
    storage = FlakyStorage(data, list(steps))
    handler = type("Handler", (_Handler,), {"storage": storage})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    storage.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield storage
    finally:
        storage.wake.set()
        server.shutdown()
        thread.join(10)
        server.server_close()
