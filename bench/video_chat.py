"""Chat about an indexed video beside chat about one picture: time to the first words, taking turns.

  python -m bench.video_chat [--models DIR] [--seconds 180] [--rounds 10]

picture  the first words about a picture whose facts are known
video    the first words about a document of an index: frames, transcript, facts read back, the index asked
watch    the part of it that is new: from the request to the frames, opened
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from tests.support.videos import DOCUMENT, INDEX, Shelf, made_video, open_shelf

from foveal.assembly.house import House, build_house
from foveal.chat.events import TextPiece
from foveal.chat.local import local_deployment, local_request
from foveal.chat.wire import read_chat_request
from foveal.cl100k import Cl100k
from foveal.perception.base import SpeechSegment
from foveal.perception.embedding import DIMENSIONS, SentenceEmbedder
from foveal.perception.facts import Facts
from foveal.resources.accounts import Resource
from foveal.resources.callers import Caller
from foveal.settings import load_settings
from foveal.store.lance import LanceVectorStore
from foveal.video.base import VideoRecord
from foveal.video.search.wanted import index_words

PICTURES = Path(__file__).parents[1] / "src" / "foveal" / "demo" / "pictures"
QUESTIONS = ("Describe this video:", "When does the dog appear?", "What happens from 60s to 90s?")
CALLER = Caller(Resource("local", "AIServices", "swedencentral", "S0"))


def video_body(question: str) -> bytes:
    content: list[Any] = [{"type": "acv_document_id", "acv_document_id": DOCUMENT}, question]
    source = {"type": "AzureComputerVisionVideoIndex", "parameters": {"indexName": INDEX}}
    body = {"messages": [{"role": "user", "content": content}], "data_sources": [source], "temperature": 0}
    return msgspec.json.encode(body)


async def first_words(house: House, body: bytes) -> float:
    request = read_chat_request(body)
    start = time.perf_counter()
    events = house.chat.complete(request, house.chat.rules(local_deployment("evidence")), CALLER)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, TextPiece) and event.text.strip():
                return time.perf_counter() - start
    raise SystemExit("the engine said nothing")


def long_video(seconds: float, facts: Sequence[Facts]) -> VideoRecord:
    """A kept frame a second with the facts of real pictures, somebody speaking half of the time."""
    video = made_video(seconds, every=1.0)
    frames = tuple(replace(one, facts=facts[one.number // 10 % len(facts)]) for one in video.frames)
    said = tuple(
        SpeechSegment(at, at + 5, f"At {at:.0f} seconds we talk about the harbour and its boats.", "en", 0.9)
        for at in range(0, int(seconds) - 10, 10)
    )
    return replace(video, frames=frames, speech=said)


async def measure(models: Path | None, seconds: float, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        settings = load_settings(
            {"data": folder, "models": None if models is None else str(models), "engine": "evidence"}, {}
        )
        vectors = LanceVectorStore(data / "vectors", DIMENSIONS, words=index_words)
        shelf = open_shelf(data, vectors, SentenceEmbedder())
        house = build_house(settings, ["evidence"], database=shelf.database)
        try:
            await compare(house, shelf, seconds, rounds)
        finally:
            await house.close()
            vectors.close()
            shelf.close()


async def compare(house: House, shelf: Shelf, seconds: float, rounds: int) -> None:
    places = sorted(PICTURES.glob("*.jpg"))
    opened = [await house.door.open_bytes(place.read_bytes(), "low", param=None) for place in places]
    facts = [await house.finder.facts(image) for image in opened]
    jpegs = [places[n // 10 % len(places)].read_bytes() for n in range(int(seconds))]
    shelf.publish(long_video(seconds, facts), jpegs=jpegs)
    assert house.video is not None
    chat = house.video.chat(house.door, Cl100k())
    for question in QUESTIONS:
        picture = local_request([str(places[0])], question.replace("video", "picture"), temperature=0)
        times: dict[str, list[float]] = {"picture": [], "video": [], "watch": []}
        for turn in range(rounds + 1):
            times["picture"].append(await first_words(house, picture))
            times["video"].append(await first_words(house, video_body(question)))
            start = time.perf_counter()
            await chat.watch("local", INDEX, DOCUMENT, question, param="")
            times["watch"].append(time.perf_counter() - start)
            if turn == 0:
                times = {name: [] for name in times}  # the first of each warms up
        middle = {name: statistics.median(found) for name, found in times.items()}
        shown = "  ".join(f"{name} {took * 1000:6.1f} ms" for name, took in middle.items())
        print(f"{question:34} {shown}  video/picture {middle['video'] / middle['picture']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.models, chosen.seconds, chosen.rounds))


if __name__ == "__main__":
    main()
