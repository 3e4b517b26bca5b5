"""A frame of a video as a picture: what was decoded and encoded here, not what somebody sent."""

from __future__ import annotations

import hashlib

from foveal.images.decode import Limits, check, decode
from foveal.images.detail import DetailedImage


def open_frame(jpeg: bytes) -> DetailedImage:
    """At low detail. Raises `InvalidImage` for what is no picture."""
    limits = Limits()
    header = check(jpeg, limits, param=None)
    return decode(jpeg, header, "low", limits, sha256=lambda: hashlib.sha256(jpeg).hexdigest(), param=None)
