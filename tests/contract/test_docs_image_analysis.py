"""The examples of docs/image-analysis.md run as they are printed, against a live server."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from tests.support.house import KEY
from tests.support.server import LiveServer

import foveal
from foveal.analysis.contract import load_contract

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "image-analysis.md").read_text()
PICTURE = ROOT / "src" / "foveal" / "demo" / "pictures" / "cat.jpg"


def test_the_pages_curl(server: LiveServer, tmp_path: Path) -> None:
    (script,) = (block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if "curl" in block)
    small = tmp_path / "small.png"
    Image.new("RGB", (64, 64), "grey").save(small)
    settings = {"BASE": server.url, "KEY": KEY, "PICTURE": str(PICTURE), "PATH": os.environ["PATH"]}
    settings["URL"] = foveal.local_image_to_data_url(small)
    script = script.replace("curl ", "curl --silent --show-error --fail --write-out '\\n' ")
    done = subprocess.run(
        ["bash", "-ec", script], capture_output=True, text=True, timeout=60, check=False, env=settings
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert {"captionResult", "objectsResult", "readResult"} < set(first)
    assert "사람" in {tag["name"] for tag in second["tagsResult"]["values"]}


def test_the_pages_python(server: LiveServer) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {"BASE": server.url, "KEY": KEY, "PICTURE": str(PICTURE)})
    assert "Caption: a person wearing blue, a red car and a dog" in printed.getvalue()
    assert "CENTRAL STATION" in printed.getvalue()


@pytest.mark.parametrize("kind", ["features", "versions", "languages"])
def test_the_page_names_what_the_contract_allows(kind: str) -> None:
    contract = load_contract()
    names = contract.versions if kind == "versions" else contract.table[kind]
    assert all(f"`{name}`" in PAGE for name in names)
