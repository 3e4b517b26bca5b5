"""What a frame's facts say in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.facts import line, street

from foveal.perception.base import Box, Face, Tag
from foveal.perception.facts import ColourShare, Facts, SeenObject
from foveal.video.ingest.describe import FrameWords


@pytest.fixture(scope="module")
def words() -> FrameWords:
    return FrameWords()


def facts(*objects: SeenObject, **more: Any) -> Facts:
    return replace(Facts(800, 600, "high", objects), **more)


def seen(label: str, left: float = 0.1, confidence: float = 0.95) -> SeenObject:
    return SeenObject(label, confidence, Box(left, 0.3, left + 0.2, 0.7))


def test_things_counts_colours_place_and_text(words: FrameWords) -> None:
    (text,) = words(street())
    assert text == "A person wearing blue, a red car and a dog outdoors. The text reads: CENTRAL STATION"


def test_several_of_a_kind_are_counted(words: FrameWords) -> None:
    (text,) = words(facts(*[seen("person", 0.2 * n) for n in range(4)], seen("bus", 0.6), seen("bus", 0.1)))
    assert text.startswith("A group of four people and two buses")


def test_what_persons_do_is_told(words: FrameWords) -> None:
    rider = SeenObject("person", 0.95, Box(0.3, 0.2, 0.5, 0.6))
    horse = SeenObject("horse", 0.95, Box(0.2, 0.4, 0.6, 0.9))
    (text,) = words(facts(rider, horse))
    assert "A person riding a horse." in text or "A person on a horse." in text


def test_faces_are_people(words: FrameWords) -> None:
    face = Face(0.9, Box(0.4, 0.2, 0.6, 0.5))
    assert words(facts(faces=(face,)))[0].startswith("The face of a person")
    assert "two people" in words(facts(faces=(face, face)))[0]


def test_sure_tags_name_what_no_detector_knows(words: FrameWords) -> None:
    assert "a castle" in words(facts(tags=(Tag("castle", 0.8),)))[0].lower()
    assert words(facts(tags=(Tag("beagle", 0.9),)))[0] == "A beagle, a dog."
    assert "volcano" not in words(facts(tags=(Tag("volcano", 0.05),)))[0]


def test_pages_of_text_are_called_so(words: FrameWords) -> None:
    lines = tuple(line(f"line number {n}", 0.1, 0.1 * n, 0.8, 0.1 * n + 0.05) for n in range(1, 7))
    (text,) = words(facts(lines=lines, tags=(Tag("menu", 0.9),)))
    assert text.startswith("A page of text. The text reads: line number 1")
    assert "line number 6" in text


def test_a_frame_of_nothing_has_its_colours(words: FrameWords) -> None:
    assert words(facts(colours=(ColourShare("black", 0.9),))) == ("A picture that is mostly black.",)
    assert words(facts()) == ("A picture.",)


def test_a_wall_of_text_is_bounded(words: FrameWords) -> None:
    lines = tuple(line("word " * 100, 0.1, 0.01 * n, 0.9, 0.01 * n + 0.008) for n in range(90))
    assert len(words(facts(lines=lines))[0]) < 1_300
