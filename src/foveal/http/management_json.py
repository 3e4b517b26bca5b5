"""What the management API answers, in ARM's form."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from foveal.resources.control import MOST_CAPACITY
from foveal.resources.limits import MINUTE, SLICE, load_skus
from foveal.resources.quotas import COUNTED, Quota
from foveal.resources.register import load_kinds, load_regions
from foveal.resources.versions import ModelVersion
from foveal.resources.wishes import Account, TaggedDeployment

PROVIDER = "Microsoft.CognitiveServices"
DEFAULT_POLICY = "Microsoft.Default"
GROUP = "foveal"  # of accounts that were asked for by the subscription alone
_TIERS = {"F0": "Free"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the caller looks from: his words for subscription and resource group, the server's address."""

    subscription: str
    group: str
    base_url: str

    def account(self, name: str) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{PROVIDER}"
            f"/accounts/{name}"
        )


def account_json(account: Account, scope: Scope) -> dict[str, Any]:
    own, when = account.resource, _time(account.created_at)
    address = scope.base_url.rstrip("/") + "/"
    surfaces = [] if own.kind == "ComputerVision" else ["OpenAI Language Model Instance API"]
    surfaces += [] if own.kind == "OpenAI" else ["Computer Vision"]
    body: dict[str, Any] = {
        "id": scope.account(own.name),
        "name": own.name,
        "type": f"{PROVIDER}/accounts",
        "kind": own.kind,
        "location": own.region,
        "sku": _sku(own.tier),
        "tags": dict(account.tags),
        "systemData": _system_data(account.created_at, account.created_at),
        "properties": {
            "provisioningState": "Succeeded",
            "endpoint": address,
            "endpoints": dict.fromkeys(surfaces, address),
            "customSubDomainName": account.subdomain or own.name.lower(),
            "dateCreated": when,
            "publicNetworkAccess": "Enabled",
            "disableLocalAuth": False,
            "isMigrated": False,
            "capabilities": [],
            "privateEndpointConnections": [],
        },
    }
    if account.identity:
        body["identity"] = {
            "type": "SystemAssigned",
            "principalId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"foveal:{own.name}:{account.created_at}")),
            "tenantId": str(uuid.UUID(int=0)),
        }
    return body | {"etag": _etag(body)}


def deployment_json(found: TaggedDeployment, account: Account, scope: Scope) -> dict[str, Any]:
    row = found.row
    properties: dict[str, Any] = {
        "provisioningState": "Succeeded",
        "model": _model_name(row.model, row.version),
        "versionUpgradeOption": row.upgrade,
        "raiPolicyName": row.content_filter or DEFAULT_POLICY,
        "currentCapacity": row.capacity,
        "capabilities": {"chatCompletion": "true"},
        "rateLimits": _rate_limits(row.sku, row.capacity),
        "dynamicThrottlingEnabled": False,
        "foveal": {"engine": row.engine or "default", "parity": row.parity},
    }
    body: dict[str, Any] = {
        "id": f"{scope.account(account.resource.name)}/deployments/{row.name}",
        "name": row.name,
        "type": f"{PROVIDER}/accounts/deployments",
        "sku": {"name": row.sku, "capacity": row.capacity},
        "tags": dict(found.tags),
        "systemData": _system_data(row.created_at, row.updated_at),
        "properties": properties,
    }
    return body | {"etag": _etag(body)}


def models_json(
    versions: Iterable[ModelVersion], quotas: Sequence[Quota], region: str, kinds: Iterable[str]
) -> list[dict[str, Any]]:
    """The model versions that a region has, once for each kind of account that can deploy them."""
    here = [version for version in versions if region in version.regions]
    return [
        {
            "kind": kind,
            "skuName": load_kinds()[kind].tiers[0],
            "model": account_model_json(version, quotas),
            "description": f"Model: {version.name}, version {version.version}",
        }
        for kind in kinds
        for version in here
    ]


def account_model_json(version: ModelVersion, quotas: Sequence[Quota]) -> dict[str, Any]:
    retired = _time(version.retired)
    return {
        **_model_name(version.name, version.version),
        "isDefaultVersion": version.upgrade is None,
        "maxCapacity": max(available(version, sku, quotas) for sku in version.skus),
        "skus": [
            {
                "name": sku,
                "usageName": usage_name(version.quota, sku),
                "deprecationDate": retired,
                "capacity": capacity_json(available(version, sku, quotas)),
            }
            for sku in version.skus
        ],
        "capabilities": {
            "chatCompletion": "true",
            "inference": "true",
            "maxContextToken": str(version.context),
            "maxOutputToken": str(version.output),
        },
        "deprecation": {"inference": retired},
        "lifecycleStatus": "Preview" if "preview" in version.version.lower() else "GenerallyAvailable",
        "systemData": _system_data(version.created, version.created),
    }


