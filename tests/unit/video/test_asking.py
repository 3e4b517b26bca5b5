"""Times and topics of questions about a video."""

from __future__ import annotations

import pytest

from foveal.video.chat.asking import Asking, Stretch, load_asking

LONG = 100.0  # seconds of the video


@pytest.fixture(scope="module")
def asking() -> Asking:
    return load_asking()


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("How many scenes from 0s to 20s?", 0, 20),
        ("How many scenes from 20s to 40s?", 20, 40),
        ("What happens from 20 s to 40 s?", 20, 40),
        ("from 20 to 40 seconds", 20, 40),
        ("Describe 20-40s", 20, 40),
        ("from 40s to 20s", 20, 40),
        ("What is shown between 1:10 and 1:30?", 70, 90),
        ("between 00:00:04.6000000 and 00:00:09.2000000", 4.6, 9.2),
        ("from 1 minute 10 seconds until 1 minute and 20 seconds", 70, 80),
        ("in the first minute", 0, 60),
        ("What do you see in the first ten seconds?", 0, 10),
        ("the first couple of seconds", 0, 2),
        ("Describe the last 10 seconds.", 90, 100),
        ("Describe the last two minutes", 0, 100),
        ("Summarize the first half", 0, 50),
        ("What about the second half of it?", 50, 100),
        ("after 1:20", 80, 100),
        ("from 0:20 to the end", 20, 100),
        ("from the beginning to 0:20", 0, 20),
        ("before 30 seconds", 0, 30),
        ("What is at 00:42?", 39.5, 44.5),
        ("What happens at the 42 second mark?", 39.5, 44.5),
        ("who is there at second 42", 39.5, 44.5),
        ("at 0:01", 0, 3.5),
        ("at 1:39", 96.5, 100),
        ("How does the end of the video look?", 80, 100),
        ("20초부터 40초까지 무슨 일이 있나요?", 20, 40),
        ("20~40초 사이에 몇 개의 장면이 있어?", 20, 40),
        ("1분 10초에서 1분 30초까지", 70, 90),
        ("처음 10초를 설명해 주세요", 0, 10),
        ("마지막 1분 30초", 10, 100),
        ("42초에 뭐가 보이나요?", 39.5, 44.5),
        ("1분 10초 지점", 67.5, 72.5),
        ("1분 이후에는?", 60, 100),
        ("전반부를 요약해줘", 0, 50),
        ("from 90s to 120s", 90, 100),
        ("from 150s to 180s", 100, 100),
    ],
)
def test_times_in_words(asking: Asking, question: str, start: float, end: float) -> None:
    stretch = asking.read(question, LONG).stretch
    assert stretch is not None
    assert (stretch.start, stretch.end) == pytest.approx((start, end))


def test_a_single_moment_is_remembered(asking: Asking) -> None:
    assert asking.read("at 00:42", LONG).stretch == Stretch(39.5, 44.5, 42.0)
    assert asking.read("from 42s to 42s", LONG).stretch == Stretch(39.5, 44.5, 42.0)
    assert asking.read("from 41s to 42s", LONG).stretch == Stretch(41.0, 42.0, None)


@pytest.mark.parametrize(
    "question",
    [
        "Describe this video:",
        "",
        "How many people are there between 3 and 5 chairs?",
        "What is in the first 10 frames?",
        "Who stands at the end of the street?",
        "a tree of 5m at 30m",
        "Which bus leaves at 10:30?",  # after the end of this video: a time of day
        "from 1:99 to 2:99",
        "When did it end, at 5 o'clock?",
        "two and 5 people",
    ],
)
def test_no_time_of_the_video(asking: Asking, question: str) -> None:
    assert asking.read(question, LONG).stretch is None


@pytest.mark.parametrize(
    "question",
    [
        "Describe this video:",
        "What happens from 20 s to 40 s?",
        "How many scenes from 0s to 20s?",
        "Summarize the video in detail, please.",
        "What is said in the first minute?",
        "이 동영상을 요약해 주세요",
        "무슨 일이 일어나나요?",
        "",
        "?!",
    ],
)
def test_questions_without_a_topic(asking: Asking, question: str) -> None:
    assert asking.read(question, LONG).topic is None


def test_the_topic_is_what_is_left_beside_the_time(asking: Asking) -> None:
    read = asking.read("When does the dog appear between 0:10 and 0:30?", LONG)
    assert read.stretch == Stretch(10, 30)
    assert read.topic == "when does the dog appear ?"
    assert asking.read("자동차가 언제 나오나요?", LONG).topic == "자동차가 언제 나오나요?"


@pytest.mark.parametrize(
    "piece", ["1 minute ", "1:", "9", "from 1 ", "first ", " a of", "1h1m1s", "from 1:11", "끝 ", "\ud800"]
)
def test_any_text_is_read(asking: Asking, piece: str) -> None:
    asking.read(piece * 300_000, LONG)
