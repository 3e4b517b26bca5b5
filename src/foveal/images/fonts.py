"""Fonts for labels: Pillow's own, else one of the system's that has the letters."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_NOBODY_HAS = "\U0010fffd"  # a private code point: a font draws its "missing" box for it


class Fonts:
    """Chooses the font of one label; `folders` (default: where systems keep fonts) are searched once."""

    def __init__(self, size: int, folders: Sequence[Path] | None = None) -> None:
        table = tomllib.loads(files("foveal.images").joinpath("data/fonts.toml").read_text(encoding="utf-8"))
        self._size = size
        self._names: list[str] = table["names"]
        self._folders = [Path(name).expanduser() for name in table["folders"]] if folders is None else folders
        self._own = ImageFont.load_default(size)
        self._found: list[Font] | None = None

    @property
    def own(self) -> Font:
        return self._own

    def for_text(self, text: str) -> Font | None:
        """The first font that has every letter of `text`; None when none that was found has."""
        if covers(self._own, text):
            return self._own
        if self._found is None:
            self._found = list(self._system())
        return next((font for font in self._found if covers(font, text)), None)

    def _system(self) -> Iterator[Font]:
        places: dict[str, Path] = {}
        for folder in self._folders:
            for at, _, names in os.walk(folder):
                for name in names:
                    places.setdefault(name, Path(at) / name)
        for name in self._names:
            if name in places:
                try:
                    yield ImageFont.truetype(places[name], self._size)
                except OSError:  # a file that only has the name of a font
                    continue


def covers(font: Font, text: str) -> bool:
    """Whether the font has a picture of its own for every letter."""
    missing = _shape(font, _NOBODY_HAS)
    return all(letter.isspace() or _shape(font, letter) != missing for letter in set(text))


def _shape(font: Font, letter: str) -> tuple[tuple[int, int], bytes] | None:
    try:
        mask = font.getmask(letter)
    except UnicodeError:  # Pillow's bitmap font, without FreeType
        return None
    return mask.size, bytes(mask)
