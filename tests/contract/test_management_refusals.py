"""The management API refuses what cannot be, in ARM's form, and lets in nobody without its own key."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.management import ACCOUNTS, ADMIN_KEY, API_VERSION, Managed, managed

ACCOUNT = {"location": "westus", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
MODEL = {"format": "OpenAI", "name": "gpt-4", "version": "vision-preview"}
CHAT = "/openai/deployments/gpt-4v/chat/completions?api-version=2024-02-01"


def account(**changes: Any) -> dict[str, Any]:
    return ACCOUNT | changes


def deployment(
    sku: Any = None, model: dict[str, Any] | None = None, top: dict[str, Any] | None = None, **properties: Any
) -> dict[str, Any]:
    return {
        "sku": {"name": "Standard", "capacity": 1} if sku is None else sku,
        "properties": {"model": MODEL | (model or {}), **properties},
        **(top or {}),
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    with managed(tmp_path_factory.mktemp("data")) as running:
        with running.http() as http:
            assert http.put(f"{ACCOUNTS}/taken", json=ACCOUNT).status_code == 201
            eyes = account(kind="ComputerVision", sku={"name": "S1"})
            assert http.put(f"{ACCOUNTS}/eyes", json=eyes).status_code == 201
        yield running


@pytest.fixture
def http(server: Managed) -> Iterator[httpx.Client]:
    with server.http() as made:
        yield made


def error(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The error, after its form was found to be ARM's."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "target"}
    assert body["error"]["message"]
    assert not (body["error"]["code"] or "1").isdigit()
    found: dict[str, Any] = body["error"]
    return found


@pytest.mark.parametrize(
    ("body", "status", "code", "target"),
    [
        (account(location="atlantis"), 400, "LocationNotAvailableForResourceType", "location"),
        (account(location=""), 400, "LocationRequired", "location"),
        (account(location=7), 400, "InvalidRequest", "location"),
        (account(kind="Speech"), 400, "InvalidRequest", "kind"),
        (account(kind=None), 400, "InvalidRequest", "kind"),
        (account(sku=None), 400, "InvalidRequest", "sku.name"),
        (account(sku={"name": "F0"}), 400, "InvalidSku", "sku.name"),
        (account(sku="S0"), 400, "InvalidRequest", "sku"),
        (account(tags={"a": 1}), 400, "InvalidRequest", "tags"),
        (account(tags=[1]), 400, "InvalidRequest", "tags"),
        (account(tags={str(number): "" for number in range(51)}), 400, "InvalidRequest", "tags"),
        (account(identity={"type": "UserAssigned"}), 400, "InvalidRequest", "identity.type"),
        (
            account(properties={"networkAcls": {"defaultAction": "Deny"}}),
            400,
            "InvalidRequest",
            "properties.networkAcls.defaultAction",
        ),
        (
            account(properties={"publicNetworkAccess": "Disabled"}),
            400,
            "InvalidRequest",
            "properties.publicNetworkAccess",
        ),
        (
            account(properties={"disableLocalAuth": True}),
            400,
            "InvalidRequest",
            "properties.disableLocalAuth",
        ),
        (account(properties={"restore": True}), 400, "InvalidRequest", "properties.restore"),
        (
            account(properties={"customSubDomainName": "taken"}),
            409,
            "CustomDomainInUse",
            None,
        ),
        (
            account(properties={"customSubDomainName": "a.b"}),
            400,
            "InvalidCustomSubDomain",
            "properties.customSubDomainName",
        ),
        (account(colour="red"), 400, "InvalidRequest", "colour"),
        ([], 400, "InvalidRequest", "body"),
    ],
)
def test_accounts_that_cannot_be(
    http: httpx.Client, body: Any, status: int, code: str, target: str | None
) -> None:
    found = error(http.put(f"{ACCOUNTS}/new", json=body), status)
    assert (found["code"], found.get("target")) == (code, target)
    assert http.get(f"{ACCOUNTS}/new").status_code == 404


@pytest.mark.parametrize("name", ["x", "-x", "a b", "a_b", "a" * 65, "ä1", "a'b"])
def test_names_of_accounts(http: httpx.Client, name: str) -> None:
    assert error(http.put(f"{ACCOUNTS}/{name}", json=ACCOUNT), 400)["target"] == "name"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (account(location="eastus"), 409, "InvalidResourceLocation"),
        (account(kind="AIServices"), 400, "InvalidRequest"),
        (account(sku={"name": "S1"}), 400, "InvalidSku"),
        (account(properties={"customSubDomainName": "local"}), 409, "CustomDomainInUse"),
    ],
)
def test_changes_that_cannot_be(http: httpx.Client, body: Any, status: int, code: str) -> None:
    before = http.get(f"{ACCOUNTS}/taken").json()
    assert error(http.put(f"{ACCOUNTS}/taken", json=body), status)["code"] == code
    assert http.get(f"{ACCOUNTS}/taken").json() == before


@pytest.mark.parametrize(
    ("body", "code", "target"),
    [
        (deployment({"name": "Standard", "capacity": 0}), "InvalidCapacity", "sku.capacity"),
        (deployment({"name": "Standard", "capacity": -1}), "InvalidCapacity", "sku.capacity"),
        (deployment({"name": "Standard", "capacity": 31}), "InsufficientQuota", "sku.capacity"),
        (deployment({"name": "Standard", "capacity": 10**30}), "InvalidCapacity", "sku.capacity"),
        (deployment({"name": "Standard", "capacity": 1.5}), "InvalidCapacity", "sku.capacity"),
        (deployment({"name": "Standard", "capacity": True}), "InvalidCapacity", "sku.capacity"),
        (deployment({"name": "Standard", "capacity": "1"}), "InvalidCapacity", "sku.capacity"),
        (deployment({"name": "Cheap", "capacity": 1}), "InvalidResourceProperties", "sku.name"),
        (
            deployment({"name": "ProvisionedManaged", "capacity": 1}),
            "InvalidResourceProperties",
            "sku.name",
        ),
        (deployment({"capacity": 1}), "InvalidRequest", "sku.name"),
        (
            deployment(model={"version": "turbo-2024-04-09"}),
            "DeploymentModelNotSupported",
            "properties.model.version",
        ),
        (deployment(model={"version": "0613"}), "DeploymentModelNotSupported", "properties.model"),
        (deployment(model={"name": "gpt-5"}), "DeploymentModelNotSupported", "properties.model"),
        (
            deployment(model={"name": "gpt-5", "version": None}),
            "DeploymentModelNotSupported",
            "properties.model",
        ),
        (deployment(model={"format": "Llama"}), "DeploymentModelNotSupported", "properties.model.format"),
        (deployment(model={"name": ""}), "InvalidRequest", "properties.model.name"),
        (deployment(model={"source": "x"}), "InvalidRequest", "properties.model.source"),
        (deployment(raiPolicyName="none-such"), "InvalidRequest", "properties.raiPolicyName"),
        (deployment(versionUpgradeOption="Never"), "InvalidRequest", "properties.versionUpgradeOption"),
        (deployment(scaleSettings={"scaleType": "Standard"}), "InvalidRequest", "properties.scaleSettings"),
        (deployment(foveal={"engine": "gguf"}), "InvalidRequest", "properties.foveal.engine"),
        (deployment(foveal={"parity": "loose"}), "InvalidRequest", "parity"),
        (deployment(foveal={"speed": 9}), "InvalidRequest", "properties.foveal.speed"),
        (deployment(top={"location": "westus"}), "InvalidRequest", "location"),
    ],
)
def test_deployments_that_cannot_be(http: httpx.Client, body: Any, code: str, target: str) -> None:
    found = error(http.put(f"{ACCOUNTS}/taken/deployments/new", json=body), 400)
    assert (found["code"], found.get("target")) == (code, target)
    assert http.get(f"{ACCOUNTS}/taken/deployments").json() == {"value": []}


@pytest.mark.parametrize("name", [".x", "x-", "a b", "a" * 65, "é"])
def test_names_of_deployments(http: httpx.Client, name: str) -> None:
    answer = http.put(f"{ACCOUNTS}/taken/deployments/{name}", json=deployment())
    assert error(answer, 400)["target"] == "name"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{ACCOUNTS}/nobody", 404, "ResourceNotFound"),
        ("PATCH", f"{ACCOUNTS}/nobody", 404, "ResourceNotFound"),
        ("POST", f"{ACCOUNTS}/nobody/listKeys", 404, "ResourceNotFound"),
        ("GET", f"{ACCOUNTS}/nobody/deployments", 404, "ResourceNotFound"),
        ("DELETE", f"{ACCOUNTS}/nobody/deployments/d", 404, "ResourceNotFound"),
        ("GET", f"{ACCOUNTS}/taken/deployments/none", 404, "DeploymentNotFound"),
        ("PATCH", f"{ACCOUNTS}/taken/deployments/none", 404, "DeploymentNotFound"),
        ("GET", f"{ACCOUNTS}/taken/skies", 404, "InvalidResourceType"),
        ("GET", f"{ACCOUNTS}/taken/projects/p", 501, "NotImplemented"),
        ("PUT", f"{ACCOUNTS}/taken/raiPolicies/p", 501, "NotImplemented"),
        ("POST", f"{ACCOUNTS}/taken", 405, "MethodNotAllowed"),
        ("GET", f"{ACCOUNTS}/taken/listKeys", 405, "MethodNotAllowed"),
        ("GET", "/subscriptions/s/providers/Microsoft.Compute/skus", 404, "InvalidResourceType"),
        ("GET", "/providers/Microsoft.CognitiveServices", 404, "InvalidResourceType"),
        (
            "GET",
            "/subscriptions/s/providers/Microsoft.CognitiveServices/locations/atlantis/usages",
            400,
            "LocationNotAvailableForResourceType",
        ),
        (
            "GET",
            "/subscriptions/s/providers/Microsoft.CognitiveServices/modelCapacities",
            400,
            "InvalidRequest",
        ),
    ],
)
def test_what_is_not_there(http: httpx.Client, method: str, path: str, status: int, code: str) -> None:
    body: dict[str, Any] | None = {} if method in ("PUT", "PATCH", "POST") else None
    assert error(http.request(method, path, json=body), status)["code"] == code


def test_addresses_are_found_in_upper_and_lower_case(http: httpx.Client) -> None:
    path = "/subscriptions/S/resourcegroups/G/providers/microsoft.cognitiveservices/ACCOUNTS/TAKEN"
    assert http.get(path).json()["id"] == (
        "/subscriptions/S/resourceGroups/G/providers/Microsoft.CognitiveServices/accounts/taken"
    )


@pytest.mark.parametrize(
    ("version", "code"),
    [
        (None, "MissingApiVersionParameter"),
        ("", "MissingApiVersionParameter"),
        ("v1", "InvalidApiVersionParameter"),
    ],
)
def test_api_versions(server: Managed, version: str | None, code: str) -> None:
    params = {} if version is None else {"api-version": version}
    answer = httpx.get(server.url + ACCOUNTS, params=params, headers={"api-key": ADMIN_KEY})
    assert error(answer, 400)["code"] == code


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"keyName": "Key3"}', "application/json", 400),
        (b'{"keyName": 1}', "application/json", 400),
        (b"keyName: Key1", "application/yaml", 415),
        (b" " * 1_100_000, "application/json", 413),
    ],
)
def test_bodies_that_cannot_be_read(http: httpx.Client, body: bytes, kind: str, status: int) -> None:
    answer = http.post(f"{ACCOUNTS}/taken/regenerateKey", content=body, headers={"content-type": kind})
    error(answer, status)


def test_a_computer_vision_account_has_no_deployments(http: httpx.Client) -> None:
    assert http.get(f"{ACCOUNTS}/eyes/deployments").json() == {"value": []}
    assert http.get(f"{ACCOUNTS}/eyes/models").json() == {"value": []}
    error(http.put(f"{ACCOUNTS}/eyes/deployments/d", json=deployment()), 400)


def test_the_last_account_stays(tmp_path: Path) -> None:
    with managed(tmp_path) as server, server.http() as http:
        for name in ("gpt-4v", "gpt-4-turbo"):
            assert http.delete(f"{ACCOUNTS}/local/deployments/{name}").status_code == 200
            assert http.delete(f"{ACCOUNTS}/local/deployments/{name}").status_code == 204
        error(http.delete(f"{ACCOUNTS}/local"), 409)
        assert http.get(f"{ACCOUNTS}/local").status_code == 200


def test_a_key_of_the_operators_is_told_only_while_it_is_known(tmp_path: Path) -> None:
    with managed(tmp_path, operator_key="of-the-operator-himself") as server, server.http() as http:
        assert http.post(f"{ACCOUNTS}/local/listKeys").json()["key1"] == "of-the-operator-himself"
        answer = http.post(f"{ACCOUNTS}/local/regenerateKey", json={"keyName": "Key1"})
        assert "FOVEAL_API_KEY" in error(answer, 409)["message"]
        assert http.post(f"{ACCOUNTS}/local/regenerateKey", json={"keyName": "Key2"}).status_code == 200
    with managed(tmp_path) as server, server.http() as http:
        found = error(http.post(f"{ACCOUNTS}/local/listKeys"), 409)
        assert found["code"] == "KeyNotRecoverable"
        assert "key1 of 'local'" in found["message"]
        made = http.post(f"{ACCOUNTS}/local/regenerateKey", json={"keyName": "Key1"}).json()
        assert http.post(f"{ACCOUNTS}/local/listKeys").json() == made


def test_only_the_admin_key_opens_it(server: Managed) -> None:
    def asked(headers: dict[str, str], path: str = f"{ACCOUNTS}/local/listKeys") -> httpx.Response:
        return httpx.post(server.url + path, params={"api-version": API_VERSION}, headers=headers, timeout=30)

    for headers in ({}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}):
        answer = asked(headers)
        assert error(answer, 401)["code"] == "AuthenticationFailed"
        assert answer.headers["www-authenticate"] == "Bearer"
    for headers in ({"api-key": ADMIN_KEY + "x"}, {"authorization": "Bearer ey.J.0"}):
        assert error(asked(headers), 401)["code"] == "InvalidAuthenticationToken"
    for headers in ({"api-key": server.key}, {"authorization": f"Bearer {server.key}"}):
        assert error(asked(headers), 403)["code"] == "AuthorizationFailed"
    assert error(asked({"ocp-apim-subscription-key": ADMIN_KEY}), 401)["code"] == "AuthenticationFailed"
    assert error(asked({}, "/subscriptions/x"), 401)["code"] == "AuthenticationFailed"
    answer = asked({"authorization": f"Bearer {ADMIN_KEY}"})
    assert answer.json()["key1"] == server.key
    assert answer.headers["cache-control"] == "no-store"


def test_the_admin_key_opens_no_route_of_data(server: Managed) -> None:
    body = {"messages": [{"role": "user", "content": "Hello"}]}
    for headers in ({"api-key": ADMIN_KEY}, {"authorization": f"Bearer {ADMIN_KEY}"}):
        assert httpx.post(server.url + CHAT, json=body, headers=headers, timeout=30).status_code == 401
    models = httpx.get(server.url + "/v1/models", headers={"api-key": ADMIN_KEY}, timeout=30)
    assert models.status_code == 401


def test_without_an_admin_key_it_is_off(tmp_path: Path) -> None:
    with managed(tmp_path, admin_key=None) as server:
        for key in (None, server.key, "None", ""):
            with server.http(key) as http:
                found = error(http.get(ACCOUNTS), 403)
                assert "FOVEAL_ADMIN_KEY" in found["message"]


def test_creates_that_race_never_pass_the_quota(tmp_path: Path) -> None:
    with managed(tmp_path) as server, server.http() as http, ThreadPoolExecutor(8) as threads:
        made = threads.map(lambda _: http.put(f"{ACCOUNTS}/raced", json=ACCOUNT), range(8))
        assert sorted(one.status_code for one in made) == [200] * 7 + [201]
        body = deployment({"name": "Standard", "capacity": 10})
        names = [f"{ACCOUNTS}/raced/deployments/d{number}" for number in range(8)]
        put = list(threads.map(lambda name: http.put(name, json=body), names))
        assert sorted(one.status_code for one in put) == [201] * 3 + [400] * 5
        assert {one.json()["error"]["code"] for one in put if one.status_code == 400} == {"InsufficientQuota"}
        keys = list(threads.map(lambda _: http.post(f"{ACCOUNTS}/raced/listKeys").json()["key1"], range(8)))
        assert len(set(keys)) == 1
