"""Which phrases of an answer become spans, and of which boxes."""

from __future__ import annotations

import pytest
from tests.support.evidence import seen

from foveal.enhancements.grounding import Grounder, load_grounder
from foveal.enhancements.spans import Findings
from foveal.perception.base import Box, Face
from foveal.perception.facts import SeenObject

THINGS = {
    "dog1": seen("dog", (0.05, 0.5, 0.25, 0.9), "brown"),
    "dog2": seen("dog", (0.65, 0.5, 0.9, 0.9), "black"),
    "dog3": seen("dog", (0.4, 0.4, 0.5, 0.55), "white", 0.5),
    "man1": seen("person", (0.05, 0.1, 0.2, 0.9), worn="red"),
    "man2": seen("person", (0.42, 0.1, 0.58, 0.9), worn="green"),
    "man3": seen("person", (0.75, 0.1, 0.95, 0.9), worn="blue"),
    "car1": seen("car", (0.1, 0.5, 0.4, 0.7), "red"),
    "car2": seen("car", (0.6, 0.5, 0.9, 0.7), "blue"),
    "bus": seen("bus", (0.3, 0.1, 0.8, 0.6), "red"),
    "light": seen("traffic light", (0.5, 0.05, 0.55, 0.15)),
    "bike": seen("bicycle", (0.03, 0.5, 0.25, 0.95)),
    "cup": seen("cup", (0.4, 0.4, 0.5, 0.5), "white"),
    "glass": seen("wine glass", (0.5, 0.3, 0.6, 0.6)),
    "cat": seen("cat", (0.3, 0.5, 0.5, 0.8), "orange"),
    "orange": seen("orange", (0.6, 0.6, 0.7, 0.7), "orange"),
    "tie": seen("tie", (0.48, 0.3, 0.52, 0.5), "red"),
    "tv": seen("tv", (0.1, 0.1, 0.4, 0.4)),
    "mouse": seen("mouse", (0.7, 0.7, 0.75, 0.75)),
    "couch": seen("couch", (0.1, 0.5, 0.6, 0.9)),
    "hotdog": seen("hot dog", (0.2, 0.2, 0.4, 0.4)),
    "book": seen("book", (0.2, 0.5, 0.3, 0.6)),
    "sink": seen("sink", (0.2, 0.5, 0.4, 0.6)),
    "clock": seen("clock", (0.5, 0.1, 0.6, 0.2)),
    "plant": seen("potted plant", (0.8, 0.5, 0.9, 0.8)),
    "remote": seen("remote", (0.5, 0.8, 0.6, 0.85)),
    "bear": seen("bear", (0.2, 0.2, 0.5, 0.7)),
    "horse": seen("horse", (0.4, 0.4, 0.7, 0.9)),
}
FACES = {
    "face1": Face(0.9, Box(0.1, 0.12, 0.15, 0.2)),
    "face2": Face(0.9, Box(0.47, 0.12, 0.53, 0.2)),
    "face3": Face(0.8, Box(0.82, 0.12, 0.88, 0.2)),
}


@pytest.fixture(scope="module")
def grounder() -> Grounder:
    return load_grounder()


def spans(grounder: Grounder, text: str, names: str) -> list[tuple[str, str]]:
    """Each span's text, and the names of the things whose union its polygon is."""
    chosen = [name for name in names.split() if name in THINGS]
    faces = [name for name in names.split() if name in FACES]
    findings = Findings(tuple(THINGS[name] for name in chosen), tuple(FACES[name] for name in faces))
    line = grounder.ground(text, findings)
    assert line.text == text
    boxes = {name: THINGS[name].box for name in chosen} | {name: FACES[name].box for name in faces}
    found = []
    for span in line.spans:
        assert text[span.offset : span.offset + span.length].lower() == span.text
        top_left, top_right, bottom_right, bottom_left = span.polygon
        assert (top_left[1], top_right[0]) == (top_right[1], bottom_right[0])
        assert (bottom_left[0], bottom_left[1]) == (top_left[0], bottom_right[1])
        found.append((span.text, _union_of(boxes, Box(*top_left, *bottom_right))))
    return found