def capacity_json(maximum: int) -> dict[str, Any]:
    return {"minimum": 1, "maximum": maximum, "step": 1, "default": 1}


def available(version: ModelVersion, sku: str, quotas: Sequence[Quota]) -> int:
    """How much capacity its quota has left; provisioned capacity has none."""
    if sku != COUNTED:
        return MOST_CAPACITY
    return next((max(0, row.limit - row.used) for row in quotas if row.name == version.quota), 0)


def usages_json(quotas: Iterable[Quota]) -> list[dict[str, Any]]:
    return [
        {
            "name": {
                "value": usage_name(row.name, COUNTED),
                "localizedValue": f"Tokens Per Minute (thousands) - {row.name}",
            },
            "unit": "Count",
            "limit": row.limit,
            "currentValue": row.used,
        }
        for row in quotas
    ]


def usage_name(quota: str, sku: str) -> str:
    return f"OpenAI.{sku}.{quota}"


def account_skus_json(kind: str) -> list[dict[str, Any]]:
    return [{"resourceType": f"{PROVIDER}/accounts", "sku": _sku(tier)} for tier in load_kinds()[kind].tiers]


def deployment_skus_json(
    found: TaggedDeployment, version: ModelVersion, quotas: Sequence[Quota]
) -> list[dict[str, Any]]:
    """`maximum` is what this deployment can have, with what it has now."""
    rows = []
    for sku in version.skus:
        own = found.row.capacity if sku == found.row.sku == COUNTED else 0
        maximum = min(MOST_CAPACITY, own + available(version, sku, quotas))
        rows.append(
            {
                "resourceType": f"{PROVIDER}/accounts/deployments",
                "sku": {"name": sku},
                "capacity": capacity_json(maximum),
            }
        )
    return rows


def resource_skus_json() -> list[dict[str, Any]]:
    """The tiers of all kinds; each is in every region."""
    return [
        {
            "resourceType": "accounts",
            "kind": kind,
            **_sku(tier),
            "locations": list(load_regions()),
            "restrictions": [],
        }
        for kind, known in load_kinds().items()
        for tier in known.tiers
    ]


def capacities_json(
    version: ModelVersion, regions: Mapping[str, Sequence[Quota]], scope: Scope
) -> list[dict[str, Any]]:
    """How much of a model version can be deployed where, by sku."""
    return [
        {
            "id": f"/subscriptions/{scope.subscription}/providers/{PROVIDER}/locations/{region}/models/"
            f"OpenAI.{version.id}",
            "name": sku,
            "type": f"{PROVIDER}/locations/models/skuCapacities",
            "location": region,
            "properties": {
                "model": _model_name(version.name, version.version),
                "skuName": sku,
                "availableCapacity": available(version, sku, quotas),
                "availableFinetuneCapacity": 0,
            },
        }
        for region, quotas in regions.items()
        for sku in version.skus
    ]


def operations_json(told: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{PROVIDER}/{name}",
            "isDataAction": False,
            "display": {
                "provider": "Microsoft Cognitive Services",
                "resource": name.rpartition("/")[0],
                "operation": name.rpartition("/")[2],
                "description": text,
            },
            "origin": "user,system",
        }
        for name, text in told.items()
    ]


def _model_name(name: str, version: str) -> dict[str, Any]:
    return {"format": "OpenAI", "name": name, "version": version}


def _sku(tier: str) -> dict[str, Any]:
    return {"name": tier, "tier": _TIERS.get(tier, "Standard")}


def _rate_limits(sku: str, capacity: int) -> list[dict[str, Any]]:
    """Requests are those of a slice, tokens those of a minute."""
    unit = load_skus()[sku]
    limits = [{"key": "token", "renewalPeriod": MINUTE, "count": capacity * unit.tokens}]
    if unit.requests:
        count = capacity * unit.requests * SLICE // MINUTE
        limits.insert(0, {"key": "request", "renewalPeriod": SLICE, "count": count})
    return limits


def _system_data(created: int, modified: int) -> dict[str, Any]:
    return {
        "createdBy": "operator",
        "createdByType": "Key",
        "createdAt": _time(created),
        "lastModifiedBy": "operator",
        "lastModifiedByType": "Key",
        "lastModifiedAt": _time(modified),
    }


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _etag(body: Mapping[str, Any]) -> str:
    return f'"{hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:32]}"'
