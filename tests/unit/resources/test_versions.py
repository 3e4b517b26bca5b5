"""The tables of model versions and api-versions."""

from __future__ import annotations

import pytest

from foveal.errors import NotFound
from foveal.resources.api_versions import load_api_versions
from foveal.resources.versions import load_model_versions


def test_the_four_versions_and_what_they_take() -> None:
    versions = load_model_versions()
    assert set(versions) == {
        ("gpt-4", "1106-Preview"),
        ("gpt-4", "0125-Preview"),
        ("gpt-4", "vision-preview"),
        ("gpt-4", "turbo-2024-04-09"),
    }
    assert versions["gpt-4", "turbo-2024-04-09"].takes_images("Standard")
    assert not versions["gpt-4", "turbo-2024-04-09"].takes_images("ProvisionedManaged")
    assert not versions["gpt-4", "1106-Preview"].takes_images("Standard")
    assert versions["gpt-4", "vision-preview"].id == "gpt-4-vision-preview"


@pytest.mark.parametrize(
    ("name", "extensions", "enhancements", "data_sources"),
    [
        ("2023-06-01-preview", True, "none", "dataSources"),
        ("2023-12-01-preview", True, "extensions", "dataSources"),
        ("2024-02-15-preview", False, "chat", "data_sources"),
        ("2024-05-01-preview", False, "none", "data_sources"),
        ("2024-02-01", False, "none", "data_sources"),
        ("2024-10-21", False, "none", "data_sources"),
    ],
)
def test_a_known_version_inherits_from_its_base(
    name: str, extensions: bool, enhancements: str, data_sources: str
) -> None:
    version = load_api_versions().get(name)
    assert (version.extensions, version.enhancements, version.data_sources) == (
        extensions,
        enhancements,
        data_sources,
    )


@pytest.mark.parametrize("name", [None, "", "2031-01-01", "2024-13-99-beta", "latest"])
def test_anything_else_is_a_404(name: str | None) -> None:
    policy = load_api_versions()
    with pytest.raises(NotFound) as lenient:
        policy.get(name)
    assert "2023-12-01-preview" in lenient.value.message
    with pytest.raises(NotFound) as strict:
        policy.get(name, strict=True)
    assert strict.value.message == "Resource not found"


def test_a_newer_version_is_called_newer() -> None:
    with pytest.raises(NotFound, match="newer than this server knows"):
        load_api_versions().get("2031-01-01")
