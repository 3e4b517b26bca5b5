"""What each model version can do: a table of facts, read from `data/models.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a model. `refused` and `refuses_null` are what strict mode reproduces. `quota` is what
    its deployments count against, `upgrade` the version that follows it, None for the last.
    """

    name: str
    version: str
    images: bool
    image_skus: frozenset[str]
    enhancements: bool
    refused: tuple[str, ...]
    refuses_null: tuple[str, ...]
    context: int  # tokens of prompt and answer together
    output: int  # tokens of the answer
    training: str
    created: int  # seconds since 1970, UTC
    retired: int
    quota: str
    skus: tuple[str, ...]
    regions: tuple[str, ...]
    upgrade: str | None = None

    @property
    def id(self) -> str:
        """The id that Azure lists: `gpt-4-vision-preview`."""
        return f"{self.name}-{self.version}"

    def takes_images(self, sku: str) -> bool:
        return self.images and sku in self.image_skus


ModelVersions = Mapping[tuple[str, str], ModelVersion]


def load_model_versions() -> ModelVersions:
    """All known versions, by (name, version)."""
    text = files("foveal.resources").joinpath("data/models.toml").read_text(encoding="utf-8")
    rows = (_model_version(row) for row in tomllib.loads(text)["model"])
    return {(row.name, row.version): row for row in rows}


def _model_version(row: Mapping[str, Any]) -> ModelVersion:
    return ModelVersion(
        name=row["name"],
        version=row["version"],
        images=row["images"],
        image_skus=frozenset(row["image_skus"]),
        enhancements=row["enhancements"],
        refused=tuple(row["refused"]),
        refuses_null=tuple(row["refuses_null"]),
        context=row["context"],
        output=row["output"],
        training=row["training"],
        created=_epoch(row["created"]),
        retired=_epoch(row["retired"]),
        quota=row["quota"],
        skus=tuple(row["skus"]),
        regions=tuple(row["regions"]),
        upgrade=row.get("upgrade"),
    )


def _epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
