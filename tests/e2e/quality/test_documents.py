"""Questions about documents with and without the OCR enhancement, with real weights: how many are right."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
WITH = 0.93  # share that has to be right with the enhancement (docs/evidence.md: 100 % and, unseen, 80 %)
WITHOUT = 1  # questions of each document that are asked without it too


def _bench() -> ModuleType:
    """bench/documents.py; bench/ is no package."""
    spec = spec_from_file_location("documents_bench", ROOT / "bench" / "documents.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.models
async def test_documents_are_understood_with_the_enhancement(models_folder: Path) -> None:
    bench = _bench()
    judged = await bench.run(bench.FOLDER, models_folder, without=WITHOUT, unseen=False)
    bench.print_table(judged)
    with_it = [one for one in judged if one.enhanced]
    wrong = [f"{one.document}: {one.question} -> {one.answer}" for one in with_it if not one.right]
    assert len(wrong) <= (1 - WITH) * len(with_it), wrong
    bare = {(one.document, one.question): one.right for one in judged if not one.enhanced}
    same = [one.right for one in judged if one.enhanced and (one.document, one.question) in bare]
    assert sum(same) > 2 * sum(bare.values())
