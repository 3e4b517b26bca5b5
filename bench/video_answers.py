"""The evidence engine on a video beside one picture: from the prompt to the first words, taking turns.

  python bench/video_answers.py [--models DIR] [--rounds 10]

picture  one picture with the facts of ten frames in it (all their objects and lines)
video    a three-minute video: 18 frames with their facts, 34 sentences of speech
Facts are found before the clock starts on both sides, as they are for a picture asked about before and for
an indexed video. `rules` are questions that cost no language model, `model` those that do.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from foveal.assembly.engines import CONTEXT, FACTS, SLOTS
from foveal.engines.base import ImagePart, Part, Prompt, Sampling, TextPart, Turn, VideoFrame, VideoPart
from foveal.engines.evidence.engine import EvidenceEngine
from foveal.engines.llama import LlamaRuntime
from foveal.images.detail import DetailedImage
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.base import SpeechSegment
from foveal.perception.facts import Facts
from foveal.perception.finder import build_fact_finder
from foveal.settings import load_settings

PICTURES = Path(__file__).parents[1] / "src" / "foveal" / "demo" / "pictures"
SECONDS, FRAMES = 180.0, 18
QUESTIONS = (
    ("model", "Describe this picture.", "Describe this video."),
    ("model", "Compare the left and the right", "Compare the scenes"),
    ("rules", "How many people are there?", "How many people appear?"),
    ("rules", "Is there a dog?", "Is there a dog?"),
    ("rules", "What does it say?", "What text is shown?"),
)


class Known:
    """A finder that has looked already."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    async def facts(self, image: DetailedImage) -> Facts:
        return self._facts

    async def see(self, image: DetailedImage) -> Facts:
        return replace(self._facts, lines=())

    async def warm(self) -> None:
        return None

    def close(self) -> None:
        return None


def crowded(found: Sequence[Facts]) -> Facts:
    """One picture that holds what ten frames do."""
    ten = [found[place % len(found)] for place in range(10)]
    return replace(
        ten[0],
        objects=tuple(one for each in ten for one in each.objects),
        doubtful=tuple(one for each in ten for one in each.doubtful),
        lines=tuple(one for each in ten for one in each.lines),
        faces=tuple(one for each in ten for one in each.faces),
    )


def video_of(images: Sequence[DetailedImage], found: Sequence[Facts]) -> VideoPart:
    step = SECONDS / FRAMES
    frames = [
        VideoFrame(place * step, images[place % len(images)], found[place % len(found)], place // 2)
        for place in range(FRAMES)
    ]
    scenes = tuple((place * 2 * step, (place + 1) * 2 * step) for place in range(FRAMES // 2))
    speech = tuple(
        SpeechSegment(at, at + 4, f"At {at} seconds we talk about the harbour and its boats.", "en", 0.9)
        for at in range(0, 170, 5)
    )
    return VideoPart(SECONDS, 0.0, SECONDS, tuple(frames), scenes, speech)


async def first_words(engine: EvidenceEngine, part: Part, question: str) -> float:
    turn = Turn("user", (part, TextPart(question)))
    start = time.perf_counter()
    async with aclosing(engine.answer(Prompt((turn,), Sampling(temperature=0, seed=0)))) as deltas:
        async for delta in deltas:
            if delta.text.strip():
                return time.perf_counter() - start
    raise SystemExit(f"nothing was said to {question}")


async def measure(models: Path, rounds: int) -> None:
    store = ModelStore(models, load_catalogue())
    finder = build_fact_finder(store, threads=2, queue=16, cache_size=FACTS)
    door = ImageDoor(MediaFetcher())
    paths = [*sorted(PICTURES.glob("*.jpg")), *sorted(PICTURES.glob("*.png"))]
    images = [await door.open_bytes(path.read_bytes(), "low", param=None) for path in paths]
    found = [await finder.facts(image) for image in images]
    await asyncio.to_thread(finder.close)
    runtime = LlamaRuntime(
        store.path(load_settings({}, os.environ).llm), threads=2, context=CONTEXT, slots=SLOTS
    )
    engine = EvidenceEngine(Known(crowded(found)), runtime)
    await engine.ready()
    picture, video = ImagePart(images[0]), video_of(images, found)
    for kind, of_picture, of_video in QUESTIONS:
        times: dict[str, list[float]] = {"picture": [], "video": []}
        for turn in range(rounds + 1):
            took = await first_words(engine, picture, of_picture), await first_words(engine, video, of_video)
            if turn:  # the first of each warms up
                times["picture"].append(took[0])
                times["video"].append(took[1])
        one, other = (1000 * statistics.median(times[name]) for name in ("picture", "video"))
        print(
            f"{kind:6} {of_video:28} picture {one:8.1f} ms  video {other:8.1f} ms  ratio {other / one:6.2f}"
        )
    await door.close()
    await engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=Path, default=load_settings({}, os.environ).models)
    parser.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.models, chosen.rounds))


if __name__ == "__main__":
    main()
