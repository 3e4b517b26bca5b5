"""Rate limits as clients see them: what is left, what is refused and when to come again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import openai
import pytest
from tests.support.house import API_VERSION, KEY, RESOURCE, Table, deployment, services
from tests.support.server import LiveServer, live

from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.resources.accounts import Principal
from foveal.resources.keys import KeyLimit
from foveal.resources.limits import RateLimits

PARAMS = {"api-version": API_VERSION}
START = 1_700_000_040.0  # a minute begins
TABLE = Table(
    (
        deployment("small", "vision-preview", capacity=1),  # 1,000 tokens, one request in ten seconds
        deployment("ten", "vision-preview", capacity=10),
        deployment("wide", "vision-preview", capacity=150),
        deployment("ptu", "turbo-2024-04-09", sku="ProvisionedManaged", capacity=1),
    )
)


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(tmp_path: Path, clock: Clock) -> Iterator[LiveServer]:
    limits = RateLimits(tmp_path, clock)
    with live(build_app(services(EchoEngine(), deployments=TABLE, limits=limits, waiting=500))) as running:
        yield running
    limits.close()


@pytest.fixture
def client(server: LiveServer) -> Iterator[openai.AzureOpenAI]:
    with openai.AzureOpenAI(
        azure_endpoint=server.url, api_key=KEY, api_version=API_VERSION, max_retries=0
    ) as made:
        yield made


def post(server: LiveServer, name: str, route: str = "chat/completions", **fields: object) -> httpx.Response:
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 10, **fields}
    path = f"/openai/deployments/{name}/{route}"
    return httpx.post(
        server.url + path,
        params={"api-version": API_VERSION},
        headers={"api-key": KEY},
        json=body,
        timeout=30,
    )


def left(answer: httpx.Response) -> tuple[int, int]:
    return (
        int(answer.headers["x-ratelimit-remaining-tokens"]),
        int(answer.headers["x-ratelimit-remaining-requests"]),
    )


def test_what_is_left_is_in_the_headers_and_what_was_not_used_comes_back(server: LiveServer) -> None:
    answer = post(server, "ten", max_tokens=4_000)
    assert left(answer) == (5_994, 9)  # 4,000 for the answer, 6 for the question
    spent = answer.json()["usage"]["total_tokens"]
    assert left(post(server, "ten", max_tokens=10))[0] == 10_000 - spent - 16


def test_a_stream_is_counted_like_any_other(server: LiveServer) -> None:
    streamed = post(server, "ten", stream=True, max_tokens=4_000)
    assert left(streamed) == (5_994, 9)
    assert "[DONE]" in streamed.text
    assert left(post(server, "ten", "extensions/chat/completions"))[1] == 8


def test_the_sdk_raises_its_rate_limit_error(client: openai.AzureOpenAI, clock: Clock) -> None:
    def ask() -> None:
        client.chat.completions.create(model="small", messages=[{"role": "user", "content": "hi"}])

    ask()
    clock.now += 4
    with pytest.raises(openai.RateLimitError) as refused:
        ask()
    assert refused.value.code == "429"
    assert refused.value.body == {
        "code": "429",
        "message": "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
        "2023-12-01-preview have exceeded call rate limit of your current OpenAI S0 pricing tier. Please "
        "retry after 6 seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to "
        "further increase the default rate limit.",
    }
    assert refused.value.response.headers["retry-after"] == "6"
    clock.now += 6
    ask()


def test_too_many_tokens_name_the_route(server: LiveServer) -> None:
    refused = post(server, "small", "extensions/chat/completions", max_tokens=1_000)
    assert refused.status_code == 429
    message = refused.json()["error"]["message"]
    assert "the ExtensionsChatCompletions_Create Operation" in message
    assert "exceeded token rate limit" in message
    plain = httpx.post(
        f"{server.url}/v1/chat/completions",
        headers={"api-key": KEY},
        json={"model": "small", "messages": [{"role": "user", "content": "x" * 5_000}]},
    )
    assert plain.status_code == 429


def test_a_request_that_is_not_in_order_is_not_counted(server: LiveServer) -> None:
    for _ in range(3):
        assert post(server, "small", temperature=9).status_code == 400
    assert post(server, "small").status_code == 200


def test_provisioned_deployments_are_limited_by_utilisation(server: LiveServer) -> None:
    answers = [
        post(server, "ptu", messages=[{"role": "user", "content": "many words " * 60}]) for _ in range(5)
    ]
    assert answers[0].status_code == 200
    assert "x-ratelimit-remaining-requests" not in answers[0].headers
    assert answers[-1].status_code == 429
    assert "provisioned utilization" in answers[-1].json()["error"]["message"]
    assert int(answers[-1].headers["retry-after-ms"]) == 60_000


def test_two_hundred_first_requests_at_once_never_pass_the_limit(server: LiveServer) -> None:
    with ThreadPoolExecutor(40) as pool:
        codes = list(pool.map(lambda _: post(server, "wide", max_tokens=5).status_code, range(200)))
    assert sorted(set(codes)) == [200, 429]
    assert codes.count(200) == 150


def test_a_key_with_limits_of_its_own(tmp_path: Path, clock: Clock) -> None:
    class Keys:
        def check(self, presented: str) -> Principal:
            return Principal(RESOURCE, "key2", KeyLimit(tokens=100))

    limits = RateLimits(tmp_path, clock)
    app = build_app(services(EchoEngine(), keys=Keys(), deployments=TABLE, limits=limits))
    with live(app) as running:
        assert left(post(running, "wide", max_tokens=50)) == (149_944, 149)
        refused = post(running, "ten", max_tokens=90)
    limits.close()
    assert refused.status_code == 429
    assert "exceeded token rate limit of this key. Please retry after 60 seconds." in refused.text
