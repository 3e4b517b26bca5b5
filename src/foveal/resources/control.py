"""The control plane: what the management API does to resources, keys and deployments.

One thing after the other: changes by one process wait for each other here, those of several by the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Container
from typing import Any

from sqlalchemy import Engine, Row, func, select, update

from foveal.errors import Conflict, InvalidRequest, NotFound
from foveal.resources.accounts import Resource
from foveal.resources.deployment_register import (
    DeploymentRow,
    no_such_deployment,
    put_deployment,
    remove_deployment,
)
from foveal.resources.keys import StoredKey, master_key, matches, shown_key
from foveal.resources.quotas import Quota, list_quotas
from foveal.resources.register import add_resource, load_kinds, load_regions, regenerate_key, remove_resource
from foveal.resources.versions import ModelVersions, load_model_versions
from foveal.resources.wishes import Account, AccountWish, DeploymentWish, TaggedDeployment, merged
from foveal.store.database import folder_of
from foveal.store.tables import deployments, resource_keys, resources

ADMIN_KEY_NEEDS = 16  # characters
MOST_CAPACITY = 10_000_000
_SUBDOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")


class ControlPlane:
    """`admin_key` None: it opens for nobody. `operator_key` is the setting `api_key`: key 1 of the first
    resource. `engines` are those of this server; `changed` is called after each change, `removed` after a
    resource is gone, to free its files. Thread-safe; calls block.

    What is called by a name finds it in upper and lower case. Methods raise `NotFound`, `InvalidRequest`,
    `Conflict`, `QuotaExceeded`.
    """

    def __init__(
        self,
        database: Engine,
        *,
        admin_key: str | None,
        operator_key: str | None,
        engines: Container[str],
        changed: Callable[[], None],
        removed: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._admin = None if admin_key is None else _hashed(admin_key)
        self._operator_key = operator_key
        self._engines = engines
        self._changed = changed
        self._removed = removed
        self._versions = load_model_versions()
        self._lock = threading.Lock()

    @property
    def has_key(self) -> bool:
        return self._admin is not None

    @property
    def versions(self) -> ModelVersions:
        return self._versions

    def opens(self, presented: str) -> bool:
        """Whether this is the admin key; takes as long for any other."""
        return self._admin is not None and hmac.compare_digest(self._admin, _hashed(presented))

    def accounts(self) -> list[Account]:
        """In the order they were made."""
        with self._database.connect() as connection:
            order = (resources.c.created_at, resources.c.name)
            return [_account(row) for row in connection.execute(select(resources).order_by(*order))]

    def account(self, name: str) -> Account:
        with self._database.connect() as connection:
            here = func.lower(resources.c.name) == name.lower()
            row = connection.execute(select(resources).where(here)).first()
        if row is None:
            raise NotFound(f"there is no resource '{name[:64]}'", code="ResourceNotFound")
        return _account(row)

    def put_account(self, name: str, wish: AccountWish) -> tuple[Account, bool]:
        """Make an account, empty, or change the one of this name; and whether it was made."""
        with self._lock:
            is_new = not self._has(name)
            # An account that says nothing has its own name in its address.
            self._check_subdomain(name, wish.subdomain)
            if is_new and not self.subdomain_is_free(name):
                raise _subdomain_in_use(name)
            made = is_new and self._make(name, wish)
            return self._change(self.account(name), wish), made

    def patch_account(self, name: str, wish: AccountWish) -> Account:
        with self._lock:
            known = self.account(name)
            self._check_subdomain(name, wish.subdomain)
            return self._change(known, wish)

    def remove_account(self, name: str) -> bool:
        """Whether there was one. One that is in use, and the last one, is a `Conflict`."""
        with self._lock:
            found = self.accounts()
            known = next((one.resource.name for one in found if _same(one.resource.name, name)), None)
            if known is None:
                return False
            if len(found) == 1:
                raise Conflict(f"'{known}' is the only resource of this server; it cannot be removed")
            remove_resource(self._database, known, only_empty=True)
            self._changed()
            self._removed()
            return True

    def subdomain_is_free(self, subdomain: str, name: str | None = None) -> bool:
        """Whether no account has this name, in its address or of its own, but the account `name`."""
        others = (one for one in self.accounts() if name is None or not _same(one.resource.name, name))
        return not any(_same(subdomain, own) for one in others for own in (one.resource.name, one.subdomain))

    def keys(self, name: str) -> tuple[str, str]:
        """Both keys. One that cannot be computed again is a `Conflict` that says what to do."""
        with self._lock:
            account = self.account(name).resource.name
            first, second = (self._shown(account, slot) for slot in (1, 2))
        hidden = [f"key{slot}" for slot, key in ((1, first), (2, second)) if key is None]
        if first is None or second is None:
            raise Conflict(
                f"{' and '.join(hidden)} of '{account}': only a hash is kept of keys that the operator chose "
                "or that an earlier version made, so they cannot be shown. Regenerate them to get keys that "
                "can.",
                code="KeyNotRecoverable",
            )
        return first, second

    def regenerate_key(self, name: str, slot: int) -> tuple[str | None, str | None]:
        """Both keys after one was made anew; the other is None when it cannot be shown."""
        with self._lock:
            account = self.account(name).resource.name
            stored = self._stored(account, slot)
            if stored is not None and self._operator_key and matches(stored, self._operator_key):
                raise Conflict(
                    f"key{slot} of '{account}' is set by FOVEAL_API_KEY, which would bring it back at the "
                    "next start: change it there.",
                    code="KeySetByOperator",
                )
            regenerate_key(self._database, account, slot)
            self._changed()
            return self._shown(account, 1), self._shown(account, 2)

    def deployments(self, account: str) -> list[TaggedDeployment]:
        """In the order they were made."""
        name = self.account(account).resource.name
        with self._database.connect() as connection:
            order = (deployments.c.created_at, deployments.c.name)
            rows = connection.execute(
                select(deployments).where(deployments.c.resource == name).order_by(*order)
            )
            return [_deployment(row) for row in rows]

    def deployment(self, account: str, name: str) -> TaggedDeployment:
        found = next((one for one in self.deployments(account) if _same(one.row.name, name)), None)
        if found is None:
            raise no_such_deployment(account[:64], name)
        return found

    def put_deployment(self, account: str, name: str, wish: DeploymentWish) -> tuple[TaggedDeployment, bool]:
        """Make a deployment, or change the one of this name; and whether it was made."""
        with self._lock:
            known = next((one.row for one in self.deployments(account) if _same(one.row.name, name)), None)
            return self._put(account, name, wish, known)

    def patch_deployment(self, account: str, name: str, wish: DeploymentWish) -> TaggedDeployment:
        with self._lock:
            return self._put(account, name, wish, self.deployment(account, name).row)[0]

    def remove_deployment(self, account: str, name: str) -> bool:
        """Whether there was one."""
        with self._lock:
            resource = self.account(account).resource.name
            known = next((one.row for one in self.deployments(account) if _same(one.row.name, name)), None)
            if known is None:
                return False
            remove_deployment(self._database, resource, known.name)
            self._changed()
            return True

    def quotas(self, region: str) -> list[Quota]:
        return list_quotas(self._database, region)

    def _put(
        self, account: str, name: str, wish: DeploymentWish, known: DeploymentRow | None
    ) -> tuple[TaggedDeployment, bool]:
        resource = self.account(account).resource.name
        wanted = merged(name, wish, known, self._versions)
        if wanted.engine is not None and wanted.engine not in self._engines:
            raise InvalidRequest(
                f"The engine '{wanted.engine[:60]}' is not set up on this server.",
                param="properties.foveal.engine",
            )
        if wanted.capacity > MOST_CAPACITY:
            raise InvalidRequest(
                f"The capacity must be at most {MOST_CAPACITY}", param="sku.capacity", code="InvalidCapacity"
            )
        row, made = put_deployment(self._database, resource, wanted)
        if wish.tags is not None:
            here = (deployments.c.resource == resource) & (deployments.c.name == row.name)
            with self._database.begin() as connection:
                connection.execute(update(deployments).where(here).values(tags=dict(wish.tags)))
        self._changed()
        return self.deployment(resource, row.name), made

    def _has(self, name: str) -> bool:
        return any(_same(one.resource.name, name) for one in self.accounts())

    def _make(self, name: str, wish: AccountWish) -> bool:
        """False: another process was quicker."""
        for value, param in ((wish.region, "location"), (wish.kind, "kind"), (wish.tier, "sku.name")):
            if value is None:
                raise InvalidRequest(f"The property '{param}' is required.", param=param)
        kind = next((kind for kind in load_kinds() if _same(kind, wish.kind)), wish.kind or "")
        check_region(wish.region or "")
        _check_tier(kind, wish.tier or "")
        try:
            add_resource(self._database, name, kind, region=wish.region, tier=wish.tier, deployments=False)
        except InvalidRequest:
            if not self._has(name):
                raise
            return False
        return True

    def _change(self, known: Account, wish: AccountWish) -> Account:
        was = known.resource
        if wish.kind is not None and not _same(wish.kind, was.kind):
            raise InvalidRequest(
                f"The kind of '{was.name}' is {was.kind}; it cannot be changed.", param="kind"
            )
        if wish.region is not None and wish.region != was.region:
            raise Conflict(
                f"The resource '{was.name}' already exists in location '{was.region}'. A resource with the "
                f"same name cannot be created in location '{wish.region[:64]}'. Please select a new resource "
                "name.",
                code="InvalidResourceLocation",
            )
        tier = wish.tier or was.tier
        _check_tier(was.kind, tier)
        tags = known.tags if wish.tags is None else wish.tags
        values = {
            "tier": tier,
            "identity": known.identity if wish.identity is None else wish.identity,
            "subdomain": wish.subdomain or known.subdomain,
            "tags": dict(tags) or None,
        }
        with self._database.begin() as connection:
            connection.execute(update(resources).where(resources.c.name == was.name).values(**values))
        self._changed()
        return self.account(was.name)

    def _check_subdomain(self, name: str, subdomain: str | None) -> None:
        if subdomain is None:
            return
        if not _SUBDOMAIN.fullmatch(subdomain):
            raise InvalidRequest(
                f"'{subdomain[:80]}' is not a subdomain: letters, digits and hyphens inside, at most 64",
                param="properties.customSubDomainName",
                code="InvalidCustomSubDomain",
            )
        if not self.subdomain_is_free(subdomain, name):
            raise _subdomain_in_use(subdomain)

    def _stored(self, account: str, slot: int) -> StoredKey | None:
        here = (resource_keys.c.resource == account) & (resource_keys.c.slot == slot)
        with self._database.connect() as connection:
            row = connection.execute(select(resource_keys).where(here)).first()
        if row is None:
            return None
        return StoredKey(row.resource, row.slot, row.salt, row.digest, row.by_operator)

    def _shown(self, account: str, slot: int) -> str | None:
        """None: it cannot be shown. A resource that never had this key gets it now."""
        stored = self._stored(account, slot)
        if stored is None:
            made = regenerate_key(self._database, account, slot)
            self._changed()
            return made
        if self._operator_key and matches(stored, self._operator_key):
            return self._operator_key
        return shown_key(master_key(folder_of(self._database)), stored)


def check_region(name: str) -> None:
    """Raises `InvalidRequest` in ARM's words."""
    regions = load_regions()
    if name not in regions:
        raise InvalidRequest(
            f"The provided location '{name[:64]}' is not available for resource type "
            f"'Microsoft.CognitiveServices/accounts'. List of available regions for the resource type is "
            f"'{','.join(regions)}'.",
            param="location",
            code="LocationNotAvailableForResourceType",
        )


def _check_tier(kind: str, tier: str) -> None:
    known = load_kinds().get(kind)
    if known is not None and tier not in known.tiers:
        raise InvalidRequest(
            f"An account of kind {kind} has no sku '{tier[:60]}'; it has {', '.join(known.tiers)}.",
            param="sku.name",
            code="InvalidSku",
        )


def _subdomain_in_use(name: str) -> Conflict:
    return Conflict(
        f"Please pick a different name. The subdomain name '{name[:64]}' is not available as it's already "
        "used by a resource.",
        code="CustomDomainInUse",
    )


def _account(row: Row[Any]) -> Account:
    resource = Resource(row.name, row.kind, row.region, row.tier)
    return Account(resource, row.created_at, row.identity, row.tags or {}, row.subdomain)


def _deployment(row: Row[Any]) -> TaggedDeployment:
    fields = {name: row._mapping[name] for name in DeploymentRow.__slots__}
    return TaggedDeployment(DeploymentRow(**fields), row.tags or {})


def _same(one: str, other: str | None) -> bool:
    return other is not None and one.lower() == other.lower()


def _hashed(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
