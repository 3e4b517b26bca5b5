"""One number for the work on a video, that only grows."""

from __future__ import annotations

from itertools import count

import pytest

from foveal.video.ingest.progress import Pace


def reports(speech: bool) -> list[tuple[str, float]]:
    said: list[tuple[str, float]] = []
    clock = count()
    pace = Pace(lambda step, done: said.append((step, done)), speech, lambda: float(next(clock)))
    for done in (0.0, 0.5, 1.0):
        pace.fetching()(done)
    for start, end in ((0.0, 0.5), (0.5, 1.0)):
        for done in (0.0, 0.5, 1.0):
            pace.looking(start, end)(done)
    if speech:
        for share in (0.0, 0.5):
            pace.listening(share)
    pace.publishing()
    return said


@pytest.mark.parametrize("speech", [True, False])
def test_it_grows_from_nothing_to_nearly_everything(speech: bool) -> None:
    numbers = [done for _, done in reports(speech)]
    assert numbers == sorted(numbers)
    assert numbers[0] == 0.0
    assert 0.9 < numbers[-1] < 1.0


def test_the_steps_come_in_their_order() -> None:
    assert list(dict.fromkeys(step for step, _ in reports(True))) == [
        "fetching",
        "looking",
        "listening",
        "publishing",
    ]


def test_reports_of_one_step_are_not_more_often_than_twice_a_second() -> None:
    said: list[float] = []
    moments = iter([0.0, 0.1, 0.2, 0.6, 0.7])
    pace = Pace(lambda _, done: said.append(done), False, lambda: next(moments))
    for done in (0.1, 0.2, 0.3, 0.4, 0.5):
        pace.fetching()(done)
    assert said == pytest.approx([0.005, 0.02])


def test_what_a_report_raises_reaches_the_work() -> None:
    def refuse(_step: str, _done: float) -> None:
        raise KeyError("stop")

    with pytest.raises(KeyError):
        Pace(refuse, True).fetching()(0.5)
