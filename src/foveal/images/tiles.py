"""The detail plan: how large each view of a picture is, and what it costs in tokens.

The rule is OpenAI's, which Azure documents too: a picture at low detail costs 85 tokens; at high detail it
is fitted into 2048×2048, then its shortest side is brought down to 768, and every 512 px tile that the
result needs costs 170 more. Nothing is ever enlarged. All arithmetic is in whole numbers, so a size that
lies exactly on a tile's edge never costs a tile more by a rounding error.
"""

from __future__ import annotations

from typing import Literal

from foveal.images.detail import Detail, Tile

AskedDetail = Literal["auto", "low", "high"]

TILE_SIDE = 512
OVERVIEW_SIDE = 512
WORKING_LONG_SIDE = 2048
WORKING_SHORT_SIDE = 768
BASE_TOKENS = 85
TILE_TOKENS = 170


def choose_detail(asked: AskedDetail, width: int, height: int) -> Detail:
    """What `auto` means for a picture of this size; `low` and `high` are taken as asked.

    Azure says only that it "depends on the image size". Here: a picture whose both sides are at most 512 px
    is read at low detail, because the low view then already is the whole picture, pixel for pixel; every
    larger one at high detail.
    """
    if asked != "auto":
        return asked
    return "low" if max(width, height) <= OVERVIEW_SIDE else "high"


def fit(width: int, height: int, side: int) -> tuple[int, int]:
    """The size that fits into `side`×`side` with the proportions kept; never larger, never under 1 px."""
    longest = max(width, height)
    if longest <= side:
        return width, height
    return _scaled(width, side, longest), _scaled(height, side, longest)


def overview_size(width: int, height: int) -> tuple[int, int]:
    """The size of the low view: fitted into 512×512."""
    return fit(width, height, OVERVIEW_SIDE)


def working_size(width: int, height: int) -> tuple[int, int]:
    """The size at high detail: fitted into 2048×2048, then the shortest side at most 768."""
    width, height = fit(width, height, WORKING_LONG_SIDE)
    shortest = min(width, height)
    if shortest <= WORKING_SHORT_SIDE:
        return width, height
    return _scaled(width, WORKING_SHORT_SIDE, shortest), _scaled(height, WORKING_SHORT_SIDE, shortest)


def tiles(width: int, height: int) -> tuple[Tile, ...]:
    """The 512 px tiles of a picture of this *original* size, row by row, as windows of its working size.

    Tiles at the right and lower edge are as large as what is left.
    """
    width, height = working_size(width, height)
    return tuple(
        Tile(x, y, min(TILE_SIDE, width - x), min(TILE_SIDE, height - y))
        for y in range(0, height, TILE_SIDE)
        for x in range(0, width, TILE_SIDE)
    )


def image_tokens(width: int, height: int, detail: Detail) -> int:
    """What the picture of this original size counts in the prompt: 85, or 85 + 170 for each tile."""
    if detail == "low":
        return BASE_TOKENS
    width, height = working_size(width, height)
    return BASE_TOKENS + TILE_TOKENS * -(-width // TILE_SIDE) * -(-height // TILE_SIDE)


def _scaled(length: int, numerator: int, denominator: int) -> int:
    """`length` × numerator / denominator, rounded half up, at least 1."""
    return max(1, (2 * length * numerator + denominator) // (2 * denominator))
