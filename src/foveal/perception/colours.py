"""Measured colours: eleven basic names, by hue, saturation and value, with the background discounted.

The bounds are in data/colours.toml (Berlin & Kay's eleven terms; HSV ranges in the way of common colour
pickers, set by looking at what people call the objects of real photographs). Nothing here corrects the light
of a scene beyond a mild grey-world balance: a white wall in lamplight may come out as yellow, and
docs/perception.md says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from foveal.images.detail import Pixels
from foveal.perception.base import Box
from foveal.perception.facts import ColourShare

_LONGEST = 96  # pixels: colours need no more, and it keeps every region under a millisecond
_LEAST = 0.12  # a colour below this share of a region is not worth naming
_CELLS = 8  # per channel, for comparing an object with its surroundings


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    hue: tuple[float, float]  # degrees; from may be larger than to (red)
    saturation: tuple[float, float]  # 0..1
    value: tuple[float, float]  # 0..1


class ColourNamer:
    """Names pixels and measures regions."""

    def __init__(self, rules: Sequence[_Rule], fallback: str) -> None:
        self._rules = tuple(rules)
        self.names = tuple(dict.fromkeys([rule.name for rule in rules] + [fallback]))
        self._table = self._look_up(fallback)

    def _look_up(self, fallback: str) -> NDArray[np.uint8]:
        """A 32×32×32 table RGB → number of the name: the first rule that fits."""
        ticks = np.arange(4, 256, 8, dtype=np.uint8)
        red, green, blue = np.meshgrid(ticks, ticks, ticks, indexing="ij")
        cube = np.stack([red, green, blue], axis=-1).reshape(1, -1, 3)
        hsv = cv2.cvtColor(cube.astype(np.float32) / 255.0, cv2.COLOR_RGB2HSV)[0]
        hue, saturation, value = hsv[:, 0], hsv[:, 1], hsv[:, 2]
        table = np.full(len(hsv), self.names.index(fallback), dtype=np.uint8)
        open_ = np.ones(len(hsv), dtype=bool)
        for rule in self._rules:
            low, high = rule.hue
            in_hue = (hue >= low) & (hue < high) if low <= high else (hue >= low) | (hue < high)
            fits = open_ & in_hue
            fits &= (saturation >= rule.saturation[0]) & (saturation <= rule.saturation[1])
            fits &= (value >= rule.value[0]) & (value <= rule.value[1])
            table[fits] = self.names.index(rule.name)
            open_ &= ~fits
        return table.reshape(32, 32, 32)

    def name_pixels(self, pixels: Pixels) -> NDArray[np.uint8]:
        """height × width numbers into `names`."""
        cells = pixels >> 3
        named: NDArray[np.uint8] = self._table[cells[..., 0], cells[..., 1], cells[..., 2]]
        return named

    def measure(self, pixels: Pixels, weights: NDArray[np.float32] | None = None) -> tuple[ColourShare, ...]:
        """Shares of the named colours, largest first, those below 12 % left out."""
        named = self.name_pixels(pixels).reshape(-1)
        flat = None if weights is None else weights.reshape(-1)
        counts = np.bincount(named, weights=flat, minlength=len(self.names)).astype(np.float64)
        total = counts.sum()
        if total <= 0:
            return ()
        shares = counts / total
        order = np.argsort(-shares, kind="stable")
        return tuple(
            ColourShare(self.names[int(row)], float(shares[row])) for row in order if shares[row] >= _LEAST
        )


def load_namer() -> ColourNamer:
    text = (resources.files("foveal.perception") / "data" / "colours.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    rules = [
        _Rule(
            rule["name"],
            (float(rule.get("hue", [0, 361])[0]), float(rule.get("hue", [0, 361])[1])),
            (float(rule.get("saturation", [0, 1])[0]), float(rule.get("saturation", [0, 1])[1])),
            (float(rule.get("value", [0, 1])[0]), float(rule.get("value", [0, 1])[1])),
        )
        for rule in data["rule"]
    ]
    return ColourNamer(rules, data["fallback"])


def shrink(pixels: Pixels, longest: int = _LONGEST) -> Pixels:
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1.0:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)


def crop(pixels: Pixels, box: Box, *, margin: float = 0.0) -> tuple[Pixels, Box]:
    """The window of `box` grown by `margin` of its size, and the box relative to that window."""
    height, width = pixels.shape[:2]
    left = max(0, int((box.left - margin * box.width) * width))
    top = max(0, int((box.top - margin * box.height) * height))
    right = min(width, max(left + 1, round((box.right + margin * box.width) * width)))
    bottom = min(height, max(top + 1, round((box.bottom + margin * box.height) * height)))
    wide, high = right - left, bottom - top
    inner = Box(
        (box.left * width - left) / wide,
        (box.top * height - top) / high,
        (box.right * width - left) / wide,
        (box.bottom * height - top) / high,
    )
    return pixels[top:bottom, left:right], inner


def object_colours(
    namer: ColourNamer, pixels: Pixels, box: Box, *, margin: float = 0.2
) -> tuple[ColourShare, ...]:
    """Colours inside `box`, each pixel weighted by how central and how unlike the surroundings it is."""
    window, inner = crop(pixels, box, margin=margin)
    small = shrink(window)
    across, down = _offsets(small, inner)
    inside = (np.abs(across)[None, :] <= 1.0) & (np.abs(down)[:, None] <= 1.0)
    middle = np.exp(-1.2 * (across[None, :] ** 2 + down[:, None] ** 2)) * inside
    weights = _unlike(small, middle, _cells(small)[~inside])
    if weights.sum() <= 0:  # a box smaller than a pixel
        return namer.measure(small)
    return namer.measure(small, weights)


def clothing_colours(namer: ColourNamer, pixels: Pixels, box: Box) -> tuple[ColourShare, ...]:
    """Colours of a person's torso, the surroundings, skin and greyish pixels discounted.

    A whole person wears the top at a quarter to half of the box; one whom the picture's lower border cuts off
    at the waist has the face there, and the clothing below. A clear colour counts up to four times as much as
    black or grey: shadows, straps and hair lie in front of clothing more often than something bright does.
    """
    upright = box.height * pixels.shape[0] / max(1e-6, box.width * pixels.shape[1])
    if upright <= 1.2:
        top, bottom = 0.45, 0.95
    elif upright <= 2.0 and box.bottom > 0.95:
        top, bottom = 0.36, 0.8
    else:
        top, bottom = 0.22, 0.52
    torso = Box(
        box.left + 0.2 * box.width,
        box.top + top * box.height,
        box.right - 0.2 * box.width,
        box.top + bottom * box.height,
    )
    small = shrink(crop(pixels, torso)[0])
    across = (np.arange(small.shape[1]) + 0.5) / small.shape[1] * 2.0 - 1.0
    hsv = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255.0, cv2.COLOR_RGB2HSV), dtype=np.float32)
    clear = 0.3 + hsv[..., 1] * hsv[..., 2]
    weights = np.exp(-(across[None, :] ** 2)) * clear * np.where(_skin(small, hsv), 0.2, 1.0)
    window, inner = crop(pixels, box, margin=0.2)
    wide = shrink(window)
    aside, down = _offsets(wide, inner)
    outside = (np.abs(aside)[None, :] > 1.0) | (np.abs(down)[:, None] > 1.0)
    return namer.measure(small, _unlike(small, weights, _cells(wide)[outside]))


def _offsets(window: Pixels, inner: Box) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns' and rows' distances from the middle of `inner`: ±1 at its borders."""
    height, width = window.shape[:2]
    xs = (np.arange(width) + 0.5) / width
    ys = (np.arange(height) + 0.5) / height
    across = (xs - (inner.left + inner.right) / 2) / max(inner.width / 2, 1e-6)
    down = (ys - (inner.top + inner.bottom) / 2) / max(inner.height / 2, 1e-6)
    return across, down


