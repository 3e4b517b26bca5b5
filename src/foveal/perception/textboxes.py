"""Where text is: PP-OCRv6's detector (differentiable binarisation) and the boxes drawn from its map."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from foveal.images.detail import Pixels
from foveal.perception.runtime import Net

# The detector's own settings, as published with its weights.
_INK = 0.3  # of the map: text from here
_SURE = 0.5  # mean of the map inside a box
_GROW = 1.6  # the map marks a shrunken core; the box grows by area × this / perimeter
_THINNEST = 3.0  # pixels of the map
_SHORTER = 736  # the shorter side is enlarged to this: small print would be lost otherwise
_LONGER = 1600
_WORTH = 1.15  # enlarging by less changes nothing but the time
_STEP = 64  # sizes are padded to multiples of it, so that few shapes occur (each new one costs a compilation)

Quad = NDArray[np.float32]  # 4×2 pixels, clockwise from the top left of the text


@dataclass(frozen=True, slots=True)
class TextBox:
    quad: Quad
    score: float


class TextBoxFinder:
    def __init__(self, net: Net) -> None:
        self._net = net

    def find(self, pixels: Pixels) -> list[TextBox]:
        """Boxes in pixels of the picture, unordered."""
        tensor, scale = _prepare(pixels)
        heat = self._net(tensor)[0][0, 0]
        height, width = pixels.shape[:2]
        return boxes_of(heat, scale, width, height)


def _prepare(pixels: Pixels) -> tuple[NDArray[np.float32], float]:
    height, width = pixels.shape[:2]
    scale = max(1.0, _SHORTER / min(height, width))
    if scale < _WORTH:
        scale = 1.0
    scale = min(scale, _LONGER / max(height, width))
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    resized = cv2.resize(
        np.ascontiguousarray(pixels),
        (wide, high),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
    )
    canvas = np.zeros((1, 3, -(-high // _STEP) * _STEP, -(-wide // _STEP) * _STEP), dtype=np.float32)
    floats = resized.astype(np.float32) / 127.5 - 1.0
    canvas[0, :, :high, :wide] = floats[:, :, ::-1].transpose(2, 0, 1)  # the weights expect BGR
    return canvas, scale


def boxes_of(heat: NDArray[np.float32], scale: float, width: int, height: int) -> list[TextBox]:
    """Boxes from the map (its pixel = picture pixel × scale), limited to a picture of `width`×`height`."""
    ink = (heat > _INK).astype(np.uint8)
    ink = cv2.dilate(ink, np.ones((2, 2), dtype=np.uint8)).astype(np.uint8)
    outlines, _ = cv2.findContours(ink, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found: list[TextBox] = []
    for outline in outlines:
        (x, y), (wide, high), angle = cv2.minAreaRect(outline)
        if min(wide, high) < _THINNEST:
            continue
        score = _mean_inside(heat, np.asarray(cv2.boxPoints(((x, y), (wide, high), angle)), dtype=np.float32))
        if score < _SURE:
            continue
        # A rectangle grown by d on every side: what the published polygon offset gives for a rectangle.
        grow = wide * high * _GROW / (2 * (wide + high))
        corners = cv2.boxPoints(((x, y), (wide + 2 * grow, high + 2 * grow), angle)) / scale
        quad = clockwise(corners.astype(np.float32))
        quad[:, 0] = np.clip(quad[:, 0], 0, width - 1)
        quad[:, 1] = np.clip(quad[:, 1], 0, height - 1)
        if sides(quad)[0] > 3 and sides(quad)[1] > 3:
            found.append(TextBox(quad, score))
    return found


def _mean_inside(heat: NDArray[np.float32], corners: NDArray[np.floating]) -> float:
    height, width = heat.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, [width - 1, height - 1])
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, [width - 1, height - 1])
    mask = np.zeros((bottom - top + 1, right - left + 1), dtype=np.uint8)
    cv2.fillPoly(mask, [(corners - [left, top]).astype(np.int32)], (1,))
    return float(cv2.mean(heat[top : bottom + 1, left : right + 1], mask)[0])


def clockwise(corners: Quad) -> Quad:
    """The corner of the text's top left first. Text runs left to right, or steeply up or down."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.array([left[0], right[0], right[1], left[1]], dtype=np.float32)


def sides(quad: Quad) -> tuple[float, float]:
    """Longest width and height of a quad, pixels."""
    across = max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[3] - quad[2]))
    down = max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]))
    return float(across), float(down)


def cut_out(pixels: Pixels, quad: Quad) -> tuple[Pixels, Quad]:
    """The line straightened, and the quad in the order of its reading: a tall one is turned to lie."""
    across, down = sides(quad)
    if down >= 1.5 * across:
        quad = np.roll(quad, -1, axis=0)  # top right first: text running down becomes text running right
        across, down = down, across
    wide, high = max(1, int(across)), max(1, int(down))
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    line = cv2.warpPerspective(
        np.ascontiguousarray(pixels),
        matrix,
        (wide, high),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(line, dtype=np.uint8), quad
