"""What the frames of a shot tell together: what counts as seen, how many, and when."""

from __future__ import annotations

from dataclasses import replace

from tests.support.evidence import facts, seen
from tests.support.film import film, watch

from foveal.engines.base import VideoPart
from foveal.perception.base import Box, DetectedObject
from foveal.perception.facts import Facts

DOG = (0.2, 0.2, 0.5, 0.8)
ELSEWHERE = (0.6, 0.2, 0.9, 0.8)


def shot(*frames: Facts) -> VideoPart:
    """One scene, a frame every six seconds."""
    shown = [(6.0 * place, 0, found) for place, found in enumerate(frames)]
    end = 6.0 * len(frames)
    return film(shown, duration=end, scenes=((0.0, end),), speech=())


async def test_what_one_frame_shows_weakly_is_doubted() -> None:
    once = shot(facts([seen("dog", DOG, confidence=0.5)]), facts(), facts())
    assert (await watch("Is there a dog?", once)).startswith("Yes, at 0:00 I think")
    assert "not certain" in await watch("Is there a dog?", once)
    assert "dog" not in await watch("What appears in the video?", once)


async def test_what_one_frame_shows_surely_counts() -> None:
    once = shot(facts(), facts([seen("dog", DOG, confidence=0.9)]), facts())
    assert await watch("When does a dog appear?", once) == "A dog can be seen at 0:06."


async def test_a_fainter_view_of_what_was_surely_seen_counts_too() -> None:
    doubt = facts(doubtful=[DetectedObject("dog", 0.3, Box(0.22, 0.2, 0.5, 0.8))])
    part = shot(facts([seen("dog", DOG, confidence=0.9)]), doubt, facts())
    assert await watch("When does a dog appear?", part) == "A dog can be seen from 0:00 to 0:06."


async def test_a_faint_view_elsewhere_does_not() -> None:
    doubt = facts(doubtful=[DetectedObject("dog", 0.3, Box(*ELSEWHERE))])
    part = shot(facts([seen("dog", DOG, confidence=0.9)]), doubt, facts())
    assert await watch("When does a dog appear?", part) == "A dog can be seen at 0:00."


async def test_a_mistake_that_stands_still_is_not_confirmed_by_being_repeated() -> None:
    lamp = [facts([seen("kite", DOG, confidence=value)]) for value in (0.5, 0.72, 0.5, 0.45, 0.5)]
    assert "I think" in await watch("Is there a kite?", shot(*lamp))
    assert "kite" not in await watch("Describe this video.", shot(*lamp))


async def test_what_most_frames_say_of_a_place_outvotes_one() -> None:
    car = [facts([seen("car", DOG, confidence=0.8)]) for _ in range(4)]
    part = shot(*car[:2], facts([seen("truck", DOG, confidence=0.9)]), *car[2:])
    assert (await watch("Is there a truck?", part)).startswith("No,")
    assert await watch("When does a car appear?", part) == "A car can be seen throughout, from 0:00 to 0:24."


async def test_a_frame_shown_at_two_times_is_not_seen_twice() -> None:
    """The same kept frame stands for both times: that confirms nothing."""
    weak = facts([seen("dog", DOG, confidence=0.5)])
    part = shot(weak, facts(), weak)
    frames = (part.frames[0], replace(part.frames[0], at=6.0), replace(part.frames[1], at=12.0))
    text = await watch("Is there a dog?", replace(part, frames=frames))
    assert "I think" in text


async def test_one_missed_frame_does_not_end_a_sighting() -> None:
    dog = facts([seen("dog", DOG, confidence=0.9)])
    assert await watch("When does a dog appear?", shot(dog, facts(), dog, facts(), facts())) == (
        "A dog can be seen from 0:00 to 0:12."
    )


async def test_a_cut_does() -> None:
    dog = facts([seen("dog", DOG, confidence=0.9)])
    part = film([(0.0, 0, dog), (6.0, 1, facts()), (12.0, 2, dog)], duration=18.0, speech=())
    part = replace(part, scenes=((0.0, 6.0), (6.0, 12.0), (12.0, 18.0)))
    assert await watch("When does a dog appear?", part) == "A dog can be seen at 0:00 and at 0:12."
    assert (
        await watch("How many times does a dog appear?", part)
        == "A dog comes into view twice: at 0:00 and at 0:12."
    )


async def test_the_most_at_once_are_counted() -> None:
    one, two = facts([seen("dog", DOG)]), facts([seen("dog", DOG), seen("dog", ELSEWHERE)])
    part = shot(one, two, one)
    expected = "Up to two dogs can be seen at once in the video, at 0:06."
    assert await watch("How many dogs are there?", part) == expected
    assert await watch("How many dogs are there?", shot(two, two)) == "There are two dogs in the video."
    assert await watch("How many dogs are there?", shot(facts(), facts())) == "I see no dogs in the video."


async def test_shots_that_show_the_same_are_told_as_one() -> None:
    dog = facts([seen("dog", DOG)])
    frames = [(float(n), n, dog) for n in range(12)]
    part = film(frames, duration=12.0, scenes=tuple((n, n + 1.0) for n in range(12)), speech=())
    assert await watch("Describe this video.", part) == (
        "The video is 12 seconds long and has twelve scenes. It shows a dog. Nothing is said in the video."
    )


async def test_a_description_stays_short_however_many_shots_there_are() -> None:
    kinds = (
        "dog",
        "cat",
        "horse",
        "cow",
        "sheep",
        "bird",
        "bear",
        "zebra",
        "giraffe",
        "elephant",
        "car",
        "bus",
    )
    frames = [(float(n), n, facts([seen(kind, DOG)])) for n, kind in enumerate(kinds)]
    part = film(frames, duration=12.0, scenes=tuple((n, n + 1.0) for n in range(12)), speech=())
    assert (await watch("Describe this video.", part)).count(" shows ") <= 6
    assert (await watch("Describe this video in detail.", part)).count(" shows ") == 12


async def test_nothing_is_said_to_move() -> None:
    left, right = facts([seen("dog", DOG)]), facts([seen("dog", ELSEWHERE)])
    text = await watch("What happens in this video?", shot(left, right))
    assert (
        text
        == "The video is 12 seconds long and has one scene. It shows a dog. Nothing is said in the video."
    )
    assert await watch("Is the dog running?", shot(left, right)) == "I can't tell that from the video."