def _cells(pixels: Pixels) -> NDArray[np.int32]:
    """Each pixel's coarse colour, 0..511."""
    cells = (pixels >> 5).astype(np.int32)
    coarse: NDArray[np.int32] = (cells[..., 0] * _CELLS + cells[..., 1]) * _CELLS + cells[..., 2]
    return coarse


def _unlike(pixels: Pixels, weights: NDArray[np.float64], around: NDArray[np.int32]) -> NDArray[np.float32]:
    """The weights, less where a coarse colour is as common around as inside: that is probably background."""
    coarse = _cells(pixels)
    own = np.bincount(coarse.reshape(-1), weights=weights.reshape(-1), minlength=_CELLS**3)
    ring = np.bincount(around.reshape(-1), minlength=_CELLS**3).astype(np.float64)
    common = own / max(float(own.sum()), 1e-9)
    share = ring / max(float(ring.sum()), 1e-9)
    foreground = common / (common + share + 1e-9)
    return np.asarray(weights * foreground[coarse], dtype=np.float32)


def _skin(pixels: Pixels, hsv: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels of skin tone, by the usual bounds on Cr and Cb, neither grey nor strongly coloured."""
    _, red, blue = (
        channel.astype(np.int32) for channel in cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
    )
    hue, saturation = hsv[..., 0], hsv[..., 1]
    tone = (red >= 136) & (red <= 172) & (blue >= 85) & (blue <= 127)
    found: NDArray[np.bool_] = (
        tone & (saturation >= 0.18) & (saturation <= 0.65) & ((hue <= 40) | (hue >= 344))
    )
    return found


def brightness(pixels: Pixels) -> float:
    """Mean luma (BT.601), 0..1."""
    return float((shrink(pixels).reshape(-1, 3) @ np.array([0.299, 0.587, 0.114])).mean() / 255.0)
