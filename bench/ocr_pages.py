"""The pages that `ocr.py` reads: drawn and warped text, and photographs whose text was written by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from foveal.images.detail import Pixels

HERE = Path(__file__).parent
PICTURES = HERE.parent / "tests" / "fixtures" / "pictures"
LANGUAGES = {"en": 2, "zh": 2, "ja": 0, "ko": 1, "mixed": 1}  # the face inside Noto's collections
SIZES = (16, 22, 32)  # pixels of an em
TURNS = (90, 180, 270, 7, -15, 30)  # degrees clockwise


@dataclass(frozen=True, slots=True)
class Page:
    """A picture and the lines that it holds, in reading order. `kind` groups pages in the report."""

    kind: str
    name: str
    pixels: Pixels
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fonts:
    """Noto Sans CJK and Noto Serif CJK (the Debian package fonts-noto-cjk)."""

    folder: Path

    def sans(self, language: str, size: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(
            str(self.folder / "NotoSansCJK-Regular.ttc"), size, index=LANGUAGES[language]
        )

    def serif(self, language: str, size: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(str(self.folder / "NotoSerifCJK-Bold.ttc"), size, index=LANGUAGES[language])


def load_texts() -> dict[str, Any]:
    return tomllib.loads((HERE / "ocr_texts.toml").read_text(encoding="utf-8"))


def all_pages(fonts: Fonts, photos: Path | None) -> Iterator[Page]:
    texts = load_texts()
    yield from clean_pages(fonts, texts)
    yield from dense_pages(fonts, texts)
    yield from turned_pages(fonts, texts)
    yield from photographed(photos, texts)


def clean_pages(fonts: Fonts, texts: dict[str, Any]) -> Iterator[Page]:
    for language in LANGUAGES:
        for size in SIZES:
            for style, font in (
                ("sans", fonts.sans(language, size)),
                ("serif", fonts.serif(language, size)),
            ):
                pixels = list_of(texts[language], font, size)
                yield Page(f"clean {language}", f"{style} {size}", pixels, tuple(texts[language]))


def dense_pages(fonts: Fonts, texts: dict[str, Any]) -> Iterator[Page]:
    """8 point print is 22 pixels at 200 dpi and 33 at 300."""
    for dpi in (200, 300):
        size = round(8 / 72 * dpi)
        pixels, lines = article(texts["running"], fonts.serif("en", size), size, dpi, columns=1)
        yield Page("dense A4", f"8 pt {dpi} dpi", pixels, lines)
        pixels, lines = article(texts["running"], fonts.sans("en", size), size, dpi, columns=2)
        yield Page("dense A4", f"2 columns {dpi} dpi", pixels, lines)
    for language in ("zh", "ja", "ko"):
        words = "\n".join(texts[language] * 3)
        pixels, lines = article(words, fonts.sans(language, 22), 22, 200, columns=2)
        yield Page(f"dense {language}", "2 columns 200 dpi", pixels, lines)
    flat, lines = receipt_of(texts["receipt"], fonts.sans("en", 30), 30)
    yield Page("receipt", "flat", flat, lines)
    yield Page("receipt", "photo 12 MP", photo_of(flat), lines)
    for size in (14, 20):
        pixels, lines = table_of(texts["table"], fonts.sans("en", size), size)
        yield Page("table", f"{size} px", pixels, lines)


def turned_pages(fonts: Fonts, texts: dict[str, Any]) -> Iterator[Page]:
    for language in ("en", "zh", "ja", "ko", "mixed"):
        lines = texts[language][:10]
        flat = list_of(lines, fonts.sans(language, 26), 26)
        for degrees in TURNS:
            yield Page(f"turned {language}", f"{degrees}°", turned(flat, degrees), tuple(lines))
        yield Page(f"perspective {language}", "", leaned(flat), tuple(lines))


def photographed(photos: Path | None, texts: dict[str, Any]) -> Iterator[Page]:
    """`page.jpg` of the tests, and what of the named photographs lies in `photos`."""
    for name, lines in texts["photos"].items():
        for folder in (PICTURES, photos):
            if folder is not None and (folder / name).is_file():
                picture = cv2.imread(str(folder / name), cv2.IMREAD_COLOR)
                assert picture is not None, name
                yield Page("photo", name, as_pixels(picture[:, :, ::-1]), tuple(lines))


def as_pixels(array: Any) -> Pixels:
    return np.ascontiguousarray(array, dtype=np.uint8)


def list_of(lines: Sequence[str], font: ImageFont.FreeTypeFont, size: int) -> Pixels:
    """One line under the other, with room to the right, black on white."""
    pitch = round(size * 1.9)
    width = max(640, round(max(font.getlength(line) for line in lines)) + 4 * size)
    sheet = Image.new("RGB", (width, pitch * len(lines) + 2 * size), "white")
    draw = ImageDraw.Draw(sheet)
    for row, line in enumerate(lines):
        draw.text((2 * size, size + row * pitch), line, fill="black", font=font)
    return as_pixels(sheet)


def article(
    text: str, font: ImageFont.FreeTypeFont, size: int, dpi: int, *, columns: int
) -> tuple[Pixels, tuple[str, ...]]:
    """An A4 page full of `text`, repeated as often as it fits."""
    width, height = round(8.27 * dpi), round(11.69 * dpi)
    margin, gap = round(0.8 * dpi), round(0.3 * dpi)
    column = (width - 2 * margin - (columns - 1) * gap) // columns
    pitch = round(size * 1.45)
    rows = (height - 2 * margin) // pitch
    lines = wrapped(text, font, column, rows * columns)
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    for place, line in enumerate(lines):
        x = margin + place // rows * (column + gap)
        draw.text((x, margin + place % rows * pitch), line, fill=(20, 20, 20), font=font)
    return as_pixels(sheet), tuple(lines)


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: int, count: int) -> list[str]:
    """`count` lines; a text of lines stays in lines, running text is wrapped at spaces and repeated."""
    if text.count("\n") > 3:
        given = text.split("\n")
        return [given[place % len(given)] for place in range(count)]
    lines: list[str] = []
    line = ""
    words = text.split()
    place = 0
    while len(lines) < count:
        longer = f"{line} {words[place % len(words)]}".strip()
        if font.getlength(longer) > width:
            lines.append(line)
            line = ""
        else:
            line = longer
            place += 1
    return lines


def receipt_of(
    rows: Sequence[Sequence[str]], font: ImageFont.FreeTypeFont, size: int
) -> tuple[Pixels, tuple[str, ...]]:
    """Labels at the left edge, values at the right one."""
    width, pitch = 22 * size, round(1.6 * size)
    sheet = Image.new("RGB", (width, pitch * len(rows) + 3 * size), (250, 250, 246))
    draw = ImageDraw.Draw(sheet)
    for row, (label, value) in enumerate(rows):
        y = round(1.5 * size) + row * pitch
        draw.text((size, y), label, fill=(50, 50, 50), font=font)
        draw.text((width - size - font.getlength(value), y), value, fill=(50, 50, 50), font=font)
    return as_pixels(sheet), tuple(cell for row in rows for cell in row if cell)


def table_of(
    rows: Sequence[Sequence[str]], font: ImageFont.FreeTypeFont, size: int
) -> tuple[Pixels, tuple[str, ...]]:
    """Ruled, the figures flush right."""
    column, pitch = 8 * size, 2 * size
    width, height = column * len(rows[0]) + 2 * size, pitch * len(rows) + 2 * size
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    for row, cells in enumerate(rows):
        y = size + row * pitch
        draw.line((size, y, width - size, y), fill=(170, 170, 170))
        for place, cell in enumerate(cells):
            x = size + place * column
            right = x + column - size // 2 - font.getlength(cell)
            draw.text((x + 4 if place == 0 else right, y + size // 4), cell, fill="black", font=font)
    return as_pixels(sheet), tuple(cell for row in rows for cell in row)


def turned(pixels: Pixels, degrees: float) -> Pixels:
    """Clockwise, on white, nothing cut off."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, high = round(width * cos + height * sin), round(width * sin + height * cos)
    matrix[:, 2] += (wide / 2 - width / 2, high / 2 - height / 2)
    turned_ = cv2.warpAffine(pixels, matrix, (wide, high), flags=cv2.INTER_CUBIC, borderValue=(255, 255, 255))
    return as_pixels(turned_)


