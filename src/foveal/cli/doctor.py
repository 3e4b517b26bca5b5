"""`foveal doctor`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from foveal.assembly.engines import missing_models
from foveal.cli.options import setting_options, settings_from
from foveal.doctor import examine

MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "broken": "[red]broken[/]"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@setting_options()
def doctor(as_json: bool, **flags: Any) -> None:
    """Check the installation and say what to do about what is wrong.

    Exits with 1 when something is broken.

    \b
    Examples:
      foveal doctor
      foveal doctor --json
      foveal doctor --engine openai --upstream-url http://127.0.0.1:8000/v1
    """
    settings = settings_from(flags)
    findings = list(examine(settings, lambda: missing_models(settings)))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        table = Table("check", "", "found", "what to do", box=None, header_style="bold")
        for finding in findings:
            table.add_row(finding.name, MARKS[finding.level], finding.detail, finding.advice)
        Console().print(table)
    sys.exit(1 if any(finding.level == "broken" for finding in findings) else 0)
