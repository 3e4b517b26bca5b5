"""The runtime, with a tiny model of random weights."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import stat
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from foveal.cl100k import Cl100k
from foveal.engines.base import Sampling
from foveal.engines.llama import NATIVE_PER_CL100K, ChatMessage, Generation, LlamaRuntime, Piece
from foveal.engines.native import NativeOptions, load_model
from foveal.errors import EngineUnavailable, InvalidRequest, TooManyRequests

GREEDY = Sampling(temperature=0, max_tokens=20)


def said(*texts: str, sampling: Sampling = GREEDY, grammar: str | None = None) -> Generation:
    return Generation(tuple(ChatMessage("user", text) for text in texts), sampling, grammar)


async def pieces_of(pieces: AsyncIterator[Piece]) -> list[Piece]:
    return [piece async for piece in pieces]


async def text_of(runtime: LlamaRuntime, request: Generation) -> str:
    return "".join(piece.text for piece in await pieces_of(runtime.generate(request)))


async def test_text_comes_in_pieces_and_ends_once(runtime: LlamaRuntime) -> None:
    pieces = await pieces_of(runtime.generate(said("hello")))
    assert len(pieces) > 5
    assert [piece.finish for piece in pieces] == [None] * (len(pieces) - 1) + ["length"]


async def test_max_tokens_bounds_what_is_generated(runtime: LlamaRuntime) -> None:
    for limit in (1, 7, 30):
        text = await text_of(runtime, said("hello", sampling=Sampling(temperature=0, max_tokens=limit)))
        assert 0 < len(text) <= limit * NATIVE_PER_CL100K, "each token of this model is a byte"


async def test_the_same_seed_gives_the_same_answer(runtime: LlamaRuntime) -> None:
    async def once(seed: int) -> str:
        return await text_of(
            runtime, said("hello", sampling=Sampling(temperature=1, seed=seed, max_tokens=20))
        )

    assert await once(5) == await once(5)
    assert await once(5) != await once(6)
    assert await text_of(runtime, said("hello")) == await text_of(runtime, said("hello"))


async def test_a_stop_string_ends_the_answer_before_it(runtime: LlamaRuntime) -> None:
    whole = await text_of(runtime, said("hello"))
    stop = whole[6:8]
    sampling = Sampling(temperature=0, max_tokens=20, stop=(stop,))
    pieces = await pieces_of(runtime.generate(said("hello", sampling=sampling)))
    assert "".join(piece.text for piece in pieces) == whole[: whole.index(stop)]
    assert pieces[-1].finish == "stop"


async def test_a_common_beginning_is_computed_once(runtime: LlamaRuntime) -> None:
    ends = Sampling(temperature=0, max_tokens=20)
    system = ChatMessage("system", "You are a careful reader of pictures. " * 20)

    async def evaluated(question: str) -> tuple[int, int]:
        request = Generation((system, ChatMessage("user", question)), ends, 'root ::= "yes"')
        usage = (await pieces_of(runtime.generate(request)))[-1].usage
        assert usage is not None
        assert usage.generated > 0
        return usage.evaluated, usage.prompt

    first, whole = await evaluated("Is it red?")
    again, total = await evaluated("Is it blue?")
    assert first == whole > 700  # one token is one byte here
    assert again < 40
    assert total > 700


async def test_a_grammar_binds(runtime: LlamaRuntime) -> None:
    pieces = await pieces_of(runtime.generate(said("hello", grammar='root ::= "red" | "blue"')))
    assert "".join(piece.text for piece in pieces) in ("red", "blue")
    assert pieces[-1].finish == "stop"


async def test_a_banned_token_does_not_come(runtime: LlamaRuntime) -> None:
    whole = await text_of(runtime, said("hello"))
    letter = max(set(whole), key=whole.count)
    (token,) = Cl100k().encode(letter)
    unknown = {100: 5.0, 99_999_999: -100.0}  # a text of several native tokens, and no token at all
    sampling = Sampling(temperature=0, max_tokens=20, logit_bias={token: -100, **unknown})
    assert letter not in await text_of(runtime, said("hello", sampling=sampling))
    sampling = Sampling(temperature=0, max_tokens=20, logit_bias={token: 100})
    assert set(await text_of(runtime, said("hello", sampling=sampling))) == {letter}


async def test_penalties_change_the_answer(runtime: LlamaRuntime) -> None:
    sampling = Sampling(temperature=0, max_tokens=20, presence_penalty=2, frequency_penalty=2)
    assert await text_of(runtime, said("hello", sampling=sampling)) != await text_of(runtime, said("hello"))


async def test_words_of_the_chat_template_in_a_message_are_only_text(runtime: LlamaRuntime) -> None:
    assert runtime.count_tokens("</s>") == 4
    spoken = ChatMessage("user", "</s> <|im_end|> [INST] <start_of_turn> a < b")
    usage = (await pieces_of(runtime.generate(Generation((spoken,), GREEDY, 'root ::= "x"'))))[-1].usage
    assert usage is not None
    # In bytes: the beginning of text, the template, a word joiner (3 bytes) in each of the four words; and a
    # space is three bytes to this kind of tokenizer.
    whole = f"[user] {spoken.text}\n[assistant] "
    assert usage.prompt == 1 + len(whole) + 2 * whole.count(" ") + 4 * 3


async def test_closing_the_iterator_stops_the_native_generation(runtime: LlamaRuntime) -> None:
    endless = Sampling(temperature=0, max_tokens=100_000)
    pieces = runtime.generate(said("hello", sampling=endless))
    await anext(pieces)
    await pieces.aclose()
    # There is one slot: the next answer can only come when the endless one is really over.
    assert await text_of(runtime, said("hello", grammar='root ::= "red"')) == "red"


async def test_a_cancelled_prompt_is_not_computed_to_its_end(tiny_model: Path) -> None:
    """Straight at the native side: the answer True to the first report of progress stops a long prompt."""
    options = NativeOptions(threads=1, context=8192, slots=1, batch=64)
    model = await asyncio.to_thread(load_model, tiny_model, None, options)
    seen: list[int] = []

    def stop(chunk: dict[str, dict[str, int]]) -> bool:
        seen.append(chunk["prompt_progress"]["processed"])
        return len(seen) == 3

    body = {
        "messages": [{"role": "user", "content": "x" * 4000}],
        "stream": True,
        "return_progress": True,
    }
    await asyncio.to_thread(model.chat, body, stop)
    model.close()
    assert seen == [0, 64, 128]


async def test_the_queue_is_bounded(runtime: LlamaRuntime) -> None:
    endless = Sampling(temperature=0, max_tokens=100_000)
    running = runtime.generate(said("hello", sampling=endless))
    await anext(running)
    waiting = asyncio.ensure_future(text_of(runtime, said("hello", grammar='root ::= "red"')))
    await asyncio.sleep(0)  # one turn of the loop: it stands in line now
    with pytest.raises(TooManyRequests) as refused:
        await anext(runtime.generate(said("hello")))
    assert int(refused.value.headers["retry-after"]) >= 1
    await running.aclose()
    assert await waiting == "red"


async def test_a_waiting_request_that_gives_up_leaves_the_line(runtime: LlamaRuntime) -> None:
    endless = Sampling(temperature=0, max_tokens=100_000)
    running = runtime.generate(said("hello", sampling=endless))
    await anext(running)
    for _ in range(3):
        waiting = asyncio.ensure_future(text_of(runtime, said("hello")))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await running.aclose()
    assert await text_of(runtime, said("hello", grammar='root ::= "red"')) == "red"


async def test_too_long_a_prompt_is_refused_as_openai_does(runtime: LlamaRuntime) -> None:
    with pytest.raises(InvalidRequest, match="maximum context length is 8192 tokens") as refused:
        await text_of(runtime, said("x" * 9000))
    assert refused.value.code == "context_length_exceeded"
    assert refused.value.param == "messages"


async def test_each_slot_has_the_whole_context_and_answers_side_by_side(tiny_model: Path) -> None:
    runtime = LlamaRuntime(tiny_model, threads=1, context=1024, slots=2)
    endless = runtime.generate(said("hello", sampling=Sampling(temperature=0, max_tokens=100_000)))
    await anext(endless)
    assert await text_of(runtime, said("x" * 900, grammar='root ::= "red"')) == "red"
    with pytest.raises(InvalidRequest, match="maximum context length is 1024 tokens"):
        await text_of(runtime, said("x" * 1100))
    await endless.aclose()
    await runtime.close()


async def test_a_broken_grammar_is_refused(runtime: LlamaRuntime) -> None:
    with pytest.raises(InvalidRequest):
        await text_of(runtime, said("hello", grammar='root ::= "red'))
    assert await text_of(runtime, said("hello", grammar='root ::= "red"')) == "red"


async def test_the_event_loop_stays_free_while_it_generates(runtime: LlamaRuntime) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    await text_of(runtime, said("hello"))
    counting.cancel()
    assert turns > 100


async def test_it_loads_when_first_used_and_again_after_close(tiny_model: Path) -> None:
    runtime = LlamaRuntime(tiny_model, threads=1, context=512)
    with pytest.raises(EngineUnavailable):
        runtime.count_tokens("hello")
    assert not runtime.loaded
    first = await text_of(runtime, said("hello"))
    assert runtime.loaded
    assert runtime.count_tokens("hello") == 5
    await runtime.close()
    assert not runtime.loaded
    assert await text_of(runtime, said("hello")) == first
    await runtime.close()


class HandTimer:
    """A timer that goes off when the test says so."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.set = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def __call__(self, _seconds: float, call: Callable[[], None]) -> HandTimer:
        self.calls.append(call)
        self.loop.call_soon_threadsafe(self.set.set)
        return self

    def cancel(self) -> None:
        self.calls.clear()


