"""Pictures for the content filter: from probabilities to severities, and what the real net says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.unit.perception.helpers import load_pixels, picture_of

from foveal.errors import EngineUnavailable, InvalidImage
from foveal.images.detail import Pixels
from foveal.models.catalogue import load_catalogue
from foveal.models.lease import ModelLease
from foveal.models.store import ModelStore
from foveal.perception.base import Odds
from foveal.perception.quiet_openvino import opset13, ov
from foveal.perception.runtime import Runtime
from foveal.perception.safety import SafetyRater, framed
from foveal.safety.base import Severities, Severity
from foveal.safety.pictures import FrameJudge, NetPictureJudge, Steps, load_picture_judge, load_steps

SAFE, LOW, MEDIUM, HIGH = Severity
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def filled(colour: tuple[int, int, int], width: int = 320, height: int = 240) -> Pixels:
    return np.full((height, width, 3), colour, dtype=np.uint8)


@dataclass
class MadeRater:
    odds: Odds
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def rate(self, pixels: Pixels) -> Odds:
        self.shapes.append(pixels.shape)
        return self.odds


@dataclass
class RedRater:
    """The redder, the more graphic; the bluer, the more sexual."""

    def rate(self, pixels: Pixels) -> Odds:
        red, _, blue = (float(mean) / 255 for mean in pixels.reshape(-1, 3).mean(axis=0))
        return Odds(safe=max(0.0, 1 - red - blue), sexual=blue, graphic=red)


def judge_of(sexual: float = 0.0, graphic: float = 0.0) -> NetPictureJudge:
    odds = Odds(safe=1 - sexual - graphic, sexual=sexual, graphic=graphic)
    return NetPictureJudge(ModelLease(lambda: MadeRater(odds)), load_steps())


def colour_net() -> SafetyRater:
    """The probabilities are the shares of red, green and blue."""
    pixels = opset13.parameter(ov.PartialShape([1, 3, 224, 224]), ov.Type.f32, name="image")
    means = opset13.reduce_mean(pixels, opset13.constant(np.array([2, 3])), False)
    total = opset13.reduce_sum(means, opset13.constant(np.array([1])), True)
    model = ov.Model([opset13.result(opset13.divide(means, total))], [pixels], "colours")
    return SafetyRater(Runtime(threads=1, cache=Path("/nonexistent")).compile(model))


@pytest.mark.parametrize(
    ("probability", "severity"),
    [
        (0.0, SAFE),
        (0.1, SAFE),
        (0.349, SAFE),
        (0.35, LOW),
        (0.5, LOW),
        (0.6, MEDIUM),
        (0.85, HIGH),
        (1.0, HIGH),
    ],
)
def test_the_surer_the_net_the_graver_the_verdict(probability: float, severity: Severity) -> None:
    image = picture_of(filled(GREEN))
    assert judge_of(sexual=probability).judge(image) == Severities(sexual=severity)
    assert judge_of(graphic=probability).judge(image) == Severities(violence=severity)


def test_steps_must_rise() -> None:
    for steps in ((0.5, 0.5, 0.9), (0.6, 0.5, 0.9), (0.0, 0.5, 0.9), (0.1, 0.5, 1.0)):
        with pytest.raises(ValueError, match="must rise"):
            Steps(*steps)


def test_the_decoded_overview_is_judged_whatever_the_detail() -> None:
    rater = MadeRater(Odds(1.0, 0.0, 0.0))
    judge = NetPictureJudge(ModelLease(lambda: rater), load_steps())
    judge.judge(picture_of(filled(RED, 1200, 800), "high"))
    judge.judge(picture_of(filled(RED, 1200, 800), "low"))
    assert rater.shapes == [(341, 512, 3)] * 2


def test_the_classes_of_the_net_are_graphic_sexual_and_safe_in_this_order() -> None:
    rater = colour_net()
    red, green, blue = (rater.rate(filled(colour)) for colour in (RED, GREEN, BLUE))
    assert (red.graphic, red.sexual, red.safe) == pytest.approx((1.0, 0.0, 0.0), abs=1e-4)
    assert (green.graphic, green.sexual, green.safe) == pytest.approx((0.0, 1.0, 0.0), abs=1e-4)
    assert (blue.graphic, blue.sexual, blue.safe) == pytest.approx((0.0, 0.0, 1.0), abs=1e-4)


@pytest.mark.parametrize(
    ("width", "height"), [(224, 224), (512, 288), (100, 400), (1, 1), (512, 1), (3, 512)]
)
def test_a_picture_keeps_its_shape_in_the_square(width: int, height: int) -> None:
    tensor = framed(filled(RED, width, height))
    assert tensor.shape == (1, 3, 224, 224)
    assert tensor.dtype == np.float32
    assert tensor[0, 0].min() >= 254
    assert tensor[0, 1:].max() == 0


def test_beside_a_picture_is_its_own_blur_and_no_black() -> None:
    pixels = filled(RED, 448, 112)
    pixels[:, 224:] = GREEN
    tensor = framed(pixels)[0]
    rows = tensor[:, 84:140]  # a quarter as high as wide: 56 rows in the middle
    assert rows[0, :, :110].min() > 250
    assert rows[1, :, 114:].min() > 250
    assert tensor[:2].sum(axis=0).min() > 200
    assert 80 < tensor[0, 10, 111] < 180  # red and green run into each other


@pytest.mark.parametrize("least", [LOW, MEDIUM, HIGH])
@pytest.mark.parametrize("probability", [0.1, 0.4, 0.7, 0.9])
def test_a_frame_is_refused_from_the_chosen_severity_on(least: Severity, probability: float) -> None:
    jpeg = cv2.imencode(".jpg", filled(GREEN))[1].tobytes()
    severity = load_steps().sexual.severity(probability)
    for judge in (judge_of(sexual=probability), judge_of(graphic=probability)):
        assert FrameJudge(judge, least).refuses(jpeg) is (severity >= least)


def test_by_default_a_frame_is_refused_from_medium_on() -> None:
    jpeg = cv2.imencode(".jpg", filled(GREEN))[1].tobytes()
    assert [FrameJudge(judge_of(graphic=p)).refuses(jpeg) for p in (0.5, 0.65, 0.9)] == [False, True, True]


def test_frames_are_judged_in_their_own_colours() -> None:
    guard = FrameJudge(NetPictureJudge(ModelLease(RedRater), load_steps()))
    frames = [cv2.imencode(".jpg", filled(colour)[:, :, ::-1])[1].tobytes() for colour in (RED, GREEN, BLUE)]
    assert [guard.refuses(frame) for frame in frames] == [True, False, True]
    with pytest.raises(InvalidImage):
        guard.refuses(b"no picture")


def test_without_weights_it_is_told_what_to_run(tmp_path: Path) -> None:
    judge = load_picture_judge(ModelStore(tmp_path, load_catalogue()), threads=1)
    with pytest.raises(EngineUnavailable, match="foveal models pull image-safety-classifier-s"):
        judge.judge(picture_of(filled(GREEN)))


@pytest.fixture(scope="module")
def judge(models_folder: Path) -> NetPictureJudge:
    return load_picture_judge(ModelStore(models_folder, load_catalogue()), threads=2)


@pytest.mark.models
def test_ordinary_pictures_are_safe(judge: NetPictureJudge, pictures: Path) -> None:
    places = [*pictures.iterdir(), *(pictures.parent / "documents").iterdir()]
    places += [Path(str(one)) for one in (files("foveal.demo") / "pictures").iterdir()]
    shown = [place for place in places if place.suffix in (".jpg", ".png")]
    assert len(shown) > 20
    found = {place.name: judge.judge(picture_of(load_pixels(place))) for place in shown}
    assert {name for name, severities in found.items() if severities != Severities()} == set()


@pytest.mark.models
def test_many_threads_get_the_same_verdict(judge: NetPictureJudge, pictures: Path) -> None:
    images = [picture_of(load_pixels(pictures / name)) for name in ("astronaut.jpg", "coffee.jpg")] * 6
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(judge.judge, images)) == {Severities()}
