"""A hand-made film: the facts of its frames and what is said in it, and an engine that is asked about it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tests.support.evidence import GivenFacts, Says, answer, facts, line, picture, seen

from foveal.engines.base import ImagePart, Part, TextPart, Turn, VideoFrame, VideoPart
from foveal.engines.evidence.engine import EvidenceEngine
from foveal.perception.base import SpeechSegment, SpokenWord
from foveal.perception.facts import Facts

PARK = facts(
    [
        seen("person", (0.3, 0.1, 0.45, 0.9), worn="blue"),
        seen("dog", (0.55, 0.6, 0.75, 0.9), "brown"),
    ]
)
STREET = facts(
    [
        seen("person", (0.1, 0.2, 0.2, 0.8)),
        seen("person", (0.3, 0.2, 0.4, 0.8)),
        seen("car", (0.5, 0.4, 0.9, 0.8), "red"),
    ],
    lines=[line("EXIT", (0.7, 0.05, 0.85, 0.12))],
)
BUSY_STREET = facts(
    [*STREET.objects, seen("person", (0.42, 0.2, 0.48, 0.8))],
    lines=STREET.lines,
)
ROOM = facts([seen("couch", (0.5, 0.4, 1.0, 0.95), "grey")])
ROOM_WITH_CAT = facts([*ROOM.objects, seen("cat", (0.6, 0.3, 0.75, 0.6), "white")])
CREDITS = facts(lines=[line("THE END", (0.3, 0.4, 0.7, 0.55))])

# (time, scene, facts): a minute in four scenes
FRAMES = (
    (0.0, 0, PARK),
    (6.0, 0, PARK),
    (12.0, 1, STREET),
    (18.0, 1, BUSY_STREET),
    (24.0, 1, STREET),
    (30.0, 2, ROOM),
    (36.0, 2, ROOM_WITH_CAT),
    (42.0, 2, ROOM_WITH_CAT),
    (48.0, 3, CREDITS),
    (54.0, 3, CREDITS),
)
SCENES = ((0.0, 12.0), (12.0, 30.0), (30.0, 48.0), (48.0, 60.0))
SPEECH = (
    (2.0, 6.0, "Welcome to the harbour."),
    (14.0, 17.5, "The ferry leaves for the island at noon."),
    (20.0, 24.0, "Buy your tickets at the blue house."),
    (50.0, 54.0, "The last ferry comes back in the evening."),
)


def said(start: float, end: float, text: str, language: str = "en") -> SpeechSegment:
    words = text.split()
    step = (end - start) / max(1, len(words))
    spoken = tuple(SpokenWord(word, start + n * step, start + (n + 1) * step) for n, word in enumerate(words))
    return SpeechSegment(start, end, text, language, 0.9, spoken)


def film(
    frames: Sequence[tuple[float, int, Facts | None]] = FRAMES,
    *,
    duration: float = 60.0,
    scenes: Sequence[tuple[float, float]] = SCENES,
    speech: Sequence[tuple[float, float, str]] | None = SPEECH,
    start: float = 0.0,
    end: float | None = None,
    sound: bool = True,
) -> VideoPart:
    """Every frame has a picture of its own, named by its place."""
    shown = tuple(
        VideoFrame(at, picture(f"frame {place}"), known, scene)
        for place, (at, scene, known) in enumerate(frames)
    )
    heard = None if speech is None else tuple(said(*one) for one in speech)
    return VideoPart(duration, start, end or duration, shown, tuple(scenes), heard, sound)


def about(video: VideoPart, question: str, *names: str) -> Turn:
    """A user's message with the video before its question."""
    parts: list[Part] = [video, TextPart(question)]
    return Turn("user", (*parts, *(ImagePart(picture(name)) for name in names)))


async def watch(question: str, video: VideoPart | None = None, says: Says | None = None, *more: Turn) -> str:
    """The answer about the film; `more` are turns after the question."""
    engine = _silent() if says is None else EvidenceEngine(GivenFacts({}), says)
    return await answer(engine, about(video or film(), question), *more)


@cache
def _silent() -> EvidenceEngine:
    """One engine for all questions that need no language model: reading its tables takes a while."""
    return EvidenceEngine(GivenFacts({}), Says())
