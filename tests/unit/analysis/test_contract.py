"""Parameters of image analysis, read from text."""

from __future__ import annotations

from typing import Any

import pytest

from foveal.analysis.contract import Contract, load_contract
from foveal.analysis.refusals import RefusedAnalysis


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract()


def test_lists_are_parted_by_commas_or_repeated(contract: Contract) -> None:
    options = contract.options(["Caption, READ", "smartcrops"], aspect_ratios=["0.75,1", "1.8", "1.0"])
    assert options.features == {"caption", "read", "smartCrops"}
    assert options.aspect_ratios == (0.75, 1.0, 1.8)


def test_what_is_not_said_has_its_default(contract: Contract) -> None:
    options = contract.options(["tags"])
    assert (options.language, options.gender_neutral, options.aspect_ratios) == ("en", False, ())


@pytest.mark.parametrize(("given", "flag"), [("true", True), ("False", False), ("TRUE", True), (None, False)])
def test_the_flag_in_the_spellings_of_the_sdks(contract: Contract, given: str | None, flag: bool) -> None:
    assert contract.options(["caption"], gender_neutral=given).gender_neutral is flag


@pytest.mark.parametrize(
    ("options", "inner"),
    [
        ({"gender_neutral": "yes"}, "InvalidParameter"),
        ({"aspect_ratios": ["wide"]}, "InvalidParameter"),
        ({"aspect_ratios": [",".join(str(0.8 + n / 100) for n in range(40))]}, "InvalidParameter"),
        ({"language": "ja"}, "NotSupportedLanguage"),
        ({"model_version": ""}, "InvalidModelVersion"),
    ],
)
def test_what_cannot_be_is_refused(contract: Contract, options: dict[str, Any], inner: str) -> None:
    with pytest.raises(RefusedAnalysis) as refused:
        contract.options(["caption"], **options)
    assert refused.value.inner == inner


def test_versions_say_how_text_is_written(contract: Contract) -> None:
    assert contract.newest.name == "2024-02-01"
    assert {name: version.read for name, version in contract.versions.items()} == {
        "2024-02-01": "blocks",
        "2023-10-01": "blocks",
        "2023-04-01-preview": "pages",
        "2023-02-01-preview": "pages",
    }