def _union_of(boxes: dict[str, Box], box: Box) -> str:
    """The fewest things, in the order given, whose union is the box."""
    inside = [
        name
        for name, one in boxes.items()
        if (one.left >= box.left and one.top >= box.top)
        and (one.right <= box.right and one.bottom <= box.bottom)
    ]
    alone = [name for name in inside if boxes[name] == box]
    return alone[0] if alone else "+".join(inside)


@pytest.mark.parametrize(
    ("text", "names", "wanted"),
    [
        ("The person is here.", "man1", [("the person", "man1")]),
        ("Two dogs are here.", "dog1 dog2", [("two dogs", "dog1+dog2")]),
        ("Two dogs of three.", "dog1 dog2", [("two dogs", "dog1+dog2")]),
        ("A man in a suit.", "man2", [("a man in a suit", "man2")]),
        ("A red double-decker bus.", "bus", [("a red double-decker bus", "bus")]),
        ("People are walking.", "man1 man2 man3", [("people", "man1+man2+man3")]),
        ("I see a bike.", "bike", [("a bike", "bike")]),
        ("The couple smiles.", "man1 man2", [("the couple", "man1+man2")]),
        ("A crowd of people stands there.", "man1 man2 man3", [("a crowd of people", "man1+man2+man3")]),
        ("A group of three children.", "man1 man2 man3", [("a group of three children", "man1+man2+man3")]),
        (
            "A cup of coffee and a glass of wine.",
            "cup glass",
            [("a cup of coffee", "cup"), ("a glass of wine", "glass")],
        ),
        ("An automobile is parked.", "car1", [("an automobile", "car1")]),
        ("The kitten sleeps on the sofa.", "cat couch", [("the kitten", "cat"), ("the sofa", "couch")]),
        ("The TV is on.", "tv", [("the tv", "tv")]),
        ("A cyclist waits.", "man1 bike", [("a cyclist", "man1")]),
        (
            "a computer mouse next to a book",
            "mouse book",
            [("a computer mouse", "mouse"), ("a book", "book")],
        ),
        ("**A brown dog** sleeps.", "dog1", [("a brown dog", "dog1")]),
        (
            "1. a black-and-white cat\n2. the car",
            "cat car2",
            [("a black-and-white cat", "cat"), ("the car", "car2")],
        ),
        ("It looks like a dog.", "dog1", [("a dog", "dog1")]),
        ("A bus driver smiles.", "bus man2", [("a bus driver", "man2")]),
        ("a beagle", "dog1", [("a beagle", "dog1")]),
        ("Bears live here.", "bear", []),  # many are said, one is seen
    ],
)
def test_phrases_and_their_words(
    grounder: Grounder, text: str, names: str, wanted: list[tuple[str, str]]
) -> None:
    assert spans(grounder, text, names) == wanted


