"""Tokens of an identity provider: what others need to know of them, and which roles open what.

Checking one needs cryptography, which is imported only where an issuer is configured (`token_check`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Protocol

from foveal.errors import FovealError
from foveal.resources.accounts import Principal


class IssuerUnavailable(FovealError):
    """A token came, and the keys that it would have to be checked with cannot be had now."""

    status = 503
    code = "ServiceUnavailable"

    def __init__(self) -> None:
        super().__init__(
            "Access tokens cannot be checked now: the keys of their issuer cannot be had. Please try again.",
            headers={"retry-after": "5"},
        )


@dataclass(frozen=True, slots=True)
class TokenBearer:
    """Whom a good token speaks for. `opens` are the kinds of resource (OpenAI, ComputerVision) whose
    operations its roles open.
    """

    who: Principal
    opens: frozenset[str]


class TokenChecker(Protocol):
    async def check(self, token: str) -> TokenBearer | None:
        """Whom `token` speaks for, if it is good; raises `IssuerUnavailable` when that cannot be told now."""
        ...


@dataclass(frozen=True, slots=True)
class RoleTable:
    """What each role opens, by its plain name.

    Entra takes no blanks in the value of an app role, so names are compared by their letters and digits:
    `Cognitive.Services.OpenAI.User` is the role "Cognitive Services OpenAI User".
    """

    opens: Mapping[str, frozenset[str]]
    names: tuple[str, ...]

    def has(self, role: str) -> bool:
        return _plain(role) in self.opens

    def opened_by(self, roles: Iterable[str]) -> frozenset[str]:
        """What these roles open together; unknown ones open nothing."""
        return frozenset().union(*(self.opens.get(_plain(role), frozenset()) for role in roles))


def load_role_table() -> RoleTable:
    """The table of the package data."""
    text = files("foveal.resources").joinpath("data/token_roles.toml").read_text("utf-8")
    rows = tomllib.loads(text)["role"]
    return RoleTable(
        {_plain(row["name"]): frozenset(row["opens"]) for row in rows}, tuple(row["name"] for row in rows)
    )


def _plain(role: str) -> str:
    return "".join(letter for letter in role.casefold() if letter.isalnum())
