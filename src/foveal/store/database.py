"""Opens the data directory: the SQL database in it, migrated to this version's tables."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError

from foveal.errors import SetupError

FILE_NAME = "foveal.db"
MIGRATIONS = Path(__file__).parent / "migrations"


def open_database(data: Path) -> Engine:
    """The database of the data directory `data`, created and migrated when needed.

    Raises `SetupError`, with what to do, when the directory cannot be written, holds something that is not
    a Foveal database, or was written by a newer Foveal.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SetupError(
            f"the data directory {data} cannot be made ({error.strerror}); choose another with --data"
        ) from None
    if not os.access(data, os.W_OK | os.X_OK):
        raise SetupError(f"the data directory {data} is not writable; choose another with --data")
    engine = create_engine(f"sqlite:///{data / FILE_NAME}", connect_args={"timeout": 10})
    event.listen(engine, "connect", _set_pragmas)
    try:
        with engine.connect() as connection:
            if not _is_current(connection):
                _migrate(connection, data)
    except DatabaseError as error:
        engine.dispose()
        raise SetupError(f"{data / FILE_NAME} cannot be used as a database: {error.orig}") from None
    except SetupError:
        engine.dispose()
        raise
    (data / FILE_NAME).chmod(0o600)
    return engine


def folder_of(database: Engine) -> Path:
    """The data directory that a database of `open_database` is in."""
    return Path(str(database.url.database)).parent


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _is_current(connection: Connection) -> bool:
    """Whether the newest migration was done: asked without Alembic, whose import takes a command longer than
    most of what it then does. The name of a migration's file begins with its revision.
    """
    newest = max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    if not inspect(connection).has_table("alembic_version"):
        return False
    return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == newest)


def _migrate(connection: Connection, data: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise SetupError(
            f"the data directory {data} was written by a newer Foveal (schema {current}); "
            "upgrade this Foveal or choose another directory with --data"
        )
    if current != script.get_current_head():
        command.upgrade(config, "head")
        connection.commit()
