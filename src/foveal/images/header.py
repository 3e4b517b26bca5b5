"""What a picture says of itself, read from its first bytes by hand: format, size, orientation.

Nothing is decoded and nothing large is allocated here, so the caps can be applied before any decoder sees
the bytes. The media type that a client names plays no part: only the bytes count.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from foveal.images.detail import ImageFormat

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EXIF_ORIENTATION = 0x0112
_EXIF_SHORT = 3

_MAX_SEGMENTS = 4_096  # of a JPEG before its first scan; real files have some dozens
_MAX_CHUNKS = 200_000  # of a PNG; 20 MB in the smallest chunks that encoders write are about 20,000


class BadHeader(Exception):
    """The bytes are none of the four formats, or break off before they have said their size."""


@dataclass(frozen=True, slots=True)
class Header:
    """`width` and `height` are those stored, before `orientation` (EXIF, 1 to 8) is applied.

    `channels` is 1, 3 or 4 for a JPEG and 0 (not read) for the others. `progressive` is for JPEGs only.
    """

    format: ImageFormat
    width: int
    height: int
    orientation: int = 1
    channels: int = 0
    progressive: bool = False

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as a person sees the picture."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def read_header(data: bytes) -> Header:
    """Sniff the format and read the size; raises `BadHeader`."""
    try:
        if data.startswith(_PNG_SIGNATURE):
            header = _png(data)
        elif data.startswith(b"\xff\xd8\xff"):
            header = _jpeg(data)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            header = _webp(data)
        elif data[:6] in (b"GIF87a", b"GIF89a"):
            width, height = struct.unpack_from("<HH", data, 6)
            header = Header("gif", width, height)
        else:
            raise BadHeader("none of the formats")
    except (struct.error, IndexError) as error:
        raise BadHeader("breaks off in its header") from error
    if header.width < 1 or header.height < 1:
        raise BadHeader("has no pixels")
    return header


def _png(data: bytes) -> Header:
    """IHDR, then a walk over the chunks: eXIf on the way, and IEND must come or the file is cut off."""
    if data[12:16] != b"IHDR":
        raise BadHeader("no IHDR")
    width, height = struct.unpack_from(">II", data, 16)
    orientation = 1
    at = len(_PNG_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"eXIf":
            orientation = exif_orientation(data[at + 8 : at + 8 + length])
        at += 12 + length
        if name == b"IEND":
            return Header("png", width, height, orientation)
    raise BadHeader("too many chunks")


def _jpeg(data: bytes) -> Header:
    """The segments up to the first scan; the size is in the frame header (SOFn)."""
    frame: tuple[int, int, int, int] | None = None
    orientation = 1
    for marker, start, end in _jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if frame is not None:
                raise BadHeader("two frames")
            _, height, width, channels = struct.unpack_from(">BHHB", data, start)
            frame = marker, width, height, channels
        elif marker == 0xE1 and data[start : start + 6] == b"Exif\0\0":
            orientation = exif_orientation(data[start + 6 : end])
    if frame is None:
        raise BadHeader("no frame header")
    marker, width, height, channels = frame
    if channels not in (1, 3, 4):
        raise BadHeader("unknown colours")
    progressive = marker in (0xC2, 0xC6, 0xCA, 0xCE)
    return Header("jpeg", width, height, orientation, channels, progressive)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each segment's content, up to the first start of scan."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        while data[at] == 0xFF and data[at + 1] == 0xFF:  # fill bytes are allowed before a marker
            at += 1
        if data[at] != 0xFF:
            raise BadHeader("no marker where one must be")
        marker = data[at + 1]
        if marker == 0xDA:
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD9:
            raise BadHeader("a marker that cannot stand here")
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2:
            raise BadHeader("a segment shorter than its own length")
        yield marker, at + 4, at + 2 + length
        at += 2 + length
    raise BadHeader("too many segments")


def _webp(data: bytes) -> Header:
    """The first chunk has the size; an EXIF chunk can follow in the extended form."""
    kind = data[12:16]
    if kind == b"VP8 ":
        if data[23:26] != b"\x9d\x01\x2a":
            raise BadHeader("no key frame")
        width, height = struct.unpack_from("<HH", data, 26)
        return Header("webp", width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L":
        if data[20] != 0x2F:
            raise BadHeader("no lossless signature")
        (bits,) = struct.unpack_from("<I", data, 21)
        return Header("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind != b"VP8X":
        raise BadHeader("unknown first chunk")
    width = int.from_bytes(data[24:27], "little") + 1
    height = int.from_bytes(data[27:30], "little") + 1
    has_exif = data[20] & 0x08
    return Header("webp", width, height, _webp_orientation(data) if has_exif else 1)


def _webp_orientation(data: bytes) -> int:
    at = 12
    for _ in range(_MAX_SEGMENTS):
        if at + 8 > len(data):
            return 1
        name, length = struct.unpack_from("<4sI", data, at)
        if name == b"EXIF":
            return exif_orientation(data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0"))
        at += 8 + length + (length & 1)
    return 1


def exif_orientation(exif: bytes) -> int:
    """The orientation (1 to 8) that an EXIF block (a TIFF header and its first directory) states, else 1.

    A broken block is no reason to refuse a picture: it then has no orientation.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, at)
        for entry in range(min(entries, 512)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + 12 * entry)
            if tag == _EXIF_ORIENTATION:
                return value if kind == _EXIF_SHORT and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
