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

# Discs in tones of skin and red: abstract, but the net takes them for something. x, y, axes, angle, RGB.
DISCS = (
    (164, 48, 64, 70, 102, 244, 187, 153),
    (131, 196, 89, 81, 121, 180, 122, 94),
    (244, 259, 105, 32, 127, 213, 172, 141),
    (248, 87, 131, 21, 20, 105, 8, 8),
    (143, 62, 82, 38, 52, 252, 193, 157),
    (160, 89, 95, 62, 85, 164, 24, 19),
    (256, 145, 58, 126, 160, 160, 23, 18),
    (261, 94, 119, 111, 44, 115, 9, 9),
    (169, 164, 119, 104, 26, 182, 26, 21),
    (183, 124, 83, 96, 133, 238, 191, 158),
    (101, 189, 124, 125, 106, 189, 145, 118),
    (270, 109, 69, 54, 72, 137, 20, 16),
    (248, 238, 85, 73, 135, 203, 156, 127),
)


def filled(colour: tuple[int, int, int], width: int = 320, height: int = 240) -> Pixels:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def discs(blue: float) -> Pixels:
    """The discs, more or less of them with red and blue exchanged."""
    canvas = filled((65, 37, 17), 320, 320)
    for x, y, wide, high, angle, *colour in DISCS:
        cv2.ellipse(canvas, (x, y), (wide, high), angle, 0, 360, colour, -1)
    soft = cv2.GaussianBlur(canvas, (0, 0), 3.0)
    return np.asarray(soft * (1 - blue) + soft[:, :, ::-1] * blue, dtype=np.uint8)


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
        (0.46, SAFE),
        (0.499, SAFE),
        (0.5, LOW),
        (0.799, LOW),
        (0.8, MEDIUM),
        (0.9, HIGH),
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
@pytest.mark.parametrize("probability", [0.1, 0.6, 0.85, 0.92])
def test_a_frame_is_refused_from_the_chosen_severity_on(least: Severity, probability: float) -> None:
    jpeg = cv2.imencode(".jpg", filled(GREEN))[1].tobytes()
    severity = load_steps().sexual.severity(probability)
    for judge in (judge_of(sexual=probability), judge_of(graphic=probability)):
        assert FrameJudge(judge, least).refuses(jpeg) is (severity >= least)


def test_by_default_a_frame_is_refused_from_medium_on() -> None:
    jpeg = cv2.imencode(".jpg", filled(GREEN))[1].tobytes()
    assert [FrameJudge(judge_of(graphic=p)).refuses(jpeg) for p in (0.75, 0.85, 0.93)] == [False, True, True]


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


@pytest.mark.models
def test_the_real_net_grades(judge: NetPictureJudge) -> None:
    """There are no harmful pictures here: coloured discs stand in, which the net is more and less sure of."""
    found = [judge.judge(picture_of(discs(blue))) for blue in (0.3, 0.65, 1.0)]
    assert found[0].sexual >= MEDIUM
    assert [one.sexual for one in found[1:]] == [LOW, SAFE]
    assert {(one.violence, one.hate, one.self_harm) for one in found} == {(SAFE, SAFE, SAFE)}


@pytest.mark.models
@pytest.mark.parametrize("level", [0, 3, 30, 128, 255])
def test_pictures_of_one_grey_are_safe(judge: NetPictureJudge, level: int) -> None:
    assert judge.judge(picture_of(filled((level, level, level)))) == Severities()


@pytest.mark.models
def test_frames_of_a_video_are_judged_by_the_real_net(judge: NetPictureJudge) -> None:
    frames = [cv2.imencode(".jpg", discs(blue)[:, :, ::-1])[1].tobytes() for blue in (0.3, 1.0)]
    assert [FrameJudge(judge).refuses(frame) for frame in frames] == [True, False]
