"""What is opened and what is refused, from `data/formats.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Signature:
    """The first bytes of a kind of file, `at` a place, and what to call it."""

    content: bytes
    at: int
    name: str

    def fits(self, head: bytes) -> bool:
        return head[self.at : self.at + len(self.content)].lower() == self.content.lower()


@dataclass(frozen=True, slots=True)
class Formats:
    """`video` and `audio` map a codec to the names of the decoders that may be used for it."""

    containers: tuple[str, ...]
    supported: str
    video: Mapping[str, tuple[str, ...]]
    audio: Mapping[str, tuple[str, ...]]
    known: tuple[Signature, ...]
    broken: tuple[Signature, ...]

    @property
    def decoders(self) -> str:
        """As FFmpeg's `codec_whitelist`."""
        groups = (*self.video.values(), *self.audio.values())
        return ",".join(name for names in groups for name in names)

    @property
    def demuxers(self) -> str:
        """As FFmpeg's `format_whitelist`, which compares the single names."""
        return ",".join(self.containers)

    def looks_like(self, head: bytes) -> str | None:
        """The kind of file that is no video of ours, by its first bytes."""
        return _first(self.known, head.removeprefix(b"\xef\xbb\xbf"))

    def container_of(self, head: bytes) -> str | None:
        """The container that a file begins like."""
        return _first(self.broken, head)


def load_formats() -> Formats:
    data = tomllib.loads((files(__package__) / "data" / "formats.toml").read_text("utf-8"))
    return Formats(
        containers=tuple(data["containers"]),
        supported=data["supported"],
        video={codec: tuple(names) for codec, names in data["video"].items()},
        audio={codec: tuple(names) for codec, names in data["audio"].items()},
        known=tuple(map(_signature, data["known"])),
        broken=tuple(map(_signature, data["broken"])),
    )


def _signature(row: Mapping[str, Any]) -> Signature:
    return Signature(str(row["bytes"]).encode("latin-1"), int(row.get("at", 0)), str(row["name"]))


def _first(signatures: tuple[Signature, ...], head: bytes) -> str | None:
    return next((signature.name for signature in signatures if signature.fits(head)), None)
