from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.unit.images.pictures import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    chunk,
    corners,
    encode,
    noise,
    oriented,
    png_header,
)

from foveal.errors import InvalidImage
from foveal.images.decode import Limits, check, decode
from foveal.images.detail import Detail, DetailedImage, Pixels

LIMITS = Limits()
FORMATS = ["PNG", "JPEG", "WEBP", "GIF"]


def see(data: bytes, detail: Detail = "high", limits: Limits = LIMITS) -> DetailedImage:
    header = check(data, limits, param="messages")
    return decode(data, header, detail, limits, sha256=lambda: "0", param="messages")


def refused(data: bytes, limits: Limits = LIMITS) -> InvalidImage:
    with pytest.raises(InvalidImage) as caught:
        see(data, limits=limits)
    error = caught.value
    assert error.status == 400
    assert error.code == "BadRequest"
    assert error.param == "messages"
    assert error.message.startswith("Invalid image data.")
    return error


def at(pixels: Pixels, x: float, y: float) -> tuple[int, int, int]:
    height, width = pixels.shape[:2]
    red, green, blue = pixels[int(y * height), int(x * width)].tolist()
    return red, green, blue


def shows_corners(pixels: Pixels, tolerance: int = 12) -> bool:
    seen = [at(pixels, 0.25, 0.25), at(pixels, 0.75, 0.25), at(pixels, 0.25, 0.75), at(pixels, 0.75, 0.75)]
    return bool(np.abs(np.array(seen) - np.array([RED, GREEN, BLUE, WHITE])).max() <= tolerance)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("detail", ["low", "high"])
def test_every_format_gives_rgb_in_the_planned_sizes(kind: str, detail: Detail) -> None:
    image = see(encode(corners(1600, 1200), kind), detail)
    assert (image.width, image.height, image.format) == (1600, 1200, kind.lower())
    assert image.overview.shape == (384, 512, 3)
    assert image.overview.dtype == np.uint8
    assert shows_corners(image.overview)
    if detail == "low":
        assert image.scaled is None
        assert image.tiles == ()
        assert image.tokens == 85
    else:
        assert image.scaled is not None
        assert image.scaled.shape == (768, 1024, 3)
        assert shows_corners(image.scaled)
        assert len(image.tiles) == 4
        assert image.tokens == 765


@pytest.mark.parametrize("kind", FORMATS)
def test_small_pictures_are_never_enlarged(kind: str) -> None:
    image = see(encode(corners(96, 64), kind))
    assert image.overview.shape == (64, 96, 3)
    assert image.best.shape == (64, 96, 3)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3000, 2)])
def test_extreme_shapes(kind: str, size: tuple[int, int]) -> None:
    image = see(encode(Image.new("RGB", size, RED), kind))
    assert (image.width, image.height) == size
    assert np.abs(image.best[0, 0].astype(int) - RED).max() < 12


