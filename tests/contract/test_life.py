"""Clients that leave, servers that stop, engines that fail half way; the lists and the operator's pages."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any

import httpx
import pytest
from tests.support.engines import EndlessEngine, ScriptedEngine
from tests.support.house import API_VERSION, KEY, Ready, services
from tests.support.server import LiveServer, live
from tests.support.wire import CHAT, ask, chunks, frames

from foveal.errors import EngineError
from foveal.http.app import build_app

PATH = f"{CHAT}?api-version={API_VERSION}"
HEADERS = {"api-key": KEY, "content-type": "application/json"}


def begin(server: LiveServer, **fields: Any) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", PATH, json.dumps(ask(**fields)), HEADERS)
    return connection


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_stops_the_engine(stream: bool) -> None:
    engine = EndlessEngine()
    with live(build_app(services(engine, running=1, waiting=0))) as server:
        connection = begin(server, stream=stream)
        server.call(engine.started.wait())
        if stream:
            response = connection.getresponse()
            assert response.readline().startswith(b"data: ")
            response.close()
        connection.close()
        server.call(engine.stopped.wait())
        engine.release.set()
        assert httpx.post(server.url + PATH, headers=HEADERS, json=ask()).status_code == 200


def test_the_first_token_is_sent_as_soon_as_it_exists() -> None:
    engine = EndlessEngine()
    with live(build_app(services(engine))) as server:
        connection = begin(server, stream=True)
        response = connection.getresponse()
        while b"first" not in response.readline():
            pass
        assert not engine.release.is_set()
        server.call(_release(engine))
        assert b" last" in response.read()
        connection.close()


async def _release(engine: EndlessEngine) -> None:
    engine.release.set()


@pytest.mark.parametrize("stream", [False, True])
def test_a_stopping_server_finishes_what_it_began(stream: bool) -> None:
    engine = EndlessEngine()
    answers: list[str] = []
    with live(build_app(services(engine))) as server:
        connection = begin(server, stream=stream)
        reader = threading.Thread(target=lambda: answers.append(connection.getresponse().read().decode()))
        reader.start()
        server.call(engine.started.wait())
        server.begin_stop()
        server.call(_release(engine))
        reader.join(20)
        connection.close()
    assert "last" in answers[0]
    if stream:
        assert "first last" in "".join(
            choice["delta"].get("content", "") for chunk in chunks(answers[0]) for choice in chunk["choices"]
        )


def test_an_engine_that_fails_half_way() -> None:
    engine = ScriptedEngine(["a", "b"], fail_at=(1, EngineError("The server behind is gone.")))
    with live(build_app(services(engine))) as server:
        whole = httpx.post(server.url + PATH, headers=HEADERS, json=ask())
        streamed = httpx.post(server.url + PATH, headers=HEADERS, json=ask(stream=True))
    assert whole.status_code == 502
    assert whole.json() == {"error": {"code": "EngineError", "message": "The server behind is gone."}}
    assert streamed.status_code == 200
    *_, last = frames(streamed.text)
    assert json.loads(last) == whole.json()


def test_an_engine_that_fails_at_once() -> None:
    engine = ScriptedEngine(["a"], fail_at=(0, EngineError("Not today.")))
    with live(build_app(services(engine))) as server:
        streamed = httpx.post(server.url + PATH, headers=HEADERS, json=ask(stream=True))
    assert streamed.status_code == 502


def test_lists(http: httpx.Client) -> None:
    models = http.get("/openai/models").json()
    assert models["object"] == "list"
    assert [row["id"] for row in models["data"]] == [
        "gpt-4-1106-Preview",
        "gpt-4-0125-Preview",
        "gpt-4-vision-preview",
        "gpt-4-turbo-2024-04-09",
    ]
    assert http.get("/openai/models/gpt-4-vision-preview").json() == models["data"][2]
    assert http.get("/openai/models/nope").status_code == 404
    rows = http.get("/openai/deployments", params={"api-version": "2022-12-01"}).json()["data"]
    assert rows[0]["id"] == "gpt-4v"
    assert (rows[0]["object"], rows[0]["status"], rows[0]["model"]) == ("deployment", "succeeded", "gpt-4")
    assert http.get("/openai/deployments/gpt-4v").json() == rows[0]
    assert http.get("/openai/deployments/nope").json()["error"]["code"] == "DeploymentNotFound"
    plain = http.get("/v1/models").json()
    assert plain["data"][0]["id"] == "gpt-4v"
    assert "Repeats" in plain["data"][0]["description"]
    assert http.get("/v1/models/gpt-4v").json() == plain["data"][0]
    assert http.get("/v1/models/nope").json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    "path", ["/openai/models", "/openai/deployments/gpt-4v", "/v1/models", "/v1/models/x"]
)
def test_lists_need_a_key(server: LiveServer, path: str) -> None:
    assert httpx.get(f"{server.url}{path}?api-version={API_VERSION}").status_code == 401


def test_lists_need_an_api_version(server: LiveServer) -> None:
    assert httpx.get(f"{server.url}/openai/models", headers={"api-key": KEY}).status_code == 404


def test_health_and_readiness(server: LiveServer) -> None:
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
    assert httpx.head(f"{server.url}/healthz").status_code == 200
    assert httpx.get(f"{server.url}/readyz").json() == {"status": "ready"}
    loading = services(ScriptedEngine(), readiness=Ready(("engine evidence is loading",)))
    with live(build_app(loading)) as other:
        response = httpx.get(f"{other.url}/readyz")
    assert response.status_code == 503
    assert response.json()["missing"] == ["engine evidence is loading"]


def test_metrics() -> None:
    with live(build_app(services(ScriptedEngine()))) as server:
        httpx.post(server.url + PATH, headers=HEADERS, json=ask())
        httpx.post(server.url + PATH, headers=HEADERS, json=ask(stream=True))
        httpx.get(f"{server.url}/made/up/path")
        text = httpx.get(f"{server.url}/metrics").text
    assert 'route="/openai/deployments/{deployment}/chat/completions",status="200"} 2.0' in text
    assert 'route="unknown",status="404"} 1.0' in text
    assert 'foveal_tokens_total{kind="completion"} 8.0' in text
    assert 'foveal_engine_waiting{engine="scripted"} 0.0' in text
    assert "foveal_request_seconds_bucket" in text
    assert "made/up" not in text
