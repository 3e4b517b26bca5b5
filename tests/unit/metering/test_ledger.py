"""The ledger: journals that outlive their process, moved into SQL once; a journal that cannot be written."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from tests.support.metering import Office, open_office, requests_of

from foveal.metering.base import Entry
from foveal.metering.journal import Journal, left_behind
from foveal.metering.ledger import FOLDER, take_over
from foveal.metering.service import settle_ingestion
from foveal.store.ledger_tables import ledger

LINE = (
    b'{"id":"one","at":1,"resource":"local","deployment":null,"principal":"key2","kind":"query",'
    b'"outcome":"answered","units":{"video_queries":1}}\n'
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = open_office(tmp_path)
    yield made
    made.close()


def journals(data: Path) -> list[Path]:
    return sorted((data / FOLDER).glob("*.journal"))


def written(data: Path) -> list[bytes]:
    return [line for path in journals(data) for line in path.read_bytes().splitlines()]


def test_what_is_settled_is_in_a_file_at_once_and_in_sql_after_a_move(office: Office) -> None:
    office.settle()
    assert len(written(office.data)) == 1
    assert office.rows() == 0
    office.metering.ledger.flush()
    assert office.rows() == 1
    assert written(office.data) == []
    office.metering.ledger.flush()
    assert office.rows() == 1


def test_a_row_says_who_and_what_and_nothing_else(office: Office) -> None:
    office.settle({"input_tokens": 7, "output_tokens": 0, "video_minutes": 0.25}, deployment=None)
    office.metering.ledger.flush()
    with office.database.connect() as connection:
        (row,) = connection.execute(select(ledger)).mappings()
    assert dict(row) == {
        "id": row["id"],
        "at": office.clock.at,
        "resource": "local",
        "deployment": "",
        "principal": "key1",
        "kind": "chat",
        "outcome": "answered",
        "units": {"input_tokens": 7, "video_minutes": 0.25},
    }


def test_only_the_owner_can_read_the_journal(office: Office) -> None:
    assert (office.data / FOLDER).stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in journals(office.data))


def test_closing_moves_what_is_left_and_leaves_no_file(tmp_path: Path) -> None:
    office = open_office(tmp_path)
    office.settle()
    office.metering.close()
    assert office.rows() == 1
    assert list((tmp_path / FOLDER).iterdir()) == []
    office.database.dispose()


def test_moving_the_same_lines_twice_doubles_nothing(office: Office) -> None:
    """As after a kill between the transaction and the end of the segment."""
    for _ in range(5):
        office.settle()
    lines = b"".join(path.read_bytes() for path in journals(office.data))
    office.metering.ledger.flush()
    again = Journal(office.data / FOLDER)
    again.append(lines)
    again.close()
    assert take_over(office.database, office.data / FOLDER) == 0
    assert office.rows() == 5
    assert requests_of(office.usage()) == {("local", "gpt-4v"): 5}
    assert len(journals(office.data)) == 1, "only that of the living process"


def test_journals_of_dead_processes_are_taken_over_those_of_living_ones_are_not(office: Office) -> None:
    living, dead = Journal(office.data / FOLDER), Journal(office.data / FOLDER)
    for name, one in (("living", living), ("dead", dead)):
        one.append(LINE.replace(b"one", name.encode()))
    dead.close()  # as the kernel does when a process ends
    assert take_over(office.database, office.data / FOLDER) == 1
    assert requests_of(office.usage(by="key")) == {("local", "key2"): 1}
    assert len(written(office.data)) == 1
    living.close()
    assert take_over(office.database, office.data / FOLDER) == 1


def test_a_segment_that_another_process_moved_meanwhile_is_left_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = Journal(office.data / FOLDER)
    dead.append(b"a line\n")
    dead.close()
    lock = fcntl.flock

    def slow(descriptor: int, how: int) -> None:
        for path in journals(office.data):
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                path.unlink()
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    assert list(left_behind(office.data / FOLDER)) == []


def test_a_torn_line_is_left_out_and_said(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.settle()
    whole = journals(office.data)[0].read_bytes()
    office.metering.ledger.flush()
    dead = Journal(office.data / FOLDER)
    dead.append(whole.replace(b'"id":"', b'"id":"x') + whole[: len(whole) // 2])
    dead.close()
    with caplog.at_level(logging.WARNING):
        assert take_over(office.database, office.data / FOLDER) == 1
    assert "a line that is no entry" in caplog.text


def test_sql_that_does_not_take_it_now_takes_it_later(office: Office) -> None:
    office.settle()
    with office.database.begin() as connection:
        connection.execute(text("ALTER TABLE usage_days RENAME TO away"))
    with pytest.raises(OperationalError):
        office.metering.ledger.flush()
    office.settle()
    assert len(written(office.data)) == 2
    assert office.rows() == 0, "the ledger and its sums are written together or not at all"
    with office.database.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO usage_days"))
    office.metering.ledger.flush()
    assert requests_of(office.usage()) == {("local", "gpt-4v"): 2}
    assert office.rows() == 2


def test_a_full_disk_loses_nothing_in_silence(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a line is written, then nothing: the entries wait in memory, and half lines harm nobody."""
    office.settle()
    real, room = os.write, [30]

    def full(descriptor: int, data: bytes) -> int:
        fits = min(room[0], len(data))
        room[0] -= fits
        return real(descriptor, data[:fits])

    monkeypatch.setattr(os, "write", full)
    for _ in range(2):
        office.settle()
    monkeypatch.undo()
    office.settle()
    assert office.metering.ledger.troubles() == {"unwritten": 2, "kept": 2, "lost": 0}
    assert caplog.text.count("cannot be written") == 1
    office.metering.ledger.flush()
    assert office.rows() == 4
    assert office.metering.ledger.troubles() == {"unwritten": 2, "kept": 0, "lost": 0}


def test_a_folder_that_takes_no_new_file(office: Office) -> None:
    office.settle()
    (office.data / FOLDER).rename(office.data / "moved")
    with pytest.raises(OSError, match="No such file"):
        office.metering.ledger.flush()
    (office.data / "moved").rename(office.data / FOLDER)
    office.metering.ledger.flush()
    assert office.rows() == 1


def test_the_thread_takes_over_and_moves(tmp_path: Path) -> None:
    office = open_office(tmp_path)
    dead = Journal(tmp_path / FOLDER)
    dead.append(LINE)
    dead.close()
    office.metering.start()
    office.settle()
    office.metering.close()
    assert office.rows() == 2
    office.database.dispose()


def test_an_ingestion_is_settled_once(office: Office) -> None:
    for _ in range(2):
        with office.database.begin() as connection:
            settle_ingestion(connection, "local", "key2", 7, 1.5)
    row = office.usage(by="key").rows[0]
    assert (row.group, row.requests, row.units) == (("local", "key2"), 1, {"video_minutes": 1.5})


def test_two_entries_of_one_batch_with_the_same_id(office: Office) -> None:
    entry = Entry("same", office.clock.at, "local", None, "key1", "query", "answered", {"video_queries": 1})
    office.metering.ledger.settle(entry)
    office.metering.ledger.settle(entry)
    office.metering.ledger.flush()
    assert office.rows() == 1


@pytest.mark.parametrize(
    ("principal", "kept"),
    [
        ("token:" + "x" * 300, "token:" + "x" * 250),
        ("token:\ud800\x00\n", "token:???"),
        ("token:김", "token:김"),
    ],
)
def test_a_subject_of_a_token_that_no_database_takes(office: Office, principal: str, kept: str) -> None:
    office.settle(principal=principal)
    assert [row.group for row in office.usage(by="key").rows] == [("local", kept)]
