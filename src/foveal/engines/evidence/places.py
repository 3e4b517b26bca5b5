"""Where a box lies in the picture, in words that hold near the borders too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from foveal.perception.base import Box

Across = Literal["left", "left of the middle", "middle", "right of the middle", "right"]
Down = Literal["top", "", "bottom"]


@dataclass(frozen=True, slots=True)
class Position:
    """`fills`: the box covers most of the picture, so that no side is meant."""

    across: Across
    down: Down
    fills: bool = False


def position(box: Box) -> Position:
    """Thirds of the picture, with a soft border: a centre near a third's edge is "left of the middle"."""
    x, y = box.centre
    across: Across
    if x < 0.34:
        across = "left"
    elif x < 0.43:
        across = "left of the middle"
    elif x <= 0.57:
        across = "middle"
    elif x <= 0.66:
        across = "right of the middle"
    else:
        across = "right"
    down: Down = "top" if y < 0.34 else "bottom" if y > 0.66 else ""
    fills = box.width > 0.8 and box.height > 0.6
    return Position(across, "" if box.height > 0.6 else down, fills)


def within(box: Box, place: str) -> bool:
    """Whether the box's centre lies in a named part of the picture ("top left", "middle", "background")."""
    x, y = box.centre
    if place == "middle":
        return 0.28 <= x <= 0.72 and 0.2 <= y <= 0.8
    if place == "foreground":
        return box.bottom > 0.75
    if place == "background":
        return box.bottom < 0.7
    tests = {"left": x < 0.47, "right": x > 0.53, "top": y < 0.47, "bottom": y > 0.53}
    return all(tests[word] for word in place.split())
