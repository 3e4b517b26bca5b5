"""Where the keys of tokens come from, with an identity provider on loopback."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, SECP521R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import RSAAlgorithm
from tests.support.issuer import Issuer, issuing, make_key, public_jwk
from tests.support.server import live

from foveal.errors import SetupError
from foveal.resources import token_issuer
from foveal.resources.token_issuer import FIRST_PAUSE, FRESH, PAUSE, TRUSTED, IssuerKeys, read_keys
from foveal.resources.tokens import IssuerUnavailable

TENANT = "3d0d1c7e-0000-4000-8000-00000000beef"


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> IssuerKeys:
    return IssuerKeys(issuer.url, clock=clock)


async def test_many_first_requests_fetch_once(issuer: Issuer, keys: IssuerKeys) -> None:
    found = await asyncio.gather(*(keys.get("one") for _ in range(50)))
    assert all(key is found[0] and key is not None for key in found)
    assert issuer.asked == 1


async def test_a_storm_of_unknown_kids_fetches_once_a_minute(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    await keys.get("one")
    clock.now += PAUSE
    await asyncio.gather(*(keys.get(f"forged-{number}") for number in range(200)))
    assert issuer.asked == 2
    clock.now += PAUSE - 1
    assert await keys.get("forged") is None
    assert issuer.asked == 2
    clock.now += 1
    assert await keys.get("forged") is None
    assert issuer.asked == 3


async def test_keys_are_fetched_again_when_they_are_no_longer_fresh(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    first = await keys.get("one")
    clock.now += FRESH
    assert await keys.get("one") is first
    assert issuer.asked == 1
    clock.now += 1
    assert await keys.get("one") is first  # the same document: the same keys
    assert issuer.asked == 2
    issuer.rows = [public_jwk("two", issuer.keys["one"])]
    clock.now += FRESH + 1
    assert await keys.get("one") is None


async def test_an_empty_key_set_takes_all_keys_away(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    assert await keys.get("one") is not None
    issuer.rows = []
    clock.now += FRESH + 1
    assert await keys.get("one") is None


async def test_known_keys_are_believed_for_a_day_while_the_issuer_is_down(
    issuer: Issuer, keys: IssuerKeys, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    first = await keys.get("one")
    issuer.down = True
    clock.now += TRUSTED
    assert await keys.get("one") is first
    assert "answers 503" in caplog.text
    clock.now += 1
    with pytest.raises(IssuerUnavailable):
        await keys.get("one")
    issuer.down = False
    clock.now += PAUSE
    assert await keys.get("one") is first


async def test_an_issuer_that_is_down_at_the_start_is_asked_again_soon(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    issuer.down = True
    for _ in range(3):
        with pytest.raises(IssuerUnavailable):
            await keys.get("one")
    issuer.down = False
    clock.now += FIRST_PAUSE
    assert await keys.get("one") is not None


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"issuer": "https://elsewhere.example"}, "that of 'https://elsewhere.example'"),
        ({"jwks_uri": "https://elsewhere.example/keys"}, "another host, elsewhere.example"),
        ({"jwks_uri": "http://127.0.0.1:9/keys"}, "another host"),
        ({"jwks_uri": "file:///etc/passwd"}, "the address of its keys"),
        ({"jwks_uri": "http://user@127.0.0.1/keys"}, "the address of its keys"),
        ({"jwks_uri": None}, "discovery document is none"),
        ({"issuer": 7}, "discovery document is none"),
    ],
    ids=str,
)
async def test_a_discovery_document_that_leads_astray(
    issuer: Issuer, keys: IssuerKeys, caplog: pytest.LogCaptureFixture, told: dict[str, Any], said: str
) -> None:
    issuer.discovery = told
    with pytest.raises(IssuerUnavailable):
        await keys.get("one")
    assert said in caplog.text
    assert issuer.asked == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "key set is none"),
        (b"[]", "key set is none"),
        (b'{"keys": 1}', "key set is none"),
        (b'{"keys": [' + b'{"x":' * 3000, "key set is none"),
        (b" " * (token_issuer.MAX_BYTES + 1), "more than"),
    ],
    ids=["html", "list", "number", "nested", "huge"],
)
async def test_a_key_set_that_is_none(
    issuer: Issuer, keys: IssuerKeys, caplog: pytest.LogCaptureFixture, body: bytes, said: str
) -> None:
    issuer.key_set = body
    with pytest.raises(IssuerUnavailable):
        await keys.get("one")
    assert said in caplog.text


async def test_a_redirect_is_not_followed(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    with live(issuer.redirecting()) as other, pytest.raises(IssuerUnavailable):
        await IssuerKeys(f"{other.url}/tenant").get("one")
    assert "answers 307" in caplog.text
    assert issuer.asked == 0


async def test_an_issuer_that_nobody_answers_for(caplog: pytest.LogCaptureFixture) -> None:
    with live(Issuer().app()) as gone:
        pass
    with pytest.raises(IssuerUnavailable):
        await IssuerKeys(f"{gone.url}/tenant").get("one")
    assert "cannot be reached" in caplog.text


def test_rows_of_a_key_set_that_are_of_use() -> None:
    rsa, ec = make_key(), make_key("ES384")
    assert isinstance(rsa, RSAPrivateKey)
    private = RSAAlgorithm.to_jwk(rsa, as_dict=True)
    good = [
        public_jwk("rsa", rsa, use=None),
        public_jwk("only", rsa, alg="RS256", key_ops=["verify"]),
        public_jwk("p256", make_key("ES256")),
        public_jwk("p384", ec),
    ]
    bad = [
        public_jwk("weak", make_key(bits=1024)),
        public_jwk("encryption", rsa, use="enc"),
        public_jwk("signing", rsa, key_ops=["sign"]),
        public_jwk("operations", rsa, key_ops=5),
        public_jwk("symmetric alg", rsa, alg="HS256"),
        public_jwk("no alg", rsa, alg="none"),
        public_jwk("p521", generate_private_key(SECP521R1())),
        public_jwk("k256", generate_private_key(SECP256K1())),
        public_jwk("off the curve", ec, x="AA"),
        public_jwk("no modulus", rsa, n=None),
        public_jwk("modulus of a number", rsa, n=3),
        public_jwk("even exponent", rsa, e="AA"),
        {**private, "kid": "private", "use": "sig", "key_ops": ["verify"]},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0", "alg": "HS256"},
        {"kty": ["RSA"], "kid": "list"},
        {"kid": "nothing"},
        public_jwk("rsa", make_key()),  # a second of this name
        {**public_jwk("x", rsa), "kid": 7},
    ]
    found = read_keys(json.dumps({"keys": good + bad}).encode())
    assert {kid: key.algorithms for kid, key in found.items()} == {
        "rsa": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
        "only": ("RS256",),
        "p256": ("ES256",),
        "p384": ("ES384",),
    }
    assert found["rsa"].key == rsa.public_key()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://issuer.example/tenant", "must be an https address"),
        ("issuer.example", "is no address"),
        ("ftp://issuer.example", "is no address"),
        ("https://user:secret@issuer.example", "is no address"),
        ("https://issuer.example/tenant?p=1", "query or a fragment"),
        ("https://issuer.example/tenant#x", "query or a fragment"),
        ("", "is no address"),
    ],
)
def test_addresses_that_no_issuer_has(address: str, said: str) -> None:
    with pytest.raises(SetupError) as refused:
        IssuerKeys(address)
    assert said in refused.value.message


def test_without_tls_where_the_operator_allowed_it() -> None:
    assert IssuerKeys("http://issuer.example:8080/t", allow_hosts=["issuer.example:8080"])
    with pytest.raises(SetupError):
        IssuerKeys("http://issuer.example:8081/t", allow_hosts=["issuer.example:8080"])


def test_what_tokens_of_entra_call_their_issuer() -> None:
    keys = IssuerKeys(f"https://login.microsoftonline.com/{TENANT}/v2.0")
    assert f"https://login.microsoftonline.com/{TENANT}/v2.0" in keys.names
    assert f"https://sts.windows.net/{TENANT}/" in keys.names  # tokens of version 1.0
    assert not any("sts" in name for name in IssuerKeys(f"https://issuer.example/{TENANT}/v2.0").names)
    assert not any(
        "sts" in name for name in IssuerKeys("https://login.microsoftonline.com/common/v2.0").names
    )


async def test_over_tls_with_a_certificate_that_is_checked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority, issuer = trustme.CA(), Issuer()
    issuer.add("one")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    certificate = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    with live(issuer.app(), certificate) as server:
        issuer.url = f"{server.url}/tenant"
        assert await IssuerKeys(issuer.url, tls=lambda: trusting).get("one") is not None
        with pytest.raises(IssuerUnavailable):
            await IssuerKeys(issuer.url).get("one")
    assert "cannot be reached" in caplog.text
