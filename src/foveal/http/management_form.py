"""Reads the bodies of the management API: every property is honoured or refused by its name.

What Azure fills in itself (`READONLY`) may be sent back and is ignored, and so is a property that asks for
nothing: null, false, an empty list.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from foveal.chat.body import json_type, read_object
from foveal.errors import InvalidRequest
from foveal.resources.filter_register import DEFAULT
from foveal.resources.wishes import AccountWish, DeploymentWish

READONLY = frozenset({"id", "name", "type", "systemData", "etag"})
_ACCOUNT = frozenset({"kind", "sku", "identity", "tags", "location", "properties"})
_ACCOUNT_READONLY = frozenset(
    {
        "provisioningState", "endpoint", "endpoints", "internalId", "capabilities", "isMigrated",
        "skuChangeInfo", "privateEndpointConnections", "dateCreated", "callRateLimit", "quotaLimit",
        "deletionDate", "scheduledPurgeDate", "commitmentPlanAssociations", "abusePenalty",
    }
)  # fmt: skip
_DEPLOYMENT_READONLY = frozenset(
    {
        "provisioningState", "capabilities", "callRateLimit", "rateLimits", "currentCapacity",
        "dynamicThrottlingEnabled", "deploymentState",
    }
)  # fmt: skip
_SKU = frozenset({"name", "tier", "size", "family", "capacity"})
# Azure's own configurations, which stand for the one that is always there.
_DEFAULT_POLICIES = ("microsoft.default", "microsoft.defaultv2")
_MOST_TAGS, _TAG_NAME, _TAG_VALUE = 50, 512, 256


def read_account(body: bytes, *, whole: bool) -> AccountWish:
    """The account of a PUT (`whole`) or a PATCH. Raises `InvalidRequest`."""
    given = read_object(body)
    _refuse_unknown(given, _ACCOUNT | READONLY, "")
    location = _text(given, "location")
    if whole and not location:
        raise InvalidRequest(
            "The location property is required for this definition.",
            param="location",
            code="LocationRequired",
        )
    properties = _object(given, "properties")
    _refuse_unknown(
        properties,
        _ACCOUNT_READONLY | {"customSubDomainName", "publicNetworkAccess", "networkAcls"},
        "properties.",
    )
    _check_network(properties)
    return AccountWish(
        kind=_text(given, "kind"),
        region=None if location is None else region_name(location),
        tier=_sku(given)[0],
        identity=_identity(given),
        tags=_tags(given),
        subdomain=_text(properties, "customSubDomainName", "properties.") or None,
    )


def read_deployment(body: bytes) -> DeploymentWish:
    """The deployment of a PUT. Raises `InvalidRequest`."""
    given = read_object(body)
    _refuse_unknown(given, READONLY | {"sku", "tags", "properties"}, "")
    sku, capacity = _sku(given)
    if sku is None:
        raise InvalidRequest("The property 'sku.name' is required.", param="sku.name")
    properties = _object(given, "properties")
    known = {"model", "raiPolicyName", "versionUpgradeOption", "foveal"}
    _refuse_unknown(properties, _DEPLOYMENT_READONLY | known, "properties.")
    model = _object(properties, "model", "properties.")
    _refuse_unknown(model, {"format", "name", "version", "publisher", "callRateLimit"}, "properties.model.")
    name = _text(model, "name", "properties.model.")
    if not name:
        raise InvalidRequest(
            "The property 'properties.model.name' is required.", param="properties.model.name"
        )
    for field in ("format", "publisher"):
        value = _text(model, field, "properties.model.")
        if value is not None and value.lower() != "openai":
            raise InvalidRequest(
                f"The {field} '{value[:60]}' is not known; there is OpenAI.",
                param=f"properties.model.{field}",
                code="DeploymentModelNotSupported",
            )
    own = _object(properties, "foveal", "properties.")
    _refuse_unknown(own, {"engine", "parity"}, "properties.foveal.")
    return DeploymentWish(
        model=name,
        version=_text(model, "version", "properties.model.") or None,
        sku=sku,
        capacity=capacity,
        engine=_text(own, "engine", "properties.foveal."),
        content_filter=_policy(properties),
        upgrade=_text(properties, "versionUpgradeOption", "properties."),
        parity=_text(own, "parity", "properties.foveal."),
        tags=_tags(given),
    )


def read_deployment_patch(body: bytes) -> DeploymentWish:
    """Sku and tags, as Azure has it. Raises `InvalidRequest`."""
    given = read_object(body)
    _refuse_unknown(given, {"sku", "tags"}, "")
    sku, capacity = _sku(given)
    return DeploymentWish(sku=sku, capacity=capacity, tags=_tags(given))


def read_key_name(body: bytes) -> int:
    """1 or 2. Raises `InvalidRequest`."""
    name = _text(read_object(body), "keyName")
    slots = {"key1": 1, "key2": 2}
    if name is None or name.lower() not in slots:
        raise InvalidRequest("The property 'keyName' must be Key1 or Key2.", param="keyName")
    return slots[name.lower()]


def read_subdomain(body: bytes) -> tuple[str, str, str | None]:
    """Name, type and kind of a `checkDomainAvailability`. Raises `InvalidRequest`."""
    given = read_object(body)
    name, kind = _text(given, "subdomainName"), _text(given, "kind")
    if not name:
        raise InvalidRequest("The property 'subdomainName' is required.", param="subdomainName")
    return name, _type(given), kind


def read_skus(body: bytes) -> tuple[tuple[str, ...], str, str]:
    """Names, kind and type of a `checkSkuAvailability`. Raises `InvalidRequest`."""
    given = read_object(body)
    names = given.get("skus")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or not names:
        raise InvalidRequest("The property 'skus' must be a list of names.", param="skus")
    kind = _text(given, "kind")
    if not kind:
        raise InvalidRequest("The property 'kind' is required.", param="kind")
    return tuple(names), kind, _type(given)


def region_name(location: str) -> str:
    """`Sweden Central` → `swedencentral`."""
    return "".join(location.split()).lower()


def _type(given: Mapping[str, Any]) -> str:
    kind = _text(given, "type")
    if kind is None or kind.lower() != "microsoft.cognitiveservices/accounts":
        raise InvalidRequest(
            "The property 'type' must be Microsoft.CognitiveServices/accounts.", param="type"
        )
    return kind


def _identity(given: Mapping[str, Any]) -> bool | None:
    if given.get("identity") is None:
        return None
    identity = _object(given, "identity")
    _refuse_unknown(identity, {"type", "principalId", "tenantId"}, "identity.")
    kind = _text(identity, "type", "identity.")
    if kind is None:
        return None
    known = {"none": False, "systemassigned": True}
    if kind.lower() not in known:
        raise InvalidRequest(
            f"The identity type '{kind[:60]}' does not exist here: SystemAssigned or None.",
            param="identity.type",
        )
    return known[kind.lower()]


def _check_network(properties: Mapping[str, Any]) -> None:
    access = _text(properties, "publicNetworkAccess", "properties.")
    if access is not None and access.lower() != "enabled":
        raise InvalidRequest(
            "Network rules do not exist here: publicNetworkAccess is Enabled.",
            param="properties.publicNetworkAccess",
        )
    rules = _object(properties, "networkAcls", "properties.")
    action = _text(rules, "defaultAction", "properties.networkAcls.") or "Allow"
    if action.lower() != "allow":
        raise InvalidRequest(
            "Network rules do not exist here: defaultAction is Allow.",
            param="properties.networkAcls.defaultAction",
        )
    _refuse_unknown(rules, {"defaultAction", "bypass"}, "properties.networkAcls.")


def _policy(properties: Mapping[str, Any]) -> str | None:
    name = _text(properties, "raiPolicyName", "properties.")
    return DEFAULT if name is not None and name.lower() in _DEFAULT_POLICIES else name


def _sku(given: Mapping[str, Any]) -> tuple[str | None, int | None]:
    sku = _object(given, "sku")
    _refuse_unknown(sku, _SKU, "sku.")
    capacity = sku.get("capacity")
    if capacity is not None and (isinstance(capacity, bool) or not isinstance(capacity, int)):
        raise InvalidRequest(
            f"The capacity must be a whole number, not {json_type(capacity)}.",
            param="sku.capacity",
            code="InvalidCapacity",
        )
    return _text(sku, "name", "sku."), capacity


def _tags(given: Mapping[str, Any]) -> Mapping[str, str] | None:
    if given.get("tags") is None:
        return None
    tags = _object(given, "tags")
    if len(tags) > _MOST_TAGS:
        raise InvalidRequest(f"There are {len(tags)} tags; at most {_MOST_TAGS} can be kept.", param="tags")
    for name, value in tags.items():
        if not isinstance(value, str) or not 1 <= len(name) <= _TAG_NAME or len(value) > _TAG_VALUE:
            raise InvalidRequest(
                f"The tag '{name[:60]}' is not usable: names have 1 to {_TAG_NAME} letters, values are "
                f"strings of at most {_TAG_VALUE}.",
                param="tags",
            )
    return tags


def _object(given: Mapping[str, Any], name: str, above: str = "") -> Mapping[str, Any]:
    """Empty when it is not there."""
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest(
            f"The property '{above}{name}' must be an object, not {json_type(value)}.", param=above + name
        )
    return value


def _text(given: Mapping[str, Any], name: str, above: str = "") -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(
            f"The property '{above}{name}' must be a string, not {json_type(value)}.", param=above + name
        )
    return value


def _refuse_unknown(given: Mapping[str, Any], known: Collection[str], above: str) -> None:
    for name, value in given.items():
        if name not in known and value not in (None, False, [], {}, ""):
            raise InvalidRequest(
                f"The property '{above}{name[:60]}' does not exist here, or cannot be set.",
                param=above + name[:60],
            )
