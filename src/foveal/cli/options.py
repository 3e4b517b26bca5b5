"""Command-line options made from `foveal.settings`, so that a setting is described once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from foveal.settings import Settings, load_settings, setting_fields, variable

Command = TypeVar("Command", bound=Callable[..., Any])

ENGINE_SETTINGS = (
    "models",
    "engine",
    "llm",
    "gguf",
    "mmproj",
    "upstream_url",
    "upstream_model",
    "upstream_key",
    "upstream_api_version",
    "threads",
    "allow_hosts",
    "fetch_seconds",
)


def setting_options(*names: str) -> Callable[[Command], Command]:
    """Add an option for each of the settings `names` (all of them when none is named)."""

    def decorate(command: Command) -> Command:
        wanted = names or tuple(spec.name for spec in setting_fields())
        for spec in reversed(setting_fields()):
            if spec.name in wanted:
                flag = f"--{spec.name.replace('_', '-')}"
                text = f"{spec.metadata['help']} [env: {variable(spec.name)}]"
                if isinstance(spec.default, bool):
                    option = click.option(flag, spec.name, flag_value="1", default=None, help=text)
                else:
                    metavar = _metavar(spec.default)
                    option = click.option(flag, spec.name, metavar=metavar, default=None, help=text)
                command = option(command)
        return command

    return decorate


def settings_from(flags: Mapping[str, Any]) -> Settings:
    """Settings of one call: the flags that were given, over the environment, over the defaults."""
    known = {spec.name for spec in setting_fields()}
    return load_settings({name: flags[name] for name in flags if name in known}, os.environ)


def _metavar(default: object) -> str:
    if isinstance(default, int):
        return "N"
    return "VALUE"
