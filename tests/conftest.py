"""Fixtures for every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from foveal.settings import load_settings

PICTURES = Path(__file__).parent / "fixtures" / "pictures"


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """The folder of the model weights; `make test` pulls them before the tests run."""
    chosen = {"FOVEAL_MODELS": os.environ.get("FOVEAL_MODELS", "")}
    folder = load_settings({}, chosen).models
    assert folder.is_dir(), f"no model weights in {folder}: run `make models`"
    return folder


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Real pictures whose licences allow them here; see SOURCES.md beside them."""
    return PICTURES
