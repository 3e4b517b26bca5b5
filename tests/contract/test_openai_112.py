"""openai 1.12.0, the SDK of the page's time, in a process of its own (its dependencies are older than ours).

It sends the key in `api-key` and as a bearer token. `make test` installs it into `.make/openai-1.12`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.house import KEY
from tests.support.server import LiveServer
from tests.support.wire import PICTURE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def seen(server: LiveServer) -> dict[str, Any]:
    folder = ROOT / ".make" / "openai-1.12"
    assert folder.is_dir(), f"{folder} is missing: `make test` installs it"
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("old_client.py")), server.url, KEY, PICTURE],
        env={"PYTHONPATH": str(folder), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["version"] == "1.12.0"
    return found


def test_plain_and_image(seen: dict[str, Any]) -> None:
    assert "Good morning" in seen["plain"]["choices"][0]["message"]["content"]
    assert seen["plain"]["choices"][0]["finish_reason"] == "stop"
    assert "Describe this picture:" in seen["image"]["choices"][0]["message"]["content"]
    assert seen["image"]["choices"][0]["finish_details"]["type"] == "stop"


def test_streaming_image(seen: dict[str, Any]) -> None:
    first, second, *rest = seen["stream"]
    assert first["choices"] == []
    assert second["choices"][0]["delta"]["role"] == "assistant"
    said = "".join(chunk["choices"][0]["delta"]["content"] or "" for chunk in rest)
    assert "Describe this picture:" in said


def test_json_tools_and_functions(seen: dict[str, Any]) -> None:
    assert isinstance(json.loads(seen["json"]), dict)
    assert seen["tools"]["finish_reason"] == "tool_calls"
    assert seen["tools"]["message"]["tool_calls"][0]["function"]["name"] == "weather"
    assert seen["functions"]["finish_reason"] == "function_call"
    assert seen["functions"]["message"]["function_call"]["name"] == "weather"


def test_extensions_models_and_errors(seen: dict[str, Any]) -> None:
    assert "Describe this picture:" in seen["extensions"]
    assert "gpt-4-vision-preview" in seen["models"]
    assert seen["errors"]["deployment"].startswith("NotFoundError")
    assert "temperature" in seen["errors"]["range"]
    assert seen["errors"]["key"].startswith("AuthenticationError")
