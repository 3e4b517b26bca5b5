"""Questions about text that was read closely: by rules, else by the model from the lines asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from foveal.engines.evidence.document_phrases import DocumentPhrases
from foveal.engines.evidence.documents import Documents, Forms
from foveal.engines.evidence.english_words import CANNOT
from foveal.engines.evidence.intents import Answer, Ask, Question
from foveal.engines.evidence.lookup import Lookup
from foveal.engines.evidence.page import Page
from foveal.engines.evidence.sights import Sights
from foveal.engines.evidence.vocabulary import Language
from foveal.engines.evidence.writer import Writer
from foveal.engines.read_text import prompt_rows
from foveal.engines.terms import (
    Term,
    Words,
    normal,
    plain_number,
    question_terms,
    squeezed,
    stem,
    tokens,
)
from foveal.errors import EngineUnavailable

# Tokens of the page that the language model is shown. Two cores read 54-73 a second: this is 5 to 6 seconds.
MODEL_BUDGET = 350
_PLAIN = 0.7  # share of an answer's telling words that the text or the question must hold
_NUMBERS = re.compile(r"\d+(?:[.,:/\-]\d+)*")
_NAMES = re.compile(r"(?<![.!?“\"]\s)(?<!^)\b[A-Z][\w'’-]+")
# Asked of the text, or of what pictures cannot show: where no rule answers, the language model may.
_FOR_TEXT = (Ask.READ, Ask.OPEN, Ask.UNKNOWABLE)


@dataclass(frozen=True, slots=True)
class TextReader:
    """`count` counts the language model's own tokens."""

    forms: Forms
    writer: Writer
    count: Callable[[str], int]

    def size(self, text: str) -> int:
        """Tokens of the text; a guess on the safe side while the language model is not loaded."""
        try:
            return self.count(text)
        except EngineUnavailable:
            return len(text.encode()) // 3 + 1

    def terms(self, question: str) -> tuple[Term, ...]:
        return question_terms(question, self.forms.words)

    async def answer(
        self, question: Question, sights: Sights, page: Page, language: Language, seed: int | None
    ) -> Answer | None:
        """None when the question is not about the text: the picture's own rules answer it."""
        documents = Documents(page, self.forms, language)
        seen = any(sights.objects(thing) for thing in question.things)
        if not page.rows or not documents.concerns(question, seen=seen):
            return None
        found = await asyncio.to_thread(documents.answer, question)  # a page of 5,000 lines takes a second
        if found is not None or question.ask == Ask.SCENE:
            return found
        if question.ask not in _FOR_TEXT and question.things:
            return None
        lookup = documents.lookup(question.text)
        if question.ask == Ask.READ and not lookup.telling:
            return None  # any price, any number: what the rule of pictures lists
        if documents.may_be_worded_otherwise(question.text, lookup):
            yes_no = documents.is_yes_no(question)
            written = await self._written(question, lookup, language, seed, yes_no=yes_no)
            found = written or documents.quoted(question)
        if found is None and question.ask == Ask.READ and question.target in ("", "any", "title", "name"):
            return None
        return found or documents.cannot_tell()

    async def _written(
        self, question: Question, lookup: Lookup, language: Language, seed: int | None, *, yes_no: bool
    ) -> Answer | None:
        """What the language model makes of the lines that matter, when the text bears it out."""
        text = prompt_rows(lookup.page.rows, lookup.terms, budget=MODEL_BUDGET, count=self.size)
        try:
            async with aclosing(self.writer.from_text(text, question.text, seed)) as sentences:
                said = [sentence async for sentence in sentences]
        except EngineUnavailable:
            return None
        answer = " ".join(said[:2]).strip()
        if not answer or answer.startswith(CANNOT[:12]):
            return None
        if not borne_out(answer, text, question.text, self.forms.words):
            return None
        if yes_no and not _verbatim(answer, text):
            return None  # the small model's own yes or no is worth little
        if language == "ko":
            bare = answer.strip(" .“”\"'")
            return DocumentPhrases("ko").quote(bare) if _verbatim(bare, text) else None
        return Answer(answer, answer.rstrip("."))


def _verbatim(answer: str, text: str) -> bool:
    said = squeezed(normal(re.sub(r"^(?:yes|no)\b[,.]?", "", answer.strip(), flags=re.IGNORECASE)))
    return bool(said) and said in squeezed(normal(text))


def borne_out(answer: str, text: str, question: str, words: Words) -> bool:
    """Every number and name of the answer stands in the text (names: or in the question), and so do most of
    its other words.
    """
    low, asked = normal(text), normal(question)
    numbers = {plain_number(one) for one in _NUMBERS.findall(low)}
    if any(plain_number(one) not in numbers for one in _NUMBERS.findall(normal(answer))):
        return False
    known = {stem(word) for word in tokens(low) + tokens(asked)}
    if any(stem(word) not in known for name in _NAMES.findall(answer) for word in tokens(normal(name))):
        return False
    telling = [word for word in tokens(normal(answer)) if word not in words.english and not word[0].isdigit()]
    held = sum(stem(word) in known or (not word.isascii() and word in squeezed(low)) for word in telling)
    return held >= _PLAIN * len(telling)
