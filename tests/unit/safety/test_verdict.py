"""Signs become verdicts by the configuration, and verdicts the words of the wire."""

from __future__ import annotations

import pytest

from foveal.resources.content_filters import Blocklist, Side, Threshold
from foveal.safety.base import CATEGORIES, Category, Severities, Severity, Signs, worst
from foveal.safety.results import results
from foveal.safety.verdict import gravest, rule


def signs(category: Category, severity: Severity) -> Signs:
    return Signs(Severities(**{category: severity}))


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("severity", list(Severity))
def test_the_default_filters_from_medium_on(category: Category, severity: Severity) -> None:
    verdict = rule(Side(), signs(category, severity))
    assert verdict.blocked == (severity >= Severity.MEDIUM)
    written = results(verdict)
    assert list(written) == ["hate", "self_harm", "sexual", "violence"]
    assert written[category] == {"filtered": severity >= Severity.MEDIUM, "severity": severity.word}
    others = [value for name, value in written.items() if name != category]
    assert others == [{"filtered": False, "severity": "safe"}] * 3


@pytest.mark.parametrize(
    ("threshold", "filtered"),
    [("low", ["low", "medium", "high"]), ("medium", ["medium", "high"]), ("high", ["high"]), ("off", [])],
)
def test_thresholds(threshold: Threshold, filtered: list[str]) -> None:
    side = Side(hate=threshold)
    found = [one.word for one in Severity if rule(side, signs("hate", one)).blocked]
    assert found == filtered
    assert not rule(side, signs("violence", Severity.LOW)).blocked


def test_what_is_looked_for_is_told_and_filtered_as_configured() -> None:
    seen = Signs(profanity=True, jailbreak=True)
    assert "profanity" not in results(rule(Side(), seen))
    told = results(rule(Side(profanity="annotate", jailbreak="filter"), seen))
    assert told["profanity"] == {"filtered": False, "detected": True}
    assert told["jailbreak"] == {"filtered": True, "detected": True}
    nothing = rule(Side(profanity="filter"), Signs())
    assert not nothing.blocked
    assert results(nothing)["profanity"] == {"filtered": False, "detected": False}


def test_blocklists_in_both_forms() -> None:
    side = Side(blocklists=(Blocklist("names", ("Contoso",)),))
    hit, clean = rule(side, Signs(), ["names"]), rule(side, Signs())
    assert hit.blocked
    assert results(hit)["custom_blocklists"] == [{"filtered": True, "id": "names"}]
    assert results(hit, details=True)["custom_blocklists"] == {
        "filtered": True,
        "details": [{"filtered": True, "id": "names"}],
    }
    assert not clean.blocked
    assert results(clean)["custom_blocklists"] == []
    assert "custom_blocklists" not in results(rule(Side(), Signs()))


def test_the_whole_is_as_grave_as_its_gravest_piece() -> None:
    pieces = [rule(Side(), signs("hate", Severity.LOW)), rule(Side(), signs("violence", Severity.HIGH))]
    whole = gravest(pieces)
    assert (whole.severities.hate, whole.severities.violence) == (Severity.LOW, Severity.HIGH)
    assert whole.filtered == {"violence"}
    assert not gravest([]).blocked
    both = worst([signs("hate", Severity.MEDIUM), signs("hate", Severity.LOW), Signs(profanity=True)])
    assert (both.severities.hate, both.profanity, both.jailbreak) == (Severity.MEDIUM, True, False)


def test_what_was_not_judged_is_never_called_safe() -> None:
    assert results(None) == {
        "error": {"code": "content_filter_error", "message": "The contents are not filtered"}
    }
