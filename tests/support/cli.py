"""The `foveal` command run inside the test's process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from foveal.cli.main import main


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *command: str) -> Run:
    """Calls `foveal COMMAND ARGUMENTS…`."""

    def call(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["foveal", *command, *arguments])
        code = 0
        try:
            main()
        except SystemExit as leave:
            code = int(leave.code or 0)
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return call
