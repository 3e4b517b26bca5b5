"""The management API: accounts and deployments in the form of Azure Resource Manager, for whoever has the
admin key.

One route takes all of it, since names of this API are found in upper and lower case, in the address too.
Subscription and resource group are the caller's words: there is one of each, whatever it is called.
"""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from foveal.errors import InvalidRequest, NotFound, NotSupported, Unauthorized
from foveal.http.body import check_content_type, read_body
from foveal.http.errors import Forbidden, MethodNotAllowed
from foveal.http.management_form import (
    read_account,
    read_deployment,
    read_deployment_patch,
    read_key_name,
    read_skus,
    read_subdomain,
    region_name,
)
from foveal.http.management_json import (
    GROUP,
    PROVIDER,
    Scope,
    account_json,
    account_model_json,
    account_skus_json,
    capacities_json,
    deployment_json,
    deployment_skus_json,
    models_json,
    operations_json,
    resource_skus_json,
    usages_json,
)
from foveal.http.services import Services
from foveal.resources.control import ControlPlane, check_region
from foveal.resources.quotas import Quota
from foveal.resources.register import load_kinds

MAX_BODY = 1024 * 1024
METHODS = ["GET", "PUT", "PATCH", "POST", "DELETE"]
_VERSION = re.compile(r"20\d\d-[01]\d-[0-3]\d(-preview)?")
_OFF = (
    "The management API is off: set FOVEAL_ADMIN_KEY to a key of 16 characters or more and start the server "
    "again."
)
_DATA_KEY = (
    "This key opens the resource that it belongs to, not the management API: that takes the admin key "
    "(FOVEAL_ADMIN_KEY)."
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in. `names` are what stands in the address where its pattern has braces."""

    request: Request
    names: Mapping[str, str]
    scope: Scope
    body: bytes

    @property
    def account(self) -> str:
        return self.names["account"]

    @property
    def region(self) -> str:
        """Raises `InvalidRequest` for one that there is not."""
        region = region_name(self.names["location"])
        check_region(region)
        return region


Handler = Callable[[Call], Awaitable[Response]]
Operations = tuple[tuple[tuple[str, ...], Mapping[str, Handler]], ...]


class ManagementRoutes:
    def __init__(self, services: Services, control: ControlPlane) -> None:
        self._services = services
        self._control = control
        table = tomllib.loads(files("foveal.resources").joinpath("data/management.toml").read_text("utf-8"))
        self._missing = {name.lower(): text for name, text in table["missing"].items()}
        self._told: Mapping[str, str] = table["operations"]
        self._operations = self._table()

    def routes(self) -> list[Route]:
        return [
            Route("/subscriptions/{path:path}", self.handle, methods=METHODS),
            Route("/providers/{path:path}", self.handle, methods=METHODS),
        ]

    async def handle(self, request: Request) -> Response:
        self._let_in(request)
        parts = str(request.scope["path"]).strip("/").split("/")
        handlers, names = self._find(parts)
        _check_version(request)
        handler = handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            allowed = ", ".join(handlers)
            raise MethodNotAllowed(
                f"The method {request.method[:20]} is not allowed here.", headers={"allow": allowed}
            )
        body = b""
        if request.method in ("PUT", "PATCH", "POST"):
            check_content_type(request)
            body = await read_body(request, MAX_BODY)
        scope = Scope(
            names.get("subscription", ""),
            names.get("group", GROUP),
            self._services.base_url or str(request.base_url),
        )
        return await handler(Call(request, names, scope, body))

    def _let_in(self, request: Request) -> None:
        if not self._control.has_key:
            raise Forbidden(_OFF, code="AuthorizationFailed")
        presented = request.headers.get("api-key")
        if presented is None:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            presented = token if scheme.lower() == "bearer" else ""
        presented = presented.strip()
        if not presented:
            raise Unauthorized(
                "Authentication failed. The 'Authorization' header is missing.",
                code="AuthenticationFailed",
                headers={"www-authenticate": "Bearer"},
            )
        if self._control.opens(presented):
            return
        if self._services.keys.check(presented) is not None:
            raise Forbidden(_DATA_KEY, code="AuthorizationFailed")
        raise Unauthorized(
            "The access token is invalid.",
            code="InvalidAuthenticationToken",
            headers={"www-authenticate": 'Bearer error="invalid_token"'},
        )

    def _find(self, parts: list[str]) -> tuple[Mapping[str, Handler], dict[str, str]]:
        for pattern, handlers in self._operations:
            names = _matched(pattern, parts)
            if names is not None:
                return handlers, names
        lowered = [part.lower() for part in parts]
        if PROVIDER.lower() in lowered:
            for part in lowered[lowered.index(PROVIDER.lower()) + 1 :]:
                if part in self._missing:
                    raise NotSupported(f"{self._missing[part]} do not exist here.")
        raise NotFound(f"There is no resource at '{'/'.join(parts)[:200]}'.", code="InvalidResourceType")

    def _table(self) -> Operations:
        here = f"subscriptions/{{subscription}}/providers/{PROVIDER}"
        group = f"subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}"
        account = f"{group}/accounts/{{account}}"
        deployment = f"{account}/deployments/{{deployment}}"
        deleted = f"{here}/locations/{{location}}/resourceGroups/{{group}}/deletedAccounts/{{account}}"
        table: dict[str, dict[str, Handler]] = {
            account: {
                "GET": self.account,
                "PUT": self.put_account,
                "PATCH": self.patch_account,
                "DELETE": self.delete_account,
            },
            deployment: {
                "GET": self.deployment,
                "PUT": self.put_deployment,
                "PATCH": self.patch_deployment,
                "DELETE": self.delete_deployment,
            },
            f"{account}/deployments": {"GET": self.deployments},
            f"{deployment}/skus": {"GET": self.deployment_skus},
            f"{account}/listKeys": {"POST": self.keys},
            f"{account}/regenerateKey": {"POST": self.new_key},
            f"{account}/models": {"GET": self.account_models},
            f"{account}/skus": {"GET": self.account_skus},
            f"{account}/usages": {"GET": self.account_usages},
            f"{group}/accounts": {"GET": self.accounts},
            f"{here}/accounts": {"GET": self.accounts},
            f"{here}/deletedAccounts": {"GET": self.deleted_accounts},
            deleted: {"GET": self.deleted_account, "DELETE": self.purge},
            f"{here}/skus": {"GET": self.skus},
            f"{here}/checkDomainAvailability": {"POST": self.check_domain},
            f"{here}/modelCapacities": {"GET": self.capacities},
            f"{here}/locations/{{location}}/modelCapacities": {"GET": self.capacities},
            f"{here}/locations/{{location}}/models": {"GET": self.models},
            f"{here}/locations/{{location}}/usages": {"GET": self.usages},
            f"{here}/locations/{{location}}/checkSkuAvailability": {"POST": self.check_skus},
            f"providers/{PROVIDER}/operations": {"GET": self.operations},
        }
        return tuple((tuple(pattern.split("/")), handlers) for pattern, handlers in table.items())

    async def accounts(self, call: Call) -> Response:
        found = await asyncio.to_thread(self._control.accounts)
        return _list([account_json(one, call.scope) for one in found])

    async def account(self, call: Call) -> Response:
        found = await asyncio.to_thread(self._control.account, call.account)
        return _json(account_json(found, call.scope))

    async def put_account(self, call: Call) -> Response:
        wish = read_account(call.body, whole=True)
        found, made = await asyncio.to_thread(self._control.put_account, call.account, wish)
        return _json(account_json(found, call.scope), 201 if made else 200)

    async def patch_account(self, call: Call) -> Response:
        wish = read_account(call.body, whole=False)
        found = await asyncio.to_thread(self._control.patch_account, call.account, wish)
        return _json(account_json(found, call.scope))

    async def delete_account(self, call: Call) -> Response:
        gone = await asyncio.to_thread(self._control.remove_account, call.account)
        return Response(status_code=200 if gone else 204)

    async def deleted_accounts(self, _: Call) -> Response:
        return _list([])

    async def deleted_account(self, call: Call) -> Response:
        raise NotFound(
            f"'{call.account[:64]}' is not among the deleted accounts: they are gone at once.",
            code="ResourceNotFound",
        )

    async def purge(self, _: Call) -> Response:
        return Response(status_code=204)

    async def keys(self, call: Call) -> Response:
        first, second = await asyncio.to_thread(self._control.keys, call.account)
        return _keys(first, second)

    async def new_key(self, call: Call) -> Response:
        slot = read_key_name(call.body)
        first, second = await asyncio.to_thread(self._control.regenerate_key, call.account, slot)
        return _keys(first, second)

    async def account_models(self, call: Call) -> Response:
        resource, quotas = await self._account_quotas(call)
        if not load_kinds()[resource.kind].deployments:
            return _list([])
        here = (row for row in self._control.versions.values() if resource.region in row.regions)
        return _list([account_model_json(row, quotas) for row in here])

    async def account_skus(self, call: Call) -> Response:
        found = await asyncio.to_thread(self._control.account, call.account)
        return _list(account_skus_json(found.resource.kind))

    async def account_usages(self, call: Call) -> Response:
        _, quotas = await self._account_quotas(call)
        return _list(usages_json(quotas))

    async def deployments(self, call: Call) -> Response:
        account = await asyncio.to_thread(self._control.account, call.account)
        found = await asyncio.to_thread(self._control.deployments, call.account)
        return _list([deployment_json(one, account, call.scope) for one in found])

    async def deployment(self, call: Call) -> Response:
        found = await asyncio.to_thread(self._control.deployment, call.account, call.names["deployment"])
        account = await asyncio.to_thread(self._control.account, call.account)
        return _json(deployment_json(found, account, call.scope))

    async def put_deployment(self, call: Call) -> Response:
        wish, name = read_deployment(call.body), call.names["deployment"]
        found, made = await asyncio.to_thread(self._control.put_deployment, call.account, name, wish)
        account = await asyncio.to_thread(self._control.account, call.account)
        return _json(deployment_json(found, account, call.scope), 201 if made else 200)

    async def patch_deployment(self, call: Call) -> Response:
        wish, name = read_deployment_patch(call.body), call.names["deployment"]
        found = await asyncio.to_thread(self._control.patch_deployment, call.account, name, wish)
        account = await asyncio.to_thread(self._control.account, call.account)
        return _json(deployment_json(found, account, call.scope))

    async def delete_deployment(self, call: Call) -> Response:
        work = self._control.remove_deployment
        gone = await asyncio.to_thread(work, call.account, call.names["deployment"])
        return Response(status_code=200 if gone else 204)

    async def deployment_skus(self, call: Call) -> Response:
        found = await asyncio.to_thread(self._control.deployment, call.account, call.names["deployment"])
        _, quotas = await self._account_quotas(call)
        version = self._control.versions[(found.row.model, found.row.version)]
        return _list(deployment_skus_json(found, version, quotas))

    async def skus(self, _: Call) -> Response:
        return _list(resource_skus_json())

    async def models(self, call: Call) -> Response:
        quotas = await asyncio.to_thread(self._control.quotas, call.region)
        kinds = (name for name, kind in load_kinds().items() if kind.deployments)
        return _list(models_json(self._control.versions.values(), quotas, call.region, kinds))

    async def usages(self, call: Call) -> Response:
        return _list(usages_json(await asyncio.to_thread(self._control.quotas, call.region)))

    async def capacities(self, call: Call) -> Response:
        query = call.request.query_params
        version = self._control.versions.get((query.get("modelName", ""), query.get("modelVersion", "")))
        if version is None or query.get("modelFormat", "OpenAI") != "OpenAI":
            raise InvalidRequest(
                "modelFormat, modelName and modelVersion have to name a model that there is.",
                param="modelName",
            )
        regions = version.regions
        if "location" in call.names:
            regions = tuple(region for region in regions if region == call.region)
        quotas = {region: await asyncio.to_thread(self._control.quotas, region) for region in regions}
        return _list(capacities_json(version, quotas, call.scope))

    async def check_domain(self, call: Call) -> Response:
        name, kind_of, kind = read_subdomain(call.body)
        free = await asyncio.to_thread(self._control.subdomain_is_free, name)
        answer = {"isSubdomainAvailable": free, "subdomainName": name, "type": kind_of, "kind": kind}
        if not free:
            answer["reason"] = f"Sub domain name '{name[:64]}' is already used by another resource."
        return _json(answer)

    async def check_skus(self, call: Call) -> Response:
        names, kind, kind_of = read_skus(call.body)
        known = {name.lower(): row.tiers for name, row in load_kinds().items()}
        check_region(region_name(call.names["location"]))
        tiers = known.get(kind.lower(), ())
        rows: list[dict[str, Any]] = []
        for name in names:
            row: dict[str, Any] = {"kind": kind, "type": kind_of, "skuName": name}
            row["skuAvailable"] = name in tiers
            if name not in tiers:
                row |= {"reason": "NotAvailableForSubscription", "message": f"{kind} has no sku {name}."}
            rows.append(row)
        return _list(rows)

    async def operations(self, _: Call) -> Response:
        return _list(operations_json(self._told))

    async def _account_quotas(self, call: Call) -> tuple[Any, list[Quota]]:
        resource = (await asyncio.to_thread(self._control.account, call.account)).resource
        return resource, await asyncio.to_thread(self._control.quotas, resource.region)


def _matched(pattern: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    names: dict[str, str] = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            names[wanted.strip("{}")] = part
        elif wanted.lower() != part.lower():
            return None
    return names


def _check_version(request: Request) -> None:
    version = request.query_params.get("api-version")
    if not version:
        raise InvalidRequest(
            "The api-version query parameter (?api-version=) is required for all requests.",
            code="MissingApiVersionParameter",
        )
    if not _VERSION.fullmatch(version):
        raise InvalidRequest(
            f"The api-version '{version[:40]}' is invalid: it has to be a date, such as 2023-05-01.",
            code="InvalidApiVersionParameter",
        )


def _keys(first: str | None, second: str | None) -> Response:
    both = {"key1": first, "key2": second}
    return _json({name: key for name, key in both.items() if key is not None}, secret=True)


def _list(rows: list[dict[str, Any]]) -> Response:
    return _json({"value": rows})


def _json(content: object, status: int = 200, *, secret: bool = False) -> Response:
    headers = {"cache-control": "no-store"} if secret else None
    return Response(msgspec.json.encode(content), status, headers=headers, media_type="application/json")
