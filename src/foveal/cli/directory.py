"""The data directory, opened for a command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy import Engine

from foveal.cli.options import settings_from
from foveal.resources.accounts import open_accounts
from foveal.store.database import open_database


@contextmanager
def opened_database(flags: Mapping[str, Any], quiet: bool = False) -> Iterator[Engine]:
    """The data directory's database; a fresh one gets its first resource, and its key is told (`quiet`: on
    stderr).
    """
    settings = settings_from(flags)
    database = open_database(settings.data)
    try:
        accounts, generated = open_accounts(
            database, operator_key=settings.api_key, engine=settings.engine, strict=settings.strict
        )
        if generated is not None:
            first = next(iter(accounts.resources))
            click.echo(f"Key 1 of resource {first} (shown this once): {generated}", err=quiet)
        yield database
    finally:
        database.dispose()
