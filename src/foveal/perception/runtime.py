"""The one runtime that every net of this room runs in: OpenVINO on the CPU.

It reads TensorFlow graphs, TFLite files and ONNX files alike, so no other inference library is needed
(docs/perception.md has the measurements behind the choice). Nets are compiled with one inference thread per
stream: several small passes side by side use the cores better than one pass on all of them.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from foveal.perception.quiet_openvino import ov

Array = NDArray[Any]
T = TypeVar("T")

_IN_FLIGHT = 4  # requests of one call: each holds its own buffers, so their number bounds the memory


class Net:
    """A compiled net. Thread-safe: every call runs in an inference request of its own, kept for the next
    call.
    """

    def __init__(self, compiled: ov.CompiledModel) -> None:
        self._compiled = compiled
        self._idle: deque[ov.InferRequest] = deque()

    def __call__(self, pixels: Array) -> list[Array]:
        """Run one input; the outputs in the order of the net, as copies."""
        return self.many([pixels])[0]

    def many(self, inputs: Sequence[Array]) -> list[list[Array]]:
        """Run several inputs side by side, as far as there are streams."""
        return self.reduced(inputs, lambda maps: [map.copy() for map in maps])

    def reduced(self, inputs: Iterable[Array], read: Callable[[list[Array]], T]) -> list[T]:
        """Like `many`, but each result is what `read` takes from the outputs, which are views valid only
        inside it.
        """
        running: deque[ov.InferRequest] = deque()
        results: list[T] = []
        try:
            for pixels in inputs:
                if len(running) == _IN_FLIGHT:
                    results.append(self._finish(running, read))
                request = self._take()
                request.set_input_tensor(ov.Tensor(np.ascontiguousarray(pixels)))
                request.start_async()
                running.append(request)
            while running:
                results.append(self._finish(running, read))
            return results
        finally:
            for request in running:  # only after an error: nothing may go on behind the caller's back
                request.wait()

    def _finish(self, running: deque[ov.InferRequest], read: Callable[[list[Array]], T]) -> T:
        request = running.popleft()
        request.wait()
        try:
            return read([output.data for output in request.output_tensors])
        finally:
            self._idle.append(request)

    def _take(self) -> ov.InferRequest:
        try:
            return self._idle.pop()
        except IndexError:
            return self._compiled.create_infer_request()


class Runtime:
    """Reads and compiles nets. `cache` is a folder for converted graphs; it may be read-only or absent."""

    def __init__(self, *, threads: int, cache: Path) -> None:
        self._core = ov.Core()
        self._threads = max(1, threads)
        self._cache = cache

    @property
    def threads(self) -> int:
        """How many threads its nets use together; what runs beside them should use no more."""
        return self._threads

    def read(self, path: Path) -> ov.Model:
        return self._core.read_model(path)

    def compile(self, model: ov.Model, *, streams: int | None = None) -> Net:
        wanted = self._threads if streams is None else streams
        config = {
            "NUM_STREAMS": str(wanted),
            "INFERENCE_NUM_THREADS": str(max(wanted, self._threads)),
            # The default keeps code for thousands of input shapes: pictures of every size made memory grow.
            "CPU_RUNTIME_CACHE_CAPACITY": "64",
        }
        return Net(self._core.compile_model(model, "CPU", config))

    def converted(self, name: str, build: Callable[[], ov.Model]) -> ov.Model:
        """The graph `build` makes, kept as OpenVINO IR: a frozen TensorFlow graph takes 5-12 s to convert,
        its IR 0.1 s.
        """
        version = ov.get_version().split("-")[0]
        kept = self._cache / f"{name}.{version}.xml"
        if kept.is_file() and kept.with_suffix(".bin").is_file():
            try:
                return self._core.read_model(kept)
            except RuntimeError:
                kept.unlink(
                    missing_ok=True
                )  # written by a process that was killed, or by hand: build it again
        model = build()
        self._keep(model, kept)
        return model

    def _keep(self, model: ov.Model, kept: Path) -> None:
        """Best effort and atomic; the .xml comes last because it is what `converted` looks for."""
        draft = kept.with_name(f".{uuid.uuid4().hex}.xml")
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            ov.save_model(model, draft, compress_to_fp16=True)
            draft.with_suffix(".bin").replace(kept.with_suffix(".bin"))
            draft.replace(kept)
        except (OSError, RuntimeError):
            for path in (draft, draft.with_suffix(".bin")):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
