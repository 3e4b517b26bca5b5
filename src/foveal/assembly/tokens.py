"""Tokens of the operator's identity provider, wired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from foveal.errors import SetupError
from foveal.resources.accounts import Resource
from foveal.resources.tokens import RoleTable, load_role_table
from foveal.settings import Settings

if TYPE_CHECKING:
    from foveal.resources.token_check import IssuerTokens
    from foveal.resources.token_issuer import IssuerKeys


class Resources(Protocol):
    @property
    def resources(self) -> Mapping[str, Resource]:
        """By name, as they are now; the first is that of the data directory."""
        ...


@dataclass(frozen=True, slots=True)
class TokenHouse:
    """`keys.refresh` fetches the issuer's keys before the first token comes."""

    tokens: IssuerTokens
    keys: IssuerKeys


def build_tokens(settings: Settings, accounts: Resources) -> TokenHouse | None:
    """The checker of the issuer's tokens, nothing fetched yet; None when no issuer is configured.

    Raises `SetupError` for an issuer, a resource or a role that there is not.
    """
    if settings.entra_issuer is None:
        return None
    # Cryptography is imported only by those who need it.
    from foveal.resources.token_check import IssuerTokens
    from foveal.resources.token_issuer import IssuerKeys

    name = settings.entra_resource or next(iter(accounts.resources))
    if name not in accounts.resources:
        raise SetupError(f"--entra-resource: there is no resource '{name[:80]}'", param="entra_resource")
    if not settings.entra_audience:
        raise SetupError("--entra-audience: tokens must be for somebody", param="entra_audience")
    roles = load_role_table()
    keys = IssuerKeys(settings.entra_issuer, allow_hosts=settings.allow_hosts)
    tokens = IssuerTokens(
        keys,
        lambda: accounts.resources.get(name),
        roles,
        audiences=settings.entra_audience,
        grants=_grants(settings, roles),
    )
    return TokenHouse(tokens, keys)


def _grants(settings: Settings, roles: RoleTable) -> Mapping[str, frozenset[str]]:
    granted: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for subject, role in settings.entra_grants:
        if not roles.has(role):
            raise SetupError(
                f"--entra-grants: there is no role '{role[:80]}'; there are {', '.join(roles.names)}",
                param="entra_grants",
            )
        granted[subject] |= roles.opened_by([role])
    return dict(granted)
