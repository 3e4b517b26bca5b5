"""Bad input that is not about pictures: a 4xx that names the parameter, and the next request is answered."""

from __future__ import annotations

import http.client
import json
from typing import Any

import httpx
import pytest
from tests.support.house import API_VERSION, KEY
from tests.support.server import LiveServer
from tests.support.wire import CHAT, ask, assert_healthy, image

JSON = {"content-type": "application/json"}
MESSAGES = b'"messages":[{"role":"user","content":"hi"}]'


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", "body"),
        (b"   ", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b'"text"', "body"),
        (b"{", "body"),
        (b"{" + MESSAGES + b"} trailing", "body"),
        (b"{" + MESSAGES + b',"temperature":NaN}', "temperature"),
        (b"{" + MESSAGES + b',"top_p":-Infinity}', "top_p"),
        (b"{" + MESSAGES + b',"temperature":1e400}', "temperature"),
        (b"{" + MESSAGES + b',"temperature":1e300}', "temperature"),
        (b"{" + MESSAGES + b',"max_tokens":' + b"9" * 30 + b"}", "max_tokens"),
        (b"{" + MESSAGES + b',"seed":' + b"9" * 9000 + b"}", "seed"),
        (b"{" + MESSAGES + b',"x":' + b"[" * 60 + b"]" * 60 + b"}", "body"),
        (b"{" + MESSAGES + b',"x":' + b'{"a":' * 60 + b"1" + b"}" * 60 + b"}", "body"),
        (b'{"messages":[{"role":"user","content":"\xff\xfe"}]}', "messages.[0].content"),
        (b'{"messages":[{"role":"user","content":"\\ud800"}]}', "body"),
        (b"{" + MESSAGES + b',"n":1,"n":2}', "n"),
        (b'{"messages":{}}', "messages"),
        (b'{"messages":[[]]}', "messages.[0]"),
        (b'{"messages":[{"role":["user"],"content":"x"}]}', "messages.[0].role"),
        (b'{"messages":[{"role":"user","content":{"a":1}}]}', "messages.[0].content"),
        (b"{" + MESSAGES + b',"max_tokens":"many"}', "max_tokens"),
        (b"{" + MESSAGES + b',"stop":{}}', "stop"),
        (b"{" + MESSAGES + b',"logit_bias":{"9e9":1}}', "logit_bias"),
        (b"{" + MESSAGES + b',"n":true}', "n"),
    ],
)
def test_a_body_that_cannot_be_used(http: httpx.Client, body: bytes, param: str) -> None:
    response = http.post(CHAT, content=body, headers=JSON)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"
    assert_healthy(http)


def test_eleven_images(http: httpx.Client) -> None:
    assert http.post(CHAT, json=ask("x", *[image()] * 10)).status_code == 200
    response = http.post(CHAT, json=ask("x", *[image()] * 11))
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "Too many images in request. Max is 10."
    assert response.json()["error"]["param"] == "messages"
    assert_healthy(http)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json"])
def test_415(http: httpx.Client, kind: str) -> None:
    response = http.post(CHAT, content=json.dumps(ask()), headers={"content-type": kind})
    assert response.status_code == 415
    assert response.json()["error"]["code"] == "UnsupportedMediaType"
    assert_healthy(http)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_415_for_encodings(http: httpx.Client, headers: dict[str, str]) -> None:
    assert http.post(CHAT, content=json.dumps(ask()), headers=headers).status_code == 415


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=UTF-8",
        "APPLICATION/JSON;charset=utf8",
        "application/a+json",
        None,
    ],
)
def test_content_types_that_are_taken(http: httpx.Client, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    assert http.post(CHAT, content=json.dumps(ask()).encode(), headers=headers).status_code == 200


def test_413_by_its_declared_length(server: LiveServer, http: httpx.Client) -> None:
    connection = http_connection(server)
    connection.putrequest("POST", f"{CHAT}?api-version={API_VERSION}")
    for name, value in {"api-key": KEY, **JSON, "content-length": "999999999999"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["code"] == "RequestEntityTooLarge"
    connection.close()
    assert_healthy(http)


def test_413_while_it_arrives(http: httpx.Client) -> None:
    def endless() -> Any:
        yield b'{"messages": "'
        for _ in range(50):
            yield b"x" * 1_000_000
        yield b'"}'

    response = http.post(CHAT, content=endless(), headers=JSON)
    assert response.status_code == 413
    assert_healthy(http)


def test_a_wrong_key_is_told_before_the_body_is_read(server: LiveServer) -> None:
    connection = http_connection(server)
    connection.putrequest("POST", f"{CHAT}?api-version={API_VERSION}")
    for name, value in {"api-key": "wrong", **JSON, "content-length": "30000000"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


def http_connection(server: LiveServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
