"""The docs say what there is: every setting, route and command, and nothing that is not so."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from foveal.http import app
from foveal.settings import setting_fields, variable

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_line_page_is_what_help_prints(generate: ModuleType) -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == generate.cli_page(), "run `make docs`"


def test_the_settings_page_is_what_the_settings_say(generate: ModuleType) -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == generate.settings_page(), "run `make docs`"
    assert all(variable(spec.name) in page for spec in setting_fields())


def test_every_route_is_in_the_api_page() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    routes = re.findall(r'Route\(f?"([^"]+)"', Path(app.__file__).read_text())
    assert len(routes) > 5
    for route in routes:
        assert route.replace("{DEPLOYMENT}", app.DEPLOYMENT) in page, route


def test_the_readme_starts_with_the_two_commands() -> None:
    lines = [line.strip() for line in (ROOT / "README.md").read_text().splitlines() if line.strip()]
    assert lines[1].startswith("make demo")
    assert lines[2].startswith("make test")


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_dependency_has_its_reason() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text()
    block = (ROOT / "pyproject.toml").read_text().split("dependencies = [", 1)[1].split("]", 1)[0]
    for name in re.findall(r'"([a-z0-9-]+)', block):
        assert re.search(rf"\b{name}\b", page), name
