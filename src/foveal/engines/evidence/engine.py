"""Engine `evidence`: answers about pictures from what perception found, and from nothing else.

Facts of every picture are found at once; questions of known kinds are answered by rules on them and cost no
model; descriptions are worded by the language model from notes, each sentence checked before it is released.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from foveal.engines.base import Abilities, Delta, Part, Prompt, TextPart, Turn
from foveal.engines.evidence.english_phrases import EnglishPhrases
from foveal.engines.evidence.guard import load_guard
from foveal.engines.evidence.intents import Answer, Ask, Question, Style
from foveal.engines.evidence.korean_phrases import KoreanPhrases
from foveal.engines.evidence.lexicon import load_lexicon
from foveal.engines.evidence.many import across, labelled
from foveal.engines.evidence.notes import take_notes
from foveal.engines.evidence.phrases import Phrases
from foveal.engines.evidence.questions import questions_of
from foveal.engines.evidence.rules import Rules
from foveal.engines.evidence.sights import Sights, load_scenes
from foveal.engines.evidence.style import dressed, style_of
from foveal.engines.evidence.telling import Teller
from foveal.engines.evidence.vocabulary import Language
from foveal.engines.evidence.writer import Writer, load_prompts
from foveal.engines.tools import Generator, answer_text
from foveal.images.detail import DetailedImage
from foveal.perception.facts import Facts

NOTE = (
    "Reads evidence about a picture (objects, text, faces, colours, tags found by small models) and answers "
    "from that; it does not look at pixels itself."
)
Timed = Callable[[str, float], None]  # stage, seconds


class Runtime(Generator, Protocol):
    """What is needed of `LlamaRuntime`."""

    def count_tokens(self, text: str) -> int: ...
    async def ready(self) -> None: ...
    async def close(self) -> None: ...


class Finder(Protocol):
    """What is needed of `PooledFactFinder`."""

    async def facts(self, image: DetailedImage) -> Facts: ...
    async def warm(self) -> None: ...
    def close(self) -> None: ...


class EvidenceEngine:
    """`Engine`. `timed` is told what each stage cost (perception's own stages by their names)."""

    name = "evidence"

    def __init__(self, finder: Finder, runtime: Runtime, *, timed: Timed | None = None) -> None:
        self.abilities = Abilities(
            images=True, tools=True, json_object=True, json_schema=True, logit_bias=True, notes=NOTE
        )
        self.lexicon = load_lexicon()
        self._finder = finder
        self._runtime = runtime
        self._timed = timed or (lambda stage, seconds: None)
        self._scenes = load_scenes()
        self._prompts = load_prompts()
        self._teller = Teller(
            Writer(runtime, self._prompts), load_guard(self.lexicon), self.lexicon.colours.names
        )
        self._english = EnglishPhrases()
        self._korean = KoreanPhrases(self.lexicon.colours.names)

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Delta]:
        """Closing it stops the language model; facts that are being found go on for whoever asks next."""
        if not prompt.images:
            source = answer_text(self._runtime, prompt)
        elif prompt.tools or prompt.response_format is not None:
            source = answer_text(self._runtime, await self._with_facts(prompt))
        else:
            source = self._looking(prompt)
        async with aclosing(source) as deltas:
            async for delta in deltas:
                yield delta

    def count_tokens(self, text: str) -> int:
        return self._runtime.count_tokens(text)

    async def ready(self) -> None:
        """Load every net and the language model, and compute the prefix of both kinds of prompt once."""
        await asyncio.gather(self._finder.warm(), self._runtime.ready())
        writer = self._teller.writer
        no_notes = "Subjects: -\nActions: -\nPlace: -\nText: -"
        for words in (writer.caption(no_notes, 0), writer.reply("-", "-", 0)):
            async with aclosing(words):
                async for _ in words:
                    break

    async def close(self) -> None:
        await self._runtime.close()
        await asyncio.to_thread(self._finder.close)

    async def _looking(self, prompt: Prompt) -> AsyncGenerator[Delta]:
        pictures, offset = pictures_in_question(prompt.turns)
        every = prompt.images
        style = style_of(prompt.turns)
        questions = questions_of(prompt.turns, self.lexicon, len(every))
        named = {index for question in questions for index in question.images}
        wanted = [index for index in range(len(every)) if index in named or index >= offset]
        sights = await self._sights([every[index] for index in wanted])
        seen = dict(zip(wanted, sights, strict=True))
        default = list(range(offset, offset + len(pictures)))
        start = time.perf_counter()
        first = True
        for number, question in enumerate(questions):
            chosen = [seen[index] for index in (question.images or default)]
            labels = list(question.images or default)
            parts = self._parts(question, style, chosen, labels, prompt.sampling.seed)
            async with aclosing(parts):
                async for text in parts:
                    if first:
                        self._timed("first words", time.perf_counter() - start)
                    yield Delta(text if first else _glue(style, number) + text)
                    first = False
        self._timed("answer", time.perf_counter() - start)
        yield Delta(finish="stop")

    async def _sights(self, images: Sequence[DetailedImage]) -> list[Sights]:
        start = time.perf_counter()
        found = await asyncio.gather(*(self._finder.facts(image) for image in images))
        self._timed("facts", time.perf_counter() - start)
        for facts in found:
            for stage, seconds in facts.stage_seconds.items():
                self._timed(stage, seconds)
        return [Sights(facts, self.lexicon.words, self._scenes) for facts in found]

    async def _parts(
        self,
        question: Question,
        style: Style,
        sights: Sequence[Sights],
        labels: Sequence[int],
        seed: int | None,
    ) -> AsyncGenerator[str]:
        """One question's answer in pieces of whole sentences."""
        language = style.language or question.language
        if len(sights) > 1:
            together = across(question, sights, labels, self._rules, language)
            if together is not None:
                yield dressed(together, question, style, language)
                return
        for one, label in zip(sights, labels, strict=True):
            lead = labelled(label, language) if len(sights) > 1 else ""
            answer = self._ruled(question, one, language)
            if answer is not None:
                yield lead + dressed(answer, question, style, language)
                continue
            told = self._teller.tell(question, style, one, language, seed)
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
        """The same conversation for a text model: every picture replaced by its facts."""
        images = prompt.images
        sights = await self._sights(images)
        notes = [take_notes(one, most=12, texts=12).facts() for one in sights]
        counter = iter(range(len(images)))

        def shown(turn: Turn) -> Turn:
            parts: list[Part] = []
            for part in turn.parts:
                if isinstance(part, TextPart):
                    parts.append(part)
                else:
                    number = next(counter)
                    parts.append(TextPart(f"[Picture {number + 1}. {notes[number]}]"))
            return replace(turn, parts=tuple(parts))

        turns = tuple(shown(turn) for turn in prompt.turns)
        about = Turn("system", (TextPart(self._prompts["facts"]["system"]),))
        return replace(prompt, turns=(about, *turns))


def pictures_in_question(turns: Sequence[Turn]) -> tuple[tuple[DetailedImage, ...], int]:
    """The pictures of the last user turn, else of the latest turn with any; and how many came before them."""
    before = sum(len(turn.images) for turn in turns)
    for turn in reversed(turns):
        before -= len(turn.images)
        if turn.role == "user" and turn.images:
            return turn.images, before
    return (), 0


def _glue(style: Style, number: int) -> str:
    return "\n" if style.list_form else " "
