"""`foveal models` as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from foveal.cli.main import cli
from foveal.errors import SetupError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOVEAL_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_the_list_names_every_model_and_its_licence(folder: Path) -> None:
    done = CliRunner().invoke(cli, ["models"])
    assert done.exit_code == 0
    assert "ssd-mobilenet-v2-coco" in done.output
    assert "missing" in done.output
    rows = json.loads(CliRunner().invoke(cli, ["models", "--json"]).output)
    assert {row["state"] for row in rows} == {"missing"}
    assert {row["licence"] for row in rows} == {"Apache-2.0", "MIT"}


@pytest.mark.models
def test_pull_takes_a_file_from_a_folder_and_verify_finds_damage(
    folder: Path, models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOVEAL_MODEL_SOURCE", str(models_folder))
    done = CliRunner().invoke(cli, ["models", "pull", "face-full-range"])
    assert done.stdout.strip() == f"face-full-range: from folder {models_folder}"
    assert CliRunner().invoke(cli, ["models", "verify"]).exit_code == 0
    file = folder / "face_detection_full_range.tflite"
    file.write_bytes(b"x" + file.read_bytes()[1:])
    checked = CliRunner().invoke(cli, ["models", "verify", "--json"])
    assert checked.exit_code == 1
    assert [row["name"] for row in json.loads(checked.output) if row["state"] == "wrong"] == [
        "face-full-range"
    ]


def test_an_unknown_name_is_told_the_known_ones(folder: Path) -> None:
    done = CliRunner().invoke(cli, ["models", "pull", "nothing"])
    assert isinstance(done.exception, SetupError)
    assert "tesseract-kor" in done.exception.message
