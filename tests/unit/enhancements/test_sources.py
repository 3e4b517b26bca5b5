"""Who does the seeing: the page's rule on Computer Vision resources, endpoints and keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from foveal.enhancements.sources import Vision, VisionSources
from foveal.enhancements.spans import Findings
from foveal.errors import InvalidDataSource
from foveal.images.detail import DetailedImage
from foveal.resources.accounts import Principal, Resource
from foveal.resources.callers import Caller, Endpoint, VisionResources

MULTI = Resource("local", "AIServices", "swedencentral", "S0")
OPENAI = Resource("chat", "OpenAI", "swedencentral", "S0")
KEYS = {
    "multi-key": MULTI,
    "openai-key": OPENAI,
    "paid-key": Resource("paid", "ComputerVision", "swedencentral", "S1"),
    "free-key": Resource("free", "ComputerVision", "swedencentral", "F0"),
    "far-key": Resource("far", "ComputerVision", "westus", "S1"),
    "far-multi-key": Resource("far-multi", "AIServices", "westus", "S0"),
}
SOURCE = "dataSources.[0]"
HERE = "http://127.0.0.1:8450"


@dataclass(frozen=True)
class Seer:
    """A `Vision` that is known by where it stands."""

    where: str
    key: str = ""

    async def look(self, image: DetailedImage, *, ocr: bool, grounding: bool) -> Findings:
        return Findings()


class Keys:
    def check(self, presented: str) -> Principal | None:
        found = KEYS.get(presented)
        return None if found is None else Principal(found, "key1")


def choose(
    parameters: Mapping[str, Any] | None, resource: Resource | None = OPENAI, param: str | None = SOURCE
) -> Vision:
    def remote(endpoint: Endpoint, key: str, _: str) -> Vision:
        return Seer(endpoint.base, key)

    sources = VisionSources(
        Seer("here"),
        remote,
        VisionResources(
            Keys(),
            own_hosts=("my-vision.cognitiveservices.azure.com",),
            vision_hosts=("vision.local:9000", "eyes.example.com"),
        ),
    )
    addresses = frozenset(("127.0.0.1:8450", "localhost:8450", "foveal.example.com:443"))
    if parameters is None:
        param = None
    return sources.choose(param, parameters or {}, Caller(resource, addresses))


@pytest.mark.parametrize(
    "endpoint",
    [
        HERE,
        f"{HERE}/",
        f"{HERE}//",
        f"{HERE}/computervision",
        f"{HERE}/computervision/",
        "http://LOCALHOST:8450/",
        "https://foveal.example.com",
        "https://my-vision.cognitiveservices.azure.com/",
        None,
    ],
)
def test_an_endpoint_that_is_this_server_is_served_here(endpoint: str | None) -> None:
    assert choose({"endpoint": endpoint, "key": "paid-key"}) == Seer("here")
    assert choose({"endpoint": endpoint, "key": " multi-key "}) == Seer("here")


@pytest.mark.parametrize(
    ("endpoint", "base"),
    [
        ("http://vision.local:9000/", "http://vision.local:9000"),
        ("http://vision.local:9000/computervision", "http://vision.local:9000"),
        ("https://eyes.example.com/a/b/", "https://eyes.example.com:443/a/b"),
    ],
)
def test_an_endpoint_that_the_operator_listed_is_called_with_its_key(endpoint: str, base: str) -> None:
    assert choose({"endpoint": endpoint, "key": "theirs"}) == Seer(base, "theirs")
    assert choose({"endpoint": endpoint, "key": "theirs"}, MULTI) == Seer(base, "theirs")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://vision.local/",  # another port than the one listed
        "http://127.0.0.1:8451",
        "http://169.254.169.254/",
        "https://real.cognitiveservices.azure.com/",
        "https://eyes.example.com.evil.example/",
    ],
)
def test_any_other_endpoint_is_refused(endpoint: str) -> None:
    for resource in (OPENAI, MULTI):
        with pytest.raises(InvalidDataSource, match="neither this server nor listed") as refused:
            choose({"endpoint": endpoint, "key": "paid-key"}, resource)
        assert refused.value.param == f"{SOURCE}.parameters.endpoint"
        assert SOURCE in refused.value.message


@pytest.mark.parametrize(
    "endpoint",
    ["", "<your_computer_vision_endpoint>", "ftp://x/", "x", "http://", "http://a:b@x/", "http://x:99999", 5],
)
def test_what_is_no_endpoint(endpoint: object) -> None:
    with pytest.raises(InvalidDataSource, match="must be an address like") as refused:
        choose({"endpoint": endpoint, "key": "paid-key"})
    assert refused.value.param == f"{SOURCE}.parameters.endpoint"


def test_a_multi_service_resource_needs_no_data_source() -> None:
    assert choose(None, MULTI) == Seer("here")
    assert choose({}, MULTI) == Seer("here")


def test_an_openai_resource_must_name_one() -> None:
    with pytest.raises(InvalidDataSource, match="tier S1 in its region swedencentral") as refused:
        choose(None)
    assert refused.value.param == "dataSources"


def test_the_operator_on_the_command_line_needs_nothing() -> None:
    assert choose(None, None) == Seer("here")


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("wrong", "its key is not a key of a Computer Vision resource"),
        ("openai-key", "its key is not a key of a Computer Vision resource"),
        ("free-key", "'free' of tier F0. .* paid tier S1"),
        ("far-key", "'far' in the region westus, .*'chat' is in swedencentral"),
        ("far-multi-key", "'far-multi' in the region westus"),
        ("", "has no key"),
        (None, "has no key"),
        (7, "has no key"),
    ],
)
def test_keys_tiers_and_regions(key: object, says: str) -> None:
    for endpoint in (HERE, None):
        with pytest.raises(InvalidDataSource, match=says) as refused:
            choose({"endpoint": endpoint, "key": key})
        assert (refused.value.status, refused.value.param) == (400, f"{SOURCE}.parameters.key")
        assert SOURCE in refused.value.message


def test_a_named_resource_is_checked_for_a_multi_service_resource_too() -> None:
    with pytest.raises(InvalidDataSource, match="tier F0"):
        choose({"endpoint": HERE, "key": "free-key"}, MULTI)
    with pytest.raises(InvalidDataSource, match="has no key"):
        choose({"endpoint": HERE}, MULTI)
