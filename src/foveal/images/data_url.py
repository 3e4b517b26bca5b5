"""Data URLs: the page's own helper, to send a local picture in a request."""

from __future__ import annotations

import os
from mimetypes import guess_type
from pathlib import Path

import pybase64


def local_image_to_data_url(image_path: str | os.PathLike[str]) -> str:
    """Encode a local image file as a `data:` URL for an `image_url` part.

    The media type is guessed from the file's extension and falls back to `application/octet-stream`;
    Foveal looks at the bytes, not at this type.
    """
    media_type = guess_type(os.fspath(image_path))[0] or "application/octet-stream"
    return f"data:{media_type};base64,{pybase64.b64encode_as_string(Path(image_path).read_bytes())}"
