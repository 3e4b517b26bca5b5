"""Engine `evidence`: answers about pictures from what perception found, and from nothing else.

Facts of every picture are found at once; questions of known kinds are answered by rules on them and cost no
model; descriptions are worded by the language model from notes, each sentence checked before it is released.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from foveal.engines.base import Abilities, Delta, ImagePart, Part, Prompt, TextPart, Turn, VideoPart
from foveal.engines.evidence.documents import load_forms
from foveal.engines.evidence.english_phrases import EnglishPhrases
from foveal.engines.evidence.guard import load_guard
from foveal.engines.evidence.intents import Answer, Ask, Question, Style
from foveal.engines.evidence.korean_phrases import KoreanPhrases
from foveal.engines.evidence.lexicon import load_lexicon
from foveal.engines.evidence.many import across, labelled
from foveal.engines.evidence.notes import take_notes
from foveal.engines.evidence.page import Page, page_of
from foveal.engines.evidence.phrases import Phrases
from foveal.engines.evidence.questions import questions_of
from foveal.engines.evidence.reading import readable
from foveal.engines.evidence.rules import Rules
from foveal.engines.evidence.sights import Sights, load_scenes
from foveal.engines.evidence.style import dressed, style_of
from foveal.engines.evidence.telling import Teller
from foveal.engines.evidence.text_reader import TextReader
from foveal.engines.evidence.video import build_watcher
from foveal.engines.evidence.video_open import noted
from foveal.engines.evidence.video_timeline import Timeline, timeline_of
from foveal.engines.evidence.vocabulary import Language
from foveal.engines.evidence.writer import Writer, load_prompts
from foveal.engines.layout import rows_of
from foveal.engines.read_text import fenced, prompt_rows
from foveal.engines.tools import Generator, answer_text
from foveal.images.detail import DetailedImage
from foveal.perception.base import TextLine
from foveal.perception.facts import Facts

NOTE = (
    "Reads evidence about a picture (objects, text, faces, colours, tags found by small models) and answers "
    "from that; it does not look at pixels itself."
)
# Tokens of text (the language model's) that a picture brings into an answer in JSON or of tools: a whole
# receipt or form; ten seconds of reading on two cores.
STRUCTURED_BUDGET = 600
MOST_QUOTED = 40  # segments of a longer transcript beside it
# Asked about, a doubtful object is "likely" there from this on. Many frames make many doubts: the 0.1 of
# single pictures would find nearly everything somewhere in a video.
LIKELY_IN_VIDEO = 0.4
Timed = Callable[[str, float], None]  # stage, seconds


class Runtime(Generator, Protocol):
    """What is needed of `LlamaRuntime`."""

    def count_tokens(self, text: str) -> int: ...
    async def ready(self) -> None: ...
    async def close(self) -> None: ...


class Finder(Protocol):
    """What is needed of `PooledFactFinder`."""

    async def facts(self, image: DetailedImage) -> Facts: ...
    async def see(self, image: DetailedImage) -> Facts: ...
    async def warm(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Look:
    """One picture: what is seen in it and, where it was read closely, its text as a page."""

    sights: Sights
    page: Page | None


class EvidenceEngine:
    """`Engine`. `timed` is told what each stage cost (perception's own stages by their names)."""

    name = "evidence"

    def __init__(self, finder: Finder, runtime: Runtime, *, timed: Timed | None = None) -> None:
        self.abilities = Abilities(
            images=True,
            video=True,
            tools=True,
            json_object=True,
            json_schema=True,
            logit_bias=True,
            notes=NOTE,
        )
        self.lexicon = load_lexicon()
        self._finder = finder
        self._runtime = runtime
        self._timed = timed or (lambda stage, seconds: None)
        self._scenes = load_scenes()
        self._prompts = load_prompts()
        writer = Writer(runtime, self._prompts)
        self._teller = Teller(writer, load_guard(self.lexicon), self.lexicon.colours.names)
        self._reader = TextReader(load_forms(), writer, runtime.count_tokens)
        self._english = EnglishPhrases()
        self._korean = KoreanPhrases(self.lexicon.colours.names)
        self._watcher = build_watcher(self.lexicon, self._reader, self._teller.guard, self._rules)

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Delta]:
        """Closing it stops the language model; facts that are being found go on for whoever asks next."""
        video = video_in_question(prompt.turns)
        if not prompt.images and video is None:
            source = answer_text(self._runtime, prompt)
        elif prompt.tools or prompt.response_format is not None:
            source = answer_text(self._runtime, await self._with_facts(prompt))
        elif video is not None:
            source = self._watching(prompt, video)
        else:
            source = self._looking(prompt)
        async with aclosing(source) as deltas:
            async for delta in deltas:
                yield delta

    def count_tokens(self, text: str) -> int:
        return self._runtime.count_tokens(text)

    async def ready(self) -> None:
        """Load every net and the language model, and compute the prefix of each kind of prompt once."""
        await asyncio.gather(self._finder.warm(), self._runtime.ready())
        writer = self._teller.writer
        no_notes = "Subjects: -\nActions: -\nPlace: -\nText: -"
        kinds = (writer.caption(no_notes, 0), writer.reply("-", "-", 0), writer.from_text("-", "-", 0))
        for words in kinds:
            async with aclosing(words):
                async for _ in words:
                    break

    async def close(self) -> None:
        await self._runtime.close()
        await asyncio.to_thread(self._finder.close)

    async def _looking(self, prompt: Prompt) -> AsyncGenerator[Delta]:
        every = picture_parts(prompt.turns)
        default = pictures_in_question(prompt.turns)
        style = style_of(prompt.turns)
        questions = questions_of(prompt.turns, self.lexicon, len(every))
        wanted = sorted({*default, *(index for question in questions for index in question.images)})
        looks = await self._looks([every[index] for index in wanted])
        seen = dict(zip(wanted, looks, strict=True))
        start = time.perf_counter()
        first = True
        for number, question in enumerate(questions):
            labels = list(question.images or default)
            chosen = [seen[index] for index in labels]
            parts = self._parts(question, style, chosen, labels, prompt.sampling.seed)
            async with aclosing(parts):
                async for text in parts:
                    if first:
                        self._timed("first words", time.perf_counter() - start)
                    yield Delta(text if first else _glue(style, number) + text)
                    first = False
        self._timed("answer", time.perf_counter() - start)
        yield Delta(finish="stop")

    async def _watching(self, prompt: Prompt, video: VideoPart) -> AsyncGenerator[Delta]:
        style = style_of(prompt.turns)
        timeline = await self._timeline(video)
        start = time.perf_counter()
        first = True
        for number, asked in enumerate(self._watcher.questions(prompt.turns, video)):
            parts = self._watcher.tell(asked, style, timeline, prompt.sampling.seed)
            async with aclosing(parts):
                async for text in parts:
                    if first:
                        self._timed("first words", time.perf_counter() - start)
                    yield Delta(text if first else _glue(style, number) + text)
                    first = False
        self._timed("answer", time.perf_counter() - start)
        yield Delta(finish="stop")

    async def _timeline(self, video: VideoPart) -> Timeline:
        """Frames that nothing is known of yet are looked at: each once, however often it stands there."""
        unknown = {frame.image.sha256: frame.image for frame in video.frames if frame.facts is None}
        start = time.perf_counter()
        found = await asyncio.gather(*(self._finder.facts(image) for image in unknown.values()))
        known = dict(zip(unknown, found, strict=True))
        facts = [frame.facts or known[frame.image.sha256] for frame in video.frames]
        timeline = await asyncio.to_thread(
            timeline_of,
            video,
            facts,
            lambda one: Sights(one, self.lexicon.words, self._scenes, likely=LIKELY_IN_VIDEO),
        )
        self._timed("facts", time.perf_counter() - start)
        return timeline

    async def _looks(self, pictures: Sequence[ImagePart]) -> list[Look]:
        start = time.perf_counter()
        found = await asyncio.gather(*(self._facts(one) for one in pictures))
        self._timed("facts", time.perf_counter() - start)
        for facts in found:
            for stage, seconds in facts.stage_seconds.items():
                self._timed(stage, seconds)
        pages = [
            await asyncio.to_thread(read_page, picture.read.lines) if picture.read is not None else None
            for picture in pictures
        ]
        return [
            Look(Sights(facts, self.lexicon.words, self._scenes), page)
            for facts, page in zip(found, pages, strict=True)
        ]

    async def _facts(self, picture: ImagePart) -> Facts:
        """Where the picture was read closely, that text stands for what the plan's view shows."""
        if picture.read is None:
            return await self._finder.facts(picture.image)
        return replace(await self._finder.see(picture.image), lines=picture.read.lines)

    async def _parts(
        self,
        question: Question,
        style: Style,
        looks: Sequence[Look],
        labels: Sequence[int],
        seed: int | None,
    ) -> AsyncGenerator[str]:
        """One question's answer in pieces of whole sentences."""
        language = style.language or question.language
        if len(looks) > 1:
            sights = [look.sights for look in looks]
            together = across(question, sights, labels, self._rules, language)
            if together is not None:
                yield dressed(together, question, style, language)
                return
        for look, label in zip(looks, labels, strict=True):
            lead = labelled(label, language) if len(looks) > 1 else ""
            answer = None
            if look.page is not None:
                answer = await self._reader.answer(question, look.sights, look.page, language, seed)
            answer = answer or self._ruled(question, look.sights, language)
            if answer is not None:
                yield lead + dressed(answer, question, style, language)
                continue
            told = self._teller.tell(question, style, look.sights, language, seed)
            async with aclosing(told):
                async for sentence in told:
                    yield lead + sentence
                    lead = ""

    def _rules(self, sights: Sights, language: Language) -> Rules:
        phrases: Phrases = self._korean if language == "ko" else self._english
        return Rules(sights, phrases)

    def _ruled(self, question: Question, sights: Sights, language: Language) -> Answer | None:
        if question.ask in (Ask.DESCRIBE, Ask.OPEN):
            return None
        return self._rules(sights, language).answer(question)

    async def _with_facts(self, prompt: Prompt) -> Prompt:
        """The same conversation for a text model: every picture and video replaced by its facts."""
        pictures = picture_parts(prompt.turns)
        videos = {
            id(part): self._spelled(await self._timeline(part))
            for turn in prompt.turns
            for part in turn.parts
            if isinstance(part, VideoPart)
        }
        looks = await self._looks(pictures)
        asked = next((turn.text for turn in reversed(prompt.turns) if turn.role == "user"), "")
        notes = [self._noted(look, asked, number + 1) for number, look in enumerate(looks)]
        counter = iter(range(len(pictures)))

        def shown(turn: Turn) -> Turn:
            parts: list[Part] = []
            for part in turn.parts:
                if isinstance(part, TextPart):
                    parts.append(part)
                elif isinstance(part, VideoPart):
                    parts.append(TextPart(videos[id(part)]))
                else:
                    number = next(counter)
                    parts.append(TextPart(notes[number]))
            return replace(turn, parts=tuple(parts))

        turns = tuple(shown(turn) for turn in prompt.turns)
        about = Turn("system", (TextPart(self._prompts["facts"]["system"]),))
        return replace(prompt, turns=(about, *turns))

    def _spelled(self, timeline: Timeline) -> str:
        """A video's facts and as much of what is said in it as there is room for, its gist first."""
        talk = self._watcher.talk(timeline)
        total = sum(self._reader.size(one.text) for one in talk.speech)
        if total <= STRUCTURED_BUDGET:
            return noted(timeline, talk.speech)
        most = min(MOST_QUOTED, len(talk.speech) * STRUCTURED_BUDGET // total)
        chosen = talk.gist(most)
        while chosen and sum(self._reader.size(one.text) for one in chosen) > STRUCTURED_BUDGET:
            chosen = chosen[:-1]
        return noted(timeline, chosen)

    def _noted(self, look: Look, asked: str, number: int) -> str:
        noted = f"[Picture {number}. {take_notes(look.sights, most=12, texts=12).facts()}]"
        if look.page is None or not look.page.rows:
            return noted
        terms = self._reader.terms(asked)
        text = prompt_rows(look.page.rows, terms, budget=STRUCTURED_BUDGET, count=self._reader.size)
        return f"{noted}\n{fenced(text, number)}"


def read_page(lines: Sequence[TextLine]) -> Page:
    return page_of(rows_of(readable(lines)))


def picture_parts(turns: Sequence[Turn]) -> tuple[ImagePart, ...]:
    return tuple(part for turn in turns for part in turn.parts if isinstance(part, ImagePart))


def video_in_question(turns: Sequence[Turn]) -> VideoPart | None:
    """The latest video of the user's turns, unless pictures came after it."""
    for turn in reversed(turns):
        videos = [part for part in turn.parts if isinstance(part, VideoPart)]
        if turn.role == "user" and (videos or turn.images):
            return videos[-1] if videos else None
    return None


def pictures_in_question(turns: Sequence[Turn]) -> range:
    """Which of the conversation's pictures are those of the last user turn, else of the latest with any."""
    before = sum(len(turn.images) for turn in turns)
    for turn in reversed(turns):
        before -= len(turn.images)
        if turn.role == "user" and turn.images:
            return range(before, before + len(turn.images))
    return range(0)


def _glue(style: Style, number: int) -> str:
    return "\n" if style.list_form else " "
