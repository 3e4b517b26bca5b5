"""Content filter configurations, as deployments have them: what is filtered from which severity on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import msgspec

Threshold = Literal["low", "medium", "high", "off"]
Detection = Literal["off", "annotate", "filter"]
Streaming = Literal["default", "asynchronous"]

THRESHOLDS: Final[tuple[Threshold, ...]] = get_args(Threshold)
DETECTIONS: Final[tuple[Detection, ...]] = get_args(Detection)
FILTERED: Final = ("hate", "sexual", "violence", "self_harm")


@dataclass(frozen=True, slots=True)
class Blocklist:
    """`terms` are found as whole words, whatever their case; `patterns` are regular expressions (RE2)."""

    name: str
    terms: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


class _Settings(msgspec.Struct, frozen=True):
    """What holds for one direction. Contents are filtered from the severity on that stands at their category;
    `off` only tells it. `jailbreak` is looked for in prompts only, and then also in the text of pictures.
    """

    hate: Threshold = "medium"
    sexual: Threshold = "medium"
    violence: Threshold = "medium"
    self_harm: Threshold = "medium"
    profanity: Detection = "off"
    jailbreak: Detection = "off"

    def threshold(self, category: str) -> Threshold:
        found: Threshold = getattr(self, category)
        return found


class Side(_Settings, frozen=True):
    """The settings of one direction, with its blocklists."""

    blocklists: tuple[Blocklist, ...] = ()


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """`streaming`: a streamed answer is judged before it is sent (default), or told of afterwards
    (asynchronous).
    """

    name: str = "default"
    prompt: Side = field(default_factory=Side)
    completion: Side = field(default_factory=Side)
    streaming: Streaming = "default"


class StoredSide(_Settings, frozen=True):
    """A side as it is stored: its blocklists by their names."""

    blocklists: tuple[str, ...] = ()

    def opened(self, lists: Mapping[str, Blocklist]) -> Side:
        """`lists` are the blocklists of the resource; those that are gone are left out."""
        settings = {name: getattr(self, name) for name in _Settings.__struct_fields__}
        return Side(**settings, blocklists=tuple(lists[name] for name in self.blocklists if name in lists))


class StoredFilter(msgspec.Struct, frozen=True):
    prompt: StoredSide = StoredSide()
    completion: StoredSide = StoredSide()
    streaming: Streaming = "default"

    def opened(self, name: str, lists: Mapping[str, Blocklist]) -> ContentFilter:
        return ContentFilter(name, self.prompt.opened(lists), self.completion.opened(lists), self.streaming)
