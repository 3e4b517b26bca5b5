"""Where text is: PP-OCRv6's detector (differentiable binarisation) and the boxes drawn from its map.

The detector looks once at the whole picture, enlarged when it is small: letters of less than some eight
pixels leave no mark at all, so that nothing below this scale can tell where to look closer (tried: a look
at a quarter of the pixels lost three of four words on street photos). Only large pictures are brought down
for it; where print is too small there, its region is looked at again, enlarged until lines part and boxes
fit closely.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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

_GLANCE = 230_400  # pixels of the look at a frame of a video, 640×360: print of 16 pixels in 1280×720 shows
_DENSE = 6  # small marks; a frame with fewer is not looked at again: most are leaves and bricks

_SHORTER = 736  # the shorter side is enlarged to this, as the weights' makers do
_MOST = 1_400_000  # pixels of the first look: an A4 page's 8 point print is still 11 pixels high
_LONGEST = 2000  # a strip of a picture: its area alone would let one side grow without bound
_STEP = 64  # sizes are padded to multiples of it: to 32, which is enough for the net, boxes were less exact

_FAINT = 0.15  # of the map: print too small to be sure of
_HINT = 0.35  # what such a mark must reach somewhere to be worth a second look: leaves and bricks reach 0.3
_UNSURE = 0.4  # mean of the map inside a mark: below, it may be lines that run together
_SHRUNK = 0.6  # of the picture: a look at this scale or less may hide such lines
_SPECK = 3.0  # pixels of the map: shorter marks are none
# Pixels of the first map and of the second: lower boxes are looked at again. A second look needs a third only
# where it had to take in so much, or print so much smaller than its neighbours, that it is still too small.
_SMALL = (8.0, 8.0)
_SMALL_SHRUNK = (16.0, 10.0)  # of a picture brought down a lot: what looks larger may be lines run together
_LOST = (
    7.0  # pixels: where most print is lower, some of it leaves no mark at all; the whole picture is looked at
)
_WANTED = 24.0  # pixels that the second look gives the lower ones of them
_MOST_ENLARGED = 2.0  # beyond, pixels are only blown up
_FINE_MOST = 1_300_000  # pixels of a further look: bounds its memory (some 300 MB) and time
_WORTH = 1.25  # a second look at less than this times the scale before shows nothing new
_FEW = 4  # marks; fewer may be specks
_MOST_REGIONS = 4  # more are looked at as one

_STANDING = 1.5  # times as high as wide: the text of a box runs down or up
_CUT_HEIGHT = 64  # lines are cut out 64 to 128 pixels high where there are so many; they are read at 48

Quad = NDArray[np.float32]  # 4×2 pixels, clockwise from the top left of the text


@dataclass(frozen=True, slots=True)
class TextBox:
    quad: Quad
    score: float


@dataclass(frozen=True, slots=True)
class _Region:
    """A part of the picture (pixels) and the scale at which it is looked at again."""

    left: int
    top: int
    right: int
    bottom: int
    scale: float

    def holds(self, quad: Quad) -> bool:
        x, y = quad.mean(axis=0)
        return bool(self.left <= x < self.right and self.top <= y < self.bottom)


class TextBoxFinder:
    def __init__(self, net: Net) -> None:
        self._net = net

    def find(self, pixels: Pixels) -> list[TextBox]:
        """Boxes in pixels of the picture, unordered."""
        height, width = pixels.shape[:2]
        scale = first_scale(width, height)
        return self._look(pixels, scale, *(_SMALL_SHRUNK if scale < _SHRUNK else _SMALL))

    def glance(self, pixels: Pixels) -> list[TextBox]:
        """Like `find` for a quarter of the work, for frames of videos: small print is seen where there is
        much of it, as on slides and screens.
        """
        height, width = pixels.shape[:2]
        scale = min(first_scale(width, height), math.sqrt(_GLANCE / (width * height)))
        return self._look(pixels, scale, _SMALL[0], fewest=_DENSE)

    def _look(self, pixels: Pixels, scale: float, *small: float, fewest: int = 1) -> list[TextBox]:
        """`small`: for this look and those that may follow, the height below which print is seen again, if
        there are so many marks of it.
        """
        height, width = pixels.shape[:2]
        heat = self._heat(pixels, scale)
        boxes = boxes_of(heat, scale, width, height)
        if not small:
            return boxes
        for region in _regions(heat, scale, small[0], width, height, fewest):
            window = pixels[region.top : region.bottom, region.left : region.right]
            finer = [
                TextBox(_moved(box.quad, region.left, region.top), box.score)
                for box in self._look(window, region.scale, *small[1:])
            ]
            boxes = _merged(boxes, finer, region, small[0] / scale)
        return boxes

    def _heat(self, pixels: Pixels, scale: float) -> NDArray[np.float32]:
        """The map of the picture at this scale, the padding cut off."""
        height, width = pixels.shape[:2]
        wide, high = max(1, round(width * scale)), max(1, round(height * scale))
        resized = cv2.resize(
            np.ascontiguousarray(pixels),
            (wide, high),
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        )
        canvas = np.zeros((1, 3, -(-high // _STEP) * _STEP, -(-wide // _STEP) * _STEP), dtype=np.float32)
        floats = resized.astype(np.float32) / 127.5 - 1.0
        canvas[0, :, :high, :wide] = floats[:, :, ::-1].transpose(2, 0, 1)  # the weights expect BGR
        heat: NDArray[np.float32] = self._net(canvas)[0][0, 0]
        return heat[:high, :wide]


def first_scale(width: int, height: int) -> float:
    """Of the first look, which finds all print but the smallest of large pictures."""
    enlarged = max(1.0, _SHORTER / min(width, height))
    return min(enlarged, math.sqrt(_MOST / (width * height)), _LONGEST / max(width, height))


def _regions(
    heat: NDArray[np.float32], scale: float, small: float, width: int, height: int, fewest: int
) -> list[_Region]:
    """Where the map shows small print, or something that may be some."""
    marks: list[tuple[int, int, int, int, float]] = []  # rectangle of the map, grown; height of the print
    ink = (heat > _FAINT).astype(np.uint8)
    outlines, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines:
        around = cv2.minAreaRect(outline)
        wide, high = around[1]
        x, y, across, down = cv2.boundingRect(outline)
        if max(wide, high) < _SPECK or heat[y : y + down, x : x + across].max() < _HINT:
            continue
        tall = min(wide, high) + 1 + _grown(wide + 1, high + 1)
        if (
            scale < _SHRUNK
            and _mean_inside(heat, np.asarray(cv2.boxPoints(around), dtype=np.float32)) < _UNSURE
        ):
            tall = min(tall, _LOST)  # perhaps many lines too small to be told apart
        if tall >= small:
            continue
        room = round(2 * tall)  # for the rest of a line that the map shows in part, and its neighbours
        marks.append((x - room, y - room, x + across + room, y + down + room, tall))
    if len(marks) < fewest:
        return []
    groups = _joined([mark[:4] for mark in marks])
    if len(groups) > _MOST_REGIONS:
        groups = [_around(groups)]
    if len(marks) >= _FEW and float(np.median([mark[4] for mark in marks])) < _LOST:
        groups = [(0, 0, heat.shape[1], heat.shape[0])]
    regions = []
    for group in groups:
        heights = [mark[4] for mark in marks if _touch(mark[:4], group)]
        left, top = (
            min(max(0, math.floor(edge / scale)), side - 1)
            for edge, side in zip(group, (width, height), strict=False)
        )
        right, bottom = min(width, math.ceil(group[2] / scale)), min(height, math.ceil(group[3] / scale))
        # The lower ones tell how much larger; the lowest may be specks.
        finer = scale * _WANTED / float(np.percentile(heights, 25))
        finer = min(finer, _MOST_ENLARGED, math.sqrt(_FINE_MOST / ((right - left) * (bottom - top))))
        if finer >= _WORTH * scale:
            regions.append(_Region(left, top, right, bottom, finer))
    return regions


_Rectangle = tuple[int, int, int, int]


def _touch(one: _Rectangle, other: _Rectangle) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _around(rectangles: Sequence[_Rectangle]) -> _Rectangle:
    lefts, tops, rights, bottoms = zip(*rectangles, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _joined(rectangles: Sequence[_Rectangle]) -> list[_Rectangle]:
    """Rectangles that touch made one, until none touch."""
    groups: list[_Rectangle] = []
    for rectangle in rectangles:
        touching = [group for group in groups if _touch(group, rectangle)]
        while touching:
            groups = [group for group in groups if group not in touching]
            rectangle = _around([rectangle, *touching])
            touching = [group for group in groups if _touch(group, rectangle)]
        groups.append(rectangle)
    return groups


def _merged(
    before: Sequence[TextBox], fine: Sequence[TextBox], region: _Region, small: float
) -> list[TextBox]:
    """The fine boxes in place of the small ones of their region; large print, which a look at that scale may
    break up, stays as the look before saw it.
    """
    kept = [box for box in before if sides(box.quad)[1] >= 2 * small or not region.holds(box.quad)]
    large = [box.quad for box in kept if region.holds(box.quad)]
    new = [
        box
        for box in fine
        if not any(cv2.pointPolygonTest(quad, box.quad.mean(axis=0).tolist(), False) >= 0 for quad in large)
    ]
    return kept + new


def _moved(quad: Quad, x: int, y: int) -> Quad:
    return (quad + np.array([x, y], dtype=np.float32)).astype(np.float32)


def _grown(wide: float, high: float) -> float:
    """By how much both sides of a core grow together: what the published polygon offset gives a rectangle."""
    return wide * high * _GROW / (wide + high)


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
        grow = _grown(wide, high)
        corners = cv2.boxPoints(((x, y), (wide + grow, high + grow), angle)) / scale
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


class Cutter:
    """Cuts lines out of a picture, straightened; large print from a smaller copy: nothing reads letters of
    more than some 50 pixels, and a copy made by averages keeps their edges clean.
    """

    def __init__(self, pixels: Pixels) -> None:
        self._copies = [np.ascontiguousarray(pixels)]

    def cut(self, quad: Quad) -> tuple[Pixels, Quad]:
        """The line straightened, and the quad in the order of its reading: a tall one is turned to lie."""
        across, down = sides(quad)
        if down >= _STANDING * across:
            quad = np.roll(quad, -1, axis=0)  # top right first: text running down becomes text running right
            across, down = down, across
        halvings = max(0, int(math.log2(max(1.0, down / _CUT_HEIGHT))))
        source, scale = self._copy(halvings), 0.5**halvings
        wide, high = max(1, int(across * scale)), max(1, int(down * scale))
        target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], dtype=np.float32)
        matrix = cv2.getPerspectiveTransform((quad * scale).astype(np.float32), target)
        line = cv2.warpPerspective(
            source, matrix, (wide, high), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(line, dtype=np.uint8), quad

    def _copy(self, halvings: int) -> Pixels:
        """The picture at 1, 1/2, 1/4, … of its size."""
        while len(self._copies) <= halvings:
            last = self._copies[-1]
            size = max(1, last.shape[1] // 2), max(1, last.shape[0] // 2)
            half = cv2.resize(last, size, interpolation=cv2.INTER_AREA)
            self._copies.append(np.asarray(half, dtype=np.uint8))
        return self._copies[halvings]