@pytest.mark.parametrize(
    ("text", "names", "wanted"),
    [
        ("A dog on the left barks at another dog on the right.", "dog1 dog2", ["dog1", "dog2"]),
        ("On the right, a dog sleeps. On the left, a dog plays.", "dog1 dog2", ["dog2", "dog1"]),
        ("The red car and the blue car are parked.", "car1 car2", ["car1", "car2"]),
        ("The first car is red. The second car is blue.", "car1 car2", ["car1", "car2"]),
        ("One dog sits on the left while the other dog runs.", "dog1 dog2", ["dog1", "dog2"]),
        ("The other dog is black.", "dog1 dog2", ["dog2"]),
        ("the larger dog and the smaller dog", "dog1 dog3", ["dog1", "dog3"]),
        ("A dog lies on the left. The dog is brown.", "dog1 dog2", ["dog1", "dog1"]),
        (
            "A man in a red shirt, a woman in green and a boy in a blue jacket.",
            "man3 man1 man2",
            ["man1", "man2", "man3"],
        ),
        ("A man in red and a woman in blue talk. The woman laughs.", "man1 man3", ["man1", "man3", "man3"]),
        ("The man on the far right waves.", "man1 man2 man3", ["man3"]),
        ("The person in the middle waves.", "man1 man2 man3", ["man2"]),
        ("To the left of the bus is a dog.", "bus dog1 dog2", ["bus", "dog1"]),
        ("a dog to the right of the cat", "cat dog1 dog2", ["dog2", "cat"]),
        ("A tall man with a dog on a leash.", "man1 man2 man3 dog1", ["man1", "dog1"]),
        ("In the foreground, there is a dog.", "dog2 dog3", ["dog2"]),
        ("In the background, there is a dog.", "dog2 dog3", ["dog3"]),
        ("a dog on the right", "dog1", []),  # the one seen is on the left
        ("A young woman and an older man.", "man1 man2", []),  # nothing tells which
        (
            "There are two people: a man in green and a woman in red.",
            "man1 man2",
            ["man1+man2", "man2", "man1"],
        ),
    ],
)
def test_the_right_one(grounder: Grounder, text: str, names: str, wanted: list[str]) -> None:
    assert [boxes for _, boxes in spans(grounder, text, names)] == wanted


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("There is no dog in the picture.", "dog1"),
        ("I don't see any dogs or cats.", "dog1 cat"),
        ("I can't tell whether there is a cat.", "cat"),
        ("Neither a cat nor a dog is visible.", "cat dog1"),
        ("A dog is not visible.", "dog1"),
        ("If there were a cat, it would be hidden.", "cat"),
        ("There might be a cat.", "cat"),
        ("Is there a dog?", "dog1"),
        ("A hot dog lies on a plate.", "dog1"),
        ("cat food and dog toys", "cat dog1"),
        ("The traffic is heavy and the light is bright.", "light"),
        ("The bus stop is empty.", "bus"),
        ("The car park is full.", "car1"),
        ("He wears an orange shirt.", "orange"),
        ("The wall is orange.", "orange"),
        ("The person's hat is red.", "man1"),
        ("A dog-like shape.", "dog1"),
        ("A TV show is on.", "tv"),
        ("A clock tower rises.", "clock"),
        ("The ship sinks.", "sink"),
        ("the power plant", "plant"),
        ("a remote village", "remote"),
        ("bear in mind", "bear"),
        ("She wears glasses.", "glass"),
        ("They tie the knot.", "tie"),
        ("He and she smile at them; someone waves.", "man1 man2"),
        ("Red wine is poured.", "glass"),
        ("He faces the camera.", "face1"),
        ("a zebra", "dog1 cat"),
        ("two dogs", "dog1"),
    ],
)
def test_what_is_no_mention(grounder: Grounder, text: str, names: str) -> None:
    assert spans(grounder, text, names) == []


@pytest.mark.parametrize(
    ("text", "names", "wanted"),
    [
        ("There is no dog, but a cat sleeps.", "dog1 cat", ["a cat"]),
        ("a man without a dog", "man2 dog1", ["a man"]),
        ("Not only a dog but also a cat.", "dog1 cat", ["a dog", "a cat"]),
        ("I don't see a cat on the couch.", "cat couch", ["the couch"]),
        ("There might be a cat behind the couch.", "cat couch", ["the couch"]),
        ("Is there a dog? Yes, there is a dog.", "dog1", ["a dog"]),
        ("No people are here, and the bus is empty.", "man1 man2 bus", ["the bus"]),
    ],
)
def test_a_denial_reaches_no_further_than_it_says(
    grounder: Grounder, text: str, names: str, wanted: list[str]
) -> None:
    assert [said for said, _ in spans(grounder, text, names)] == wanted


