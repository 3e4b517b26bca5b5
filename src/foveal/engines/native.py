"""The native side of `LlamaRuntime`: one loaded GGUF model, synchronous, no asyncio here.

`xllamacpp` (MIT) wraps llama.cpp's own server engine. What was found out about it, and is dealt with here:

* `xllamacpp.Server` always opens an HTTP listener; there is no switch against it. A host name that ends in
  `.sock` makes it a Unix socket: ours lives in a directory of mode 0700 that only we can enter, and asks for
  a random key besides. No TCP port is opened. (Windows: 127.0.0.1, a free port, behind the same random key.)
  We use the listener ourselves for the one thing that has no in-process call: the tokenizer.
* It replaces the process's SIGINT and SIGTERM handlers: we put the old ones back.
* It holds the GIL while it loads. With the weights in the page cache, mapped and not repacked
  (`no_extra_bufts`), that is well under a second; so `load_model` reads the file through first, GIL released.
* JSON schemas given to it go through a constraint library that, handed a grammar it cannot read, generates
  unconstrained text, and that keeps a cache keyed by the model's address. We never hand it schemas, only GBNF
  grammars (see `grammar.py`), which take llama.cpp's own path and are refused when wrong.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import importlib
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from foveal.errors import EngineError, EngineUnavailable

SOCKET_NAME = "llama.sock"
READ_AHEAD = 8 * 1024 * 1024  # bytes per read when warming the page cache
NICENESS = 5  # of the native threads: about a third of the weight of the event loop's thread
HOST_PROMPT_CACHE_MIB = 256  # saved prompt states, so that two alternating prompts both stay warm


class NativeServer(Protocol):
    """The part of `xllamacpp.Server` that we use."""

    @property
    def listening_address(self) -> str: ...

    def handle_chat_completions(self, prompt: str, callback: Callable[[str], bool]) -> object: ...


class NativePackage(Protocol):
    """The part of the `xllamacpp` package that we use (it ships no types)."""

    CommonParams: Callable[[], Any]
    Server: Callable[[Any], NativeServer]


@dataclass(frozen=True, slots=True)
class NativeOptions:
    """How a model is loaded. `context` is in tokens, per slot; `batch` in tokens.

    `batch` bounds how long a cancelled prompt goes on (a batch cannot be interrupted) and must hold a whole
    picture for models that look at it in one piece.
    """

    threads: int
    context: int
    slots: int
    batch: int
    chat_template: str | None = None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


class NativeModel:
    """A loaded model. Every method blocks; `chat` may be called from several threads at once."""

    def __init__(self, server: NativeServer, key: str, directory: Path) -> None:
        self._server: NativeServer | None = server
        self._key = key
        self._directory = directory
        self.address = server.listening_address

    def chat(self, body: Mapping[str, object], on_chunk: Callable[[dict[str, Any]], bool]) -> None:
        """Run one streamed chat completion; `on_chunk` returns True to stop the generation."""
        server = self._server
        if server is None:
            raise EngineUnavailable("The language model has been unloaded.")
        server.handle_chat_completions(json.dumps(body), lambda chunk: on_chunk(json.loads(chunk)))

    def tokenize(self, text: str) -> list[int]:
        """The model's own tokens of `text`, without the ones that begin or end a sequence."""
        body = {"content": text, "add_special": False, "parse_special": False}
        return [int(token) for token in self._post("/tokenize", body)["tokens"]]

    def _post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        connection = self._connect()
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
        except OSError as error:
            raise EngineError(f"The language model does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise EngineError(f"The language model refused {path} with status {answer.status}.")
        return cast("dict[str, Any]", json.loads(data))

    def _connect(self) -> http.client.HTTPConnection:
        if self.address.startswith("unix://"):
            return _UnixConnection(self.address.removeprefix("unix://"))
        host, _, port = self.address.rpartition("://")[2].rpartition(":")
        return http.client.HTTPConnection(host, int(port), timeout=30)

    def close(self) -> None:
        """Free the model. Calls still in `chat` must have ended."""
        self._server = None
        shutil.rmtree(self._directory, ignore_errors=True)


def load_model(path: Path, mmproj: Path | None, options: NativeOptions) -> NativeModel:
    """Load the model in a thread of its own (see `_lower_priority`); blocks until it is there."""
    for file in (path, mmproj):
        if file is not None and not file.is_file():
            raise EngineUnavailable(f"The model file {file} is missing. Pull it first: foveal models pull")
    outcome: list[NativeModel | BaseException] = []

    def work() -> None:
        try:
            outcome.append(_load(path, mmproj, options))
        except BaseException as error:  # handed to the caller's thread, which raises it
            outcome.append(error)

    thread = threading.Thread(target=work, name="foveal-llama-load")
    thread.start()
    thread.join()
    result = outcome[0]
    if isinstance(result, BaseException):
        raise result
    return result


def _load(path: Path, mmproj: Path | None, options: NativeOptions) -> NativeModel:
    # A waiting OpenMP thread spins by default: beside another busy process that took decoding from 13.7 to
    # 0.7 tokens per second. libgomp reads this once, when the native library is first loaded, hence here.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    native = cast(NativePackage, importlib.import_module("xllamacpp"))
    _lower_priority()
    for file in (path, mmproj):
        if file is not None:
            _warm(file)
    directory = Path(tempfile.mkdtemp(prefix="foveal-"))  # mode 0700
    key = secrets.token_urlsafe(32)
    try:
        params = _params(native, path, mmproj, options)
        params.api_keys = [key]
        params.hostnames = ["127.0.0.1"] if sys.platform == "win32" else [str(directory / SOCKET_NAME)]
        with _kept_signal_handlers():
            server = native.Server(params)
        return NativeModel(server, key, directory)
    except RuntimeError as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise EngineUnavailable(f"The model file {path} cannot be loaded: {error}") from error


def _params(native: NativePackage, path: Path, mmproj: Path | None, options: NativeOptions) -> Any:
    params = native.CommonParams()
    params.model.path = str(path)
    if mmproj is not None:
        params.mmproj.path = str(mmproj)
    params.n_ctx = options.context * options.slots
    params.n_parallel = options.slots
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.n_batch = options.batch
    params.n_ubatch = options.batch
    params.cache_prompt = True
    params.cache_ram_mib = HOST_PROMPT_CACHE_MIB
    params.no_extra_bufts = True
    params.fit_params = False
    params.warmup = False
    params.prefill_assistant = False
    params.enable_reasoning = 0
    params.verbosity = -1
    params.sse_ping_interval = -1
    params.n_threads_http = 1
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_props = False
    if options.chat_template is not None:
        params.chat_template = options.chat_template
    return params


def _warm(path: Path) -> None:
    """Read `path` through once so that its pages are in the cache; the GIL is free meanwhile."""
    buffer = bytearray(READ_AHEAD)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _lower_priority() -> None:
    """Make this thread, and the native threads it will start, give way to the event loop (Linux only).

    Niceness belongs to a thread there and is inherited; elsewhere it belongs to the whole process.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


@contextlib.contextmanager
def _kept_signal_handlers() -> Iterator[None]:
    """Put SIGINT's and SIGTERM's C handlers back afterwards.

    Python's `signal.signal` works in the main thread only, and we load in another: so `sigaction` itself,
    with a buffer larger than any system's struct.
    """
    if sys.platform == "win32":
        yield
        return
    sigaction = ctypes.CDLL(None).sigaction
    kept = {number: ctypes.create_string_buffer(512) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, buffer in kept.items():
        sigaction(int(number), None, buffer)
    try:
        yield
    finally:
        for number, buffer in kept.items():
            sigaction(int(number), buffer, None)
