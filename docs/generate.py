"""Makes the generated parts of the docs: `docs/cli.md` (from `--help`) and `docs/settings.md`.

Run it with `make docs`; a test fails when what it would write is not what is committed.
"""

from __future__ import annotations

from pathlib import Path

import click

from foveal.cli.main import cli
from foveal.settings import setting_fields, variable

DOCS = Path(__file__).parent
NOTE = "<!-- made by docs/generate.py; change the code, then run `make docs` -->\n"


def cli_page() -> str:
    """The help of every command, as it prints at 100 columns."""
    parts = [NOTE, "# The command line\n"]
    for path, command in _commands("foveal", cli):
        context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
        context.help_option_names = ["-h", "--help"]
        parts.append(f"## {path}\n\n```text\n{command.get_help(context).strip()}\n```\n")
    return "\n".join(parts)


def settings_page() -> str:
    """One row per setting."""
    rows = [
        f"| `{variable(spec.name)}` | `--{spec.name.replace('_', '-')}` "
        f"| {spec.metadata['shown'] or _shown(spec.default)} "
        f"| {spec.metadata['help']}{_example(spec.metadata['example'])} |"
        for spec in setting_fields()
    ]
    head = (
        "# Settings\n\nA flag wins over the variable, the variable over the default. "
        "`foveal doctor` shows what is wrong with them.\n"
    )
    table = ["| variable | flag | default | what it does |", "|---|---|---|---|", *rows]
    return "\n".join([NOTE, head, *table, ""])


def _commands(path: str, command: click.Command) -> list[tuple[str, click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                found += _commands(f"{path} {name}", inner)
    return found


def _shown(default: object) -> str:
    if default is None or default == ():
        return "–"
    if isinstance(default, bool):
        return "off"
    return f"`{str(default).replace(str(Path.home()), '~')}`"


def _example(text: str) -> str:
    return f" Example: `{text}`." if text else ""


def main() -> None:
    (DOCS / "cli.md").write_text(cli_page())
    (DOCS / "settings.md").write_text(settings_page())


if __name__ == "__main__":
    main()
