"""Bearer tokens of an identity provider, through the published SDKs and as bare HTTP."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import openai
import pytest
from azure.ai.vision.imageanalysis import ImageAnalysisClient
from azure.ai.vision.imageanalysis.models import VisualFeatures
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI
from PIL import Image
from tests.support.forging import FORGED, Forge
from tests.support.house import API_VERSION, KEY, RESOURCE, analysis_service, services
from tests.support.issuer import SUBJECT, Issuer, issuing, public_jwk
from tests.support.server import live
from tests.support.wire import CHAT, ask

from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.resources.accounts import Resource
from foveal.resources.token_check import IssuerTokens
from foveal.resources.token_issuer import FIRST_PAUSE, FRESH, PAUSE, IssuerKeys
from foveal.resources.tokens import load_role_table

ANALYZE = "/computervision/imageanalysis:analyze"
FLAT = {
    "statusCode": 401,
    "message": "Unauthorized. Access token is missing, invalid, audience is incorrect "
    "(https://cognitiveservices.azure.com), or have expired.",
}
DENIED = {
    "error": {"code": "PermissionDenied", "message": "Principal does not have access to API/Operation."}
}
HELLO: Any = [{"role": "user", "content": "hello"}]
GRANTED = "5e5e0000-0000-4000-8000-000000000001"


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    """A server that believes `issuer`; `clock` is what its keys age by, `resource` what tokens speak for."""

    issuer: Issuer
    clock: Clock
    http: httpx.Client
    resource: Resource = RESOURCE

    @property
    def url(self) -> str:
        return str(self.http.base_url).rstrip("/")

    def post(self, token: str, path: str = CHAT) -> httpx.Response:
        headers = {b"authorization": f"Bearer {token}".encode()}
        return self.http.post(path, params={"api-version": API_VERSION}, headers=headers, json=ask())

    def analyze(self, token: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", "content-type": "image/png"}
        query = {"api-version": "2023-10-01", "features": "tags"}
        return self.http.post(ANALYZE, params=query, headers=headers, content=png())


@contextmanager
def placed(issuer: Issuer) -> Iterator[Place]:
    clock, door, roles = Clock(), ImageDoor(MediaFetcher()), load_role_table()
    tokens = IssuerTokens(
        IssuerKeys(issuer.url, clock=clock),
        lambda: made.resource,
        roles,
        audiences=["https://cognitiveservices.azure.com", "api://foveal"],
        grants={GRANTED: roles.opened_by(["Cognitive Services OpenAI User"])},
    )
    parts = services(EchoEngine(), door=door, analysis=analysis_service(door=door), tokens=tokens)
    with live(build_app(parts)) as server, httpx.Client(base_url=server.url, timeout=30) as http:
        made = Place(issuer, clock, http)
        yield made
        server.call(door.close())


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "grey").save(out, format="PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with issuing() as issuer, placed(issuer) as made:
        yield made


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_bad_token_gets_the_flat_401(place: Place, forge: Forge) -> None:
    response = place.post(forge(place.issuer))
    assert (response.status_code, response.json()) == (401, FLAT)
    assert place.post(place.issuer.token()).status_code == 200


def test_the_flat_401_of_image_analysis(place: Place) -> None:
    response = place.analyze(place.issuer.token(exp=1))
    assert (response.status_code, response.json()) == (401, FLAT)


def test_the_plain_surface_refuses_in_its_own_form(place: Place) -> None:
    with OpenAI(base_url=f"{place.url}/v1", api_key=place.issuer.token(exp=1), max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            client.models.list()
        assert refused.value.code == "invalid_api_key"
    with OpenAI(base_url=f"{place.url}/v1", api_key=place.issuer.token(roles=[]), max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            client.models.list()
        assert refused.value.code == "PermissionDenied"


def test_without_an_issuer_nothing_is_believed(http: httpx.Client, place: Place) -> None:
    del http.headers["api-key"]
    response = http.post(CHAT, headers={"authorization": f"Bearer {place.issuer.token()}"}, json=ask())
    assert (response.status_code, response.json()) == (401, FLAT)


def test_a_key_goes_on_working_as_a_bearer_token(place: Place) -> None:
    assert place.post(KEY).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://cognitiveservices.azure.com/"},
        {"aud": "api://foveal"},
        {"aud": ["https://graph.microsoft.com", "api://foveal"]},
        {"nbf": None, "iat": None},
        {"roles": "Cognitive Services User"},
        {"roles": ["Cognitive.Services.OpenAI.User"]},
        {"roles": ["Other", "cognitiveservicesuser", 7]},
        {"oid": None},
        {"headers": {"jku": "https://issuer.example/keys", "x5t": "abc", "typ": "at+jwt"}},
    ],
    ids=str,
)
def test_a_good_token(place: Place, changes: dict[str, Any]) -> None:
    assert place.post(place.issuer.token(**changes)).status_code == 200


def test_clocks_may_differ_by_a_minute(place: Place) -> None:
    now = place.issuer.claims()["exp"] - 3600
    assert place.post(place.issuer.token(exp=now - 30)).status_code == 200
    assert place.post(place.issuer.token(nbf=now + 50)).status_code == 200


@pytest.mark.parametrize(
    ("roles", "kind", "chat", "analysis"),
    [
        (["Cognitive Services OpenAI User"], "AIServices", 200, DENIED),
        (["Cognitive Services OpenAI Contributor"], "AIServices", 200, DENIED),
        (["Cognitive Services User"], "AIServices", 200, 200),
        (["Cognitive Services Contributor"], "AIServices", DENIED, DENIED),
        (["Owner"], "AIServices", DENIED, DENIED),
        ([], "AIServices", DENIED, DENIED),
        ({"Cognitive Services User": True}, "AIServices", DENIED, DENIED),
        (["Cognitive Services User"], "OpenAI", 200, FLAT),
        (["Cognitive Services User"], "ComputerVision", FLAT, 200),
        (["Cognitive Services OpenAI User"], "ComputerVision", FLAT, DENIED),
        (["Cognitive Services OpenAI User"], "OpenAI", 200, FLAT),
    ],
)
def test_what_roles_open(
    place: Place, monkeypatch: pytest.MonkeyPatch, roles: Any, kind: str, chat: Any, analysis: Any
) -> None:
    monkeypatch.setattr(place, "resource", replace(RESOURCE, kind=kind))
    token = place.issuer.token(roles=roles)
    for response, expected in ((place.post(token), chat), (place.analyze(token), analysis)):
        if expected == 200:
            assert response.status_code == 200, response.text
        else:
            assert (response.status_code, response.json()) == (401, expected)


def test_a_role_that_the_operator_granted(place: Place) -> None:
    token = place.issuer.token(oid=GRANTED, roles=None)
    assert place.post(token).status_code == 200
    assert place.analyze(token).json() == DENIED
    assert place.post(place.issuer.token(oid=SUBJECT, roles=None)).json() == DENIED


def test_keys_change_without_a_restart() -> None:
    with issuing() as issuer, placed(issuer) as place:
        old = issuer.token()
        assert place.post(old).status_code == 200
        issuer.add("next")
        place.clock.now += PAUSE
        assert place.post(issuer.token("next")).status_code == 200
        issuer.remove("one")
        assert place.post(old).status_code == 200  # nothing has told the server yet
        place.clock.now += FRESH + 1
        assert place.post(old).json() == FLAT
        assert place.post(issuer.token("one")).json() == FLAT
        assert place.post(issuer.token("next")).status_code == 200
        issuer.rows.append(public_jwk("one", issuer.keys["one"]))
        place.clock.now += PAUSE
        assert place.post(old).status_code == 200


def test_while_the_issuer_cannot_be_reached_clients_are_told_to_try_again() -> None:
    with issuing() as issuer, placed(issuer) as place:
        issuer.down = True
        refused = place.post(issuer.token())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["error"]["code"] == "ServiceUnavailable"
        assert place.post("a.b.c").json() == FLAT
        assert place.post(KEY).status_code == 200
        issuer.down = False
        place.clock.now += FIRST_PAUSE
        assert place.post(issuer.token()).status_code == 200


def test_azure_ad_token_of_the_openai_sdk(place: Place) -> None:
    with AzureOpenAI(
        azure_endpoint=place.url, azure_ad_token=place.issuer.token(), api_version=API_VERSION
    ) as client:
        answer = client.chat.completions.create(model="gpt-4v", messages=HELLO)
        assert "hello" in (answer.choices[0].message.content or "")
        stream = client.chat.completions.create(model="gpt-4v", messages=HELLO, stream=True)
        assert any(chunk.choices and chunk.choices[0].delta.content for chunk in stream)
        assert client.models.list().data


def test_azure_ad_token_provider_of_the_openai_sdk(place: Place) -> None:
    """A credential's provider is asked for each request: after a token that has expired comes a new one."""
    tokens = [place.issuer.token(), place.issuer.token(exp=1), place.issuer.token(sub="again")]
    with AzureOpenAI(
        azure_endpoint=place.url,
        azure_ad_token_provider=lambda: tokens.pop(0),
        api_version=API_VERSION,
        max_retries=0,
    ) as client:
        assert client.chat.completions.create(model="gpt-4v", messages=HELLO).choices
        with pytest.raises(openai.AuthenticationError, match="Access token is missing, invalid"):
            client.chat.completions.create(model="gpt-4v", messages=HELLO)
        assert client.chat.completions.create(model="gpt-4v", messages=HELLO).choices


