"""Small versions of JPEG pictures, for lists."""

from __future__ import annotations

import io

from PIL import Image

SIDE = 320  # pixels, the longer side at most
QUALITY = 80


def thumbnail(jpeg: bytes, side: int = SIDE) -> bytes:
    """A JPEG of ours (a frame, never a client's bytes) with its longer side at most `side` pixels."""
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
        picture.draft("RGB", (side, side))  # decodes at the nearest larger scale of its blocks
        picture.thumbnail((side, side))
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