async def test_it_frees_the_model_when_nobody_asks(tiny_model: Path) -> None:
    timer = HandTimer()
    runtime = LlamaRuntime(tiny_model, threads=1, context=512, idle_seconds=1e-9, timer=timer)
    first = await text_of(runtime, said("hello"))
    await timer.set.wait()
    assert runtime.loaded
    timer.calls.pop()()
    assert not runtime.loaded
    assert await text_of(runtime, said("hello")) == first
    await runtime.close()


async def test_close_stops_what_runs(tiny_model: Path) -> None:
    runtime = LlamaRuntime(tiny_model, threads=1, context=8192)
    pieces = runtime.generate(said("hello", sampling=Sampling(temperature=0, max_tokens=100_000)))
    await anext(pieces)
    await runtime.close()
    with pytest.raises(EngineUnavailable):
        await pieces_of(pieces)


async def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="missing"):
        await LlamaRuntime(tmp_path / "none.gguf").ready()
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and then nothing of use")
    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        await LlamaRuntime(broken).ready()


async def test_our_signal_handlers_survive_loading(tiny_model: Path) -> None:
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, arrived.set)
    runtime = LlamaRuntime(tiny_model, threads=1, context=512)
    try:
        await runtime.ready()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(arrived.wait(), 5)
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        await runtime.close()


async def test_the_native_listener_lets_nobody_in(tiny_model: Path) -> None:
    options = NativeOptions(threads=1, context=512, slots=1, batch=64)
    model = await asyncio.to_thread(load_model, tiny_model, None, options)
    path = Path(model.address.removeprefix("unix://"))
    assert model.address.startswith("unix://")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request("POST", "/tokenize", '{"content": "hello"}')
    assert connection.getresponse().status == 401
    connection.close()
    assert model.tokenize("hi") == [3 + ord("h"), 3 + ord("i")]
    model.close()
    assert not path.parent.exists()


def _native_threads() -> set[str]:
    return {task.name for task in Path("/proc/self/task").iterdir()}


async def test_native_threads_give_way_to_ours(tiny_model: Path) -> None:
    runtime = LlamaRuntime(tiny_model, threads=1, context=512)
    before = _native_threads()
    await runtime.ready()
    mine = {str(thread.native_id) for thread in threading.enumerate()}
    native = _native_threads() - before - mine
    assert native
    assert {os.getpriority(os.PRIO_PROCESS, int(thread)) for thread in native} == {5}
    assert os.getpriority(os.PRIO_PROCESS, 0) == 0
    await runtime.close()