@pytest.mark.parametrize(
    ("text", "names", "wanted"),
    [
        (
            "사람 두 명과 개 한 마리가 있습니다.",
            "man1 man2 dog2",
            [("사람 두 명", "man1+man2"), ("개 한 마리", "dog2")],
        ),
        ("고양이가 소파 위에 있습니다.", "cat couch", [("고양이", "cat"), ("소파", "couch")]),
        ("빨간 자동차가 주차되어 있습니다.", "car1 car2", [("빨간 자동차", "car1")]),
        (
            "파란색 자동차와 빨간색 자동차",
            "car1 car2",
            [("파란색 자동차", "car2"), ("빨간색 자동차", "car1")],
        ),
        (
            "왼쪽에 있는 개는 갈색이고, 오른쪽에 있는 개는 검은색입니다.",
            "dog1 dog2",
            [("개", "dog1"), ("개", "dog2")],
        ),
        ("사진 오른쪽에 남자가 서 있습니다.", "man1 man3", [("남자", "man3")]),
        ("사람들이 서 있습니다.", "man1 man2", [("사람들", "man1+man2")]),
        ("빨간 옷을 입은 사람과 파란 셔츠를 입은 남자", "man1 man3", [("사람", "man1"), ("남자", "man3")]),
        ("두 마리의 개", "dog1 dog2", [("두 마리의 개", "dog1+dog2")]),
        (
            "텔레비전 옆에 개가 있습니다. 개는 갈색입니다.",
            "tv dog1",
            [("텔레비전", "tv"), ("개", "dog1"), ("개", "dog1")],
        ),
        ("고양이는 보이지 않습니다.", "cat", []),
        ("사진에 고양이가 있는지 확실히 알 수 없습니다.", "cat", []),
        ("버스 정류장이 있습니다.", "bus", []),
        ("사과 두 개가 있습니다.", "dog1", []),
        ("여자의 얼굴이 보입니다.", "man2 face1 face2", [("여자", "man2"), ("얼굴", "face2")]),
        ("얼굴이 3개 보입니다.", "face1 face2 face3", [("얼굴이 3개", "face1+face2+face3")]),
    ],
)
def test_korean(grounder: Grounder, text: str, names: str, wanted: list[tuple[str, str]]) -> None:
    assert spans(grounder, text, names) == wanted


@pytest.mark.parametrize(
    ("text", "names", "wanted"),
    [
        ("Three faces are visible.", "face1 face2 face3", [("three faces", "face1+face2+face3")]),
        ("A face looks out.", "face2", [("a face", "face2")]),
        (
            "A woman in green; her face is round.",
            "man1 man2 face1 face2",
            [("a woman in green", "man2"), ("her face", "face2")],
        ),
        ("The man's face is red.", "man2 face2", [("the man's face", "face2")]),
        ("The dog's face is black.", "dog1 face1", []),
        ("the clock face", "face1", []),
    ],
)
def test_faces(grounder: Grounder, text: str, names: str, wanted: list[tuple[str, str]]) -> None:
    assert spans(grounder, text, names) == wanted


def _with(confidence: float, label: str = "dog") -> Findings:
    return Findings((SeenObject(label, confidence, Box(0.2, 0.2, 0.6, 0.6)),))


def test_a_doubtful_box_is_taken_only_where_no_sure_one_is_and_not_a_faint_one(grounder: Grounder) -> None:
    assert grounder.ground("a dog", _with(0.35)).spans
    assert not grounder.ground("a dog", _with(0.2)).spans
    sure = SeenObject("dog", 0.9, Box(0.7, 0.7, 0.9, 0.9))
    both = Findings((sure, *_with(0.35).objects))
    assert [span.polygon[0] for span in grounder.ground("a dog", both).spans] == [(0.7, 0.7)]


def test_boxes_that_stick_out_of_the_picture_are_cut(grounder: Grounder) -> None:
    wide = Findings((SeenObject("dog", 0.9, Box(-0.1, 0.2, 1.2, 0.9)),))
    assert grounder.ground("a dog", wide).spans[0].polygon == ((0.0, 0.2), (1.0, 0.2), (1.0, 0.9), (0.0, 0.9))


def test_labels_of_another_server_are_known_in_any_case(grounder: Grounder) -> None:
    assert grounder.ground("the dog", _with(0.9, "Dog")).spans


def test_nothing_found_gives_the_line_without_spans(grounder: Grounder) -> None:
    line = grounder.ground("A dog.", Findings())
    assert (line.text, line.spans) == ("A dog.", ())
