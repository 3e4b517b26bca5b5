"""Where things are, in words; and a picture of it, written where the user said."""

from __future__ import annotations

import os
from pathlib import Path

from foveal.enhancements.spans import Span
from foveal.errors import SetupError


def place(span: Span) -> str:
    """The box around a span in percent of the picture: left to right, top to bottom."""
    xs, ys = [x for x, _ in span.polygon], [y for _, y in span.polygon]
    return f"{min(xs):.0%} to {max(xs):.0%} from the left, {min(ys):.0%} to {max(ys):.0%} from the top"


def check_target(path: Path) -> None:
    """Raises `SetupError` when no file could be written there: told before the long work, not after it."""
    folder = path.parent
    if path.is_dir():
        raise SetupError(f"--save {path}: that is a folder; name a file")
    if not folder.is_dir():
        raise SetupError(f"--save {path}: there is no folder {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise SetupError(f"--save {path}: cannot be written there")


def save(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise SetupError(f"--save {path}: {error.strerror or error}") from None
