"""Who does the seeing for an enhancement: this server, or a Computer Vision resource of a data source.

An endpoint that is this server's own address is served in process once its key is checked, one that the
operator listed is called over HTTP, any other is refused: a request never chooses where this server connects
to. Which resource a data source names, and which it needs, is in `foveal.resources.callers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from foveal.enhancements.spans import Findings
from foveal.errors import InvalidDataSource
from foveal.images.detail import DetailedImage
from foveal.resources.callers import (
    Caller,
    Elsewhere,
    Endpoint,
    SourceWords,
    VisionResources,
    require_multi_service,
)

COMPUTER_VISION = "AzureComputerVision"


class Vision(Protocol):
    """Something that sees for the enhancements."""

    async def look(self, image: DetailedImage, *, ocr: bool, grounding: bool) -> Findings:
        """What `ocr` needs (lines, read closely) and what `grounding` needs (objects, faces and lines)."""
        ...


RemoteVision = Callable[[Endpoint, str, str], Vision]  # endpoint, key, param


class VisionSources:
    def __init__(self, local: Vision, remote: RemoteVision, resources: VisionResources) -> None:
        self._local = local
        self._remote = remote
        self._resources = resources

    def choose(self, param: str | None, parameters: Mapping[str, Any], caller: Caller) -> Vision:
        """`param` names the data source of type AzureComputerVision, None when the request has none.

        Raises `InvalidDataSource` that names the source and says what is wrong with it.
        """
        if caller.resource is None:
            return self._local
        if param is None:
            require_multi_service(caller.resource, COMPUTER_VISION)
            return self._local
        words = SourceWords(COMPUTER_VISION, param, parameters.get("endpoint"), parameters.get("key"))
        found = self._resources.named(words, caller, caller.resource)
        if not isinstance(found, Elsewhere):
            return self._local
        if not found.listed:
            raise InvalidDataSource(
                f"The endpoint of the data source '{COMPUTER_VISION}' ({param}) is {found.endpoint.host}, "
                "which is neither this server nor listed by its operator (FOVEAL_OWN_HOSTS, "
                "FOVEAL_VISION_HOSTS).",
                param=words.endpoint_param,
            )
        return self._remote(found.endpoint, found.key, param)
