"""Where weights lie: one folder, every file checked against the catalogue before anything loads it."""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from pathlib import Path
from typing import Literal

from foveal.errors import EngineUnavailable
from foveal.models.catalogue import Catalogue, CatalogueEntry

State = Literal["present", "missing", "wrong"]
_NOTES = (
    ".verified.json"  # file → size, mtime and sha256 of the last check, so that a gigabyte is hashed once
)


class ModelStore:
    """Looks weights up in `folder`. Never fetches anything: that is `foveal.models.pull`."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self._lock = threading.Lock()

    def path(self, name: str) -> Path:
        """The checked file of a model.

        Raises EngineUnavailable, saying what to run, when it is absent or not what the catalogue says.
        """
        entry = self.catalogue[name]
        state = self.state(name)
        if state == "missing":
            raise EngineUnavailable(
                f"The model {name} is not in {self.folder}. Run: foveal models pull {name}", param=name
            )
        if state == "wrong":
            raise EngineUnavailable(
                f"{self.folder / entry.file} is not the file that the catalogue names (its sha256 differs). "
                f"Run: foveal models pull {name}",
                param=name,
            )
        return self.folder / entry.file

    def has(self, name: str) -> bool:
        return self.state(name) == "present"

    def state(self, name: str, *, again: bool = False) -> State:
        """Hashes the file unless its size and time are those of the last check; `again` always hashes."""
        entry = self.catalogue[name]
        path = self.folder / entry.file
        with self._lock:
            try:
                status = path.stat()
            except OSError:
                return "missing"
            if status.st_size not in {content.size for content in entry.contents}:
                return "wrong"
            notes = self._notes()
            stamp = [status.st_size, status.st_mtime_ns]
            known = notes.get(entry.file)
            if not again and isinstance(known, list) and known[:2] == stamp:
                digest = str(known[2])
            else:
                digest = sha256_of(path)
                self._note({**notes, entry.file: [*stamp, digest]})
        return "present" if is_content(entry, status.st_size, digest) else "wrong"

    def _notes(self) -> dict[str, object]:
        try:
            notes = json.loads((self.folder / _NOTES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return notes if isinstance(notes, dict) else {}

    def _note(self, notes: dict[str, object]) -> None:
        """Best effort: on a read-only folder every process hashes once for itself."""
        draft = self.folder / f".{uuid.uuid4().hex}.json"
        try:
            draft.write_text(json.dumps(notes, indent=1), encoding="utf-8")
            draft.replace(self.folder / _NOTES)
        except OSError:
            draft.unlink(missing_ok=True)


def is_content(entry: CatalogueEntry, size: int, digest: str) -> bool:
    return any(content.size == size and content.sha256 == digest for content in entry.contents)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
