"""What is said of a document's text: English and Korean sentences around quoted pieces of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foveal.engines.evidence.english_words import CANNOT, join
from foveal.engines.evidence.intents import Answer
from foveal.engines.evidence.korean import has_final, joined, object_of
from foveal.engines.evidence.korean_phrases import CANNOT as KOREAN_CANNOT
from foveal.engines.evidence.vocabulary import Language

LONGEST_QUOTE = 300  # characters


@dataclass(frozen=True, slots=True)
class Found:
    """A value, what it is labelled with in its row, and the name of its column."""

    value: str
    key: str = ""
    header: str = ""


@dataclass(frozen=True, slots=True)
class DocumentPhrases:
    language: Language

    def given(self, found: Sequence[Found]) -> Answer:
        """One value or several."""
        short = ", ".join(dict.fromkeys(one.value for one in found))
        if self.language == "ko":
            return Answer(
                f"{joined([_korean(one) for one in found])}{_says(found[-1].value)} 적혀 있습니다.", short
            )
        return Answer(f"The text gives {join([_english(one) for one in found])}.", short)

    def extreme(self, name: str, value: str) -> Answer:
        if self.language == "ko":
            return Answer(f"“{name}”이며, 값은 {value}입니다.", name)
        return Answer(f"It is “{name}”, with {value}.", name)

    def counted(self, names: Sequence[str]) -> Answer:
        number = len(names)
        if self.language == "ko":
            return Answer(f"글에서 {number}개가 확인됩니다: {', '.join(names)}.", str(number))
        return Answer(f"I count {number} in the text: {', '.join(names)}.", str(number))

    def listed(self, names: Sequence[str]) -> Answer:
        text = ", ".join(names)
        return Answer(
            f"글에 적힌 것은 {text}입니다." if self.language == "ko" else f"The text lists {text}.", text
        )

    def mentioned(self, quote: str) -> Answer:
        if self.language == "ko":
            return Answer(f"네, “{quote}”{_says(quote)} 적혀 있습니다.", "네")
        return Answer(f"Yes, the text says “{quote}”.", "Yes")

    def not_mentioned(self, wanted: str) -> Answer:
        if self.language == "ko":
            return Answer(f"아니요, 글에서 {object_of(f'“{wanted}”')} 찾을 수 없습니다.", "아니요")
        return Answer(f"No, I don't find “{wanted}” in the text.", "No")

    def quote(self, text: str, short: str = "") -> Answer:
        cut = text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE].rsplit(" ", 1)[0] + "…"
        if self.language == "ko":
            return Answer(f"“{cut}”{_says(cut)} 적혀 있습니다.", short or cut)
        return Answer(f"The text says: “{cut}”", short or cut)

    def everything(self, text: str) -> Answer:
        lead = "글의 내용은 다음과 같습니다:" if self.language == "ko" else "The text reads:"
        return Answer(f"{lead}\n{text}", text)

    def cannot_tell(self) -> Answer:
        if self.language == "ko":
            return Answer(KOREAN_CANNOT, "알 수 없음", known=False)
        return Answer(CANNOT, "Can't tell", known=False)


def _english(one: Found) -> str:
    if not one.key:
        return f"{one.value} under “{one.header}”" if one.header else f"“{one.value}”"
    return f"{one.value} for “{one.key}”" + (f" under “{one.header}”" if one.header else "")


def _korean(one: Found) -> str:
    label = " ".join(f"“{part}”" for part in (one.key, one.header) if part)
    return f"{label}에 {one.value}" if label else f"“{one.value}”"


def _says(word: str) -> str:
    bare = word.rstrip(" .。)）”")
    return "이라고" if has_final(bare) else "라고"
