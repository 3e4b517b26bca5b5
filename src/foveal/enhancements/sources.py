"""Who does the seeing for an enhancement: this server, or a Computer Vision resource of a data source.

The page's rule is kept: an OpenAI resource needs a Computer Vision resource of tier S1 in its own region; a
multi-service resource needs none. An endpoint that is this server's own address is served in process once
its key is checked, one that the operator listed is called over HTTP, any other is refused: a request never
chooses where this server connects to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from foveal.enhancements.spans import Findings
from foveal.errors import InvalidDataSource
from foveal.images.detail import DetailedImage
from foveal.resources.accounts import KeyChecker, Resource

COMPUTER_VISION = "AzureComputerVision"
PAID_TIER = "S1"
MULTI_SERVICE = "AIServices"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Vision(Protocol):
    """Something that sees for the enhancements."""

    async def look(self, image: DetailedImage, *, ocr: bool, grounding: bool) -> Findings:
        """What `ocr` needs (lines, read closely) and what `grounding` needs (objects, faces and lines)."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A data source's address, checked for form only: `base` has no slash at its end."""

    base: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the resource whose key was presented, and the addresses (`host:port`) that the request shows
    to be this server's. A caller without a resource is the operator on the command line.
    """

    resource: Resource | None = None
    addresses: frozenset[str] = field(default_factory=frozenset)


RemoteVision = Callable[[Endpoint, str, str], Vision]  # endpoint, key, param


class VisionSources:
    """`own_hosts` and `vision_hosts` are entries `host` or `host:port`: further names of this server, and
    Computer Vision endpoints that may be called.
    """

    def __init__(
        self,
        local: Vision,
        remote: RemoteVision,
        keys: KeyChecker,
        *,
        own_hosts: Iterable[str] = (),
        vision_hosts: Iterable[str] = (),
    ) -> None:
        self._local = local
        self._remote = remote
        self._keys = keys
        self._own = frozenset(own_hosts)
        self._listed = frozenset(vision_hosts)

    def choose(self, param: str | None, parameters: Mapping[str, Any], caller: Caller) -> Vision:
        """`param` names the data source of type AzureComputerVision, None when the request has none.

        Raises `InvalidDataSource` that names the source and says what is wrong with it.
        """
        if caller.resource is None:
            return self._local
        if param is None:
            _require_multi_service(caller.resource)
            return self._local
        endpoint = _read_endpoint(parameters.get("endpoint"), f"{param}.parameters.endpoint")
        where = f"{param}.parameters.key"
        key = parameters.get("key")
        if not isinstance(key, str) or not key.strip():
            if endpoint is None and key is None and caller.resource.kind == MULTI_SERVICE:
                return self._local
            raise InvalidDataSource(
                f"The data source '{COMPUTER_VISION}' ({param}) has no key: set its 'key' to a key of the "
                "Computer Vision resource.",
                param=where,
            )
        if endpoint is None or self._is_own(endpoint, caller):
            self._check_key(key.strip(), where, param, caller.resource)
            return self._local
        if not _names(endpoint) & self._listed:
            raise InvalidDataSource(
                f"The endpoint of the data source '{COMPUTER_VISION}' ({param}) is {endpoint.host}, which is "
                "neither this server nor listed by its operator (FOVEAL_OWN_HOSTS, FOVEAL_VISION_HOSTS).",
                param=f"{param}.parameters.endpoint",
            )
        return self._remote(endpoint, key.strip(), param)

    def _is_own(self, endpoint: Endpoint, caller: Caller) -> bool:
        names = _names(endpoint)
        return bool(names & self._own) or (
            f"{endpoint.host}:{endpoint.port}" in caller.addresses and not names & self._listed
        )

    def _check_key(self, key: str, where: str, param: str, caller: Resource) -> None:
        found = self._keys.check(key)
        source = f"The data source '{COMPUTER_VISION}' ({param})"
        if found is None or found.kind not in ("ComputerVision", MULTI_SERVICE):
            raise InvalidDataSource(
                f"{source} was refused: its key is not a key of a Computer Vision resource.", param=where
            )
        if found.kind == "ComputerVision" and found.tier != PAID_TIER:
            raise InvalidDataSource(
                f"{source} names the Computer Vision resource '{found.name}' of tier {found.tier}. Vision "
                f"enhancements need one of the paid tier {PAID_TIER}, in the region of the Azure OpenAI "
                "resource; a multi-service resource needs none.",
                param=where,
            )
        if found.region != caller.region:
            raise InvalidDataSource(
                f"{source} names the resource '{found.name}' in the region {found.region}, but the resource "
                f"'{caller.name}' is in {caller.region}. Vision enhancements need a Computer Vision resource "
                f"of tier {PAID_TIER} in the same region; a multi-service resource needs none.",
                param=where,
            )


def _require_multi_service(resource: Resource) -> None:
    if resource.kind == MULTI_SERVICE:
        return
    raise InvalidDataSource(
        f"Vision enhancements need a data source of type '{COMPUTER_VISION}': the Azure OpenAI resource "
        f"'{resource.name}' must name a Computer Vision resource of tier {PAID_TIER} in its region "
        f"{resource.region}, with 'endpoint' and 'key'. A multi-service resource needs none.",
        param="dataSources",
    )


def _names(endpoint: Endpoint) -> frozenset[str]:
    return frozenset((endpoint.host, f"{endpoint.host}:{endpoint.port}"))


def _read_endpoint(value: object, param: str) -> Endpoint | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value.strip() if isinstance(value, str) else "")
        host, port = parts.hostname, parts.port
        usable = parts.scheme in _DEFAULT_PORTS and host and parts.username is None and not parts.query
    except ValueError:
        usable, host, port = False, None, None
    if not usable or host is None or any(letter.isspace() for letter in host):
        raise InvalidDataSource(
            "The endpoint of a data source must be an address like https://NAME.cognitiveservices.azure.com/.",
            param=param,
        )
    path = parts.path.rstrip("/").removesuffix("/computervision").rstrip("/")
    shown = f"[{host}]" if ":" in host else host
    port = port or _DEFAULT_PORTS[parts.scheme]
    return Endpoint(f"{parts.scheme}://{shown}:{port}{path}", shown, port)
