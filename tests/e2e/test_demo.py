"""`foveal demo` with the real models: the main job on real pictures, as a new user sees it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest


@pytest.mark.models
def test_the_demo_answers_about_every_picture_and_the_clip() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "foveal", "demo"],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "FOVEAL_ENGINE": "evidence"},
    )
    assert done.returncode == 0, done.stderr
    blocks = re.findall(
        r"(?:picture|video)\s+(\S+)\nquestion  ([^\n]*)\nanswer    (.*?)\n"
        r"(?:where .*?\n)?time      [\d.]+ s\n",
        done.stdout,
        re.DOTALL,
    )
    answers = {(picture, question): answer for picture, question, answer in blocks}
    assert len(answers) == 15
    where = re.findall(r"where     (.*): \d+% to \d+% from the left, \d+% to \d+% from the top", done.stdout)
    assert any("people" in phrase or "person" in phrase for phrase in where)
    total = answers["receipt.png", "How much is the total?  (with ocr and grounding)"]
    assert "29.05" in total
    assert "person" in answers["astronaut.jpg", "Describe this picture."]
    assert "one person" in answers["astronaut.jpg", "How many people are there?"]
    animals = answers["cat.jpg", "What animal is this, and is there a dog?"]
    assert "cat" in animals
    assert "No" in animals
    assert "people" in answers["street.jpg", "How many people are on the street?"]
    assert "unambiguously as either object or background" in answers["page.jpg", "What does the page say?"]
    assert "cup" in answers["coffee.jpg", "What colour is the cup?"]
    notice = answers["notice-ko.jpg", "이 안내문에 뭐라고 쓰여 있나요?"]
    assert "도서관 이용 안내" in notice
    assert "02-123-4567" in notice
    assert "can't tell" in answers["temple.jpg", "What is the name of the architect?"]
    film = answers["clip.mp4", "Describe this video."]
    assert "28 seconds" in film
    assert "cat" in film
    assert "0:2" in answers["clip.mp4", "When does a cat appear?"]
    assert "leisure" in answers["clip.mp4", "What is said about John Dashwood?"]
    assert "three scenes" in answers["clip.mp4", "How many scenes are there from 5 s to 20 s?"]
