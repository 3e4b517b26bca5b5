"""The lists: models and deployments in the form of Azure's older data plane, and OpenAI's /v1/models."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from foveal.errors import DeploymentNotFound, NotFound
from foveal.http.auth import authenticate
from foveal.http.services import Services
from foveal.resources.deployments import Deployment
from foveal.resources.versions import ModelVersion

NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within the last "
    "5 minutes, please wait a moment and try again."
)


class CatalogueRoutes:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def models(self, request: Request) -> Response:
        await self._check(request)
        return _list([_model(version) for version in self._services.model_versions.values()])

    async def model(self, request: Request) -> Response:
        await self._check(request)
        wanted = request.path_params["id"]
        for version in self._services.model_versions.values():
            if version.id == wanted:
                return _json(_model(version))
        raise NotFound(f"The model '{wanted[:80]}' does not exist.", code="ModelNotFound")

    async def deployments(self, request: Request) -> Response:
        resource = await self._check(request)
        return _list([_deployment(row) for row in self._services.deployments.all(resource)])

    async def deployment(self, request: Request) -> Response:
        resource = await self._check(request)
        row = self._services.deployments.find(resource, request.path_params["id"])
        if row is None:
            raise DeploymentNotFound(NO_DEPLOYMENT)
        return _json(_deployment(row))

    async def plain_models(self, request: Request) -> Response:
        resource = (await authenticate(request, self._services)).resource.name
        return _list([self._plain(row) for row in self._services.deployments.all(resource)])

    async def plain_model(self, request: Request) -> Response:
        resource = (await authenticate(request, self._services)).resource.name
        wanted = request.path_params["id"]
        row = self._services.deployments.find(resource, wanted)
        if row is None:
            raise no_such_model(wanted)
        return _json(self._plain(row))

    async def _check(self, request: Request) -> str:
        """The resource's name, after key and api-version were found good."""
        resource = (await authenticate(request, self._services)).resource
        self._services.api_versions.get(request.query_params.get("api-version"), strict=self._services.strict)
        return resource.name

    def _plain(self, row: Deployment) -> dict[str, Any]:
        abilities = self._services.chat.abilities_of(row)
        return {
            "id": row.name,
            "object": "model",
            "created": row.created_at,
            "owned_by": "foveal",
            "model": row.model,
            "version": row.version,
            "engine": row.engine,
            "description": "" if abilities is None else abilities.notes,
        }


def no_such_model(name: str) -> DeploymentNotFound:
    return DeploymentNotFound(
        f"The model '{name[:80]}' does not exist or you do not have access to it.", param="model"
    )


def _model(version: ModelVersion) -> dict[str, Any]:
    return {
        "capabilities": {
            "fine_tune": False,
            "inference": True,
            "completion": False,
            "chat_completion": True,
            "embeddings": False,
            "scale_types": ["standard"],
        },
        "lifecycle_status": "generally-available" if "preview" not in version.version.lower() else "preview",
        "deprecation": {"inference": version.retired},
        "id": version.id,
        "model": version.name,
        "version": version.version,
        "status": "succeeded",
        "created_at": version.created,
        "updated_at": version.created,
        "object": "model",
    }


def _deployment(row: Deployment) -> dict[str, Any]:
    return {
        "scale_settings": {
            "scale_type": "standard" if row.sku == "Standard" else "manual",
            "capacity": row.capacity,
        },
        "model": row.model,
        "version": row.version,
        "owner": "organization-owner",
        "id": row.name,
        "status": "succeeded",
        "created_at": row.created_at,
        "updated_at": row.updated_at or row.created_at,
        "object": "deployment",
    }


def _list(rows: list[dict[str, Any]]) -> Response:
    return _json({"data": rows, "object": "list"})


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
