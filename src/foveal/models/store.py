"""Where weights lie: one folder, every file checked against the catalogue before anything loads it."""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from foveal.errors import EngineUnavailable, SetupError
from foveal.models.catalogue import Catalogue, WeightFile

State = Literal["present", "missing", "wrong"]
_NOTES = (
    ".verified.json"  # file → size, mtime and sha256 of the last check, so that a gigabyte is hashed once
)


@dataclass(frozen=True, slots=True)
class Note:
    """What the last check of a file found, and where `pull` took it from."""

    size: int
    mtime_ns: int
    sha256: str
    source: str | None = None


class ModelStore:
    """Looks weights up in `folder`. Never fetches anything: that is `foveal.models.pull`."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self._lock = threading.Lock()

    def path(self, name: str) -> Path:
        """The file of a model, checked; of several that belong together the first, with the others beside it.

        Raises EngineUnavailable, saying what to run, when one is absent or not what the catalogue says.
        """
        files = self.catalogue[name].files
        for file in files:
            state = self._state(file)
            if state == "missing":
                raise EngineUnavailable(
                    f"The model {name} is not in {self.folder}. Run: foveal models pull {name}", param=name
                )
            if state == "wrong":
                path = self.folder / file.path
                raise EngineUnavailable(
                    f"{path} is not the file that the catalogue names (its sha256 differs). "
                    f"Run: foveal models pull {name}",
                    param=name,
                )
        return self.folder / files[0].path

    def has(self, name: str) -> bool:
        return self.state(name) == "present"

    def state(self, name: str, *, again: bool = False) -> State:
        """Of all files of a model together. Hashes each unless its size and time are those of the last check;
        `again` always hashes.
        """
        states = {self._state(file, again=again) for file in self.catalogue[name].files}
        return "missing" if "missing" in states else "wrong" if "wrong" in states else "present"

    def holds(self, file: WeightFile) -> bool:
        """Whether this one file is there and right."""
        return self._state(file) == "present"

    def source(self, name: str) -> str | None:
        """Where the (first) file came from, when `foveal models pull` brought it."""
        note = self._notes().get(self.catalogue[name].files[0].path)
        return note.source if note is not None else None

    def put(self, file: WeightFile, draft: Path, source: str) -> None:
        """Move a complete file (on the same file system) into its place and remember where it came from.

        Raises SetupError, and leaves what is there alone, when it is not what the catalogue says.
        """
        size, digest = draft.stat().st_size, sha256_of(draft)
        if not is_content(file, size, digest):
            raise SetupError(
                f"{source} gave {size} bytes with sha256 {digest}, which the catalogue does not know"
            )
        path = self.folder / file.path
        with self._lock:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.replace(path)
            notes = self._notes()
            notes[file.path] = Note(size, path.stat().st_mtime_ns, digest, source)
            self._write(notes)

    def _state(self, file: WeightFile, *, again: bool = False) -> State:
        path = self.folder / file.path
        with self._lock:
            try:
                status = path.stat()
            except OSError:
                return "missing"
            if status.st_size not in {content.size for content in file.contents}:
                return "wrong"
            notes = self._notes()
            known = notes.get(file.path)
            fresh = known is not None and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns)
            if known is not None and fresh and not again:
                digest = known.sha256
            else:
                digest = sha256_of(path)
                source = known.source if known is not None and fresh else None
                notes[file.path] = Note(status.st_size, status.st_mtime_ns, digest, source)
                self._write(notes)
        return "present" if is_content(file, status.st_size, digest) else "wrong"

    def _notes(self) -> dict[str, Note]:
        try:
            raw = json.loads((self.folder / _NOTES).read_text(encoding="utf-8"))
            return {file: Note(**note) for file, note in raw.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # absent, or not ours: everything is hashed once more

    def _write(self, notes: dict[str, Note]) -> None:
        """Best effort: on a read-only folder every process hashes once for itself."""
        draft = self.folder / f".{uuid.uuid4().hex}.json"
        try:
            text = json.dumps({file: asdict(note) for file, note in notes.items()}, indent=1)
            draft.write_text(text, encoding="utf-8")
            draft.replace(self.folder / _NOTES)
        except OSError:
            draft.unlink(missing_ok=True)


def is_content(file: WeightFile, size: int, digest: str) -> bool:
    return any(content.size == size and content.sha256 == digest for content in file.contents)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
