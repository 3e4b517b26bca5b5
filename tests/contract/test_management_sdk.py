"""`azure-mgmt-cognitiveservices` as it is, against the management API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import trustme
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.cognitiveservices.models import (
    Account,
    AccountProperties,
    Deployment,
    DeploymentModel,
    DeploymentProperties,
    Identity,
    PatchResourceTagsAndSku,
    Sku,
)
from tests.support.management import GROUP, Managed, StaticToken, managed


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Managed]:
    with managed(tmp_path) as running:
        yield running


@pytest.fixture
def client(server: Managed) -> Iterator[CognitiveServicesManagementClient]:
    with server.client() as made:
        yield made


def make_account(
    client: CognitiveServicesManagementClient, name: str = "mine", location: str = "westus", **changes: Any
) -> Account:
    wanted = Account(
        location=location,
        **{"kind": "OpenAI", "sku": Sku(name="S0"), "properties": AccountProperties(), **changes},
    )
    return client.accounts.begin_create(GROUP, name, wanted).result()


def a_deployment(version: str | None, capacity: int = 10, sku: str = "Standard", **more: Any) -> Deployment:
    model = DeploymentModel(format="OpenAI", name="gpt-4", version=version)
    return Deployment(
        sku=Sku(name=sku, capacity=capacity), properties=DeploymentProperties(model=model, **more)
    )


def put(
    client: CognitiveServicesManagementClient, name: str, wanted: Deployment, account: str = "mine"
) -> Deployment:
    return client.deployments.begin_create_or_update(GROUP, account, name, wanted).result()


def test_an_account_is_made_empty_and_told_of(client: CognitiveServicesManagementClient) -> None:
    made = make_account(
        client,
        "My-OpenAI",
        "Sweden Central",
        identity=Identity(type="SystemAssigned"),
        tags={"team": "vision"},
        properties=AccountProperties(custom_sub_domain_name="vision-team"),
    )
    assert (made.name, made.kind, made.location) == ("My-OpenAI", "OpenAI", "swedencentral")
    assert made.id == (
        f"/subscriptions/my-sub/resourceGroups/{GROUP}/providers/Microsoft.CognitiveServices"
        "/accounts/My-OpenAI"
    )
    assert made.type == "Microsoft.CognitiveServices/accounts"
    assert made.sku is not None
    assert made.sku.as_dict() == {"name": "S0", "tier": "Standard"}
    assert made.identity is not None
    assert made.identity.principal_id
    assert made.tags == {"team": "vision"}
    assert made.etag
    assert made.system_data is not None
    assert made.system_data.created_at is not None
    properties = made.properties
    assert properties is not None
    assert properties.provisioning_state == "Succeeded"
    assert properties.custom_sub_domain_name == "vision-team"
    assert properties.endpoint is not None
    assert properties.endpoint.startswith("http://127.0.0.1:")
    assert list(client.deployments.list(GROUP, "my-openai")) == []
    assert client.accounts.get("ANOTHER-GROUP", "MY-OPENAI").name == "My-OpenAI"
    for names in (client.accounts.list(), client.accounts.list_by_resource_group(GROUP)):
        assert [one.name for one in names] == ["local", "My-OpenAI"]


def test_an_account_is_changed(client: CognitiveServicesManagementClient) -> None:
    before = make_account(client, kind="ComputerVision", sku=Sku(name="F0"), tags={"a": "1", "b": "2"})
    assert before.identity is None
    wanted = Account(
        tags={"a": "3"},
        sku=Sku(name="S1"),
        identity=Identity(type="SystemAssigned"),
        properties=AccountProperties(),
    )
    after = client.accounts.begin_update(GROUP, "mine", wanted).result()
    assert (after.tags, after.sku and after.sku.name) == ({"a": "3"}, "S1")
    assert after.identity is not None
    assert after.etag != before.etag
    again = client.accounts.begin_create(GROUP, "mine", after).result()  # what was got can be put
    assert again.as_dict() == after.as_dict() == client.accounts.get(GROUP, "mine").as_dict()
    off = Account(identity=Identity(type="None"))
    assert client.accounts.begin_update(GROUP, "mine", off).result().identity is None


def test_deployments_within_and_over_the_quota(client: CognitiveServicesManagementClient) -> None:
    make_account(client)
    first = put(client, "first", a_deployment("vision-preview", 20))
    assert first.properties is not None
    assert first.properties.model is not None
    assert first.properties.model.version == "vision-preview"
    assert first.properties.rai_policy_name == "Microsoft.Default"
    assert first.properties.current_capacity == 20
    limits = {one.key: (one.count, one.renewal_period) for one in first.properties.rate_limits or ()}
    assert limits == {"request": (20, 10), "token": (20_000, 60)}
    with pytest.raises(HttpResponseError) as refused:
        put(client, "second", a_deployment("vision-preview", 11))
    assert refused.value.status_code == 400
    assert refused.value.error is not None
    assert refused.value.error.code == "InsufficientQuota"
    assert refused.value.error.target == "sku.capacity"
    assert "current available capacity 10" in (refused.value.message or "")
    put(client, "second", a_deployment("vision-preview", 10))
    (usage,) = [
        one for one in client.usages.list("westus") if one.name and "Turbo-V" in (one.name.value or "")
    ]
    assert (usage.current_value, usage.limit) == (30, 30)
    with pytest.raises(HttpResponseError, match="InsufficientQuota"):
        client.deployments.begin_update(
            GROUP, "mine", "first", PatchResourceTagsAndSku(sku=Sku(name="Standard", capacity=21))
        )
    client.deployments.begin_delete(GROUP, "mine", "second").result()
    changed = client.deployments.begin_update(
        GROUP,
        "mine",
        "first",
        PatchResourceTagsAndSku(sku=Sku(name="Standard", capacity=30), tags={"stage": "test"}),
    ).result()
    assert (changed.sku and changed.sku.capacity, changed.tags) == (30, {"stage": "test"})
    assert [one.name for one in client.deployments.list(GROUP, "mine")] == ["first"]
    assert client.deployments.get(GROUP, "mine", "FIRST").as_dict() == changed.as_dict()


def test_a_preview_is_upgraded_and_keeps_name_and_key(
    server: Managed, client: CognitiveServicesManagementClient
) -> None:
    make_account(client, location="Sweden Central")
    key = client.accounts.list_keys(GROUP, "mine").key2 or ""
    with pytest.raises(openai.NotFoundError):
        server.says("vision", key)
    put(client, "vision", a_deployment("vision-preview"))
    before = server.says("vision", key)
    after = put(client, "vision", a_deployment("turbo-2024-04-09"))
    assert after.properties is not None
    assert after.properties.model is not None
    assert after.properties.model.version == "turbo-2024-04-09"
    assert server.says("vision", key) == before
    with server.http(key) as http:
        assert [(row["id"], row["version"]) for row in http.get("/v1/models").json()["data"]] == [
            ("vision", "turbo-2024-04-09")
        ]


def test_a_deployment_starts_with_the_last_version(client: CognitiveServicesManagementClient) -> None:
    make_account(client, location="swedencentral")
    found = put(
        client, "d", a_deployment(None, 1, "ProvisionedManaged", version_upgrade_option="NoAutoUpgrade")
    )
    assert found.properties is not None
    assert found.properties.model is not None
    assert found.properties.model.version == "turbo-2024-04-09"
    assert [one.key for one in found.properties.rate_limits or ()] == ["token"]
    skus = {one.sku.name if one.sku else "": one for one in client.deployments.list_skus(GROUP, "mine", "d")}
    assert set(skus) == {"Standard", "ProvisionedManaged"}
    assert skus["Standard"].capacity is not None
    assert skus["Standard"].capacity.maximum == 900_000


def test_keys_are_listed_and_one_is_regenerated_while_the_other_goes_on(
    server: Managed, client: CognitiveServicesManagementClient
) -> None:
    assert client.accounts.list_keys(GROUP, "local").key1 == server.key
    before = client.accounts.list_keys(GROUP, "local")
    after = client.accounts.regenerate_key(GROUP, "local", "Key1")
    assert after.key1 != before.key1
    assert after.key2 == before.key2
    assert client.accounts.list_keys(GROUP, "local").as_dict() == after.as_dict()
    with pytest.raises(openai.AuthenticationError):
        server.says("gpt-4v", before.key1 or "")
    for key in (after.key1, after.key2):
        assert server.says("gpt-4v", key or "")


def test_an_account_in_use_is_not_deleted(client: CognitiveServicesManagementClient) -> None:
    make_account(client)
    put(client, "d", a_deployment("vision-preview"))
    with pytest.raises(HttpResponseError) as refused:
        client.accounts.begin_delete(GROUP, "mine")
    assert refused.value.status_code == 409
    assert refused.value.error is not None
    assert refused.value.error.code == "CannotDeleteResource"
    assert "accounts/mine/deployments/d" in (refused.value.error.message or "")
    client.deployments.begin_delete(GROUP, "mine", "d").result()
    client.accounts.begin_delete(GROUP, "mine").result()
    client.accounts.begin_delete(GROUP, "mine").result()  # it is gone: nothing to do
    with pytest.raises(ResourceNotFoundError):
        client.accounts.get(GROUP, "mine")
    assert list(client.deleted_accounts.list()) == []
    client.deleted_accounts.begin_purge("westus", GROUP, "mine").result()


def test_models_skus_and_capacities(client: CognitiveServicesManagementClient) -> None:
    found = [one for one in client.models.list("Sweden Central") if one.kind == "OpenAI"]
    versions = {one.model.version: one.model for one in found if one.model}
    assert set(versions) == {"1106-Preview", "vision-preview", "turbo-2024-04-09"}
    assert [name for name, model in versions.items() if model.is_default_version] == ["turbo-2024-04-09"]
    vision = versions["vision-preview"]
    assert vision.lifecycle_status == "Preview"
    assert vision.capabilities is not None
    assert vision.capabilities["maxContextToken"] == "128000"
    assert [sku.name for sku in vision.skus or ()] == ["Standard"]
    assert {one.version for one in client.accounts.list_models(GROUP, "local")} == set(versions)

    tiers = {(one.kind, one.name) for one in client.resource_skus.list()}
    assert {("OpenAI", "S0"), ("AIServices", "S0"), ("ComputerVision", "S1")} < tiers
    own = client.accounts.list_skus(GROUP, "local").value or []
    assert [one.sku.name for one in own if one.sku] == ["S0"]
    used = client.accounts.list_usages(GROUP, "local").value or ()
    assert [one.current_value for one in used] == [100_000, 100_000]

    left = client.model_capacities.list("OpenAI", "gpt-4", "vision-preview")
    assert {one.location: one.properties.available_capacity for one in left if one.properties} == {
        "australiaeast": 30,
        "japaneast": 30,
        "swedencentral": 900_000,
        "switzerlandnorth": 30,
        "westus": 30,
    }
    (here,) = client.location_based_model_capacities.list("westus", "OpenAI", "gpt-4", "vision-preview")
    assert here.name == "Standard"


def test_checks_of_names_and_skus(client: CognitiveServicesManagementClient) -> None:
    kind = "Microsoft.CognitiveServices/accounts"
    assert client.check_domain_availability("a-new-one", kind).is_subdomain_available
    taken = client.check_domain_availability("LOCAL", kind)
    assert not taken.is_subdomain_available
    assert taken.reason
    found = client.check_sku_availability("westus", ["S0", "S9"], "OpenAI", kind).value or ()
    assert {one.sku_name: one.sku_available for one in found} == {"S0": True, "S9": False}


def test_operations_are_listed(client: CognitiveServicesManagementClient) -> None:
    names = {one.name for one in client.operations.list()}
    assert "Microsoft.CognitiveServices/accounts/listKeys/action" in names


def test_what_is_not_here_says_so(client: CognitiveServicesManagementClient) -> None:
    with pytest.raises(HttpResponseError, match="Private endpoints do not exist here") as refused:
        client.private_endpoint_connections.list(GROUP, "local")
    assert refused.value.status_code == 501


def test_a_static_token_over_tls(tmp_path: Path) -> None:
    authority, folder = trustme.CA(), tmp_path / "tls"
    folder.mkdir()
    trusted, certificate = folder / "authority.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(trusted))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    with (
        managed(tmp_path, certificate=certificate) as server,
        CognitiveServicesManagementClient(
            StaticToken(), "my-sub", base_url=server.url, connection_verify=str(trusted)
        ) as client,
    ):
        make_account(client)
        put(client, "d", a_deployment("vision-preview"))
        client.deployments.begin_delete(GROUP, "mine", "d").result()
        client.accounts.begin_delete(GROUP, "mine").result()
        assert [one.name for one in client.accounts.list()] == ["local"]


def test_a_static_token_without_tls_where_each_call_says_so(server: Managed) -> None:
    with CognitiveServicesManagementClient(StaticToken(), "my-sub", base_url=server.url) as client:
        assert client.accounts.get(GROUP, "local", enforce_https=False).name == "local"
