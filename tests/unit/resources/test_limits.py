"""Rate limits: how much a deployment may take, counted for all processes together."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from foveal.errors import TooManyRequests
from foveal.resources.deployments import Deployment
from foveal.resources.keys import KeyLimit
from foveal.resources.limits import Operation, RateLimits, Reservation

CHAT = Operation("ChatCompletions_Create", "2023-12-01-preview", "S0")
ONE = Deployment("gpt-4v", "gpt-4", "vision-preview", "echo", capacity=1)  # 1,000 tokens, 6 requests a minute
TEN = Deployment("gpt-4v", "gpt-4", "vision-preview", "echo", capacity=10)


class Clock:
    def __init__(self) -> None:
        self.now = 6_000.0  # a minute and a slice begin

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(tmp_path: Path, clock: Clock) -> Iterator[RateLimits]:
    made = RateLimits(tmp_path, clock)
    yield made
    made.close()


def take(limits: RateLimits, tokens: int = 1, deployment: Deployment = TEN) -> Reservation:
    return limits.reserve("local", deployment, tokens, CHAT)


def test_what_is_left_is_told(limits: RateLimits) -> None:
    assert take(limits, 400).headers() == {
        "x-ratelimit-remaining-tokens": "9600",
        "x-ratelimit-remaining-requests": "9",  # of the ten in ten seconds
    }
    assert take(limits, 600).headers()["x-ratelimit-remaining-tokens"] == "9000"


def test_the_last_token_is_given_and_no_more(limits: RateLimits, clock: Clock) -> None:
    take(limits, 9_999)
    clock.now += 12.5
    with pytest.raises(TooManyRequests) as refused:
        take(limits, 2)
    assert refused.value.message == (
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2023-12-01-preview "
        "have exceeded token rate limit of your current OpenAI S0 pricing tier. "
        "Please retry after 48 seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like "
        "to further increase the default rate limit."
    )
    assert refused.value.headers == {"retry-after": "48", "retry-after-ms": "47500"}
    assert take(limits, 1).remaining_tokens == 0
    clock.now += 47.5
    assert take(limits, 10_000).remaining_tokens == 0


def test_requests_are_judged_in_slices_of_ten_seconds(limits: RateLimits, clock: Clock) -> None:
    take(limits, deployment=ONE)
    clock.now += 3
    with pytest.raises(TooManyRequests, match=r"have exceeded call rate limit .* retry after 7 seconds"):
        take(limits, deployment=ONE)
    clock.now += 7
    assert take(limits, deployment=ONE).remaining_requests == 0


def test_a_request_larger_than_the_limit_is_always_refused(limits: RateLimits, clock: Clock) -> None:
    for _ in range(2):
        with pytest.raises(TooManyRequests, match="token rate limit"):
            take(limits, 1_001, ONE)
        clock.now += 60


def test_what_was_not_used_is_given_back_in_the_same_minute(limits: RateLimits, clock: Clock) -> None:
    first = take(limits, 9_000)
    limits.settle(first, 100)
    assert take(limits, 9_900).remaining_tokens == 0
    clock.now += 60
    late = take(limits, 10_000)
    clock.now += 60
    limits.settle(late, 0)  # of a minute that is over
    assert take(limits, 4_000).remaining_tokens == 6_000


def test_what_was_used_beyond_the_estimate_counts(limits: RateLimits) -> None:
    limits.settle(take(limits, 10), 9_500)
    with pytest.raises(TooManyRequests):
        take(limits, 501)
    assert take(limits, 500).remaining_tokens == 0


def test_deployments_and_resources_have_limits_of_their_own(limits: RateLimits) -> None:
    take(limits, 10_000)
    limits.reserve("other", TEN, 10_000, CHAT)
    limits.reserve("local", Deployment("b", "gpt-4", "vision-preview", "echo", capacity=10), 10_000, CHAT)


def test_a_provisioned_deployment_takes_requests_while_less_than_all_is_used(
    limits: RateLimits, clock: Clock
) -> None:
    provisioned = Deployment("ptu", "gpt-4", "turbo-2024-04-09", "echo", sku="ProvisionedManaged", capacity=2)
    for _ in range(30):  # requests are not limited
        assert limits.reserve("local", provisioned, 1, CHAT).remaining_requests is None
    limits.reserve("local", provisioned, 50_000, CHAT)
    clock.now += 30
    with pytest.raises(TooManyRequests, match=r"provisioned utilization of this deployment \(100%\)") as over:
        limits.reserve("local", provisioned, 1, CHAT)
    assert over.value.headers["retry-after-ms"] == "30000"


def test_many_threads_never_pass_the_limit(limits: RateLimits) -> None:
    roomy = Deployment("gpt-4v", "gpt-4", "vision-preview", "echo", capacity=120)

    def ask(_: int) -> bool:
        try:
            take(limits, 1_000, roomy)
        except TooManyRequests:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(ask, range(200))) == 120


def by_key(limits: RateLimits, tokens: int, limit: KeyLimit, key: str = "key1") -> Reservation:
    return limits.reserve("local", TEN, tokens, CHAT, (key, limit))


def test_a_key_may_have_limits_of_its_own(limits: RateLimits, clock: Clock) -> None:
    limit = KeyLimit(tokens=1_000)
    first = by_key(limits, 900, limit)
    assert first.remaining_tokens == 9_100  # of the deployment
    with pytest.raises(TooManyRequests, match=r"have exceeded token rate limit of this key\. Please retry"):
        by_key(limits, 200, limit)
    by_key(limits, 200, limit, "key2")
    assert take(limits, 1).remaining_tokens == 8_899  # what was refused was not counted
    limits.settle(first, 100)
    assert by_key(limits, 900, limit).remaining_tokens == 8_799
    clock.now += 60
    for _ in range(2):  # of 12 in a minute, 2 in ten seconds
        by_key(limits, 1, KeyLimit(requests=12))
    with pytest.raises(TooManyRequests, match="call rate limit of this key"):
        by_key(limits, 1, KeyLimit(requests=12))


RACE = """
import json, sys
from pathlib import Path
from foveal.errors import TooManyRequests
from foveal.resources.deployments import Deployment
from foveal.resources.limits import Operation, RateLimits

limits = RateLimits(Path(sys.argv[1]), lambda: 6_000.0)
deployment = Deployment("gpt-4v", "gpt-4", "vision-preview", "echo", capacity=100)
print("ready", flush=True)
sys.stdin.readline()
taken = 0
for _ in range(200):
    try:
        limits.reserve("local", deployment, 730, Operation("ChatCompletions_Create", "2024-02-01", "S0"))
        taken += 1
    except TooManyRequests:
        pass
print(json.dumps(taken), flush=True)
"""


def test_several_processes_share_one_limit(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        taken = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert sum(taken) == 100  # requests of a slice; 137 would fit by their tokens
