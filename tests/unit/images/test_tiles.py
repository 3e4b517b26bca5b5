from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.images.detail import Detail
from foveal.images.tiles import choose_detail, image_tokens, overview_size, tiles, working_size

sides = st.integers(min_value=1, max_value=40_000)


@pytest.mark.parametrize(
    ("width", "height", "detail", "tokens"),
    [
        (4096, 8192, "low", 85),
        (2048, 4096, "high", 1105),
        (1024, 1024, "high", 765),
        (1, 1, "high", 255),
        (512, 512, "high", 255),
        (513, 512, "high", 425),
        (600, 400, "high", 425),
        (768, 768, "high", 765),
        (1280, 720, "high", 1105),
        (1920, 1080, "high", 1105),
        (2048, 768, "high", 1445),
        (3000, 200, "high", 765),
        (4032, 3024, "high", 765),
    ],
)
def test_published_token_counts(width: int, height: int, detail: Detail, tokens: int) -> None:
    assert image_tokens(width, height, detail) == tokens


@pytest.mark.parametrize(
    ("size", "working"),
    [
        ((2048, 4096), (768, 1536)),
        ((1024, 1024), (768, 768)),
        ((4032, 3024), (1024, 768)),
        ((3000, 200), (2048, 137)),
        ((600, 400), (600, 400)),
        ((16_000, 1), (2048, 1)),
    ],
)
def test_working_size(size: tuple[int, int], working: tuple[int, int]) -> None:
    assert working_size(*size) == working
    assert working_size(*reversed(size)) == tuple(reversed(working))


def test_overview_fits_512_and_is_never_enlarged() -> None:
    assert overview_size(4032, 3024) == (512, 384)
    assert overview_size(100, 50) == (100, 50)


def test_auto_is_low_only_when_both_sides_fit() -> None:
    assert choose_detail("auto", 512, 512) == "low"
    assert choose_detail("auto", 513, 10) == "high"
    assert choose_detail("auto", 10, 513) == "high"
    assert choose_detail("high", 10, 10) == "high"
    assert choose_detail("low", 9000, 9000) == "low"


@given(sides, sides)
def test_tiles_cover_the_working_size_once(width: int, height: int) -> None:
    working = working_size(width, height)
    windows = tiles(width, height)
    assert sum(tile.width * tile.height for tile in windows) == working[0] * working[1]
    assert all(tile.width <= 512 and tile.height <= 512 for tile in windows)
    assert image_tokens(width, height, "high") == 85 + 170 * len(windows)


@given(sides, sides)
def test_working_size_keeps_its_bounds(width: int, height: int) -> None:
    working = working_size(width, height)
    assert 1 <= max(working) <= 2048
    assert 1 <= min(working) <= 768
    assert working[0] <= width
    assert working[1] <= height