async def test_azure_ad_token_provider_of_the_asynchronous_sdk(place: Place) -> None:
    async def provide() -> str:
        return place.issuer.token()

    async with AsyncAzureOpenAI(
        azure_endpoint=place.url, azure_ad_token_provider=provide, api_version=API_VERSION
    ) as client:
        assert (await client.chat.completions.create(model="gpt-4v", messages=HELLO)).choices


def test_a_missing_role_in_the_openai_sdk(place: Place) -> None:
    with (
        AzureOpenAI(
            azure_endpoint=place.url,
            azure_ad_token=place.issuer.token(roles=None),
            api_version=API_VERSION,
            max_retries=0,
        ) as client,
        pytest.raises(openai.AuthenticationError) as refused,
    ):
        client.chat.completions.create(model="gpt-4v", messages=HELLO)
    assert refused.value.code == "PermissionDenied"


@dataclass
class Credential:
    """A `TokenCredential`; remembers the scopes it was asked for."""

    token: str
    scopes: tuple[str, ...] = ()

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes = scopes
        return AccessToken(self.token, 4_102_444_800)


def test_a_token_credential_of_image_analysis(place: Place) -> None:
    credential = Credential(place.issuer.token())
    with ImageAnalysisClient(place.url, credential) as client:
        assert client.analyze(png(), [VisualFeatures.TAGS], enforce_https=False).tags is not None
    assert credential.scopes == ("https://cognitiveservices.azure.com/.default",)
    weak = Credential(place.issuer.token(roles=["Cognitive Services OpenAI User"]))
    with ImageAnalysisClient(place.url, weak) as client:
        with pytest.raises(ClientAuthenticationError) as refused:
            client.analyze(png(), [VisualFeatures.TAGS], enforce_https=False)
        assert refused.value.error is not None
        assert refused.value.error.code == "PermissionDenied"
