"""Who asks, and which resource a data source names: the rules that pictures and videos share.

The page's rule is kept: an OpenAI resource needs a Computer Vision resource of tier S1 in its own region; a
multi-service resource needs none. An address of this server's own is served in process once its key is
checked; what is elsewhere is for the caller of these rules to judge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from foveal.errors import InvalidDataSource
from foveal.resources.accounts import KeyChecker, Resource

PAID_TIER = "S1"
MULTI_SERVICE = "AIServices"
COMPUTER_VISION = "ComputerVision"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A data source's address, checked for form only: `base` has no slash at its end."""

    base: str
    host: str
    port: int

    @property
    def names(self) -> frozenset[str]:
        """How a list of hosts may name it: `host`, `host:port`."""
        return frozenset((self.host, f"{self.host}:{self.port}"))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the resource whose key was presented, and the addresses (`host:port`) that the request shows
    to be this server's. A caller without a resource is the operator on the command line.
    """

    resource: Resource | None = None
    addresses: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class SourceWords:
    """What a data source says of the resource behind it: `endpoint` and `key` as they were sent, under the
    names that they were sent by. `param` says where in the request the source stood.
    """

    type: str
    param: str
    endpoint: object = None
    key: object = None
    endpoint_name: str = "endpoint"
    key_name: str = "key"

    @property
    def shown(self) -> str:
        return f"The data source '{self.type}' ({self.param})"

    @property
    def endpoint_param(self) -> str:
        return f"{self.param}.parameters.{self.endpoint_name}"

    @property
    def key_param(self) -> str:
        return f"{self.param}.parameters.{self.key_name}"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An endpoint that is not this server; `listed`: the operator allows to call it."""

    endpoint: Endpoint
    key: str
    listed: bool


class VisionResources:
    """`own_hosts` and `vision_hosts` are entries `host` or `host:port`: further names of this server, and
    Computer Vision endpoints that may be called.
    """

    def __init__(
        self, keys: KeyChecker, *, own_hosts: Iterable[str] = (), vision_hosts: Iterable[str] = ()
    ) -> None:
        self._keys = keys
        self._own = frozenset(own_hosts)
        self._listed = frozenset(vision_hosts)

    def named(self, words: SourceWords, caller: Caller, resource: Resource) -> Resource | Elsewhere:
        """The resource that a data source of `resource`, who asks, names; itself when it names none and needs
        none.

        Raises `InvalidDataSource` that names the source and says what is wrong with it.
        """
        endpoint = _read_endpoint(words)
        key = words.key
        if not isinstance(key, str) or not key.strip():
            if endpoint is None and key is None and resource.kind == MULTI_SERVICE:
                return resource
            raise InvalidDataSource(
                f"{words.shown} has no key: set its '{words.key_name}' to a key of the "
                "Computer Vision resource.",
                param=words.key_param,
            )
        if endpoint is None or self._is_own(endpoint, caller):
            return self._checked(key.strip(), words, resource)
        return Elsewhere(endpoint, key.strip(), bool(endpoint.names & self._listed))

    def _is_own(self, endpoint: Endpoint, caller: Caller) -> bool:
        names = endpoint.names
        return bool(names & self._own) or (
            f"{endpoint.host}:{endpoint.port}" in caller.addresses and not names & self._listed
        )

    def _checked(self, key: str, words: SourceWords, caller: Resource) -> Resource:
        who = self._keys.check(key)
        found = None if who is None else who.resource
        source = words.shown
        if found is None or found.kind not in (COMPUTER_VISION, MULTI_SERVICE):
            raise InvalidDataSource(
                f"{source} was refused: its key is not a key of a Computer Vision resource.",
                param=words.key_param,
            )
        if found.kind == COMPUTER_VISION and found.tier != PAID_TIER:
            raise InvalidDataSource(
                f"{source} names the Computer Vision resource '{found.name}' of tier {found.tier}. Vision "
                f"enhancements need one of the paid tier {PAID_TIER}, in the region of the Azure OpenAI "
                "resource; a multi-service resource needs none.",
                param=words.key_param,
            )
        if found.region != caller.region:
            raise InvalidDataSource(
                f"{source} names the resource '{found.name}' in the region {found.region}, but the resource "
                f"'{caller.name}' is in {caller.region}. Vision enhancements need a Computer Vision resource "
                f"of tier {PAID_TIER} in the same region; a multi-service resource needs none.",
                param=words.key_param,
            )
        return found


def require_multi_service(resource: Resource, type: str) -> None:
    """Raise `InvalidDataSource` for a resource that must name a data source of this type and did not."""
    if resource.kind == MULTI_SERVICE:
        return
    raise InvalidDataSource(
        f"Vision enhancements need a data source of type '{type}': the Azure OpenAI resource "
        f"'{resource.name}' must name a Computer Vision resource of tier {PAID_TIER} in its region "
        f"{resource.region}, with 'endpoint' and 'key'. A multi-service resource needs none.",
        param="dataSources",
    )


def _read_endpoint(words: SourceWords) -> Endpoint | None:
    value = words.endpoint
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
            param=words.endpoint_param,
        )
    path = parts.path.rstrip("/").removesuffix("/computervision").rstrip("/")
    shown = f"[{host}]" if ":" in host else host
    port = port or _DEFAULT_PORTS[parts.scheme]
    return Endpoint(f"{parts.scheme}://{shown}:{port}{path}", shown, port)
