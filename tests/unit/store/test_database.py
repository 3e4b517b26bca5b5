"""The data directory: made, reopened, refused with a clear word."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from foveal.errors import SetupError
from foveal.store.database import FILE_NAME, MIGRATIONS, open_database
from foveal.store.ledger_tables import metadata


def test_a_fresh_directory_gets_every_table_and_can_be_opened_again(tmp_path: Path) -> None:
    for _ in range(2):
        database = open_database(tmp_path / "new" / "data")
        tables = set(inspect(database).get_table_names())
        assert tables == {*metadata.tables, "alembic_version"}
        for table in metadata.tables.values():
            columns = {column["name"] for column in inspect(database).get_columns(table.name)}
            assert columns == set(table.columns.keys()), "the migrations and the tables say the same"
        database.dispose()


def test_the_file_of_a_migration_begins_with_its_revision() -> None:
    """What is not so would be taken for done, or done again at every start."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())
    assert [Path(one.path).name.partition("_")[0] for one in revisions] == [one.revision for one in revisions]
    assert revisions[0].revision == max(one.revision for one in revisions)


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    open_database(tmp_path / "data").dispose()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    assert (tmp_path / "data" / FILE_NAME).stat().st_mode & 0o077 == 0


def test_a_directory_of_a_newer_foveal_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()
    with pytest.raises(SetupError, match=r"written by a newer Foveal \(schema 9999\)"):
        open_database(tmp_path)
    with pytest.raises(SetupError, match="newer Foveal"):
        open_database(tmp_path)


def test_a_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SetupError, match="cannot be made"):
        open_database(tmp_path / "taken" / "data")


def test_something_else_in_the_place_of_the_database(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is not a database, it is a text that is long enough" * 20)
    with pytest.raises(SetupError, match="cannot be used as a database"):
        open_database(tmp_path)
