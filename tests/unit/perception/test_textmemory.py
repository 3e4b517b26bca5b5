"""Lines that stay from frame to frame are known again, changed ones are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from foveal.images.detail import Pixels
from foveal.perception.textboxes import Cutter, Quad
from foveal.perception.textlines import ReadLine
from foveal.perception.textmemory import LineMemory

PLACE = np.array([[40, 40], [360, 40], [360, 72], [40, 72]], dtype=np.float32)


def frame(text: str, *, grain: int = 0, quality: int = 85) -> Pixels:
    """As it comes from a video: the text, the grain of its camera, and what compression left of it."""
    canvas = Image.new("RGB", (400, 120), (40, 60, 90))
    ImageDraw.Draw(canvas).text((44, 42), text, "white", font=ImageFont.load_default(26))
    noise = np.random.default_rng(grain).normal(0, 3, (120, 400, 3)) if grain else 0.0
    noisy = np.clip(np.asarray(canvas, dtype=np.float64) + noise, 0, 255).astype(np.uint8)
    done, data = cv2.imencode(".jpg", noisy, (cv2.IMWRITE_JPEG_QUALITY, quality))
    assert done
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded, dtype=np.uint8)


def recall(memory: LineMemory, pixels: Pixels, quad: Quad = PLACE) -> str | None:
    cutter = Cutter(pixels)
    read = memory.recall(quad, lambda place: cutter.cut(place)[0])
    return None if read is None else read.text


def keep(memory: LineMemory, pixels: Pixels, text: str, quad: Quad = PLACE) -> None:
    memory.keep(quad, Cutter(pixels).cut(quad)[0], ReadLine(text, 0.9))


@pytest.fixture
def memory() -> LineMemory:
    memory = LineMemory()
    keep(memory, frame("Score 12:01 after play"), "Score 12:01 after play")
    return memory


@pytest.mark.parametrize("grain", range(1, 6))
def test_the_same_line_is_known_again(memory: LineMemory, grain: int) -> None:
    assert (
        recall(memory, frame("Score 12:01 after play", grain=grain, quality=70)) == "Score 12:01 after play"
    )


@pytest.mark.parametrize(
    "text", ["Score 12:02 after play", "Score 12:07 after play", "Score 12:01 after plan", "Score 12:01", ""]
)
def test_a_letter_that_changed_is_noticed(memory: LineMemory, text: str) -> None:
    assert recall(memory, frame(text)) is None


def test_a_box_elsewhere_or_longer_is_another_line(memory: LineMemory) -> None:
    pixels = frame("Score 12:01 after play")
    assert recall(memory, pixels, PLACE + np.array([3, 2], dtype=np.float32)) is not None
    assert recall(memory, pixels, PLACE + np.array([0, 20], dtype=np.float32)) is None
    longer = PLACE.copy()
    longer[1:3, 0] += 16
    assert recall(memory, pixels, longer) is None


def test_the_newest_of_several_counts(memory: LineMemory) -> None:
    keep(memory, frame("Score 12:02 after play"), "new")
    assert recall(memory, frame("Score 12:02 after play", grain=1)) == "new"


def test_what_was_read_as_nothing_is_not_read_again() -> None:
    memory = LineMemory()
    keep(memory, frame("~~~"), "")
    assert recall(memory, frame("~~~", grain=2)) == ""


def test_the_memory_is_bounded(memory: LineMemory) -> None:
    other = frame("other")
    for _ in range(500):
        keep(memory, other, "other")
    assert recall(memory, frame("Score 12:01 after play")) is None
    assert recall(memory, other) == "other"
