"""A decoded frame → an upright JPEG, without going through RGB."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from foveal.video.decode.limits import Limits
from foveal.video.decode.probing import rotation_of, shown_size

_HD = 576  # rows above which a video that does not say is BT.709


class _EncodePlanes(Protocol):
    def __call__(
        self, Y: NDArray[np.uint8], U: NDArray[np.uint8], V: NDArray[np.uint8], quality: int
    ) -> bytes: ...


# Not an import statement: the package has no types of its own.
_encode_planes: _EncodePlanes = import_module("simplejpeg").encode_jpeg_yuv_planes


class JpegMaker:
    """One for a video: it keeps what the scaler has worked out."""

    def __init__(self, limits: Limits, shape: float) -> None:
        self._shape = shape
        self._side = limits.jpeg_side
        self._quality = limits.jpeg_quality
        self._scaler = VideoReformatter()

    def encode(self, frame: VideoFrame) -> bytes:
        width, height = shown_size(frame, self._shape)
        scale = min(1.0, self._side / max(width, height))
        # JPEG knows one way to write colours (BT.601, 0..255); video mostly uses others.
        small = self._scaler.reformat(
            frame,
            width=max(2, round(width * scale)),
            height=max(2, round(height * scale)),
            format="yuvj420p",
            src_colorspace=_colours(frame),
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.AREA if scale < 1 else Interpolation.BICUBIC,
        )
        turns = rotation_of(frame) // 90
        y, u, v = (np.ascontiguousarray(np.rot90(_rows(plane), -turns)) for plane in small.planes[:3])
        return _encode_planes(y, u, v, quality=self._quality)


def _colours(frame: VideoFrame) -> int:
    said = int(frame.colorspace)
    if said in (1, 4, 5, 6, 7):  # what the scaler knows by these numbers
        return said
    if said in (9, 10):
        return int(Colorspace.BT2020)
    return int(Colorspace.ITU709 if frame.height > _HD else Colorspace.ITU601)


def _rows(plane: Any) -> NDArray[np.uint8]:
    return np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width]
