"""Writing a picture where the user said: checked before the long work, so that nothing is lost at its end."""

from __future__ import annotations

import os
from pathlib import Path

from foveal.errors import SetupError


def check_target(path: Path) -> None:
    """Raises `SetupError` when no file could be written there."""
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
