"""The examples of README and quickstart run as they are printed, against a live server."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from tests.support.house import KEY
from tests.support.server import LiveServer

import foveal

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "src" / "foveal" / "demo" / "pictures" / "cat.jpg"


def test_the_quickstarts_python(server: LiveServer) -> None:
    page = (ROOT / "docs" / "quickstart.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {"BASE": server.url, "KEY": KEY, "PICTURE": str(PICTURE)})
    assert "Describe this picture:" in printed.getvalue()


def test_the_readmes_python(server: LiveServer) -> None:
    import openai

    lines = [line.strip() for line in (ROOT / "README.md").read_text().splitlines()]
    code = [line for line in lines if line.startswith("client")]
    assert len(code) == 2
    source = "\n".join([code[0], "answer = " + code[1]])
    source = source.replace("http://127.0.0.1:8450", server.url).replace('"photo.jpg"', repr(str(PICTURE)))
    names: dict[str, object] = {"openai": openai, "foveal": foveal, "KEY": KEY}
    exec(source, names)
    answer = names["answer"]
    assert isinstance(answer, openai.types.chat.ChatCompletion)
    assert "Describe this picture:" in str(answer.choices[0].message.content)


@pytest.mark.parametrize("url", ["https://example.com/photo.jpg"])
def test_the_readmes_curl(server: LiveServer, url: str) -> None:
    (line,) = re.findall(r"^ *(curl .*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    line = line.replace("http://127.0.0.1:8450", server.url).replace("$KEY", KEY)
    line = line.replace(url, foveal.local_image_to_data_url(PICTURE))
    done = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=60, check=True)
    assert "Describe this picture:" in done.stdout
