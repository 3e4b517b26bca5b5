"""The `foveal` command in process: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.cli import Run, runner
from tests.support.issuer import issuing

from foveal import __version__
from foveal.cli.main import COMMANDS


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FOVEAL_ENGINE", "echo")
    return runner(monkeypatch, capsys)


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "picture.png"
    Image.fromarray(np.full((60, 80, 3), 90, np.uint8)).save(path)
    return str(path)


def test_version_and_help(run: Run) -> None:
    assert run("--version").out.strip() == f"foveal, version {__version__}"
    shown = run("--help")
    assert shown.code == 0
    assert all(name in shown.out for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_examples(run: Run, name: str) -> None:
    shown = run(name, "--help")
    assert shown.code == 0
    assert "Examples:" in shown.out


def test_ask_prints_the_answer(run: Run, picture: str) -> None:
    done = run("ask", picture, "What is this?")
    assert (done.code, done.err) == (0, "")
    assert "What is this?" in done.out
    assert "80×60 (low)" in done.out


def test_ask_looks_as_closely_as_told(run: Run, picture: str) -> None:
    assert "80×60 (high)" in run("ask", picture, "What is this?", "--detail", "high").out


def test_ask_without_a_picture_is_text_chat(run: Run) -> None:
    assert "Hello" in run("ask", "Hello").out


def test_ask_json_is_the_whole_response(run: Run, picture: str) -> None:
    answer = json.loads(run("ask", picture, "What is this?", "--json").out)
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["prompt_tokens"] > 85


def test_ask_says_when_the_answer_was_cut(run: Run, picture: str) -> None:
    done = run("ask", picture, "What is this?", "--max-tokens", "2")
    assert done.code == 0
    assert "--max-tokens" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ask", "/nowhere/photo.jpg", "What is this?"), "/nowhere/photo.jpg"),
        (("ask", "ftp://example.com/x.png", "What?"), "ftp://example.com/x.png"),
        (("ask", "http://127.0.0.1:1/x.png", "What?"), "not accessible"),
        (("ask", "Hello", "--max-tokens", "0"), "max_tokens"),
        (("ask", "Hello", "--temperature", "3"), "temperature"),
        (("ask", "Hello", "--engine", "magic"), "--engine='magic'"),
        (("ask", "Hello", "--engine", "openai"), "--upstream-url"),
        (("ask", "Hello", "--engine", "gguf", "--gguf", "/nowhere.gguf"), "/nowhere.gguf"),
        (("ask", "Hello", "--engine", "evidence", "--models", "/nowhere"), "foveal models pull"),
        (("models", "pull", "no-such-model"), "no-such-model"),
        (("dance",), "dance"),
        (("ask",), "QUESTION"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_code_2(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_file_that_is_no_picture(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("not a picture")
    done = run("ask", str(tmp_path / "notes.png"), "What is this?")
    assert done.code == 2
    assert "image" in done.err.lower()


def test_doctor_finds_what_is_wrong_and_says_what_to_do(run: Run, tmp_path: Path) -> None:
    broken = run("doctor", "--json", "--engine", "evidence", "--models", str(tmp_path / "none"))
    findings = {row["name"]: row for row in json.loads(broken.out)}
    assert broken.code == 1
    assert findings["models"]["level"] == "broken"
    assert "foveal models pull" in findings["models"]["advice"]
    assert findings["openvino"]["level"] == "ok"
    assert run("doctor", "--port", "0").code == 0


def test_doctor_sees_that_the_data_directory_cannot_be_written(run: Run) -> None:
    done = run("doctor", "--json", "--data", "/proc/foveal", "--port", "0")
    assert "data directory" in {row["name"] for row in json.loads(done.out) if row["level"] == "broken"}


def test_doctor_asks_the_issuer_of_tokens(run: Run) -> None:
    def found(address: str) -> tuple[str, str]:
        rows = json.loads(run("doctor", "--json", "--port", "0", "--entra-issuer", address).out)
        (row,) = [row for row in rows if row["name"] == "issuer"]
        return row["level"], row["detail"]

    with issuing() as issuer:
        assert found(issuer.url) == ("ok", f"{issuer.url}: 1 key(s)")
        issuer.rows = []
        assert found(issuer.url) == ("warning", f"{issuer.url} has no keys of use")
        assert found(f"{issuer.url}/elsewhere")[0] == "warning"
    level, detail = found("http://issuer.example")
    assert level == "broken"
    assert "must be an https address" in detail


def test_models_lists_size_and_licence(run: Run, tmp_path: Path) -> None:
    rows = json.loads(run("models", "--json", "--models", str(tmp_path)).out)
    assert {"evidence", "name", "licence", "size", "state"} & set(rows[0]) >= {
        "name",
        "licence",
        "size",
        "state",
    }
    assert all(row["state"] == "missing" for row in rows)


def test_demo_asks_every_question(run: Run) -> None:
    done = run("demo")
    assert done.code == 0
    assert done.out.count("question  ") >= 8
    assert done.out.count("answer    ") == done.out.count("time      ") == done.out.count("question  ")


@pytest.mark.models
def test_ask_grounds_its_answer_and_draws_it(
    run: Run, pictures: Path, models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOVEAL_MODELS", str(models_folder))
    drawn = tmp_path / "boxes.png"
    photo = str(pictures / "astronaut.jpg")
    done = run("ask", photo, "The person smiles.", "--grounding", "--save", str(drawn))
    assert done.code == 0, done.err
    assert "the person: " in done.out
    assert "from the left" in done.out
    with Image.open(photo) as before, Image.open(drawn) as after:
        assert after.size == before.size
        assert np.asarray(before.convert("RGB")).tobytes() != np.asarray(after.convert("RGB")).tobytes()
    told = json.loads(run("ask", photo, "The person smiles.", "--grounding", "--json").out)
    (line,) = told["choices"][0]["enhancements"]["grounding"]["lines"]
    assert [span["text"] for span in line["spans"]] == ["the person"]


@pytest.mark.models
def test_ask_reads_closely(
    run: Run, pictures: Path, models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOVEAL_MODELS", str(models_folder))
    assert "Region-based segmentation" in run("ask", str(pictures / "page.jpg"), "Read it", "--ocr").out


def test_where_the_drawing_cannot_go_is_said_before_the_work(run: Run, picture: str, tmp_path: Path) -> None:
    for arguments, says in (
        (("--save", str(tmp_path / "x.png")), "--save needs --grounding"),
        (("--grounding", "--save", str(tmp_path / "none" / "x.png")), "there is no folder"),
        (("--grounding", "--save", str(tmp_path)), "that is a folder"),
    ):
        done = run("ask", picture, "What?", *arguments)
        assert done.code == 2
        assert says in done.err
