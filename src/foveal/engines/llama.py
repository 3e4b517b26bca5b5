"""A GGUF model in this process, for asyncio: bounded, cancellable, streamed.

`LlamaRuntime.generate` is the whole of it. The native engine calls back in the thread that waits for it; each
piece is handed to the event loop at once (`call_soon_threadsafe`), nothing polls. A callback comes for every
prompt batch and for every token, and its answer True ends the generation: that is how a client who has gone
stops the work, at the latest after the batch or token being computed.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from foveal.cl100k import Cl100k
from foveal.engines.base import Role, Sampling
from foveal.engines.native import NativeModel, NativeOptions, load_model
from foveal.errors import EngineError, EngineUnavailable, FovealError, InvalidRequest, TooManyRequests
from foveal.models.lease import ModelLease, StartTimer, start_timer

TEXT_BATCH = 64  # tokens; as fast as 256 with unpacked weights, and stops four times sooner
PICTURE_BATCH = 1024  # tokens; a picture's tokens may have to be looked at in one piece
PENALTY_WINDOW = 256  # tokens that presence and frequency penalties look back at
NATIVE_PER_CL100K = 3  # native tokens allowed per cl100k token: Qwen writes a number digit by digit

# Words that a chat template gives a meaning; in a message's text they are only text.
_CONTROL = re.compile(r"<(?=\|[\w ]{1,40}\|>|/?(?:start|end)_of_turn>|/?s>)|\[(?=/?INST\])")
_WORD_JOINER = "\u2060"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for a model with an mmproj, as a data URL."""

    url: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message for the model's chat template: `text`, or `parts` where pictures stand among the text."""

    role: Role
    text: str = ""
    parts: tuple[str | Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Generation:
    """What to generate. `grammar` is GBNF with a rule `root` (see `grammar.py`).

    `sampling.max_tokens` only bounds what is generated: cutting an answer exactly is the chat service's work.
    """

    messages: tuple[ChatMessage, ...]
    sampling: Sampling = field(default_factory=Sampling)
    grammar: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Native tokens and milliseconds. `evaluated` prompt tokens were computed, `cached` ones were not."""

    evaluated: int
    cached: int
    generated: int
    prompt_ms: float
    generation_ms: float

    @property
    def prompt(self) -> int:
        return self.evaluated + self.cached


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer; only the last one has `finish` (and `usage`, if the model itself ended)."""

    text: str = ""
    finish: Literal["stop", "length"] | None = None
    usage: Usage | None = None


class LlamaRuntime:
    """One GGUF model, loaded on first use (or by `ready`), freed by `close` (and loaded again if used again).

    `slots` requests run at once, each with `context` tokens; `max_waiting` more may wait, no more. With
    `idle_seconds` it is freed too when nobody has asked for so long.
    """

    def __init__(
        self,
        path: Path,
        *,
        mmproj: Path | None = None,
        threads: int = 2,
        context: int = 4096,
        slots: int = 1,
        max_waiting: int = 16,
        chat_template: str | None = None,
        idle_seconds: float | None = None,
        timer: StartTimer = start_timer,
    ) -> None:
        self.path = path
        self.mmproj = mmproj
        self.context = context
        self._options = NativeOptions(
            threads=threads,
            context=context,
            slots=slots,
            batch=TEXT_BATCH if mmproj is None else PICTURE_BATCH,
            chat_template=chat_template,
        )
        self._gate = _Gate(slots, max_waiting)
        self._idle_seconds = idle_seconds
        self._timer = timer
        self._lease = self._new_lease()
        self._threads = ThreadPoolExecutor(slots + 1, thread_name_prefix="foveal-llama")
        self._running: dict[_Call, Future[None]] = {}
        self._cl100k: Cl100k | None = None  # read when a request has a logit_bias
        # cl100k token -> native token of the same text, if there is one
        self._biased: dict[int, int | None] = {}

    @property
    def loaded(self) -> bool:
        return self._lease.loaded

    async def ready(self) -> None:
        """Load the model if it is not there; raises `EngineUnavailable` when it cannot be."""
        await asyncio.to_thread(self._load)

    def _load(self) -> None:
        with self._lease.use():
            pass

    def _new_lease(self) -> ModelLease[NativeModel]:
        return ModelLease(
            lambda: load_model(self.path, self.mmproj, self._options),
            NativeModel.close,
            idle_seconds=self._idle_seconds,
            timer=self._timer,
        )

    async def close(self) -> None:
        """Stop what runs and free the model."""
        lease, self._lease = self._lease, self._new_lease()
        running = dict(self._running)
        for call in running:
            call.cancel()
        for future in running.values():
            await asyncio.wait([asyncio.wrap_future(future)])
        await asyncio.to_thread(lease.close)

    def count_tokens(self, text: str) -> int:
        """The model's own count (the model must be loaded)."""
        if not self._lease.loaded:
            raise EngineUnavailable("The language model is not loaded yet.")
        with self._lease.use() as model:
            return len(model.tokenize(text))

    async def generate(self, request: Generation) -> AsyncGenerator[Piece]:
        """The answer, piece by piece; closing the iterator stops the native generation."""
        await self._gate.enter()
        try:
            call = _Call(asyncio.get_running_loop())
            future = self._threads.submit(call.run, self._lease, partial(self._body, request))
        except BaseException:
            self._gate.leave()
            raise
        self._running[call] = future
        # The slot is free when the native side has really ended: up to a batch after we stop listening.
        call.when_ended(lambda: self._ended(call))
        try:
            while True:
                piece = await call.next_piece()
                if piece.finish is not None or piece.text:
                    yield piece
                if piece.finish is not None:
                    return
        finally:
            call.cancel()

    def _ended(self, call: _Call) -> None:
        del self._running[call]
        self._gate.leave()

    def _body(self, request: Generation, model: NativeModel) -> dict[str, object]:
        """llama.cpp's chat completion request. top_k 40 and min_p 0.05 stay: small models need that guard."""
        sampling = request.sampling
        body: dict[str, object] = {
            "messages": [_message(message) for message in request.messages],
            "stream": True,
            "return_progress": True,
            "cache_prompt": True,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": -1 if sampling.seed is None else sampling.seed % 2**32,
            "n_predict": sampling.max_tokens * NATIVE_PER_CL100K,
            "stop": list(sampling.stop),
        }
        if sampling.presence_penalty or sampling.frequency_penalty:
            body["presence_penalty"] = sampling.presence_penalty
            body["frequency_penalty"] = sampling.frequency_penalty
            body["repeat_last_n"] = PENALTY_WINDOW
        if sampling.logit_bias:
            body["logit_bias"] = self._bias(model, sampling.logit_bias)
        if request.grammar is not None:
            body["grammar"] = request.grammar
        return body

    def _bias(self, model: NativeModel, biases: Mapping[int, float]) -> list[list[float | int | bool]]:
        """Biases for native tokens from biases for cl100k ids.

        The two vocabularies differ, so an id is taken for its text, and only a text that is exactly one
        native token can be biased; the others are left alone. -100 means never, as with OpenAI.
        """
        native: list[list[float | int | bool]] = []
        if self._cl100k is None:
            self._cl100k = Cl100k()
        for token, bias in biases.items():
            if token not in self._biased:
                self._biased[token] = _native_token(model, self._cl100k, token)
            found = self._biased[token]
            if found is not None:
                native.append([found, False if bias <= -100 else bias])
        return native


def _native_token(model: NativeModel, cl100k: Cl100k, token: int) -> int | None:
    try:
        text = cl100k.decode_bytes([token]).decode()
    except (UnicodeDecodeError, ValueError, KeyError, OverflowError):
        return None  # half a character, or no token at all
    tokens = model.tokenize(text)
    return tokens[0] if len(tokens) == 1 else None


def _message(message: ChatMessage) -> dict[str, object]:
    if not message.parts:
        return {"role": message.role, "content": _plain(message.text)}
    content: list[dict[str, object]] = []
    for part in message.parts:
        if isinstance(part, Picture):
            content.append({"type": "image_url", "image_url": {"url": part.url}})
        else:
            content.append({"type": "text", "text": _plain(part)})
    return {"role": message.role, "content": content}


def _plain(text: str) -> str:
    return _CONTROL.sub(lambda match: match.group() + _WORD_JOINER, text)


class _Call:
    """One native generation, and the queue by which its pieces reach the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pieces: asyncio.Queue[Piece | FovealError] = asyncio.Queue()
        self._ended: Callable[[], None] = lambda: None
        self._over = False
        self._cancelled = False
        self._finish: Literal["stop", "length"] | None = None

    async def next_piece(self) -> Piece:
        item = await self._pieces.get()
        if isinstance(item, FovealError):
            raise item
        return item

    def cancel(self) -> None:
        self._cancelled = True  # read by the native thread at its next callback

    def when_ended(self, then: Callable[[], None]) -> None:
        self._ended = then
        if self._over:
            then()

    def run(
        self, lease: ModelLease[NativeModel], body: Callable[[NativeModel], Mapping[str, object]]
    ) -> None:
        """In a worker thread: loads the model if it must, and blocks until the generation is over."""
        try:
            with lease.use() as model:
                if not self._cancelled:
                    model.chat(body(model), self._on_chunk)
            if self._finish is None:  # stopped by `close`, or else nobody reads this any more
                self._put(EngineUnavailable("The language model has been stopped."))
        except FovealError as error:
            self._put(error)
        except ValueError as error:  # what the native side calls an invalid argument
            self._put(InvalidRequest(str(error)))
        except Exception as error:
            self._put(EngineError(f"The language model failed: {error}"))
        finally:
            self._post(self._end)

    def _end(self) -> None:
        self._over = True
        self._ended()

    def _on_chunk(self, chunk: dict[str, Any]) -> bool:
        """True stops the generation."""
        if self._cancelled:
            return True
        if "error" in chunk:
            self._put(_error(chunk["error"]))
            self._cancelled = True
            return True
        for choice in chunk.get("choices", ()):
            text = choice.get("delta", {}).get("content") or ""
            self._finish = _finish(choice.get("finish_reason"))
            if text or self._finish:
                self._put(Piece(text, self._finish, _usage(chunk)))
        return self._finish is not None

    def _put(self, item: Piece | FovealError) -> None:
        self._post(self._pieces.put_nowait, item)

    def _post(self, function: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:  # the loop is closed: nobody listens any more
            self._cancelled = True


def _finish(reason: object) -> Literal["stop", "length"] | None:
    if reason is None:
        return None
    return "length" if reason == "length" else "stop"


def _usage(chunk: Mapping[str, Any]) -> Usage | None:
    timings = chunk.get("timings")
    if not timings:
        return None
    return Usage(
        evaluated=timings["prompt_n"],
        cached=timings.get("cache_n", 0),
        generated=timings["predicted_n"],
        prompt_ms=timings["prompt_ms"],
        generation_ms=timings["predicted_ms"],
    )


def _error(error: Mapping[str, Any]) -> FovealError:
    message = str(error.get("message", "unknown error"))
    if error.get("type") == "exceed_context_size_error":
        return InvalidRequest(
            f"This model's maximum context length is {error['n_ctx']} tokens. However, your messages "
            f"resulted in {error['n_prompt_tokens']} tokens. Please reduce the length of the messages.",
            param="messages",
            code="context_length_exceeded",
        )
    if error.get("code") == 400:
        return InvalidRequest(message)
    return EngineError(f"The language model failed: {message}")


class _Gate:
    """Lets `slots` in, `waiting` more stand in line, and refuses the rest."""

    def __init__(self, slots: int, waiting: int) -> None:
        self._slots = slots
        self._free = asyncio.Semaphore(slots)
        self._inside = 0
        self._most = slots + waiting
        self._entered: list[float] = []
        self._average = 5.0  # seconds that one answer takes, learnt as we go

    async def enter(self) -> None:
        if self._inside >= self._most:
            rounds = (self._inside - self._slots + 1) / self._slots
            seconds = min(60, max(1, math.ceil(rounds * self._average)))
            raise TooManyRequests(
                f"The engine's queue is full. Please retry after {seconds} seconds.",
                headers={"retry-after": str(seconds)},
            )
        self._inside += 1
        try:
            await self._free.acquire()
        except BaseException:
            self._inside -= 1
            raise
        self._entered.append(monotonic())

    def leave(self) -> None:
        self._inside -= 1
        self._average += 0.2 * (monotonic() - self._entered.pop(0) - self._average)
        self._free.release()
