"""What the management API understands of a body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from foveal.errors import InvalidRequest
from foveal.http.management_form import (
    read_account,
    read_deployment,
    read_deployment_patch,
    read_key_name,
    read_skus,
    read_subdomain,
    region_name,
)
from foveal.resources.wishes import AccountWish, DeploymentWish

ACCOUNTS = "Microsoft.CognitiveServices/accounts"
MODEL = {"format": "OpenAI", "name": "gpt-4", "version": "vision-preview"}


def body(content: Any) -> bytes:
    return json.dumps(content).encode()


def test_an_account_as_the_page_of_the_operation_has_it() -> None:
    found = read_account(
        body(
            {
                "location": "Sweden Central",
                "kind": "OpenAI",
                "sku": {"name": "S0"},
                "properties": {"customSubDomainName": "mine", "publicNetworkAccess": "Enabled"},
                "identity": {"type": "systemassigned"},
                "tags": {"a": "b"},
            }
        ),
        whole=True,
    )
    assert found == AccountWish("OpenAI", "swedencentral", "S0", True, {"a": "b"}, "mine")


def test_what_is_not_said_stays() -> None:
    assert read_account(b"{}", whole=False) == AccountWish()
    assert read_deployment_patch(b"{}") == DeploymentWish()
    assert read_account(b'{"identity": {"type": "None"}, "tags": {}}', whole=False) == AccountWish(
        identity=False, tags={}
    )


def test_a_whole_account_has_a_location() -> None:
    with pytest.raises(InvalidRequest, match="location"):
        read_account(b"{}", whole=True)


def test_what_azure_fills_in_may_be_sent_back() -> None:
    told = {"id": "/x", "name": "x", "type": ACCOUNTS, "etag": '"1"', "systemData": {"createdBy": "y"}}
    own = {"provisioningState": "Succeeded", "endpoint": "http://x/", "capabilities": [{"name": "z"}]}
    unset = {"disableLocalAuth": False, "userOwnedStorage": [], "encryption": None, "migrationToken": ""}
    assert read_account(body(told | {"properties": own | unset}), whole=False) == AccountWish()


def test_a_deployment() -> None:
    found = read_deployment(
        body(
            {
                "sku": {"name": "Standard", "capacity": 10, "tier": "Standard"},
                "properties": {
                    "model": MODEL,
                    "raiPolicyName": "mine",
                    "versionUpgradeOption": "NoAutoUpgrade",
                    "currentCapacity": 3,
                    "foveal": {"engine": "echo", "parity": "relaxed"},
                },
                "tags": {"a": "b"},
            }
        )
    )
    assert found == DeploymentWish(
        model="gpt-4",
        version="vision-preview",
        sku="Standard",
        capacity=10,
        engine="echo",
        content_filter="mine",
        upgrade="NoAutoUpgrade",
        parity="relaxed",
        tags={"a": "b"},
    )


@pytest.mark.parametrize("name", ["Microsoft.Default", "microsoft.defaultv2", "default"])
def test_azures_names_of_the_default_policy(name: str) -> None:
    given = {"sku": {"name": "Standard"}, "properties": {"model": MODEL, "raiPolicyName": name}}
    assert read_deployment(body(given)).content_filter == "default"


@pytest.mark.parametrize("name", ["Sweden Central", "swedencentral", "SWEDENCENTRAL", " sweden central "])
def test_names_of_regions(name: str) -> None:
    assert region_name(name) == "swedencentral"


@pytest.mark.parametrize(("name", "slot"), [("Key1", 1), ("key2", 2), ("KEY1", 1)])
def test_names_of_keys(name: str, slot: int) -> None:
    assert read_key_name(body({"keyName": name})) == slot


def test_checks() -> None:
    assert read_subdomain(body({"subdomainName": "a", "type": ACCOUNTS})) == ("a", ACCOUNTS, None)
    asked = {"skus": ["S0"], "kind": "OpenAI", "type": ACCOUNTS}
    assert read_skus(body(asked)) == (("S0",), "OpenAI", ACCOUNTS)
    wrong: dict[str, Any]
    for wrong in ({"skus": []}, {"skus": "S0"}, {"skus": [1]}, {"kind": None}, {"type": "Microsoft.Storage"}):
        with pytest.raises(InvalidRequest):
            read_skus(body(asked | wrong))
    for wrong in ({"subdomainName": ""}, {"subdomainName": 1}, {"type": None}):
        with pytest.raises(InvalidRequest):
            read_subdomain(body({"subdomainName": "a", "type": ACCOUNTS} | wrong))


@pytest.mark.parametrize("given", [b"", b"[]", b"{", b'{"tags": {"": "x"}}', b'{"tags": {"a": null}}'])
def test_bodies_that_are_none(given: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_deployment_patch(given)
