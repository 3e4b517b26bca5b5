"""Marks drawn on a picture, for people to look at: labelled boxes, and the outlines of text.

Every line has a dark rim and every label a ground of its own, so that both can be read on any picture; line
width and letters grow with the picture.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw

from foveal.images.detail import Pixels
from foveal.images.fonts import Font, Fonts

Colour = tuple[int, int, int]
Area = tuple[float, float, float, float]  # left, top, right, bottom in pixels

# Far apart in hue and light, also for most people who see colours otherwise (after Okabe and Ito).
_OBJECTS: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
    (120, 200, 80),
    (255, 130, 130),
)
_TEXT: Colour = (0, 229, 255)
_RIM: Colour = (20, 20, 20)
_MOST_LETTERS = 48  # of a label


@dataclass(frozen=True, slots=True)
class Mark:
    """What to draw: `polygon` has three or more points, each 0..1 of width and height."""

    label: str
    polygon: tuple[tuple[float, float], ...]
    kind: Literal["object", "text"] = "object"


def draw(pixels: Pixels, marks: Sequence[Mark], *, font_folders: Sequence[Path] | None = None) -> bytes:
    """The picture with its marks, as PNG bytes.

    Objects of one label have one colour. The label of a text never covers marked text: where lines are too
    close for that, they have their outlines alone. A label whose letters no font has becomes a number,
    explained in a line below the picture.
    """
    picture = Image.fromarray(pixels)
    sheet = _Sheet(picture, font_folders)
    colours = _colours(marks)
    outlines = [sheet.outline(mark, colours[_key(mark)]) for mark in marks]
    for mark, area in zip(marks, outlines, strict=True):
        if mark.label.strip():
            sheet.label(mark, area, colours[_key(mark)])
    out = io.BytesIO()
    sheet.with_legend().save(out, "PNG", optimize=True)
    return out.getvalue()


def _key(mark: Mark) -> str:
    return "text" if mark.kind == "text" else f"object {mark.label.rsplit(' ', 1)[0]}"


def _colours(marks: Iterable[Mark]) -> dict[str, Colour]:
    keys = dict.fromkeys(_key(mark) for mark in marks if mark.kind == "object")
    found = {key: _OBJECTS[number % len(_OBJECTS)] for number, key in enumerate(keys)}
    return {**found, "text": _TEXT}


class _Sheet:
    """The picture being drawn on, and where labels lie already."""

    def __init__(self, picture: Image.Image, font_folders: Sequence[Path] | None) -> None:
        self._picture = picture
        self._draw = ImageDraw.Draw(picture)
        side = min(picture.size)
        self._width = max(2, round(side / 240))
        self._fonts = Fonts(max(11, round(side / 34)), font_folders)
        self._taken: list[Area] = []  # by labels
        self._texts: list[Area] = []
        self._legend: list[str] = []

    def outline(self, mark: Mark, colour: Colour) -> Area:
        """Draws it; returns the upright box around it."""
        width, height = self._picture.size
        points = [(x * (width - 1), y * (height - 1)) for x, y in mark.polygon]
        ring = [*points, points[0], points[1]]  # one further corner, so that the last joint is closed too
        self._draw.line(ring, fill=_RIM, width=self._width + 2, joint="curve")
        self._draw.line(ring, fill=colour, width=self._width, joint="curve")
        xs, ys = [x for x, _ in points], [y for _, y in points]
        area = min(xs), min(ys), max(xs), max(ys)
        if mark.kind == "text":
            self._texts.append(area)
        return area

    def label(self, mark: Mark, area: Area, colour: Colour) -> None:
        text, font = self._drawable(_shortened(mark.label))
        places = self._places(area, self._size(text, font))
        if mark.kind == "text":
            place = self._free_place(places[:2], [*self._taken, *self._texts])
        else:
            place = self._free_place(places, self._taken) or places[0]
        if place is None:
            return
        self._taken.append(place)
        self._draw.rectangle(place, fill=colour, outline=_RIM)
        ink = (0, 0, 0) if _is_light(colour) else (255, 255, 255)
        pad = self._width
        self._draw.text((place[0] + pad, place[1] + pad), text, fill=ink, font=font, anchor="lt")

    def with_legend(self) -> Image.Image:
        """The picture, and below it a line for each label that no font could draw."""
        if not self._legend:
            return self._picture
        width, height = self._picture.size
        line = round(self._size("Ag", self._fonts.own)[1]) + 2 * self._width
        sheet = Image.new("RGB", (width, height + line * len(self._legend)), "white")
        sheet.paste(self._picture, (0, 0))
        pen = ImageDraw.Draw(sheet)
        for number, text in enumerate(self._legend):
            place = (self._width, height + line * number + self._width)
            pen.text(place, text, fill=(0, 0, 0), font=self._fonts.own, anchor="lt")
        return sheet

    def _drawable(self, text: str) -> tuple[str, Font]:
        font = self._fonts.for_text(text)
        if font is not None:
            return text, font
        number = f"#{len(self._legend) + 1}"
        self._legend.append(f"{number}: {_described(text)}")
        return number, self._fonts.own

    def _size(self, text: str, font: Font) -> tuple[float, float]:
        left, top, right, bottom = self._draw.textbbox((0, 0), text, font=font, anchor="lt")
        return right - left + 2 * self._width, bottom - top + 2 * self._width

    @staticmethod
    def _free_place(places: Sequence[Area], taken: Sequence[Area]) -> Area | None:
        return next((place for place in places if not any(_meet(place, other) for other in taken)), None)

    def _places(self, area: Area, size: tuple[float, float]) -> list[Area]:
        """Above the box, below it, inside at the top, inside at the bottom; moved into the picture."""
        width, height = size
        left, top, _, bottom = area
        gap = self._width
        tops = (top - height - gap, bottom + gap, top + gap, bottom - height - gap)
        return [self._inside(left, y, width, height) for y in tops]

    def _inside(self, left: float, top: float, width: float, height: float) -> Area:
        x = max(0.0, min(left, self._picture.width - 1 - width))
        y = max(0.0, min(top, self._picture.height - 1 - height))
        return x, y, x + width, y + height


def _meet(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_light(colour: Colour) -> bool:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue > 110


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_LETTERS else line[: _MOST_LETTERS - 1] + "…"


def _described(text: str) -> str:
    """What a text is whose letters cannot be drawn: "5 letters (HANGUL)"."""
    scripts = dict.fromkeys(
        unicodedata.name(letter, "UNKNOWN").split()[0] for letter in text if not letter.isascii()
    )
    return f"{sum(not letter.isspace() for letter in text)} letters ({', '.join(scripts)})"
