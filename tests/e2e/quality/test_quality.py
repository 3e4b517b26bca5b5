"""The whole evidence engine on real pictures with real weights: how often it is right."""

from __future__ import annotations

import os
import sys
import tomllib
from collections import defaultdict
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from foveal.engines.evidence.engine import EvidenceEngine
from foveal.engines.llama import LlamaRuntime
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.finder import build_fact_finder

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def _bench() -> ModuleType:
    """The judges of bench/evidence_quality.py; bench/ is no package."""
    spec = spec_from_file_location("evidence_quality", ROOT / "bench" / "evidence_quality.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


FOLDERS = {"fixtures": ROOT / "tests/fixtures/pictures", "demo": ROOT / "src/foveal/demo/pictures"}
# Share that has to be right, by kind of question.
LEVELS = {
    "presence": 0.88, "absent": 0.95, "counting": 0.55, "position": 0.9, "reading": 0.85, "unanswerable": 0.9,
    "colour": 1.0, "what is": 1.0,
}  # fmt: skip
FALSE_OBJECTS = 0.1  # per description


@pytest.mark.models
async def test_answers_are_right_as_often_as_promised() -> None:
    home = os.environ.get("FOVEAL_MODELS")
    folder = Path(home) if home else Path.home() / ".cache" / "foveal" / "models"
    models = ModelStore(folder, load_catalogue())
    finder = build_fact_finder(models, threads=2, queue=32, cache_size=32)
    runtime = LlamaRuntime(models.path("qwen2.5-coder-1.5b-instruct-q4_k_m"), threads=2, context=8192)
    engine = EvidenceEngine(finder, runtime)
    door = ImageDoor(MediaFetcher())
    bench = _bench()
    right: dict[str, list[bool]] = defaultdict(list)
    wrong: list[str] = []
    false: list[str] = []
    pictures = tomllib.loads((HERE / "questions.toml").read_text(encoding="utf-8"))["picture"]
    try:
        for picture in pictures:
            place, name = picture["file"].split(":")
            image = await door.open_bytes((FOLDERS[place] / name).read_bytes(), "high", param=None)
            for kind, question, wanted in picture["ask"]:
                answer = await bench.ask(engine, image, question)
                right[kind].append(bench.expected(answer, wanted))
                if not right[kind][-1]:
                    wrong.append(f"{name} [{kind}] {question} -> {answer}")
            text = await bench.ask(engine, image, "Describe this picture:")
            backed = [{"label": label} for label in picture["objects"]]
            false += [f"{name}: {found}" for found in bench.false_objects(text, {"objects": backed}, engine)]
    finally:
        await engine.close()
        await door.close()
    shares = {kind: sum(found) / len(found) for kind, found in right.items()}
    print(shares, *wrong, *false, sep="\n")
    assert set(shares) == set(LEVELS)
    assert {kind: share for kind, share in shares.items() if share < LEVELS[kind]} == {}, wrong
    assert len(false) / len(pictures) < FALSE_OBJECTS, false
