"""Signs, judged by a content filter configuration: what is filtered, and what is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from foveal.resources.content_filters import Detection, Side
from foveal.safety.base import CATEGORIES, Severities, Severity, Signs

_FROM = {"low": Severity.LOW, "medium": Severity.MEDIUM, "high": Severity.HIGH}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`filtered` names what is over its threshold: categories, `profanity`, `jailbreak`,
    `custom_blocklists`. `detected` has what was looked for beside the categories, in the order in which it is
    told; `blocklists` the names of those that were found in the text, None when the configuration has none.
    """

    severities: Severities = field(default_factory=Severities)
    filtered: frozenset[str] = frozenset()
    detected: tuple[tuple[str, bool], ...] = ()
    blocklists: tuple[str, ...] | None = None

    @property
    def blocked(self) -> bool:
        return bool(self.filtered)


def rule(side: Side, signs: Signs, hits: Sequence[str] = ()) -> Verdict:
    """`hits`: names of the side's blocklists that were found."""
    filtered: set[str] = {
        category
        for category in CATEGORIES
        if side.threshold(category) != "off"
        and signs.severities.of(category) >= _FROM[side.threshold(category)]
    }
    detected = []
    looked_for: tuple[tuple[str, Detection, bool], ...] = (
        ("jailbreak", side.jailbreak, signs.jailbreak),
        ("profanity", side.profanity, signs.profanity),
    )
    for name, wanted, found in looked_for:
        if wanted != "off":
            detected.append((name, found))
        if wanted == "filter" and found:
            filtered.add(name)
    if hits:
        filtered.add("custom_blocklists")
    lists = tuple(hits) if side.blocklists else None
    return Verdict(signs.severities, frozenset(filtered), tuple(detected), lists)


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """What is told of the whole when its pieces were judged one by one."""
    found = list(verdicts)
    if not found:
        return Verdict()
    severities = {name: max(one.severities.of(name) for one in found) for name in CATEGORIES}
    detected = {name: False for name, _ in found[0].detected}
    for name, seen in (item for one in found for item in one.detected):
        detected[name] = detected.get(name, False) or seen
    lists = [one.blocklists for one in found if one.blocklists is not None]
    return Verdict(
        Severities(**severities),
        frozenset().union(*(one.filtered for one in found)),
        tuple(detected.items()),
        tuple(dict.fromkeys(name for some in lists for name in some)) if lists else None,
    )
