"""Verdicts in the words of the wire: the content-filter objects of Azure's chat answers and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from foveal.safety.base import CATEGORIES
from foveal.safety.verdict import Verdict

NOT_FILTERED: Final[Mapping[str, Any]] = {
    "error": {"code": "content_filter_error", "message": "The contents are not filtered"}
}


def results(verdict: Verdict | None, *, details: bool = False) -> dict[str, Any]:
    """`details`: the form that `custom_blocklists` has since api-version 2024-04-01-preview."""
    if verdict is None:
        return dict(NOT_FILTERED)
    written: dict[str, Any] = {
        name: {"filtered": name in verdict.filtered, "severity": verdict.severities.of(name).word}
        for name in CATEGORIES
    }
    for name, found in verdict.detected:
        written[name] = {"filtered": name in verdict.filtered, "detected": found}
    if verdict.blocklists is not None:
        hits = [{"filtered": True, "id": name} for name in verdict.blocklists]
        written["custom_blocklists"] = {"filtered": bool(hits), "details": hits} if details else hits
    return written