@pytest.mark.parametrize("kind", FORMATS)
def test_views_cannot_be_changed_and_bytes_are_kept(kind: str) -> None:
    data = encode(corners(), kind)
    image = see(data)
    assert image.data is data
    with pytest.raises(ValueError, match="read-only"):
        image.overview[0, 0] = 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_comes_out_upright(kind: str, orientation: int) -> None:
    image = see(oriented(kind, orientation))
    assert (image.width, image.height) == (96, 64)
    assert image.best.shape == (64, 96, 3)
    assert shows_corners(image.best, tolerance=25)
    assert shows_corners(image.overview, tolerance=25)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_senseless_orientation_is_none(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert shows_corners(see(encode(corners(), "PNG", exif=exif)).best)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_broken_exif_is_no_reason_to_refuse(kind: str) -> None:
    broken = b"Exif\0\0MM\0*\0\0\xff\xff"
    assert see(encode(corners(), kind, exif=broken)).width == 96


def test_cmyk_jpeg() -> None:
    image = see(encode(corners(1600, 1200).convert("CMYK"), "JPEG", quality=95))
    assert image.best.shape == (768, 1024, 3)
    assert shows_corners(image.best, tolerance=25)


def test_adobe_inverted_ycck_jpeg() -> None:
    """YCCK is stored like YCbCr plus K with an Adobe marker whose transform is 2."""
    plain = bytearray(encode(corners().convert("CMYK"), "JPEG", quality=95))
    place = plain.find(b"Adobe")
    assert place > 0
    plain[place + 11] = 2
    assert see(bytes(plain)).best.shape == (64, 96, 3)


def test_gray_and_progressive_jpeg() -> None:
    gray = see(encode(corners(1600, 1200).convert("L"), "JPEG"))
    red, green, blue = at(gray.best, 0.75, 0.25)
    assert red == green == blue
    assert shows_corners(see(encode(corners(1600, 1200), "JPEG", progressive=True, quality=95)).best)


def test_sixteen_bit_gray_png_keeps_its_brightness() -> None:
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(1, 256).repeat(4, axis=0)
    image = see(encode(Image.fromarray(ramp), "PNG"))
    assert np.array_equal(image.best[0, :, 0], np.arange(256))


def test_sixteen_bit_rgb_png() -> None:
    row = b"\0" + struct.pack(">6H", 0xDC00, 0x1E00, 0x1E00, 0xFFFF, 0x8000, 0x0000)
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)),
            chunk(b"IDAT", zlib.compress(row)),
            chunk(b"IEND", b""),
        )
    )
    assert see(data).best.tolist() == [[[220, 30, 30], [255, 128, 0]]]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *((mode, "PNG") for mode in ("RGBA", "LA", "P", "1")),
        *((mode, "WEBP") for mode in ("RGBA", "LA", "P", "1")),
        *((mode, "GIF") for mode in ("RGBA", "P", "1")),
    ],
)
def test_modes_come_out_as_rgb_on_white(mode: str, kind: str) -> None:
    picture = Image.new("RGBA", (40, 20), (200, 200, 200, 255))
    picture.paste((0, 0, 0, 0), (20, 0, 40, 20))  # the right half lets all through
    if mode == "1":
        picture = Image.new("1", (40, 20), 1)
    elif mode != "RGBA":
        picture = picture.convert(mode)
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = see(encode(picture, kind, **options)).best
    if mode in ("RGBA", "LA"):
        assert np.abs(pixels[5, 5].astype(int) - 200).max() <= 3
    if mode != "P":
        assert at(pixels, 0.9, 0.5) == (255, 255, 255)
    assert pixels.shape == (20, 40, 3)


@pytest.mark.parametrize("transparency", [0, b"\x00\xff"])
def test_palette_with_transparency(transparency: int | bytes) -> None:
    picture = Image.new("P", (40, 20), 1)
    picture.putpalette([0, 0, 0, *RED])
    picture.paste(0, (20, 0, 40, 20))
    pixels = see(encode(picture, "PNG", transparency=transparency)).best
    assert at(pixels, 0.2, 0.5) == RED
    assert at(pixels, 0.9, 0.5) == (255, 255, 255)


def test_half_transparent_is_mixed_with_white() -> None:
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    for data in (encode(picture, "PNG"), encode(picture, "WEBP", lossless=True)):
        assert np.abs(see(data).best.astype(int) - 127).max() <= 1


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_first_frame_of_an_animation(kind: str) -> None:
    frames = [corners(), Image.new("RGB", (96, 64), "black")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **options)
    assert shows_corners(see(data).best)


def test_strips_and_blocks_show_what_one_resize_shows() -> None:
    picture = noise(1, 1).resize((5000, 3001))
    picture.paste(corners(4000, 2001), (500, 500))
    ours = see(encode(picture, "PNG", compress_level=1)).best
    theirs = np.asarray(picture.resize((ours.shape[1], ours.shape[0]), Image.Resampling.BOX))
    assert np.abs(ours.astype(int) - theirs).mean() < 1.0


def test_scaled_jpeg_shows_what_a_full_decode_shows() -> None:
    data = encode(corners(4032, 3024), "JPEG", quality=90)
    ours = see(data).best
    theirs = np.asarray(Image.open(io.BytesIO(data)).resize((1024, 768), Image.Resampling.LANCZOS))
    assert np.abs(ours.astype(int) - theirs).mean() < 1.0


