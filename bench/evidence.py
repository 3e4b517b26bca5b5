"""The evidence engine on the demo's pictures: what each stage costs, and what a second question costs.

  python bench/evidence.py [--models DIR]

stages   perception's own stages, per picture (they run side by side where they can)
first    from the request to the first words of the answer, for a picture never seen
again    the same for another question about the same picture: perception is skipped
words    tokens a second of a description, once the language model writes
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections import defaultdict
from pathlib import Path

from foveal.assembly.engines import CONTEXT, FACTS, SLOTS
from foveal.cl100k import Cl100k
from foveal.engines.base import ImagePart, Prompt, Sampling, TextPart, Turn
from foveal.engines.evidence.engine import EvidenceEngine
from foveal.engines.llama import ChatMessage, Generation, LlamaRuntime
from foveal.images.detail import DetailedImage
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.finder import build_fact_finder
from foveal.settings import load_settings

PICTURES = Path(__file__).parents[1] / "src" / "foveal" / "demo" / "pictures"


async def ask(engine: EvidenceEngine, image: DetailedImage, question: str) -> tuple[float, float]:
    """Seconds to the first words, and to the end."""
    turn = Turn("user", (TextPart(question), ImagePart(image)))
    start = time.perf_counter()
    first = 0.0
    async for delta in engine.answer(Prompt((turn,), Sampling(temperature=0, seed=0))):
        if delta.text and not first:
            first = time.perf_counter() - start
    return first, time.perf_counter() - start


async def speed(runtime: LlamaRuntime, tokens: Cl100k) -> float:
    """Tokens a second of free writing, the prompt's reading left out."""
    said = (ChatMessage("user", "Write two sentences about a street with trees."),)
    text, first, last = "", 0.0, 0.0
    async for piece in runtime.generate(Generation(said, Sampling(temperature=0, max_tokens=60))):
        last = time.perf_counter()
        first = first or last
        text += piece.text
    return tokens.count(text) / (last - first)


async def measure(models: Path) -> None:
    store = ModelStore(models, load_catalogue())
    finder = build_fact_finder(store, threads=2, queue=16, cache_size=FACTS)
    runtime = LlamaRuntime(
        store.path(load_settings({}, os.environ).llm), threads=2, context=CONTEXT, slots=SLOTS
    )
    stages: dict[str, list[float]] = defaultdict(list)
    engine = EvidenceEngine(finder, runtime, timed=lambda stage, took: stages[stage].append(took))
    door = ImageDoor(MediaFetcher())
    start = time.perf_counter()
    await engine.ready()
    print(
        f"{'ready (every net, the language model, its prompt prefix)':58}{time.perf_counter() - start:8.2f} s"
    )
    seen: list[tuple[DetailedImage, float]] = []
    for path in sorted(PICTURES.glob("*.jpg")):
        image = await door.open_bytes(path.read_bytes(), "auto", param=None)
        seen.append((image, (await ask(engine, image, "How many people are there?"))[0]))
    for stage, took in stages.items():
        print(f"{'stage ' + stage:58}{1000 * statistics.median(took):8.1f} ms")
    print(
        f"{'first words, new picture, a counting question':58}{_median([took for _, took in seen]):8.1f} ms"
    )
    again = [(await ask(engine, image, "Is there a dog?"))[0] for image, _ in seen]
    print(f"{'first words, same picture, another question':58}{_median(again):8.1f} ms")
    told = [await ask(engine, image, "Describe this picture.") for image, _ in seen]
    print(f"{'first words, same picture, a description':58}{_median([first for first, _ in told]):8.1f} ms")
    print(f"{'whole description':58}{_median([whole for _, whole in told]):8.1f} ms")
    print(f"{'language model, writing':58}{await speed(runtime, Cl100k()):8.1f} tokens/s")
    await door.close()
    await engine.close()


def _median(seconds: list[float]) -> float:
    """In milliseconds."""
    return 1000 * statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=Path, default=load_settings({}, os.environ).models)
    asyncio.run(measure(parser.parse_args().models))


if __name__ == "__main__":
    main()
