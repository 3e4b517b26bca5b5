"""Questions about a video that no rule is for: the language model answers from a short timeline, guarded."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from foveal.engines.evidence.describe import amount
from foveal.engines.evidence.english_words import CANNOT, join
from foveal.engines.evidence.guard import Guard
from foveal.engines.evidence.notes import Notes, Subject
from foveal.engines.evidence.telling import CREATIVE
from foveal.engines.evidence.text_reader import TextReader, borne_out
from foveal.engines.evidence.video_blocks import Block, blocks_of
from foveal.engines.evidence.video_questions import VideoQuestion
from foveal.engines.evidence.video_speech import Talk
from foveal.engines.evidence.video_timeline import Timeline
from foveal.engines.evidence.video_times import clock
from foveal.engines.evidence.writer import Writer
from foveal.engines.video_text import fenced_speech
from foveal.errors import EngineUnavailable
from foveal.perception.base import SpeechSegment

# Tokens of the transcript that the language model is shown: 2 to 3 seconds of reading on two cores.
SPEECH_BUDGET = 160
# And of the timeline: about what the facts of one crowded picture take.
FACTS_BUDGET = 80
TEXT_ROOM = 60  # characters of text in it
_MAKE = re.compile(r"\b(?:write|suggest|compose|create|make|give|come up|propose|draft)\b", re.IGNORECASE)
_TIMES = re.compile(r"\d:\d\d")
_PICTURE = re.compile(r"\bpicture\b")


@dataclass(frozen=True, slots=True)
class OpenPath:
    writer: Writer
    guard: Guard
    reader: TextReader

    async def tell(
        self, asked: VideoQuestion, timeline: Timeline, talk: Talk, seed: int | None
    ) -> AsyncGenerator[str]:
        """One sentence that the transcript or the facts bear out, else what is known instead."""
        answer = await self._from_speech(asked, talk, seed) or await self._from_facts(asked, timeline, seed)
        if answer:
            yield answer
            return
        yield _PICTURE.sub("video", CANNOT)
        seen = [amount(one) for one in _notes(blocks_of(timeline)).subjects]
        if seen:
            yield f"What I can see is {join(seen[:6])}."

    def wants_words(self, asked: VideoQuestion) -> bool:
        """It asks for a poem, a title, a post: a text of the caller's own making."""
        return bool(CREATIVE.search(asked.text) and _MAKE.search(asked.text))

    async def write(
        self, asked: VideoQuestion, timeline: Timeline, talk: Talk, seed: int | None
    ) -> AsyncGenerator[str]:
        """The sentences of such a text, up to the first that names what the facts do not hold."""
        blocks = blocks_of(timeline)
        notes = _notes(blocks)
        facts = self._facts(blocks)
        said = " ".join(_text(one) for one in talk.gist(2))
        released = False
        try:
            told = self.writer.free(facts + (f"; said: {said}" if said else ""), asked.text, seed)
            async with aclosing(told) as sentences:
                async for sentence in sentences:
                    if sentence == CANNOT or not self.guard.passes(
                        re.sub(r"\bvideo\b", "picture", sentence), notes, strict=False
                    ):
                        break
                    released = True
                    yield sentence
        except EngineUnavailable:
            pass
        if not released:
            yield _PICTURE.sub("video", CANNOT)

    async def _from_speech(self, asked: VideoQuestion, talk: Talk, seed: int | None) -> str:
        topic = talk.topic(asked.rest, asked.question.quoted)
        found = talk.about(topic) if topic else ()
        if not found:
            return ""
        text = "\n".join(_text(one) for one in self._near(found, talk.speech))
        try:
            async with aclosing(self.writer.from_text(text, asked.text, seed)) as sentences:
                said = [sentence async for sentence in sentences]
        except EngineUnavailable:
            return ""
        answer = said[0].strip() if said else ""
        if not answer or answer.startswith(CANNOT[:12]) or re.match(r"(?:yes|no)\b", answer, re.IGNORECASE):
            return ""
        return answer if borne_out(answer, text, asked.text, self.reader.forms.words) else ""

    def _near(self, found: Sequence[SpeechSegment], speech: Sequence[SpeechSegment]) -> list[SpeechSegment]:
        """The segments of the topic with those beside them, as many as the prompt takes, in order."""
        places = [speech.index(one) for one in found]
        order = dict.fromkeys(place + by for by in (0, 1, -1) for place in places)
        kept: list[int] = []
        spent = 0
        for place in order:
            if not 0 <= place < len(speech):
                continue
            spent += self.reader.size(speech[place].text)
            if spent > SPEECH_BUDGET and kept:
                break
            kept.append(place)
        return [speech[place] for place in sorted(kept)]

    def _facts(self, blocks: Sequence[Block]) -> str:
        """The timeline in few words: fewer kinds of each stretch, then fewer stretches, until it is short."""
        texts = text_lines(blocks, TEXT_ROOM)
        for kinds in (3, 2, 1):
            lines = fact_lines(blocks, kinds=kinds)
            if self.reader.size("; ".join([*lines, *texts])) <= FACTS_BUDGET:
                break
        while lines and self.reader.size("; ".join([*lines, *texts])) > FACTS_BUDGET:
            (texts or lines).pop()
        return "Facts: " + ("; ".join([*lines, *texts]) or "nothing that is known")

    async def _from_facts(self, asked: VideoQuestion, timeline: Timeline, seed: int | None) -> str:
        blocks = blocks_of(timeline)
        notes = _notes(blocks)
        if not notes.subjects and not notes.texts:
            return ""
        facts = self._facts(blocks)
        try:
            async with aclosing(self.writer.reply(facts, asked.text, seed)) as sentences:
                async for sentence in sentences:
                    told = re.sub(r"\bvideo\b", "picture", sentence)
                    if sentence == CANNOT or _TIMES.search(told) or not self.guard.passes(told, notes):
                        return ""
                    return _PICTURE.sub("video", told)
        except EngineUnavailable:
            pass
        return ""


