"""`kill -9` of a process that settles: every acknowledged entry is in the ledger, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.support.metering import open_office

from foveal.metering.ledger import FOLDER, take_over
from foveal.store.database import open_database
from foveal.store.ledger_tables import ledger, usage_days

ROOT = Path(__file__).parents[2]


def settle_and_kill(data: Path, after: int) -> int:
    """How many entries a process acknowledged that was killed some time after the `after`-th."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.settling", str(data)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(after):
        assert process.stdout.readline()
    process.kill()
    acknowledged = after + len([line for line in process.stdout.read().split(b"\n") if line])
    process.wait()
    process.stdout.close()
    return acknowledged


@pytest.mark.parametrize("after", [1, 500, 3000])
def test_every_acknowledged_entry_is_there_once(tmp_path: Path, after: int) -> None:
    acknowledged = settle_and_kill(tmp_path, after)
    database = open_database(tmp_path)
    in_sql = _numbers(tmp_path)
    take_over(database, tmp_path / FOLDER)
    found = _numbers(tmp_path)
    assert len(found) == len(set(found)), "an entry is there twice"
    # The process may have been killed between settling one more and saying so.
    assert sorted(found) in (list(range(acknowledged)), list(range(acknowledged + 1)))
    assert len(in_sql) <= len(found)
    with database.connect() as connection:
        summed = connection.scalar(
            select(func.sum(usage_days.c.micros)).where(usage_days.c.meter == "input_tokens")
        )
    assert summed == len(found) * 1_000_000, "the sums say what the ledger says"
    assert list((tmp_path / FOLDER).glob("*.journal")) == []
    database.dispose()


def test_a_server_that_starts_takes_over_what_the_killed_one_left(tmp_path: Path) -> None:
    """Also while a third process lives, whose journal stays its own."""
    living = open_office(tmp_path)
    living.settle()
    acknowledged = settle_and_kill(tmp_path, 200)
    next_one = open_office(tmp_path)
    next_one.metering.start()
    next_one.close()
    found = _numbers(tmp_path)
    assert len(found) in (acknowledged, acknowledged + 1)
    assert len(list((tmp_path / FOLDER).glob("*.journal"))) == 1
    living.close()
    assert len(_numbers(tmp_path)) == len(found) + 1


def _numbers(data: Path) -> list[int]:
    database = open_database(data)
    with database.connect() as connection:
        who = list(connection.scalars(select(ledger.c.principal)))
    database.dispose()
    return [-1 if name == "key1" else int(name.removeprefix("n")) for name in who]
