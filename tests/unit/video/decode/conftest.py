"""One decoder, and clips that several tests read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.clips import Scene, picture, speech, write_video

from foveal.video.decode.client import ProcessDecoder


@pytest.fixture(scope="session")
def decoder() -> Iterator[ProcessDecoder]:
    decoder = ProcessDecoder()
    yield decoder
    decoder.close()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 seconds, three scenes cut at 3 s and 5.4 s, speech from second 1 on."""
    scenes = [
        Scene(picture("cat"), 3),
        Scene(picture("street"), 2.4, "zoom"),
        Scene(picture("coffee"), 2.6),
    ]
    path = tmp_path_factory.mktemp("clips") / "whole.mp4"
    return write_video(path, scenes, sounds=[(1.0, speech("0880"))])
