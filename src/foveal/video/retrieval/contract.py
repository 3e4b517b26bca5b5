"""What Video Retrieval takes: api-versions, features of an index, names and sizes (`data/retrieval.toml`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from foveal.errors import FovealError, InvalidRequest

# Letters and digits in pieces that single hyphens join.
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class ApiVersionRefused(FovealError):
    code = "UnsupportedApiVersion"


class InvalidName(InvalidRequest):
    """The name of an index or an ingestion breaks the rules; `reason` says which ones there are."""

    def __init__(self, param: str, reason: str) -> None:
        super().__init__(f"Value for {param} is invalid.", param=param)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Feature:
    """What an index understands of its videos."""

    name: str
    domain: str
    model_version: str


@dataclass(frozen=True, slots=True)
class Limits:
    """See the comments in the data file."""

    name: int
    fields: int
    field_name: int
    metadata_value: int
    user_data: int
    document_id: int
    url: int
    videos: int
    body: int
    page: int
    top: int
    skip: int
    query_text: int
    filter_values: int
    filters: int
    additional_indexes: int


@dataclass(frozen=True, slots=True)
class RetrievalContract:
    """Every refusal is an `InvalidRequest` or `ApiVersionRefused` with the parameter's name."""

    api_versions: tuple[str, ...]
    search_api_versions: tuple[str, ...]
    features: tuple[Feature, ...]
    limits: Limits

    def check_version(self, name: str | None, *, search: bool = False) -> tuple[str, ...]:
        """The versions that the operation knows, when `name` is one of them."""
        known = self.search_api_versions if search else self.api_versions
        headers = {"api-supported-versions": ",".join(known)}
        if not name:
            raise ApiVersionRefused(
                "An API version is required, but was not specified.",
                code="ApiVersionUnspecified",
                param="api-version",
                headers=headers,
            )
        if name not in known:
            raise ApiVersionRefused(
                f"The API version {name[:40]!r} is not supported here. Supported: {', '.join(known)}.",
                param="api-version",
                headers=headers,
            )
        return known

    def name(self, given: str, param: str) -> str:
        """The name in lower case: names are the same in any letter case."""
        name = given.lower()
        if len(name) > self.limits.name or not _NAME.fullmatch(name):
            raise InvalidName(
                param,
                f"A name has up to {self.limits.name} of the letters a to z, digits and single hyphens, and "
                "starts and ends with a letter or a digit.",
            )
        return name

    def default_features(self) -> tuple[Feature, ...]:
        return self.features[:1]

    def feature(
        self,
        name: str,
        *,
        domain: str | None = None,
        model_version: str | None = None,
        path: str = "features",
    ) -> Feature:
        """A feature of an index as it was asked for, in any letter case; None: the usual."""
        known = [row for row in self.features if row.name == name.lower()]
        if not known:
            raise _not_one_of(name, [row.name for row in self.features], f"{path}.name")
        fitting = [row for row in known if domain is None or row.domain == domain.lower()]
        if not fitting:
            raise _not_one_of(domain or "", [row.domain for row in known], f"{path}.domain")
        if model_version not in (None, "", "latest", fitting[0].model_version):
            raise _not_one_of(
                model_version or "", [fitting[0].model_version, "latest"], f"{path}.modelVersion"
            )
        return fitting[0]


def load_retrieval_contract() -> RetrievalContract:
    table = tomllib.loads(files(__package__).joinpath("data/retrieval.toml").read_text(encoding="utf-8"))
    return RetrievalContract(
        api_versions=tuple(table["api_versions"]["known"]),
        search_api_versions=tuple(table["api_versions"]["search"]),
        features=tuple(Feature(**row) for row in table["feature"]),
        limits=Limits(**table["limits"]),
    )


def _not_one_of(value: str, choices: Sequence[str], path: str) -> InvalidRequest:
    listed = ", ".join(f"'{choice}'" for choice in dict.fromkeys(choices))
    return InvalidRequest(f"{value[:60]!r} is not one of [{listed}] - '{path}'", param=path)
