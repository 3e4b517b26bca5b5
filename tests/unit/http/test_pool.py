"""The pool of blocking calls refuses what is too much, and is free again afterwards."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from foveal.errors import TooManyRequests
from foveal.http.pool import Pool


async def test_one_too_many_is_refused_and_the_rest_is_done() -> None:
    pool = Pool("test", threads=2, waiting=1)
    go = threading.Event()

    def wait(number: int) -> int:
        assert go.wait(20)
        return number

    calls = [asyncio.create_task(pool.run(partial(wait, number))) for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests) as refused:
        await pool.run(lambda: wait(3))
    assert refused.value.headers["retry-after"] == "2"
    go.set()
    assert await asyncio.gather(*calls) == [0, 1, 2]
    assert await pool.run(lambda: wait(4)) == 4


async def test_a_call_that_nobody_waits_for_counts_until_it_ends() -> None:
    pool = Pool("test", threads=1, waiting=0)
    go, ended = threading.Event(), threading.Event()

    def wait() -> None:
        assert go.wait(20)

    left = asyncio.create_task(pool.run(wait))
    await asyncio.sleep(0)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    with pytest.raises(TooManyRequests):
        await pool.run(ended.set)
    go.set()
    async with asyncio.timeout(20):
        while not ended.is_set():
            try:
                await pool.run(ended.set)
            except TooManyRequests:
                await asyncio.sleep(0)


async def test_what_a_call_raises_comes_out() -> None:
    pool = Pool("test", threads=1, waiting=0)

    def fail() -> None:
        raise ValueError("so")

    for _ in range(3):
        with pytest.raises(ValueError, match="so"):
            await pool.run(fail)
