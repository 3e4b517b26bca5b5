"""Every row of Azure's error table that concerns this surface: the same status, the same shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support.engines import ScriptedEngine
from tests.support.house import API_VERSION, KEY, services
from tests.support.server import LiveServer, live
from tests.support.wire import CHAT, ask, assert_healthy, image

from foveal.engines.base import Abilities
from foveal.http.app import build_app

NOT_FOUND = {"error": {"code": "404", "message": "Resource not found"}}
ACCESS_DENIED = {
    "error": {
        "code": "401",
        "message": "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
        "provide a valid key for an active subscription and use a correct regional API endpoint for your "
        "resource.",
    }
}
UNAUTHORIZED = {
    "statusCode": 401,
    "message": "Unauthorized. Access token is missing, invalid, audience is incorrect "
    "(https://cognitiveservices.azure.com), or have expired.",
}
TOOLS = [{"type": "function", "function": {"name": "f"}}]


def route(deployment: str, *, extensions: bool = False) -> str:
    return f"/openai/deployments/{deployment}/{'extensions/' if extensions else ''}chat/completions"


def extra(field: str) -> dict[str, Any]:
    return {
        "error": {
            "message": f"1 validation error for Request\nbody -> {field}\n"
            "  extra fields not permitted (type=value_error.extra)",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
    }


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ACCESS_DENIED),
        ({"api-key": "wrong"}, ACCESS_DENIED),
        ({"api-key": "wrong", "authorization": f"Bearer {KEY}"}, ACCESS_DENIED),
        ({"ocp-apim-subscription-key": "wrong"}, ACCESS_DENIED),
        ({"authorization": "Basic eDp5"}, ACCESS_DENIED),
        ({"authorization": "Bearer wrong"}, UNAUTHORIZED),
        ({"authorization": "Bearer"}, UNAUTHORIZED),
        ({"api-key": "ü"}, ACCESS_DENIED),
    ],
)
def test_401(server: LiveServer, headers: dict[str, str], expected: Any) -> None:
    encoded = {name.encode(): value.encode() for name, value in headers.items()}
    response = httpx.post(f"{server.url}{CHAT}?api-version={API_VERSION}", headers=encoded, json=ask())
    assert (response.status_code, response.json()) == (401, expected)


@pytest.mark.parametrize(
    "headers",
    [
        {"api-key": KEY},
        {"api-key": KEY, "authorization": f"Bearer {KEY}"},
        {"Ocp-Apim-Subscription-Key": KEY},
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer {KEY}"},
    ],
)
def test_every_place_of_a_key(server: LiveServer, headers: dict[str, str]) -> None:
    response = httpx.post(f"{server.url}{CHAT}?api-version={API_VERSION}", headers=headers, json=ask())
    assert response.status_code == 200


def test_404(http: httpx.Client) -> None:
    for path in ("/", "/openai", "/openai/deployments/gpt-4v/completions", "/openai/deployments/gpt-4v/x"):
        response = http.post(path, json=ask())
        assert (response.status_code, response.json()) == (404, NOT_FOUND)
    unknown = http.post(route("nope"), json=ask())
    assert unknown.status_code == 404
    assert unknown.json()["error"]["code"] == "DeploymentNotFound"
    assert unknown.json()["error"]["message"].startswith(
        "The API deployment for this resource does not exist."
    )


@pytest.mark.parametrize("version", [None, "", "2031-01-01", "2023-12-01"])
def test_an_api_version_that_is_not_known(server: LiveServer, version: str | None) -> None:
    params = {} if version is None else {"api-version": version}
    lenient = httpx.post(server.url + CHAT, params=params, headers={"api-key": KEY}, json=ask())
    assert lenient.status_code == 404
    assert lenient.json()["error"]["code"] == "404"
    assert lenient.json()["error"]["message"].startswith("Resource not found")
    assert API_VERSION in lenient.json()["error"]["message"]
    strict = httpx.post(server.url + route("strict-v"), params=params, headers={"api-key": KEY}, json=ask())
    assert (strict.status_code, strict.json()) == (404, NOT_FOUND)


def test_405_and_options(http: httpx.Client) -> None:
    response = http.get(CHAT)
    assert response.status_code == 405
    assert response.json()["error"]["code"] == "405"
    assert response.headers["allow"] == "POST"
    options = http.options(CHAT)
    assert (options.status_code, options.headers["allow"]) == (204, "POST")
    assert "access-control-allow-origin" not in options.headers


@pytest.mark.parametrize(
    ("deployment", "fields", "expected"),
    [
        ("strict-v", {"enhancements": {"ocr": {"enabled": True}}}, extra("enhancements")),
        ("strict-v", {"tools": TOOLS}, extra("tools")),
        ("strict-v", {"functions": [{"name": "f"}]}, extra("functions")),
        ("strict-v", {"response_format": {"type": "json_object"}}, extra("response_format")),
        ("strict-v", {"logprobs": True}, extra("logprobs")),
        ("strict-v", {"logit_bias": {"1": 1}}, extra("logit_bias")),
        ("strict-v", {"my_field": 1}, extra("my_field")),
        ("strict-turbo", {"my_field": 1}, extra("my_field")),
        ("strict-turbo", {"stream": True, "stream_options": {}}, extra("stream_options")),
        (
            "strict-v",
            {"stop": None},
            {
                "error": {
                    "message": "1 validation error for Request\nbody -> stop\n"
                    "  none is not an allowed value (type=type_error.none.not_allowed)",
                    "type": "invalid_request_error",
                    "param": None,
                    "code": None,
                }
            },
        ),
    ],
)
def test_strict_refusals(http: httpx.Client, deployment: str, fields: Any, expected: Any) -> None:
    response = http.post(route(deployment), json=ask(**fields))
    assert (response.status_code, response.json()) == (400, expected)
    assert_healthy(http)


def test_strict_allows_what_azure_allowed(http: httpx.Client) -> None:
    response = http.post(route("strict-v"), json=ask("a b c", image(), model="x", seed=1, user="me", n=1))
    assert response.status_code == 200
    assert response.json()["usage"]["completion_tokens"] <= 16
    tools = http.post(route("strict-turbo"), json=ask("x", tools=TOOLS, stop=None, max_tokens=20))
    assert tools.status_code == 200
    extended = http.post(
        route("strict-v", extensions=True), json=ask(enhancements={"ocr": {"enabled": False}}, dataSources=[])
    )
    assert extended.status_code == 200


def test_strict_routes_of_a_version(server: LiveServer) -> None:
    params = {"api-version": "2024-02-15-preview"}
    gone = httpx.post(
        server.url + route("strict-v", extensions=True), params=params, headers={"api-key": KEY}, json=ask()
    )
    assert (gone.status_code, gone.json()) == (404, NOT_FOUND)
    kept = httpx.post(
        server.url + route("gpt-4v", extensions=True), params=params, headers={"api-key": KEY}, json=ask()
    )
    assert kept.status_code == 200


def test_0409_has_no_enhancements(http: httpx.Client) -> None:
    message = "The deployed GPT model does not support Vision Enhancement and On Your Data (OYD) with images"
    enhanced = ask("x", image(), enhancements={"grounding": {"enabled": True}})
    for path in (route("gpt-4-turbo"), route("gpt-4-turbo", extensions=True)):
        response = http.post(path, json=enhanced)
        assert (response.status_code, response.json()["error"]["message"]) == (400, message)
    strict = http.post(route("strict-turbo", extensions=True), json=ask())
    assert (strict.status_code, strict.json()["error"]["message"]) == (400, message)


def test_what_is_not_an_enhancement_of_this_server_is_refused_by_name(http: httpx.Client) -> None:
    for name in ("video", "telepathy"):
        response = http.post(
            route("gpt-4v", extensions=True), json=ask(enhancements={name: {"enabled": "true"}})
        )
        assert response.status_code == 400
        assert response.json()["error"]["param"] == f"enhancements.{name}"


@pytest.mark.parametrize("deployment", ["gpt-4-text", "gpt-4-provisioned"])
def test_a_picture_for_a_model_that_takes_none(http: httpx.Client, deployment: str) -> None:
    response = http.post(route(deployment), json=ask("look", image()))
    assert response.status_code == 400
    assert response.json() == {
        "error": {
            "message": "Invalid content type. image_url is only supported by certain models.",
            "type": "invalid_request_error",
            "param": "messages.[0].content.[1].type",
            "code": None,
        }
    }
    assert http.post(route(deployment), json=ask("look")).status_code == 200


@pytest.mark.parametrize("deployment", ["gpt-4v", "gpt-4-turbo"])
def test_json_mode_and_tools_are_for_text(http: httpx.Client, deployment: str) -> None:
    response = http.post(
        route(deployment), json=ask("json", image(), response_format={"type": "json_object"})
    )
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "response_format"
    assert response.json()["error"]["message"] == (
        "Invalid parameter: 'response_format' of type 'json_object' is not supported with this model."
    )
    response = http.post(route(deployment), json=ask("x", image(), tools=TOOLS))
    assert (response.status_code, response.json()["error"]["param"]) == (400, "tools")
    assert http.post(route(deployment), json=ask("x", tools=TOOLS)).status_code == 200


def test_a_picture_that_cannot_be_used(http: httpx.Client) -> None:
    for url in (
        "http://127.0.0.1:9/private.png",
        "data:image/png;base64,!!!!",
        "data:image/png;base64,AAAA",
        "ftp://example.com/x.png",
        "",
    ):
        response = http.post(CHAT, json=ask("x", image(url)))
        assert response.status_code == 400, url
        error = response.json()["error"]
        assert error["param"] == "messages.[0].content.[1].image_url.url"
        assert set(error) == {"code", "message", "param", "type"}
        assert_healthy(http)


def test_a_deployment_without_its_engine_is_503(http: httpx.Client) -> None:
    response = http.post(route("no-engine"), json=ask())
    assert (response.status_code, response.json()["error"]["code"]) == (503, "ServiceUnavailable")


@pytest.fixture(scope="module")
def broken() -> Iterator[str]:
    engine = ScriptedEngine(["a", "b"], fail_at=(0, RuntimeError("secret detail")))
    with live(build_app(services(engine))) as running:
        yield running.url


@pytest.mark.parametrize("stream", [False, True])
def test_an_unexpected_error_tells_nothing(broken: str, stream: bool) -> None:
    response = httpx.post(
        f"{broken}{CHAT}?api-version={API_VERSION}", headers={"api-key": KEY}, json=ask(stream=stream)
    )
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "InternalServerError"
    assert "secret" not in response.text
    assert response.headers["apim-request-id"]


def test_no_ability_for_pictures() -> None:
    engine = ScriptedEngine(abilities=Abilities(images=False))
    with live(build_app(services(engine))) as running:
        response = httpx.post(
            f"{running.url}{CHAT}?api-version={API_VERSION}",
            headers={"api-key": KEY},
            json=ask("x", image()),
        )
    assert response.json()["error"]["param"] == "messages.[0].content.[1].type"


def test_the_plain_surface_has_openai_s_shape(http: httpx.Client) -> None:
    response = http.post("/v1/chat/completions", json=ask(model="gpt-4v", temperature=5))
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert response.json()["error"]["param"] == "temperature"
    missing = http.post("/v1/chat/completions", json=ask())
    assert (missing.status_code, missing.json()["error"]["param"]) == (400, "model")
    assert http.get("/v1/nothing").json()["error"]["type"] == "invalid_request_error"
