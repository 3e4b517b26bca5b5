"""Bytes → checked, upright RGB pixels in the sizes that the detail plan asks for.

Order of the checks: bytes (20 MB), format by its first bytes, size in pixels by the header, and only then a
decoder. What a decoder says never reaches a client: every failure is one of the fixed texts below.

Which decoder, and why (measured by `bench/images.py` and noted in docs/performance.md):
  JPEG  libjpeg-turbo through `simplejpeg`, scaled while decoding (DCT) to the next of 1/8, 2/8, 4/8, 8/8
        over the size that is needed; those four have SIMD code, the factors between are slower. It is
        ahead of Pillow's `draft` (which writes 4 bytes for a pixel and must be copied to an array) and,
        unlike it, can tell damage that shows from damage that does not.
  CMYK  Pillow (with `draft`), which knows Adobe's inverted inks.
  PNG, GIF  Pillow, in strips, so that a large picture is never held twice.
  WEBP  OpenCV, because Pillow's decoder holds the GIL long enough to stop the event loop.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import cv2
import numpy as np
from PIL import Image

from foveal.errors import InvalidImage
from foveal.images import tiles
from foveal.images.detail import Detail, DetailedImage, Pixels
from foveal.images.header import BadHeader, Header, read_header

INVALID_IMAGE = "Invalid image data."

_PILLOW_CEILING = 89_000_000  # above it Pillow warns of a bomb by itself
_STRIP_ROWS = 256
_SCAN_PIECE = 1 << 20
_START_OF_SCAN = b"\xff\xda"
_SIMD_EIGHTHS = (1, 2, 4)
_HARMLESS_DAMAGE = ("extraneous bytes before marker", "Invalid SOS parameters", "Inconsistent progression")


class _DecodeJpeg(Protocol):
    def __call__(
        self, data: bytes, colorspace: str, *, min_height: int, min_width: int, strict: bool = True
    ) -> Pixels: ...


# Not an import statement: the package has no types of its own, and the protocol above is what we rely on.
_decode_jpeg_scaled: _DecodeJpeg = import_module("simplejpeg").decode_jpeg


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may be at most.

    `max_pixels` bounds memory (an 80-megapixel PNG takes about 320 MB while it is decoded) and lies above
    every phone picture and A3 scan that fits into 20 MB. `max_side` is above the largest WEBP.
    `max_scans` bounds the work of a progressive JPEG, each scan of which goes over the whole picture;
    encoders write about 10.
    """

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 80_000_000
    max_side: int = 16_384
    max_scans: int = 100

    def __post_init__(self) -> None:
        if not 1 <= self.max_pixels <= _PILLOW_CEILING:
            raise ValueError(f"max_pixels must be 1 to {_PILLOW_CEILING}")


def too_large(limits: Limits, param: str | None) -> InvalidImage:
    """The refusal of a picture with too many bytes."""
    megabytes = limits.max_bytes / (1024 * 1024)
    message = f"{INVALID_IMAGE} An image may have at most {megabytes:g} MB."
    return InvalidImage(message, param=param, reason="bytes")


def check(data: bytes, limits: Limits, *, param: str | None) -> Header:
    """Everything that can be refused without decoding; raises `InvalidImage`."""
    if len(data) > limits.max_bytes:
        raise too_large(limits, param)
    try:
        header = read_header(data)
    except BadHeader as error:
        raise InvalidImage(
            f"{INVALID_IMAGE} A PNG, JPEG, WEBP or GIF image was expected.", param=param
        ) from error
    _check_size(header.width, header.height, limits, param)
    if header.progressive and _scans(data) > limits.max_scans:
        raise InvalidImage(INVALID_IMAGE, param=param)
    return header


def decode(
    data: bytes,
    header: Header,
    detail: Detail,
    limits: Limits,
    *,
    sha256: Callable[[], str],
    param: str | None,
) -> DetailedImage:
    """The views of a checked picture; raises `InvalidImage` when its pixels cannot be read.

    `sha256` is asked last, so that another thread can compute it meanwhile.
    """
    size = tiles.working_size if detail == "high" else tiles.overview_size
    view = upright_pixels(data, header, size(header.width, header.height), limits, param=param)
    width, height = header.upright_size
    return DetailedImage(
        sha256=sha256(),
        format=header.format,
        width=width,
        height=height,
        detail=detail,
        tokens=tiles.image_tokens(width, height, detail),
        overview=view if detail == "low" else _frozen(_resize(view, tiles.overview_size(width, height))),
        scaled=None if detail == "low" else view,
        tiles=() if detail == "low" else tiles.tiles(width, height),
        data=data,
    )


def upright_pixels(
    data: bytes, header: Header, size: tuple[int, int], limits: Limits, *, param: str | None
) -> Pixels:
    """A checked picture at `size` (width, height; before EXIF turns it), upright and read-only.

    Raises `InvalidImage` when its pixels cannot be read.
    """
    try:
        stored = _decoder(header)(data, header, size, limits)
    except InvalidImage as error:
        raise InvalidImage(error.message, param=param, reason=error.reason) from error
    except MemoryError:
        raise
    except Exception as error:  # decoders fail in a dozen ways on broken bytes; none is the client's to read
        raise InvalidImage(INVALID_IMAGE, param=param) from error
    return _frozen(_upright(_resize(stored, size), header.orientation))


_Size = tuple[int, int]  # width, height
_Decoder = Callable[[bytes, Header, _Size, Limits], Pixels]


