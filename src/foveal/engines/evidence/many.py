"""Questions about several pictures: which of them shows something, and what each shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from foveal.engines.evidence.english_words import join, some
from foveal.engines.evidence.intents import Answer, Ask, Question
from foveal.engines.evidence.rules import Rules
from foveal.engines.evidence.sights import Sights
from foveal.engines.evidence.vocabulary import Language

_ORDER = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_KOREAN_ORDER = ("첫", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열")
_WHICH = re.compile(
    r"\b(?:which|what) (?:of (?:the|these|those) )?(?:\w+ )?(?:image|picture|"
    r"photo|photograph|one)s?\b|\bin which\b|어느 ?(?:사진|이미지|쪽)|어떤 "
    r"?(?:사진|이미지)",
    re.IGNORECASE,
)
_MOST = re.compile(r"\b(?:more|most)\b|더 ?많|가장 ?많", re.IGNORECASE)
_BOTH = re.compile(r"\b(?:both|all|each|every|either)\b|모두|둘 ?다", re.IGNORECASE)

MakeRules = Callable[[Sights, Language], Rules]


def labelled(index: int, language: Language) -> str:
    return f"사진 {index + 1}: " if language == "ko" else f"Image {index + 1}: "


def across(
    question: Question, sights: Sequence[Sights], labels: Sequence[int], rules: MakeRules, language: Language
) -> Answer | None:
    """One answer over all pictures, or None when each is to be answered for itself."""
    if not question.things or question.ask in (
        Ask.DESCRIBE,
        Ask.OPEN,
        Ask.COLOUR,
        Ask.WHERE,
        Ask.READ,
        Ask.UNKNOWABLE,
    ):
        return None
    thing = question.things[0]
    counts = [len(one.objects(thing)) or int(one.verdict(thing) in ("yes", "likely")) for one in sights]
    if _WHICH.search(question.text):
        if _MOST.search(question.text):
            top = max(counts)
            found = [label for label, count in zip(labels, counts, strict=True) if count == top and top]
        else:
            found = [label for label, count in zip(labels, counts, strict=True) if count]
        return _which(question, found, language)
    if question.ask == Ask.COUNT and re.search(
        r"\b(?:total|altogether|all (?:the )?(?:images|pictures|photos)|in all)\b|모두 ?합|전체|총",
        question.text.lower(),
    ):
        total = sum(counts)
        return rules(sights[0], language).say.counted(thing, total)
    if question.ask == Ask.PRESENCE and _BOTH.search(question.text):
        ok = all(counts) if not re.search(r"\beither\b", question.text.lower()) else any(counts)
        if language == "ko":
            return Answer(
                "네, 모든 사진에 있습니다." if ok else "아니요, 모든 사진에 있지는 않습니다.",
                "네" if ok else "아니요",
            )
        each = ", ".join(
            f"{some(thing, count) if count else 'none'} in image {label + 1}"
            for label, count in zip(labels, counts, strict=True)
        )
        return Answer(f"{'Yes' if ok else 'No'}: {each}.", "Yes" if ok else "No")
    return None


def _which(question: Question, found: Sequence[int], language: Language) -> Answer:
    thing = question.things[0]
    if language == "ko":
        if not found:
            return Answer(f"{thing.korean}이(가) 보이는 사진이 없습니다.", "없음")
        names = ", ".join(f"{_KOREAN_ORDER[index] if index else '첫'} 번째 사진" for index in found)
        return Answer(f"{names}입니다.", names)
    if not found:
        return Answer(f"I don't see any {thing.plural} in any of the images.", "None")
    names = join([f"the {_ORDER[index]} image" for index in found])
    return Answer(f"{names[:1].upper()}{names[1:]}.", names)
