"""The management API on a data directory of its own, with clients of it and of what it manages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from openai import AzureOpenAI
from sqlalchemy import Engine
from tests.support.house import services
from tests.support.server import live

from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.resources.accounts import open_accounts
from foveal.resources.control import ControlPlane
from foveal.resources.live import LiveAccounts
from foveal.store.database import open_database

ADMIN_KEY = "the-admin-key-of-the-tests"
GROUP = "my-group"
API_VERSION = "2023-05-01"
ACCOUNTS = f"/subscriptions/my-sub/resourceGroups/{GROUP}/providers/Microsoft.CognitiveServices/accounts"


class StaticToken:
    """A `TokenCredential` whose token is the admin key."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(ADMIN_KEY, 4_102_444_800)


@dataclass(frozen=True)
class Managed:
    """A running server; `key` is key 1 of its first resource, `local`."""

    url: str
    key: str
    database: Engine

    def client(self, key: str = ADMIN_KEY) -> CognitiveServicesManagementClient:
        """The SDK, as it speaks to a server without TLS."""
        policy = AzureKeyCredentialPolicy(AzureKeyCredential(key), "api-key")
        return CognitiveServicesManagementClient(
            StaticToken(), "my-sub", base_url=self.url, authentication_policy=policy
        )

    def openai(self, key: str) -> AzureOpenAI:
        return AzureOpenAI(azure_endpoint=self.url, api_key=key, api_version="2024-02-01", max_retries=0)

    def http(self, key: str | None = ADMIN_KEY) -> httpx.Client:
        headers = {} if key is None else {"api-key": key}
        return httpx.Client(
            base_url=self.url, headers=headers, params={"api-version": API_VERSION}, timeout=30
        )

    def says(self, deployment: str, key: str) -> str:
        """What a deployment answers to its openai client."""
        with self.openai(key) as client:
            answer = client.chat.completions.create(
                model=deployment, messages=[{"role": "user", "content": "Hello"}], max_tokens=50
            )
        return answer.choices[0].message.content or ""


def control_plane(
    database: Engine, *, admin_key: str | None = ADMIN_KEY, operator_key: str | None = None
) -> tuple[ControlPlane, LiveAccounts]:
    accounts = LiveAccounts(database, engine="scripted", strict=False)
    control = ControlPlane(
        database,
        admin_key=admin_key,
        operator_key=operator_key,
        engines={"scripted", "echo"},
        changed=accounts.changed,
    )
    return control, accounts


@contextmanager
def managed(
    folder: Path,
    *,
    admin_key: str | None = ADMIN_KEY,
    operator_key: str | None = None,
    certificate: Path | None = None,
) -> Iterator[Managed]:
    """With a `certificate` (a PEM file that has the key too) it speaks TLS."""
    database = open_database(folder)
    _, key = open_accounts(database, operator_key=operator_key, engine="scripted", strict=False)
    control, accounts = control_plane(database, admin_key=admin_key, operator_key=operator_key)
    house = services(EchoEngine(), keys=accounts, deployments=accounts, management=control)
    with live(build_app(house), certificate) as server:
        yield Managed(server.url, key or operator_key or "", database)
    database.dispose()
