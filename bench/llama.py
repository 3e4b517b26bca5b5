"""Speed of the in-process language model: `python bench/llama.py [MODEL.gguf] [--threads 2]`.

Prints load time, prompt and generation speed, time to the first token with a cold and a cached prompt, how
long after closing the answer the native work is over, and the longest time the event loop stood still.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from time import perf_counter

from foveal.engines.base import Sampling
from foveal.engines.llama import ChatMessage, Generation, LlamaRuntime, Usage
from foveal.models.catalogue import load_catalogue
from foveal.settings import load_settings

SYSTEM = "You look at the notes about a picture and answer questions about it in plain words. "
GREEDY = Sampling(temperature=0, max_tokens=48)


async def ask(runtime: LlamaRuntime, system: str, question: str) -> tuple[float, Usage | None]:
    """Seconds to the first text, and the model's own figures."""
    request = Generation(
        (ChatMessage("system", system), ChatMessage("user", question)), GREEDY, 'root ::= [a-z ]{60,80} "."'
    )
    start, first, usage = perf_counter(), 0.0, None
    async for piece in runtime.generate(request):
        first = first or perf_counter() - start
        usage = piece.usage or usage
    return first, usage


async def cancelled(runtime: LlamaRuntime, prompt: str, *, after_first: bool) -> float:
    """Seconds from leaving until the single slot answers someone else."""
    pieces = runtime.generate(Generation((ChatMessage("user", prompt),), Sampling(temperature=0)))
    pending = asyncio.ensure_future(anext(pieces))
    if after_first:
        await pending
    else:
        await asyncio.sleep(1.0)  # in the middle of a long prompt
        pending.cancel()
        await asyncio.wait([pending])
    start = perf_counter()
    await pieces.aclose()
    await runtime.close()  # returns when the native work has ended
    seconds = perf_counter() - start
    await runtime.ready()
    return seconds


async def longest_pause(pauses: list[float]) -> None:
    while True:
        start = perf_counter()
        await asyncio.sleep(0.005)
        pauses.append(perf_counter() - start - 0.005)


async def main(path: Path, threads: int) -> None:
    runtime = LlamaRuntime(path, threads=threads, context=4096)
    pauses: list[float] = []
    watching = asyncio.ensure_future(longest_pause(pauses))
    start = perf_counter()
    await runtime.ready()
    print(f"load                      {perf_counter() - start:6.2f} s")
    print(f"event loop stood still    {max(pauses):6.2f} s while loading")
    pauses.clear()
    cold, usage = await ask(runtime, SYSTEM * 20, "What is in it?")
    if usage is not None:
        print(f"prompt                    {usage.evaluated / usage.prompt_ms * 1000:6.1f} tokens/s")
        print(f"generation                {usage.generated / usage.generation_ms * 1000:6.1f} tokens/s")
        print(f"first token, cold         {cold:6.2f} s ({usage.evaluated} tokens evaluated)")
    warm, usage = await ask(runtime, SYSTEM * 20, "Which colours?")
    if usage is not None:
        print(f"first token, cached       {warm:6.2f} s ({usage.evaluated} evaluated, {usage.cached} cached)")
    print(f"event loop stood still    {max(pauses):6.3f} s while generating")
    print(f"cancelled while writing   {await cancelled(runtime, 'Tell a story.', after_first=True):6.2f} s")
    print(f"cancelled while reading   {await cancelled(runtime, SYSTEM * 150, after_first=False):6.2f} s")
    watching.cancel()
    await runtime.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    settings = load_settings({}, os.environ)
    default = settings.models / load_catalogue()[settings.llm].files[0].path
    parser.add_argument("model", type=Path, nargs="?", default=default)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    asyncio.run(main(options.model, options.threads))
