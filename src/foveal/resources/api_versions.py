"""The policy on `api-version`: a version that we know behaves as it did, any other is refused.

Read from `data/api_versions.toml`. Without strictness the flags that only forbid are not applied.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from foveal.errors import NotFound

PLAIN_REFUSAL = "Resource not found"


@dataclass(frozen=True, slots=True)
class ApiVersion:
    name: str
    chat: bool
    extensions: bool
    enhancements: Literal["extensions", "chat", "none"]
    data_sources: Literal["dataSources", "data_sources"]
    prompt_filter_key: str
    extra: frozenset[str]

    @property
    def blocklist_details(self) -> bool:
        """Whether `custom_blocklists` has its newer form, with `details`."""
        return self.name >= "2024-04-01"


class ApiVersionPolicy:
    """Looks versions up and words the refusal."""

    def __init__(self, versions: Mapping[str, ApiVersion]) -> None:
        self._versions = versions
        self._newest = max(versions)
        self._known = ", ".join(sorted(versions))

    @property
    def known(self) -> tuple[str, ...]:
        return tuple(sorted(self._versions))

    def get(self, name: str | None, *, strict: bool = False) -> ApiVersion:
        """The version, or Azure's 404; without `strict` the message says which versions are known."""
        version = self._versions.get(name or "")
        if version is not None:
            return version
        if strict:
            raise NotFound(PLAIN_REFUSAL)
        if not name:
            what = "the query parameter api-version is missing"
        elif name > self._newest and name[:2].isdigit():
            what = f"api-version {name[:40]!r} is newer than this server knows"
        else:
            what = f"api-version {name[:40]!r} is not known"
        raise NotFound(f"{PLAIN_REFUSAL}: {what}. Supported: {self._known}.", param="api-version")


def load_api_versions() -> ApiVersionPolicy:
    text = files("foveal.resources").joinpath("data/api_versions.toml").read_text(encoding="utf-8")
    flags: dict[str, dict[str, Any]] = {}
    for row in tomllib.loads(text)["version"]:
        base = flags.get(row.get("base", ""), {})
        flags[row["name"]] = {**base, **{key: value for key, value in row.items() if key != "base"}}
    return ApiVersionPolicy({name: _api_version(row) for name, row in flags.items()})


def _api_version(row: Mapping[str, Any]) -> ApiVersion:
    return ApiVersion(**{**row, "extra": frozenset(row["extra"])})
