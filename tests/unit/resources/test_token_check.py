"""Tokens that are remembered, those of every kind of key, and what the log tells of any."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest
from tests.support.forging import FORGED, STRANGER
from tests.support.house import RESOURCE
from tests.support.issuer import AUDIENCE, SUBJECT, Issuer, issuing

from foveal.assembly.tokens import build_tokens
from foveal.errors import SetupError
from foveal.resources.accounts import Principal, Resource
from foveal.resources.token_check import LEEWAY, IssuerTokens
from foveal.resources.token_issuer import IssuerKey, IssuerKeys
from foveal.resources.tokens import TokenBearer, load_role_table
from foveal.settings import Settings, load_settings

ALL = frozenset({"OpenAI", "ComputerVision"})


@dataclass
class Clock:
    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        running.add("p256", "ES256")
        running.add("p384", "ES384")
        running.add("only", alg="RS256")
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


def checker(
    issuer: Issuer, clock: Callable[[], float] = time.time, resource: Resource | None = RESOURCE
) -> IssuerTokens:
    return IssuerTokens(
        IssuerKeys(issuer.url),
        lambda: resource,
        load_role_table(),
        audiences=[AUDIENCE],
        grants={},
        clock=clock,
    )


async def test_whom_a_token_speaks_for(issuer: Issuer) -> None:
    tokens = checker(issuer)
    assert await tokens.check(issuer.token()) == TokenBearer(Principal(RESOURCE, f"token:{SUBJECT}"), ALL)
    by_subject = await tokens.check(issuer.token(oid=None, sub="someone@example.com"))
    by_application = await tokens.check(issuer.token(oid=None, sub=None, azp="an-application"))
    assert by_subject is not None
    assert by_subject.who.name == "token:someone@example.com"
    assert by_application is not None
    assert by_application.who.name == "token:an-application"


@pytest.mark.parametrize(
    ("kid", "algorithm", "good"),
    [
        *(("one", name, True) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        ("p256", "ES256", True),
        ("p384", "ES384", True),
        ("only", "RS256", True),
        ("only", "PS256", False),
        ("only", "RS512", False),
    ],
)
async def test_algorithms(issuer: Issuer, kid: str, algorithm: str, good: bool) -> None:
    assert (await checker(issuer).check(issuer.token(kid, algorithm)) is not None) is good


async def test_a_remembered_token_ends_when_it_expires(issuer: Issuer, clock: Clock) -> None:
    tokens = checker(issuer, clock)
    token = issuer.token(exp=int(clock.now) + 100)
    assert await tokens.check(token) is not None
    clock.now += 100 + LEEWAY - 2
    assert await tokens.check(token) is not None
    clock.now += 3
    assert await tokens.check(token) is None


async def test_a_token_whose_resource_is_gone(issuer: Issuer) -> None:
    assert await checker(issuer, resource=None).check(issuer.token()) is None


@dataclass
class ReplacedKeys:
    """The keys of `inner`, until each is `replaced` by a stranger's of the same name."""

    inner: IssuerKeys
    replaced: bool = False

    @property
    def names(self) -> frozenset[str]:
        return self.inner.names

    async def get(self, kid: str) -> IssuerKey | None:
        key = await self.inner.get(kid)
        return IssuerKey(STRANGER.public_key(), key.algorithms) if self.replaced and key else key


async def test_a_remembered_token_is_checked_again_when_its_key_was_replaced(issuer: Issuer) -> None:
    keys = ReplacedKeys(IssuerKeys(issuer.url))
    tokens = IssuerTokens(keys, lambda: RESOURCE, load_role_table(), audiences=[AUDIENCE], grants={})
    token = issuer.token()
    assert await tokens.check(token) is not None
    keys.replaced = True
    assert await tokens.check(token) is None


async def test_what_is_remembered_is_bounded(issuer: Issuer) -> None:
    tokens = IssuerTokens(
        IssuerKeys(issuer.url),
        lambda: RESOURCE,
        load_role_table(),
        audiences=[AUDIENCE],
        grants={},
        remember=3,
    )
    good = [issuer.token(number=number) for number in range(5)]
    assert all([await tokens.check(token) for token in good])
    assert tokens.remembered == 3
    assert await tokens.check(good[-1]) is not None
    assert tokens.remembered == 3
    assert await tokens.check(f"{good[0][:-9]}AAAAAAAAA") is None
    assert tokens.remembered == 3


async def test_the_log_holds_nothing_of_a_token(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "rosebud-claim"
    tokens = checker(issuer)
    good = issuer.token(name=secret, roles=[secret])
    bad = [forge(issuer) for forge in FORGED.values()] + [issuer.token(name=secret, exp=1)]
    assert await tokens.check(good) is not None
    for token in bad:
        assert await tokens.check(token) is None
    assert "a bearer token was refused: it has expired" in caplog.text
    said = caplog.text
    assert secret not in said
    for token in [good, *bad]:
        assert not any(piece in said for piece in token.split(".") if len(piece) > 12)


@dataclass(frozen=True)
class TwoResources:
    resources: Mapping[str, Resource]


def accounts() -> TwoResources:
    names = ("first", "second")
    return TwoResources({name: replace(RESOURCE, name=name) for name in names})


def chosen(issuer: Issuer, **more: str) -> Settings:
    return load_settings({"entra_issuer": issuer.url, **more}, {})


async def test_settings_decide_whom_tokens_speak_for(issuer: Issuer) -> None:
    assert build_tokens(load_settings({}, {}), accounts()) is None
    grants = f"{SUBJECT}=Cognitive Services OpenAI User, other=cognitiveservicesuser"
    house = build_tokens(
        chosen(issuer, entra_resource="second", entra_audience="api://a, api://b", entra_grants=grants),
        accounts(),
    )
    assert house is not None
    found = await house.tokens.check(issuer.token(aud="api://b", roles=None))
    second = replace(RESOURCE, name="second")
    assert found == TokenBearer(Principal(second, f"token:{SUBJECT}"), frozenset({"OpenAI"}))
    assert await house.tokens.check(issuer.token()) is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"entra_resource": "third"}, "there is no resource 'third'"),
        ({"entra_audience": ","}, "tokens must be for somebody"),
        ({"entra_grants": "me=Owner"}, "there is no role 'Owner'; there are Cognitive Services OpenAI User,"),
        ({"entra_grants": "Cognitive Services User"}, "use NAME=VALUE"),
        ({"entra_issuer": "http://issuer.example"}, "must be an https address"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_used(issuer: Issuer, settings: dict[str, str], said: str) -> None:
    with pytest.raises(SetupError) as refused:
        build_tokens(chosen(issuer, **settings), accounts())
    assert said in refused.value.message
