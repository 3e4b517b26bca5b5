"""Keys that can be shown again although only hashes of them are kept."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from foveal.errors import SetupError
from foveal.resources.keys import MASTER_FILE, hash_key, master_key, matches, new_key, shown_key


def test_the_master_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    made = master_key(tmp_path)
    path = tmp_path / MASTER_FILE
    assert len(made) == 32
    assert master_key(tmp_path) == made == path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [MASTER_FILE]


def test_all_who_ask_first_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(lambda _: master_key(tmp_path), range(64)))) == 1


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / MASTER_FILE).write_bytes(b"short")
    with pytest.raises(SetupError, match=MASTER_FILE):
        master_key(tmp_path)


def test_a_key_has_azures_form_and_can_be_shown_again(tmp_path: Path) -> None:
    master = master_key(tmp_path)
    key, stored = new_key(master, "local", 1, by_operator=False)
    assert len(bytes.fromhex(key)) == 16
    assert matches(stored, key)
    assert shown_key(master, stored) == key
    assert key.encode() not in stored.salt + stored.digest


def test_no_two_keys_are_the_same(tmp_path: Path) -> None:
    master = master_key(tmp_path)
    made = {new_key(master, name, slot, by_operator=False)[0] for name in ("a", "b") for slot in (1, 2)}
    assert len(made | {new_key(master, "a", 1, by_operator=False)[0]}) == 5


def test_what_was_not_made_so_is_not_shown(tmp_path: Path) -> None:
    master = master_key(tmp_path)
    _, stored = new_key(master, "local", 1, by_operator=False)
    assert shown_key(bytes(32), stored) is None
    assert shown_key(master, replace(stored, slot=2)) is None
    assert shown_key(master, replace(stored, resource="other")) is None
    assert shown_key(master, hash_key("local", 1, "of-the-operator", by_operator=True)) is None
