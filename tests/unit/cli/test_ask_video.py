"""`foveal ask clip.mp4 "…"`: the real reader of videos, an engine that repeats what it was given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.cli import Run, runner
from tests.support.clips import Scene, picture, write_video

from foveal.chat.local import is_video


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("FOVEAL_ENGINE", "echo")
    monkeypatch.setenv("FOVEAL_FILTER_FAILURE", "open")  # there are no weights to judge frames with
    monkeypatch.setenv("FOVEAL_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path / "data"))
    return runner(monkeypatch, capsys, "ask")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds: a cat, then a street; without sound."""
    place = tmp_path_factory.mktemp("clips") / "a clip.mp4"
    return write_video(place, [Scene(picture("cat"), 4), Scene(picture("street"), 4)], size=(320, 180))


def test_a_clip_is_asked_about(ask: Run, clip: Path) -> None:
    ended = ask(str(clip), "What happens from 2s to 4s?")
    assert ended.code == 0, ended.err
    assert "A video of 00:00:08; below is what it shows from 00:00:02 to 00:00:04." in ended.out
    assert "Frame at 00:00:02.2000000:" in ended.out
    assert "The video has no sound." in ended.out
    assert ended.out.count("320×180 (low)") == 10


def test_the_whole_response(ask: Run, clip: Path) -> None:
    answer = json.loads(ask(str(clip), "Describe this video:", "--json").out)
    assert "Describe this video:" in answer["choices"][0]["message"]["content"]
    assert answer["usage"]["prompt_tokens"] > 10 * 85


def test_a_video_whose_name_tells_nothing(ask: Run, clip: Path, tmp_path: Path) -> None:
    other = tmp_path / "download"
    other.write_bytes(clip.read_bytes())
    assert "A video of 00:00:08" in ask(str(other), "Describe it").out


@pytest.mark.parametrize(
    ("places", "says"),
    [
        (("CLIP", "CLIP"), "one video at a time"),
        (("CLIP", "picture.png"), "one video at a time"),
        (("CLIP", "--ocr"), "for pictures"),
        (("CLIP", "--grounding"), "for pictures"),
        (("missing.mp4",), "no such file"),
        (("https://127.0.0.1:1/clip.mp4",), ""),
        (("data:video/mp4;base64,AAAA",), ""),
        (("TEXT",), ""),
    ],
)
def test_what_cannot_be_asked_about(
    ask: Run, clip: Path, tmp_path: Path, places: tuple[str, ...], says: str
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("#EXTM3U\n/etc/passwd\n")
    named = {"CLIP": str(clip), "TEXT": str(text)}
    ended = ask(*(named.get(place, place) for place in places), "Describe it")
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("place", "video"),
    [
        ("clip.MOV", True),
        ("https://a.example/clip.mp4?sig=x", True),
        ("https://a.example/photo.jpg?name=clip.mp4", False),
        ("https://a.example/watch", False),
        ("data:video/webm;base64,AA", True),
        ("data:image/png;base64,AA", False),
        ("photo.png", False),
        ("nothing", False),
    ],
)
def test_what_is_a_video(place: str, video: bool) -> None:
    assert is_video(place) is video
