"""The tagger's word against the detector's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import resources

import numpy as np
import pytest

from foveal.images.detail import Pixels
from foveal.perception.base import Box, DetectedObject, Tag
from foveal.perception.kinds import KindCheck, load_kind_check

PIXELS = np.zeros((50, 50, 3), dtype=np.uint8)


@dataclass
class SaysAlways:
    tags: list[Tag]
    asked: list[tuple[int, ...]] = field(default_factory=list)

    def tag(self, pixels: Pixels) -> list[Tag]:
        self.asked.append(pixels.shape)
        return self.tags


@pytest.fixture
def check() -> KindCheck:
    folder = resources.files("foveal.perception") / "data"
    names = json.loads((folder / "imagenet.json").read_text(encoding="utf-8"))
    labels = json.loads((folder / "coco.json").read_text(encoding="utf-8"))
    assert len(names) == 1000
    assert len(set(names)) == 1000
    assert len(labels) == 80
    return load_kind_check(names, labels.values())


def seen(label: str, confidence: float, box: Box | None = None) -> DetectedObject:
    return DetectedObject(label, confidence, box or Box(0.1, 0.1, 0.9, 0.9))


def test_a_cheetah_is_no_bird(check: KindCheck) -> None:
    [doubted] = check.check([seen("bird", 1.0)], [], PIXELS, SaysAlways([Tag("cheetah", 0.98)]))
    assert doubted.confidence < 0.05


def test_a_dog_taken_for_a_cat_is_renamed(check: KindCheck) -> None:
    tagger = SaysAlways([Tag("golden retriever", 0.7), Tag("Labrador retriever", 0.2)])
    [renamed] = check.check([seen("cat", 0.95)], [], PIXELS, tagger)
    assert renamed.label == "dog"
    assert renamed.confidence == pytest.approx(0.9)


def test_agreement_makes_surer(check: KindCheck) -> None:
    [surer] = check.check([seen("cat", 0.5)], [], PIXELS, SaysAlways([Tag("tabby", 0.8)]))
    assert surer.label == "cat"
    assert surer.confidence > 0.5


def test_an_unsure_or_silent_tagger_changes_nothing(check: KindCheck) -> None:
    bird = seen("bird", 0.7)
    for tags in (
        [],
        [Tag("cheetah", 0.3)],
        [Tag("espresso", 0.99)],
        [Tag("robin", 0.3), Tag("cheetah", 0.65)],
    ):
        assert check.check([bird], [], PIXELS, SaysAlways(tags)) == [bird]


def test_a_baboon_is_no_tie_but_a_sure_person_stays(check: KindCheck) -> None:
    tagger = SaysAlways([])
    tie, person = seen("tie", 0.66), seen("person", 0.95)
    checked = check.check([person, tie], [Tag("baboon", 0.97)], PIXELS, tagger)
    assert checked[0] == person
    assert checked[1].confidence < 0.05
    assert tagger.asked == [], "no animal of the detector's, no look"


def test_only_the_largest_animals_get_a_look(check: KindCheck) -> None:
    tagger = SaysAlways([])
    sheep = [seen("sheep", 0.9, Box(0.0, 0.0, 0.1 + 0.05 * size, 0.5)) for size in range(6)]
    assert check.check(sheep, [], PIXELS, tagger) == sheep
    assert len(tagger.asked) == 3
