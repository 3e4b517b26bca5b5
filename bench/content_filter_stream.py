"""What the content filter adds to a streamed answer, from the request to its last word.

    FOVEAL_MODELS=... python -m bench.content_filter_stream [--rounds 5] [--picture FILE]

The evidence engine with the filter and without it, taking turns in one process: a question that the language
model answers, and questions about a picture that was seen before (answered by rules in milliseconds: there a
verdict is what there is to wait for) and one that was not. Medians; the first words too.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from foveal.assembly.house import House, build_house
from foveal.chat.events import TextPiece
from foveal.chat.local import ask, local_request
from foveal.chat.service import ChatService
from foveal.chat.wire import read_chat_request
from foveal.settings import load_settings

PICTURE = Path(__file__).parents[1] / "tests" / "fixtures" / "pictures" / "astronaut.jpg"
TEXT = "Explain in about eighty words how a bicycle stays upright."


@dataclass(slots=True)
class Times:
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)


async def answer(chat: ChatService, body: bytes, times: Times) -> None:
    start, first = time.perf_counter(), 0.0
    async with aclosing(ask(chat, read_chat_request(body), "evidence")) as events:
        async for event in events:
            if isinstance(event, TextPiece) and not first:
                first = time.perf_counter() - start
    times.first.append(first)
    times.whole.append(time.perf_counter() - start)


def without_filter(house: House) -> ChatService:
    """The same house's chat, whose answers nobody judges."""
    plain = ChatService.__new__(ChatService)
    plain.__dict__.update(house.chat.__dict__, _safety=None)
    return plain


async def compare(
    name: str, ways: dict[str, ChatService], bodies: Callable[[int], bytes], rounds: int
) -> None:
    times = {way: Times() for way in ways}
    for turn in range(rounds + 1):
        for place, (way, chat) in enumerate(ways.items()):
            await answer(chat, bodies(2 * turn + place), times[way] if turn else Times())
    plain, judged = (times[way] for way in ways)
    for what in ("first", "whole"):
        before, after = (statistics.median(getattr(one, what)) for one in (plain, judged))
        print(
            f"{name:<28} {what:<6} {1000 * before:9.1f} ms without, {1000 * after:9.1f} ms with, "
            f"{100 * (after / before - 1):+6.1f} %",
            flush=True,
        )


async def main(rounds: int, picture: Path) -> None:
    house = build_house(load_settings({}, os.environ), ["evidence"])
    await asyncio.to_thread(house.guard.load)
    await house.engines["evidence"].ready()
    ways = {"without": without_filter(house), "with": house.chat}
    pixels = cv2.imread(str(picture))
    assert pixels is not None, f"{picture} is no picture"

    def fresh(number: int) -> bytes:
        """The same picture, cut a little differently each time."""
        place = Path(tempfile.gettempdir()) / "foveal-bench-fresh.png"
        cv2.imwrite(str(place), pixels[number:, number:])
        return local_request([str(place)], "Describe this picture.", temperature=0.0, max_tokens=200)

    known = local_request([str(picture)], "How many people are there?", temperature=0.0)
    text = local_request([], TEXT, temperature=0.0, max_tokens=120)
    await compare("text, language model", ways, lambda _: text, rounds)
    await compare("a new picture", ways, fresh, rounds)
    await compare("a known picture, rules", ways, lambda _: known, 4 * rounds)
    await house.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    asyncio.run(main(options.rounds, options.picture))
