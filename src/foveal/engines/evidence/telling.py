"""Descriptions and open questions: the language model writes, the guard checks, patterns stand in."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from foveal.engines.evidence import describe
from foveal.engines.evidence.describe_korean import korean
from foveal.engines.evidence.english_words import CANNOT, join
from foveal.engines.evidence.guard import Guard
from foveal.engines.evidence.intents import Ask, Question, Style
from foveal.engines.evidence.korean import counted, joined, topic
from foveal.engines.evidence.korean_phrases import CANNOT as KOREAN_CANNOT
from foveal.engines.evidence.notes import Notes, take_notes
from foveal.engines.evidence.sights import Sights
from foveal.engines.evidence.vocabulary import Language
from foveal.engines.evidence.writer import Writer
from foveal.errors import EngineUnavailable

# Requests for a text of the caller's own making rather than for what the picture shows.
CREATIVE = re.compile(
    r"\b(?:poem|haiku|story|joke|tweet|hashtags?|slogan|song|lyrics|limerick|"
    r"title for|headline for|blog|post|caption for|advert|alt text|essay|"
    r"letter)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Teller:
    writer: Writer
    guard: Guard
    colours: Mapping[str, str]

    async def tell(
        self, question: Question, style: Style, sights: Sights, language: Language, seed: int | None
    ) -> AsyncGenerator[str]:
        """Sentences (or lines of a list), each checked."""
        describing = question.ask == Ask.DESCRIBE
        full = describing and style.detailed
        notes = take_notes(sights, most=12, texts=12, room=600) if full else take_notes(sights)
        if describing and (style.list_form or style.brief):
            yield self._listed(notes, style, language)
            return
        if language == "ko":
            for sentence in self._korean(notes, sights, style, describing):
                yield sentence
            return
        told = self._caption(notes, sights, style, seed) if describing else self._reply(question, notes, seed)
        async with aclosing(told):
            count = 0
            async for sentence in told:
                yield sentence
                count += 1
                if style.sentences and count >= style.sentences:
                    return

    async def _caption(
        self, notes: Notes, sights: Sights, style: Style, seed: int | None
    ) -> AsyncGenerator[str]:
        told = replace(notes, texts=())  # quoted from the notes at the end: the model need not copy
        fallback = describe.english(told)
        if notes.subjects or notes.looks_like:
            async with aclosing(self._written(told, fallback, seed)) as sentences:
                async for sentence in sentences:
                    yield sentence
        elif not notes.texts:
            for sentence in fallback:
                yield sentence
        for sentence in describe.more_english(notes, sights, detailed=style.detailed):
            yield sentence

    async def _written(self, notes: Notes, fallback: list[str], seed: int | None) -> AsyncGenerator[str]:
        """The model's sentences while they hold; from the first that does not, the patterns' own."""
        said: list[str] = []
        try:
            async with aclosing(self.writer.caption(notes.lines(), seed)) as sentences:
                async for sentence in sentences:
                    finished = sentence.endswith((".", "!", "”", '"'))
                    if not finished or not self.guard.passes(sentence, notes) or sentence in said:
                        break
                    said.append(sentence)
                    yield sentence
                    if len(said) == 3:
                        break
        except EngineUnavailable:
            pass  # without the language model the patterns speak
        if not said:
            for sentence in fallback:
                yield sentence
            return
        rest = self._unsaid(notes, said)
        if rest:
            yield rest

    def _unsaid(self, notes: Notes, said: list[str]) -> str:
        text = " ".join(said).lower()
        keys = {
            label for mention in self.guard.lexicon.words.find(text, "en") for label in mention.thing.labels
        }
        return describe.missing_subjects(notes, said, keys)

    async def _reply(self, question: Question, notes: Notes, seed: int | None) -> AsyncGenerator[str]:
        creative = bool(CREATIVE.search(question.text))
        facts = notes.facts()
        write = self.writer.free if creative else self.writer.reply
        released = 0
        try:
            async with aclosing(write(facts, question.text, seed)) as sentences:
                async for sentence in sentences:
                    if sentence == CANNOT or not self.guard.passes(sentence, notes, strict=not creative):
                        break
                    yield sentence
                    released += 1
                    if not creative:
                        return
        except EngineUnavailable:
            pass
        if not released:
            yield CANNOT
            seen = [describe.amount(one) for one in notes.subjects]
            if seen:
                yield f"What I can see is {join(seen)}."

    def _listed(self, notes: Notes, style: Style, language: Language) -> str:
        if language == "ko":
            from_subjects = [counted(one.thing, one.count) for one in notes.subjects]
        else:
            from_subjects = [describe.amount(one) for one in notes.subjects]
        items = from_subjects or [
            notes.looks_like or ("알 수 없음" if language == "ko" else "nothing I recognise")
        ]
        if style.brief and not style.list_form:
            one = notes.subjects[0].thing if notes.subjects else None
            return (
                (one.korean if language == "ko" else one.named(notes.subjects[0].count).capitalize())
                if one
                else items[0]
            )
        texts = [f"“{text}”" for text in notes.texts]
        return "\n".join(f"- {item}" for item in [*items, *texts])

    def _korean(self, notes: Notes, sights: Sights, style: Style, describing: bool) -> list[str]:
        sentences = korean(notes, sights, self.colours, detailed=style.detailed)
        if describing:
            return sentences[: style.sentences] if style.sentences else sentences
        seen = joined([counted(one.thing, one.count) for one in notes.subjects])
        if not seen:
            return [KOREAN_CANNOT]
        return [
            f"사진에서 확인되는 것은 {seen}입니다.",
            f"{topic('질문하신 내용')} 사진만으로는 알 수 없습니다.",
        ]
