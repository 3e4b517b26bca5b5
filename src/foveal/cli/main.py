"""The `foveal` command. Each group of commands has a file of its own and is loaded only when called."""

from __future__ import annotations

import importlib
import os
import sys

import click

from foveal import __version__
from foveal.errors import FovealError

COMMANDS = {
    "analyze": ("foveal.cli.analyze", "analyze"),
    "ask": ("foveal.cli.ask", "ask"),
    "blocklist": ("foveal.cli.blocklist", "blocklist"),
    "budget": ("foveal.cli.budget", "budget"),
    "content-filter": ("foveal.cli.content_filter", "content_filter"),
    "demo": ("foveal.cli.demo", "demo"),
    "deployment": ("foveal.cli.deployment", "deployment"),
    "doctor": ("foveal.cli.doctor", "doctor"),
    "index": ("foveal.cli.index", "index"),
    "key": ("foveal.cli.key", "key"),
    "media": ("foveal.cli.media", "media"),
    "models": ("foveal.cli.models", "models"),
    "moderate": ("foveal.cli.moderate", "moderate"),
    "quota": ("foveal.cli.quota", "quota"),
    "resource": ("foveal.cli.resource", "resource"),
    "role": ("foveal.cli.role", "role"),
    "serve": ("foveal.cli.serve", "serve"),
    "storage": ("foveal.cli.storage", "storage"),
    "usage": ("foveal.cli.usage", "usage"),
    "video": ("foveal.cli.video", "video"),
}


class LazyGroup(click.Group):
    """Imports a command's module when the command is asked for, so that `foveal --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="foveal")
def cli() -> None:
    """Azure's GPT-4 Turbo with Vision API, on your own machine, with open models.

    \b
    Examples:
      foveal models pull                            get the model weights (once)
      foveal ask photo.jpg "What is in this picture?"
      foveal serve                                  the API on http://127.0.0.1:8450
      foveal demo                                   questions about bundled pictures
    """


def main() -> None:
    """Run the command; a `FovealError` becomes one line on stderr and exit code 2."""
    # LanceDB would write advice for its own makers between the lines that are meant for people.
    os.environ.setdefault("LANCEDB_LOG", "error")
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except FovealError as error:
        click.echo(f"foveal: {error.message}", err=True)
        sys.exit(2)
    except BrokenPipeError:  # `foveal … | head`
        sys.stderr.close()
        sys.exit(141)
