"""The commands of docs/resources.md run as they are printed, one after the other."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests.support.cli import runner

PAGE = Path(__file__).parents[2] / "docs" / "resources.md"


def test_the_commands_of_the_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path))
    lines = re.findall(r"^    foveal (.*)$", PAGE.read_text(), re.MULTILINE)
    assert len(lines) == 10
    for line in lines:
        command, *arguments = shlex.split(line)
        done = runner(monkeypatch, capsys, command)(*arguments)
        assert done.code == 0, (line, done.err)
        assert done.out