@pytest.mark.parametrize("kind", FORMATS)
def test_truncated(kind: str) -> None:
    data = encode(noise(200, 200), kind)
    for kept in (len(data) // 2, len(data) - 40, 40, 20, 13, 9, 4):
        refused(data[:kept])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_corrupt_says_nothing_of_the_decoder(kind: str) -> None:
    data = bytearray(encode(noise(300, 300), kind))
    data[len(data) // 3 : len(data) // 3 + 400] = b"\xff\x00\xa5\x5a" * 100
    header_only = bytes(data[:30]) + b"\0" * 500
    assert refused(header_only).message in (
        "Invalid image data.",
        "Invalid image data. A PNG, JPEG, WEBP or GIF image was expected.",
    )
    if kind == "PNG":
        assert refused(bytes(data)).message == "Invalid image data."


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"<!doctype html><html><body>Sign in</body></html>",
        b"%PDF-1.7\n",
        b"II*\0" + b"\0" * 64,
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"GIF89a",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff" + b"\xff" * 500,
        b"\xff\xd8" + b"\xff\xfe\0\x02" * 10_000,
        b"\xff\xd8\xff\xe0\0\0",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0abcd\0\0\0\0" * 300_000,
        encode(corners(), "BMP"),
        encode(corners(), "TIFF"),
        encode(corners(), "PPM"),
        encode(corners(), "ICO"),
    ],
)
def test_what_is_no_picture(data: bytes) -> None:
    assert "A PNG, JPEG, WEBP or GIF image was expected" in refused(data).message


def test_size_is_checked_before_decoding() -> None:
    error = refused(png_header(30_000, 30_000))
    assert "30000×30000" in error.message
    assert "80 megapixels" in error.message
    refused(png_header(16_385, 1))
    refused(png_header(16_000, 16_000))
    assert "4 MB" not in refused(png_header(0, 10)).message


def test_each_formats_header_is_checked() -> None:
    webp = bytearray(encode(corners(), "WEBP", exif=Image.Exif().tobytes() or b"Exif\0\0"))
    assert webp[12:16] == b"VP8X"
    webp[24:30] = b"\xfe\x3f\0\xfe\x3f\0"
    assert "16383×16383" in refused(bytes(webp)).message
    gif = bytearray(encode(corners(), "GIF"))
    gif[6:10] = struct.pack("<HH", 60_000, 60_000)
    assert "60000×60000" in refused(bytes(gif)).message
    jpeg = bytearray(encode(corners(), "JPEG"))
    frame = jpeg.find(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    assert "65000×65000" in refused(bytes(jpeg)).message


def test_a_gif_frame_larger_than_its_screen_is_checked_too() -> None:
    gif = bytearray(encode(corners(), "GIF"))
    frame = gif.find(b"\x2c\0\0\0\0")
    gif[frame + 5 : frame + 9] = struct.pack("<HH", 30_000, 30_000)
    refused(bytes(gif))


def test_bytes_are_capped() -> None:
    data = encode(corners(), "PNG")
    assert "at most 20 MB" in refused(data + b"\0" * (20 * 1024 * 1024)).message
    assert see(data, limits=Limits(max_bytes=len(data))).width == 96
    refused(data, limits=Limits(max_bytes=len(data) - 1))


def test_limits_above_what_pillow_takes_are_refused() -> None:
    with pytest.raises(ValueError, match="max_pixels"):
        Limits(max_pixels=200_000_000)


def test_progressive_jpeg_with_endless_scans_is_refused() -> None:
    data = encode(corners(), "JPEG", progressive=True)
    scan = data[data.rfind(b"\xff\xda") : -2]
    refused(data[:-2] + scan * 200 + b"\xff\xd9")


def test_jpeg_with_harmless_rubbish_is_taken() -> None:
    data = encode(corners(), "JPEG", quality=95)
    assert shows_corners(see(data[:-2] + b"\x55\x66\x77" + b"\xff\xd9").best)
    assert shows_corners(see(data + b"motion video follows" * 50).best)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMATS), st.data())
def test_no_damage_gets_past_the_one_error(kind: str, draw: st.DataObject) -> None:
    data = bytearray(encode(corners(40, 30), kind))
    for _ in range(draw.draw(st.integers(1, 8))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        image = see(bytes(data))
    except InvalidImage:
        return
    assert image.best.shape[2] == 3