def leaned(pixels: Pixels) -> Pixels:
    """As a page that lies on a table, seen from its lower edge."""
    height, width = pixels.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    target = np.array(
        [
            [0.16 * width, 0.05 * height],
            [0.9 * width, 0.0],
            [width, 0.95 * height],
            [0.0, height],
        ],
        dtype=np.float32,
    )
    matrix = cv2.getPerspectiveTransform(source, target)
    return as_pixels(
        cv2.warpPerspective(
            pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(225, 220, 210)
        )
    )


def photo_of(flat: Pixels) -> Pixels:
    """A phone's photo (3024×4032) of a receipt on a table: small in it, leaning, blurred, noisy, as JPEG."""
    random = np.random.default_rng(5)
    wide, high = 3024, 4032
    table = cv2.resize(random.integers(90, 150, (42, 32, 3), dtype=np.uint8), (wide, high))
    height, width = flat.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    target = np.array([[900, 1250], [2010, 1170], [2110, 2480], [830, 2390]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    paper = cv2.warpPerspective(flat, matrix, (wide, high), flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full(flat.shape[:2], 255, np.uint8), matrix, (wide, high))
    light = np.linspace(0.72, 1.0, wide, dtype=np.float32)[None, :, None]
    photo = np.where(mask[:, :, None] > 0, paper * light, table).astype(np.float32)
    photo = cv2.GaussianBlur(photo, (0, 0), 1.6).astype(np.float32)
    photo += random.normal(0, 6, photo.shape).astype(np.float32)
    drawn, jpeg = cv2.imencode(".jpg", photo.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert drawn
    return as_pixels(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))
