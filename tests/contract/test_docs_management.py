"""The examples of docs/management.md run as they are printed, against a live server."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from tests.support.management import ADMIN_KEY, Managed, managed

PAGE = (Path(__file__).parents[2] / "docs" / "management.md").read_text()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Managed]:
    with managed(tmp_path) as running:
        yield running


def test_the_pages_python(server: Managed) -> None:
    behind_tls, plain = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(behind_tls, {"ADMIN_KEY": ADMIN_KEY})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(plain, {"ADMIN_KEY": ADMIN_KEY, "BASE": server.url})
    first, key, *usages = printed.getvalue().splitlines()
    assert first == f"{server.url}/ Succeeded"
    assert server.says("vision", key)
    assert "Tokens Per Minute (thousands) - GPT-4-Turbo-V 100010.0 of 1000000.0" in usages


def test_the_pages_curl(server: Managed) -> None:
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    script = script.replace("curl ", "curl --silent --show-error --fail --write-out '\\n' ")
    settings = {"BASE": server.url, "ADMIN_KEY": ADMIN_KEY, "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["bash", "-ec", script], capture_output=True, text=True, timeout=60, check=False, env=settings
    )
    assert done.returncode == 0, done.stderr
    deployments, keys = (json.loads(line) for line in done.stdout.splitlines())
    assert [row["name"] for row in deployments["value"]] == ["gpt-4-turbo", "gpt-4v"]
    assert deployments["value"][0]["properties"]["foveal"] == {"engine": "default", "parity": "azure"}
    assert set(keys) == {"key1", "key2"}
    assert server.says("gpt-4v", keys["key2"])


def test_the_page_names_what_is_missing() -> None:
    table = files("foveal.resources").joinpath("data/management.toml").read_text("utf-8")
    assert all(f"`{name}`" in PAGE for name in tomllib.loads(table)["missing"])
