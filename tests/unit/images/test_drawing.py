"""Marks on pictures: where they are, that they can be seen, and what happens to letters without a font."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foveal.images.detail import Pixels
from foveal.images.drawing import Mark, draw
from foveal.images.fonts import Fonts, covers


def plain(value: int, width: int = 400, height: int = 300) -> Pixels:
    return np.full((height, width, 3), value, np.uint8)


def box(left: float, top: float, right: float, bottom: float) -> tuple[tuple[float, float], ...]:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def drawn(pixels: Pixels, *marks: Mark, folders: list[Path] | None = None) -> Pixels:
    png = draw(pixels, marks, font_folders=folders)
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


def changed(before: Pixels, after: Pixels) -> Pixels:
    return np.asarray((before != after).any(axis=2), np.uint8)


def test_nothing_to_mark_changes_nothing_and_the_original_stays() -> None:
    pixels = plain(90)
    pixels.setflags(write=False)
    assert (drawn(pixels) == pixels).all()
    assert changed(pixels, drawn(pixels, Mark("cat", box(0.2, 0.2, 0.8, 0.8)))).any()
    assert (pixels == 90).all()


def test_a_box_is_drawn_along_its_sides_and_not_inside() -> None:
    pixels = plain(255)
    mask = changed(pixels, drawn(pixels, Mark("", box(0.25, 0.2, 0.75, 0.8))))
    for x, y in ((100, 150), (299, 150), (200, 60), (200, 239)):
        assert mask[y, x], (x, y)
    assert not mask[80:220, 120:280].any()
    assert not mask[:50].any()


def test_the_outline_of_text_follows_its_slant() -> None:
    pixels = plain(255)
    slanted = ((0.1, 0.4), (0.8, 0.1), (0.9, 0.3), (0.2, 0.6))
    mask = changed(pixels, drawn(pixels, Mark("", slanted, "text")))
    assert mask[75, 180]  # the middle of the upper side
    assert not mask[20:40, 20:200].any()  # an upright box around it would begin here


@pytest.mark.parametrize("value", [0, 70, 128, 200, 255])
def test_lines_and_labels_stand_out_on_any_ground(value: int) -> None:
    pixels = plain(value)
    after = drawn(pixels, Mark("person 97%", box(0.3, 0.3, 0.7, 0.7))).astype(int)
    touched = changed(pixels, after.astype(np.uint8)).astype(bool)
    luma = after[touched] @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma - value).max() > 80


def test_each_kind_of_thing_has_its_colour() -> None:
    after = drawn(
        plain(255),
        Mark("cat 90%", box(0.05, 0.3, 0.3, 0.9)),
        Mark("cat 60%", box(0.35, 0.3, 0.6, 0.9)),
        Mark("dog 80%", box(0.65, 0.3, 0.95, 0.9)),
    )
    left_sides = (after[180, x - 4 : x + 4] for x in (20, 140, 260))
    first, second, third = ({tuple(dot) for dot in side.tolist() if max(dot) > 100} for side in left_sides)
    assert first == second != third


def test_lines_grow_with_the_picture() -> None:
    small, large = plain(255, 200, 200), plain(255, 2000, 2000)
    mark = Mark("", box(0.5, 0.1, 0.9, 0.9))
    narrow = changed(small, drawn(small, mark))[100, :140].sum()
    wide = changed(large, drawn(large, mark))[1000, :1400].sum()
    assert wide > 2 * narrow


def test_a_label_at_the_edge_is_moved_into_the_picture() -> None:
    pixels = plain(255)
    mask = changed(pixels, drawn(pixels, Mark("a rather long label", box(0.9, 0.0, 1.0, 0.2))))
    assert mask.shape == (300, 400)
    assert mask[:60, 200:300].any()


def test_a_label_never_covers_marked_text() -> None:
    pixels = plain(255)
    close = [Mark("some words", box(0.1, n / 10, 0.9, n / 10 + 0.08), "text") for n in range(2, 8)]
    mask = changed(pixels, drawn(pixels, *close))
    for mark in close:
        top, bottom = (round(mark.polygon[corner][1] * 299) for corner in (0, 2))
        assert not mask[top + 5 : bottom - 4, 50:350].any()
    assert mask[30:55, 45:100].any()  # the first line has room above it


def test_letters_that_no_font_has_are_explained_below() -> None:
    pixels = plain(255)
    mark = Mark("안녕", box(0.2, 0.4, 0.6, 0.6), "text")
    after = drawn(pixels, mark, folders=[])
    assert after.shape[0] > 300
    assert after.shape[1] == 400
    assert (after[300:] < 100).any()
    assert drawn(pixels, Mark("hello", mark.polygon, "text"), folders=[]).shape[0] == 300


def test_fonts_are_found_by_name_below_the_folders(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "NanumGothic.ttf").write_bytes(b"not a font")
    fonts = Fonts(14, [tmp_path, tmp_path / "missing"])
    assert fonts.for_text("plain words") is fonts.own
    assert fonts.for_text("안녕") is None
    assert covers(fonts.own, "Ag 12%")
    assert not covers(fonts.own, "한")
