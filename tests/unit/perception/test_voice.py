"""Where somebody speaks, from likelihoods that are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from foveal.perception.base import Samples
from foveal.perception.voice import FRAME, RATE, Stretch, VoiceDetector, quietest, split, stretches

SECOND = RATE / FRAME


def likely(*parts: tuple[float, float]) -> NDArray[np.float32]:
    """(seconds, likelihood)… one after the other."""
    runs = [np.full(round(seconds * SECOND), value, dtype=np.float32) for seconds, value in parts]
    return np.concatenate(runs)


def seconds(found: list[Stretch]) -> list[tuple[float, float]]:
    return [(round(one.start / RATE, 1), round(one.end / RATE, 1)) for one in found]


def found_in(likelihoods: NDArray[np.float32]) -> list[tuple[float, float]]:
    return seconds(stretches(likelihoods, len(likelihoods) * FRAME))


def test_a_voice_is_found_with_a_margin() -> None:
    assert found_in(likely((2, 0), (3, 0.9), (2, 0))) == [(1.7, 5.2)]


def test_short_pauses_do_not_part_what_is_said_and_long_ones_do() -> None:
    assert found_in(likely((1, 0), (1, 0.9), (0.2, 0.1), (1, 0.9), (1, 0))) == [(0.7, 3.4)]
    assert found_in(likely((1, 0), (1, 0.9), (0.4, 0.1), (1, 0.9), (1, 0))) == [(0.7, 2.2), (2.2, 3.6)]


def test_a_voice_that_fades_goes_on_until_it_is_gone() -> None:
    assert found_in(likely((1, 0), (1, 0.9), (1, 0.4), (1, 0))) == [(0.7, 3.2)]


def test_what_is_never_surely_a_voice_is_none() -> None:
    assert found_in(likely((1, 0), (2, 0.6), (1, 0))) == []
    assert found_in(likely((1, 0), (0.1, 0.95), (1, 0))) == [], "a click"
    assert found_in(likely((5, 0.45))) == []


def test_margins_stay_inside_the_sound() -> None:
    assert found_in(likely((1, 0.9))) == [(0.0, 1.0)]
    assert stretches(np.zeros(0, dtype=np.float32), 0) == []
    cut_short = likely((1, 0.9))
    assert stretches(cut_short, len(cut_short) * FRAME - 100)[-1].end == len(cut_short) * FRAME - 100


def test_a_long_speech_is_split_where_the_voice_is_weakest() -> None:
    likelihoods = likely((24, 0.9), (0.2, 0.5), (10, 0.9))
    [whole] = stretches(likelihoods, len(likelihoods) * FRAME)
    first, second = split(whole, likelihoods, 28 * RATE)
    assert first.end == second.start
    assert first.end / RATE == pytest.approx(24.1, abs=0.1)
    assert (first.start, second.end) == (whole.start, whole.end)
    assert all(
        part.length <= 28 * RATE for part in split(Stretch(0, 200 * RATE), likely((200, 0.9)), 28 * RATE)
    )


def test_a_sound_is_cut_in_the_last_pause() -> None:
    likelihoods = likely((240, 0.9), (1, 0), (35, 0.9), (1, 0), (10, 0.9), (0.1, 0), (13, 0.9))
    assert quietest(likelihoods, len(likelihoods) * FRAME) == pytest.approx(276.5, abs=0.1)


def test_without_a_pause_it_is_cut_where_the_voice_is_weakest() -> None:
    likelihoods = likely((290, 0.9), (0.1, 0.5), (10, 0.9))
    assert quietest(likelihoods, len(likelihoods) * FRAME) == pytest.approx(290.05, abs=0.1)


@pytest.mark.parametrize("length", [0, 1, 100, FRAME, RATE, 2 * RATE])
def test_short_sounds_are_cut_within_them(length: int) -> None:
    frames = -(-length // FRAME)
    for value in (0.0, 0.9):
        cut = quietest(np.full(frames, value, dtype=np.float32), length)
        assert 0.5 * length / RATE <= cut <= length / RATE


def test_sounds_of_any_length_get_a_likelihood_for_every_frame() -> None:
    lengths: list[int] = []

    def loudness(samples: Samples) -> NDArray[np.float32]:
        lengths.append(len(samples))
        found = np.abs(samples.reshape(-1, FRAME)).max(axis=1)
        samples[:] = 7.0  # the real net writes into what it gets
        return np.asarray(found[:, None], dtype=np.float32)

    detector = VoiceDetector(loudness)
    samples = np.zeros(12_000 * FRAME + 5, dtype=np.float32)
    samples[2_000 * FRAME] = samples[11_000 * FRAME + 3] = samples[-1] = 1.0
    found = detector.likelihoods(samples)
    assert np.flatnonzero(found).tolist() == [2_000, 11_000, 12_000]
    assert len(found) == 12_001
    assert max(lengths) <= 2_100 * FRAME, "in blocks, so that memory does not grow with the length"
    assert samples.max() == 1.0
    assert len(detector.likelihoods(samples[:0])) == 0
