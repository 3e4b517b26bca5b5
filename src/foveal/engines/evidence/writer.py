"""The language model as a writer of captions and short answers, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from foveal.engines.base import Sampling
from foveal.engines.evidence.vocabulary_tables import data_table
from foveal.engines.llama import ChatMessage, Generation
from foveal.engines.tools import Generator

# A sentence ends at . ! ? before a space; not after a single capital ("St. James" is rare in
# captions).
_END = re.compile(r"(?<=[.!?])[”\"]?\s+(?=[A-Z“\"])")
CAPTION_TOKENS = 90
ANSWER_TOKENS = 60
FREE_TOKENS = 300


@dataclass(frozen=True, slots=True)
class Writer:
    """Greedy by default: the same notes give the same words."""

    runtime: Generator
    prompts: Mapping[str, Any]

    def caption(self, notes: str, seed: int | None) -> AsyncGenerator[str]:
        return self._sentences(_shots(self.prompts["caption"], "caption"), notes, CAPTION_TOKENS, seed)

    def reply(self, facts: str, question: str, seed: int | None) -> AsyncGenerator[str]:
        shots = _shots(self.prompts["open"], "answer")
        return self._sentences(shots, f"{facts}\nQuestion: {question}", ANSWER_TOKENS, seed)

    def from_text(self, text: str, question: str, seed: int | None) -> AsyncGenerator[str]:
        shots = _shots(self.prompts["text"], "answer")
        return self._sentences(shots, f"Text:\n{text}\nQuestion: {question}", ANSWER_TOKENS, seed)

    def free(self, facts: str, question: str, seed: int | None) -> AsyncGenerator[str]:
        shots = (ChatMessage("system", self.prompts["free"]["system"]),)
        return self._sentences(shots, f"{facts}\n{question}", FREE_TOKENS, seed)

    async def _sentences(
        self, shots: Sequence[ChatMessage], last: str, tokens: int, seed: int | None
    ) -> AsyncGenerator[str]:
        """Whole sentences as soon as each is complete; closing it stops the model."""
        sampling = Sampling(temperature=0.0, max_tokens=tokens, seed=seed or 0)
        request = Generation((*shots, ChatMessage("user", last)), sampling)
        waiting = ""
        pieces = self.runtime.generate(request)
        assert isinstance(pieces, AsyncGenerator)
        async with aclosing(pieces):
            async for piece in pieces:
                waiting += piece.text
                *whole, waiting = _END.split(waiting)
                for sentence in whole:
                    yield sentence.strip()
        if waiting.strip():
            yield waiting.strip()


def _shots(table: Mapping[str, Any], answer: str) -> tuple[ChatMessage, ...]:
    """System message and examples: the prefix that the runtime computes once."""
    messages = [ChatMessage("system", table["system"])]
    for shot in table["shot"]:
        asked = shot["notes"].strip()
        if "question" in shot:
            asked += f"\nQuestion: {shot['question']}"
        messages += [ChatMessage("user", asked), ChatMessage("assistant", shot[answer])]
    return tuple(messages)


def load_prompts() -> Mapping[str, Any]:
    return data_table("prompts")