def _check_size(width: int, height: int, limits: Limits, param: str | None) -> None:
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        raise InvalidImage(
            f"{INVALID_IMAGE} An image of {width}×{height} pixels is too large: at most "
            f"{limits.max_side} pixels on a side and {limits.max_pixels / 1e6:g} megapixels are accepted.",
            param=param,
            reason="pixels",
        )


def _decoder(header: Header) -> _Decoder:
    if header.format == "jpeg" and header.channels != 4:
        return _decode_jpeg
    if header.format == "webp":
        return _decode_webp
    return _decode_with_pillow


def _decode_jpeg(data: bytes, header: Header, target: _Size, _: Limits) -> Pixels:
    """Decode at the smallest quick scale that is not below `target`.

    A scale that misses the target by at most 4 % counts as reaching it: the step from 2/8 to 4/8 costs a
    tenth of the time and gains little. (A page of tiny text against a Lanczos reduction of the whole picture:
    2/8 with a cubic resize 25.8 dB, 4/8 with a bilinear one 26.4 dB.)
    """
    min_height, min_width = 0, 0  # 0: unscaled
    for eighths in _SIMD_EIGHTHS:
        width, height = -(-header.width * eighths // 8), -(-header.height * eighths // 8)
        if width * 100 >= target[0] * 96 and height * 100 >= target[1] * 96:
            min_height, min_width = height, width
            break
    try:
        return _decode_jpeg_scaled(data, "RGB", min_height=min_height, min_width=min_width)
    except ValueError as error:
        if not any(damage in str(error) for damage in _HARMLESS_DAMAGE):
            raise
    return _decode_jpeg_scaled(data, "RGB", min_height=min_height, min_width=min_width, strict=False)


def _decode_webp(data: bytes, header: Header, target: _Size, _: Limits) -> Pixels:
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.shape[:2] != (header.height, header.width):
        raise InvalidImage(INVALID_IMAGE)
    if stored.shape[2] == 3:
        return _pixels(cv2.cvtColor(_resize(_pixels(stored), target), cv2.COLOR_BGR2RGB))
    # What is transparent has a colour too, which must not be mixed in: weigh with alpha, then resize both.
    bgra = _pixels(stored)
    for top in range(0, header.height, _STRIP_ROWS):
        strip = bgra[top : top + _STRIP_ROWS]
        alpha = cv2.merge([strip[:, :, 3]] * 3)
        strip[:, :, :3] = cv2.multiply(strip[:, :, :3], alpha, scale=1 / 255)
    bgra = _resize(bgra, target)
    white = cv2.merge([255 - bgra[:, :, 3]] * 3)
    return _pixels(cv2.cvtColor(cv2.add(np.ascontiguousarray(bgra[:, :, :3]), white), cv2.COLOR_BGR2RGB))


def _decode_with_pillow(data: bytes, header: Header, target: _Size, limits: Limits) -> Pixels:
    """PNG, GIF (first frame) and CMYK JPEG, strip by strip; already shrunk when far above the target.

    `reduce` averages whole blocks; it is used only as far as twice the target, the rest is `_resize`'s.
    """
    with Image.open(io.BytesIO(data), formats=(header.format,)) as image:
        _check_size(*image.size, limits, None)  # a GIF's frame can be larger than its header says
        if header.format == "jpeg":
            image.draft(image.mode, target)
        image.load()
        width, height = image.size
        block = max(1, min(width // target[0], height // target[1]) // 2)
        rows = _STRIP_ROWS - _STRIP_ROWS % block or block
        rgb = np.empty((-(-height // block), -(-width // block), 3), np.uint8)
        for top in range(0, height, rows):
            strip = _to_rgb(image.crop((0, top, width, min(top + rows, height))))
            if block > 1:
                strip = strip.reduce(block)
            rgb[top // block : top // block + strip.height] = np.asarray(strip)
    return rgb


def _to_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB of any mode that PNG, GIF and JPEG have; what is transparent becomes white."""
    if image.mode.startswith("I"):  # 16-bit gray: its high byte
        gray = np.asarray(image).astype(np.int32) >> 8
        return Image.fromarray(gray.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _resize(pixels: Pixels, size: _Size) -> Pixels:
    """To exactly `size`; OpenCV does it without the GIL.

    Down to a half, bilinear reads every pixel and is five times as fast as the area average; further down
    the average is what keeps fine patterns from turning into false ones.
    """
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    if width < size[0] or height < size[1]:
        method = cv2.INTER_CUBIC
    elif width > 2 * size[0] or height > 2 * size[1]:
        method = cv2.INTER_AREA
    else:
        method = cv2.INTER_LINEAR
    return _pixels(cv2.resize(pixels, size, interpolation=method))


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the EXIF orientation: 2 to 4 mirror or turn by a half, 5 to 8 swap the sides."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _frozen(pixels: Pixels) -> Pixels:
    """Contiguous and read-only, because the cache hands the same array to everybody."""
    pixels = np.ascontiguousarray(pixels)
    pixels.setflags(write=False)
    return pixels


def _pixels(array: cv2.typing.MatLike) -> Pixels:
    return np.asarray(array, dtype=np.uint8)


def _scans(data: bytes) -> int:
    """How many scans a JPEG has. Counted in pieces: one count over 20 MB would hold the GIL too long."""
    return sum(
        data[at : at + _SCAN_PIECE + 1].count(_START_OF_SCAN) for at in range(0, len(data), _SCAN_PIECE)
    )
