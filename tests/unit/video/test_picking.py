"""Which frames, scenes and words of a video are chosen."""

from __future__ import annotations

import pytest
from tests.support.videos import made_video

from foveal.perception.base import SpeechSegment
from foveal.video.chat.picking import how_many, pick, said_within, sample_times, scenes


def test_the_notebook_s_clip_has_its_ten_times() -> None:
    count = how_many(46.13)
    times = [0, 4.6, 9.2, 13.8, 18.4, 23, 27.6, 32.2, 36.8, 41.4]
    assert sample_times(0, 46.13, count) == pytest.approx(times)


@pytest.mark.parametrize(
    ("length", "count"),
    [(0.5, 10), (60, 10), (61, 11), (90, 15), (120, 20), (36_000, 20)],
)
def test_ten_frames_for_each_minute_up_to_twenty(length: float, count: int) -> None:
    assert how_many(length) == count
    times = sample_times(5, 5 + length, count)
    assert len(times) == count
    assert times[0] == 5
    assert times == sorted(set(times))
    assert times[-1] < 5 + length


def test_a_stretch_without_length_has_one_time() -> None:
    assert sample_times(30, 30, 10) == [30]


def test_each_time_has_the_frame_that_stands_for_it() -> None:
    frames = made_video(46.13, every=10).frames
    picks = pick(frames, 0, 46.13)
    assert [one.place for one in picks] == [0, 0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert all(frames[one.place].start <= one.at < frames[one.place].end for one in picks)


def test_a_range_has_its_own_ten_frames() -> None:
    frames = made_video(200, every=2).frames
    picks = pick(frames, 20, 40)
    assert [one.at for one in picks] == [20 + 2 * n for n in range(10)]
    assert {frames[one.place].start for one in picks} == {20 + 2 * n for n in range(10)}


def test_moments_of_the_topic_come_in_and_the_whole_stays_at_twenty() -> None:
    frames = made_video(200, every=2).frames
    plain = pick(frames, 0, 200)
    assert len(plain) == 20
    moments = [101.0, 103.0, 105.0, 107.0, 109.0, 111.0, 113.0]
    picks = pick(frames, 0, 200, moments)
    assert len(picks) == 20
    assert [one.at for one in picks] == sorted(one.at for one in picks)
    near = [one for one in picks if 101 <= one.at <= 114]
    assert len(near) >= 5
    assert len({one.place for one in near}) == len(near)


def test_a_moment_that_is_shown_already_or_lies_outside_adds_nothing() -> None:
    frames = made_video(60, every=6).frames
    assert pick(frames, 0, 60, [1.0, 7.0]) == pick(frames, 0, 60)
    assert pick(frames, 0, 30, [55.0]) == pick(frames, 0, 30)


def test_no_frames_and_dropped_frames() -> None:
    assert pick([], 0, 10) == []
    frames = made_video(20, every=2).frames[3:6]  # 6 to 12 s; the rest was dropped as black
    assert [one.place for one in pick(frames, 0, 20)] == [0, 0, 0, 0, 1, 2, 2, 2, 2, 2]


def test_scenes_that_begin_within() -> None:
    frames = made_video(46.13, every=2, scene_every=10).frames
    assert len(scenes(frames, 0, 46.13)) == 5
    assert scenes(frames, 0, 20) == ((0, 10), (10, 20))
    assert scenes(frames, 12, 19) == ()
    assert scenes(frames, 15, 46.13)[-1] == (40, 46.13)


def said(count: int) -> list[SpeechSegment]:
    return [SpeechSegment(n * 2.0, n * 2.0 + 1.5, f"sentence number {n}", "en", 0.9) for n in range(count)]


def test_what_is_said_within_a_stretch() -> None:
    assert [one.start for one in said_within(said(10), 3, 7, len)] == [2, 4, 6]
    assert said_within(said(10), 3.5, 4, len) == ()
    assert said_within([], 0, 10, len) == ()


def test_a_long_transcript_keeps_what_is_asked_for_and_is_spread_evenly() -> None:
    budget = 400
    kept = said_within(said(500), 0, 1000, len, wanted=[321], budget=budget)
    assert sum(len(one.text) + 1 for one in kept) <= budget
    starts = [one.start for one in kept]
    assert starts == sorted(starts)
    assert {640.0, 642.0, 644.0} <= set(starts)
    assert max(starts) > 500
    assert min(starts) < 100
    assert len(said_within(said(500), 0, 1000, len, budget=1_000_000)) == 500
