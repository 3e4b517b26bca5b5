"""What a request of image analysis may ask for (`data/contract.toml`), and its parameters read from text."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal, cast

from foveal.analysis.refusals import RefusedAnalysis

Feature = Literal["caption", "denseCaptions", "tags", "objects", "people", "read", "smartCrops"]
Language = Literal["en", "ko"]
_MOST_RATIOS = 32


@dataclass(frozen=True, slots=True)
class Version:
    """An api-version: the shape of its text, and what it calls its model."""

    name: str
    read: Literal["blocks", "pages"]
    model: str


@dataclass(frozen=True, slots=True)
class Options:
    """What is wanted of one picture. Without `aspect_ratios` the crops are one, of a ratio that fits."""

    features: frozenset[Feature]
    language: Language = "en"
    gender_neutral: bool = False
    aspect_ratios: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """The data file, with the readers of parameters. Every refusal is a `RefusedAnalysis`."""

    table: Mapping[str, Any]
    versions: Mapping[str, Version]

    @property
    def newest(self) -> Version:
        return next(iter(self.versions.values()))

    def version(self, name: str | None) -> Version:
        known = {"api-supported-versions": ", ".join(sorted(self.versions))}
        if not name:
            raise RefusedAnalysis(
                "An API version is required, but was not specified.",
                code="ApiVersionUnspecified",
                headers=known,
            )
        if name not in self.versions:
            raise RefusedAnalysis(
                f"Image analysis does not support the API version {name[:40]!r}. "
                f"Supported: {known['api-supported-versions']}.",
                code="UnsupportedApiVersion",
                headers=known,
            )
        return self.versions[name]

    def options(
        self,
        features: Sequence[str],
        *,
        language: str | None = None,
        gender_neutral: str | None = None,
        aspect_ratios: Sequence[str] = (),
        model_version: str | None = None,
    ) -> Options:
        """Parameters as a query has them: lists may be repeated, or parted by commas; None: not said."""
        wanted = self._features(features)
        if model_version is not None and model_version not in self._model_versions():
            known = ", ".join(self._model_versions())
            raise RefusedAnalysis(
                f"The model version {model_version[:40]!r} is not supported. Supported: {known}.",
                "InvalidModelVersion",
            )
        return Options(
            wanted, self._language(language), _flag(gender_neutral), self._aspect_ratios(aspect_ratios)
        )

    def _features(self, given: Sequence[str]) -> frozenset[Feature]:
        known = {name.lower(): name for name in self.table["features"]}
        names = _pieces(given)
        choice = ", ".join(self.table["features"])
        if not names:
            raise RefusedAnalysis(
                f"The query parameter 'features' is required: one or more of {choice}.",
                "NotSupportedVisualFeature",
            )
        for name in names:
            if name.lower() not in known:
                raise RefusedAnalysis(
                    f"The visual feature {name[:40]!r} is not supported. Supported: {choice}.",
                    "NotSupportedVisualFeature",
                )
        return frozenset(cast(Feature, known[name.lower()]) for name in names)

    def _language(self, given: str | None) -> Language:
        if not given:
            return "en"
        if given not in self.table["languages"]:
            raise RefusedAnalysis(
                f"The language {given[:20]!r} is not supported. "
                f"Supported: {', '.join(self.table['languages'])}.",
                "NotSupportedLanguage",
            )
        return cast(Language, given)

    def _aspect_ratios(self, given: Sequence[str]) -> tuple[float, ...]:
        least, most = self.table["aspect_ratio"]["least"], self.table["aspect_ratio"]["most"]
        ratios = []
        for piece in _pieces(given):
            try:
                ratio = float(piece)
            except ValueError:
                ratio = math.nan
            if not least <= ratio <= most:
                raise RefusedAnalysis(
                    f"The aspect ratio {piece[:20]!r} is not allowed: "
                    f"it must be a number from {least} to {most}.",
                    "InvalidParameter",
                )
            ratios.append(ratio)
        if len(ratios) > _MOST_RATIOS:
            raise RefusedAnalysis(
                f"At most {_MOST_RATIOS} aspect ratios can be asked for.", "InvalidParameter"
            )
        return tuple(dict.fromkeys(ratios))

    def _model_versions(self) -> list[str]:
        return [
            *self.table["model_versions"],
            *(one.name for one in self.versions.values() if one.read == "pages"),
        ]


def load_contract() -> Contract:
    text = files("foveal.analysis").joinpath("data/contract.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return Contract(table, {row["name"]: Version(**row) for row in table["version"]})


def _pieces(given: Sequence[str]) -> list[str]:
    return [piece.strip() for text in given for piece in text.split(",") if piece.strip()]


def _flag(given: str | None) -> bool:
    low = (given or "false").strip().lower()
    if low not in ("true", "false"):
        raise RefusedAnalysis("'gender-neutral-caption' must be true or false.", "InvalidParameter")
    return low == "true"