def fact_lines(blocks: Sequence[Block], *, kinds: int = 6) -> list[str]:
    """ "0:00, 0:40 3 people, car, place: street": what is seen, and when stretches that show it begin."""
    times: dict[str, list[str]] = {}
    for block in blocks:
        parts = [_counted(one.thing.singular, one.thing.plural, one.high) for one in block.seen[:kinds]]
        parts += [f"person {act.phrase}" for act in block.acts]
        parts += [f"looks like: {block.looks_like}"] if block.looks_like else []
        parts += [f"place: {block.place.name}"] if block.place is not None else []
        if parts:
            times.setdefault(", ".join(parts), []).append(clock(block.start))
    return [f"{', '.join(starts)} {parts}" for parts, starts in times.items()]


def text_lines(blocks: Sequence[Block], room: int) -> list[str]:
    """ "0:12 text: EXIT", each text once, `room` characters of them."""
    lines: list[str] = []
    told: set[str] = set()
    for text, at in (pair for block in blocks for pair in block.texts):
        if text not in told and room > 0:
            short = text if len(text) <= room else text[:room].rsplit(" ", 1)[0] + "…"
            lines.append(f"{clock(at)} text: {short}")
            told.add(text)
            room -= len(short)
    return lines


def noted(timeline: Timeline, room: Sequence[SpeechSegment]) -> str:
    """A video as text for answers in JSON and calls of tools: its timeline, and `room` of what is said."""
    scenes = f"{timeline.cuts} scene{'' if timeline.cuts == 1 else 's'}"
    blocks = blocks_of(timeline, detailed=True)
    lines = [*fact_lines(blocks), *text_lines(blocks, 600)] or ["nothing that is known"]
    text = f"[Video of {clock(timeline.duration)}, {scenes}. Facts by time: {'; '.join(lines)}]"
    if not room:
        return text if timeline.speech is None else f"{text}\n[Nothing is said in it.]"
    return f"{text}\n{fenced_speech([f'{clock(one.start)} {_text(one)}' for one in room])}"


def _notes(blocks: Sequence[Block]) -> Notes:
    """All that the blocks show, as the guard wants it."""
    most: dict[str, Subject] = {}
    for block in blocks:
        for one in block.seen:
            before = most.get(one.thing.key)
            if before is None or before.count < one.high:
                most[one.thing.key] = Subject(one.thing, one.high, one.colour)
    places = [block.place for block in blocks if block.place is not None]
    return Notes(
        tuple(most.values()),
        tuple(act for block in blocks for act in block.acts),
        "",
        "",
        places[0] if places else None,
        tuple(text for block in blocks for text, _ in block.texts),
    )


def _counted(singular: str, plural: str, count: int) -> str:
    return singular if count == 1 else f"{count} {plural}"


def _text(one: SpeechSegment) -> str:
    return " ".join(one.text.split())
