"""Tiny models that the tests write themselves, and helpers to ask engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from tests.support.tiny_gguf import write_language_model, write_picture_encoder

from foveal.engines.llama import LlamaRuntime
from foveal.images.detail import DetailedImage, Tile


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model of random weights that hardly ever ends by itself."""
    return write_language_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf", end_bias=-200.0)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_picture_encoder(tmp_path_factory.mktemp("tiny") / "mmproj.gguf")


@pytest.fixture
async def runtime(tiny_model: Path) -> AsyncIterator[LlamaRuntime]:
    runtime = LlamaRuntime(tiny_model, threads=1, context=8192, slots=1, max_waiting=1)
    await runtime.ready()
    yield runtime
    await runtime.close()


@pytest.fixture
def picture() -> DetailedImage:
    """A picture at high detail: an overview and two tiles."""
    scaled = np.zeros((512, 700, 3), np.uint8)
    scaled[:, 350:] = (200, 40, 90)
    return DetailedImage(
        sha256="0" * 64,
        format="png",
        width=700,
        height=512,
        detail="high",
        tokens=425,
        overview=np.ascontiguousarray(scaled[:374, :512]),
        scaled=scaled,
        tiles=(Tile(0, 0, 512, 512), Tile(512, 0, 188, 512)),
        data=b"the checked bytes",
    )
