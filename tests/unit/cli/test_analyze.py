"""`foveal analyze` in process: what it prints and draws, and how it ends on bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from tests.support.cli import Run, runner


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("COLUMNS", "120")
    return runner(monkeypatch, capsys, "analyze")


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    Image.new("RGB", (80, 60), "grey").save(path)
    return str(path)


@pytest.fixture
def without_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOVEAL_MODELS", str(tmp_path / "no-models"))


@pytest.mark.usefixtures("without_weights")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("PHOTO", "--features", "faces"), "The visual feature 'faces' is not supported"),
        (("PHOTO", "--features", ""), "'features' is required"),
        (("PHOTO", "--language", "fr"), "The language 'fr' is not supported"),
        (("PHOTO", "--aspect-ratio", "3"), "The aspect ratio '3' is not allowed"),
        (("PHOTO", "--aspect-ratio", "wide"), "The aspect ratio 'wide' is not allowed"),
        (("FOLDER/none.jpg",), "No such file or directory"),
        (("FOLDER",), "Is a directory"),
        (("FOLDER/text.txt",), "A PNG, JPEG, WEBP or GIF image was expected"),
        (("FOLDER/tiny.png",), "smaller than 50"),
        (("PHOTO", "--save", "FOLDER/missing/out.png"), "there is no folder"),
        (("PHOTO", "--save", "FOLDER"), "that is a folder"),
        (("PHOTO", "--features", "tags", "--save", "FOLDER/out.png"), "--save draws objects"),
        (("PHOTO",), "foveal models pull"),
        ((), "Missing argument 'IMAGE'"),
    ],
)
def test_bad_input_ends_with_2_and_says_why(
    run: Run, photo: str, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "text.txt").write_text("hello")
    Image.new("RGB", (20, 20)).save(tmp_path / "tiny.png")
    places = {"PHOTO": photo, "FOLDER": str(tmp_path)}
    given = [places.get(one, one.replace("FOLDER/", f"{tmp_path}/")) for one in arguments]
    ended = run(*given)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.models
@pytest.mark.usefixtures("models_folder")
def test_a_photo_is_told_in_tables_and_drawn(run: Run, pictures: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    ended = run(str(pictures / "astronaut.jpg"), "--save", str(target))
    assert ended.code == 0, ended.err
    assert "512 × 512 pixels" in ended.out
    for title in ("Caption: a person", "Dense captions", "Tags", "Objects", "People", "Text", "Smart crops"):
        assert title in ended.out
    with Image.open(target) as drawn:
        assert drawn.format == "PNG"
        assert drawn.size == (512, 512)


@pytest.mark.models
@pytest.mark.usefixtures("models_folder")
def test_json_is_what_the_api_answers(run: Run, pictures: Path) -> None:
    features = ("--features", "objects,tags", "--features", "smartCrops")
    crops = ("--aspect-ratio", "1", "--aspect-ratio", "1.5")
    ended = run(str(pictures / "coffee.jpg"), *features, *crops, "--language", "ko", "--json")
    answer = json.loads(ended.out)
    assert set(answer) == {"modelVersion", "metadata", "tagsResult", "objectsResult", "smartCropsResult"}
    assert "컵" in {one["tags"][0]["name"] for one in answer["objectsResult"]["values"]}
    assert [one["aspectRatio"] for one in answer["smartCropsResult"]["values"]] == [1, 1.5]
