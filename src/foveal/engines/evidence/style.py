"""How the caller wants to be answered: what system messages and the question itself ask of the form."""

from __future__ import annotations

import re
from collections.abc import Sequence

from foveal.engines.base import Turn
from foveal.engines.evidence.intents import Answer, Question, Style

_BRIEF = re.compile(
    r"\b(?:one|single|a few|1|two|three)[- ]words?\b|\b(?:be|very|extremely) "
    r"(?:brief|concise|short|terse)\b|\bshort answers?\b|"
    r"\bbriefly\b|\bconcisely\b|\bjust the (?:answer|number|colou?r|word|count|"
    r"text)\b|\bonly (?:the|a|with the|with a) (?:number|answer|word|colou?r|"
    r"text|count|digit)\b|"
    r"\bas short as possible\b|\bno explanations?\b|한 ?단어|단답|짧게|간단(?:히|하게)|숫자만|답만",
    re.IGNORECASE,
)
_YES_NO = re.compile(
    r"\b(?:only |just |simply )?(?:yes or no|yes/no|['\"]?yes['\"]? or "
    r"['\"]?no['\"]?|true or false)\b|예 ?/? ?아니오|네 ?/? ?아니(?:오|요)로|예 "
    r"또는 아니오",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"\b(?:bullet(?:ed)?(?: points?| list)?|bullets|as a list|list form|in a "
    r"list|numbered list|one per line|comma[- ]separated)\b|목록으로|나열|"
    r"리스트로|한 줄에 하나",
    re.IGNORECASE,
)
_DETAIL = re.compile(
    r"\b(?:in (?:great |full |more |as much |much )?detail|detailed|details|"
    r"thorough(?:ly)?|comprehensive(?:ly)?|everything you (?:can )?see|as much "
    r"as|"
    r"long(?:er)? description|full description|elaborate|more about)\b|자세히|"
    r"자세하게|상세|구체적|꼼꼼|최대한",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"\b(?:answer|reply|respond|write|speak|responses?|output)\b[^.!?\n]{0,40}\b(?:in )?english\b|영어로",
    re.IGNORECASE,
)
_KOREAN = re.compile(
    r"\b(?:answer|reply|respond|write|speak|responses?|output|"
    r"describe)\b[^.!?\n]{0,60}\bkorean\b|\bin korean\b|한국어로|한국말로|한글로",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"\b(one|single|two|three|1|2|3)[- ]sentences?\b|(한|두|세) ?문장", re.IGNORECASE)
# Sentences that only say how to answer, no question of their own.
_ORDER = re.compile(
    r"(?i)(?:^|(?<=[.?!\n]))\s*(?:please )?(?:(?:answer|reply|respond|use|keep|"
    r"be|give|write|limit|output|speak|return)\b(?:(?! (?:the|this|these|my|"
    r"following) questions?:)[^.?!\n])*"
    r"(?:words?|brief\w*|concise\w*|short|sentences?|yes or no|yes/no|list|"
    r"english|korean|number|honest|specific|only|format|json|"
    r"digit)\b[^.?!\n]*[.!]?)(?=\s|$)|"
    r"(?:^|(?<=[.?!\n]))\s*[^.?!\n]{0,24}(?:한 ?단어로|짧게|간단히|한국어로|"
    r"영어로|예/아니오로|숫자만|한 문장으로)\s*(?:만 )?(?:대답|답변?|말|"
    r"답)[^.?!\n]*[.!]?"
)


def without_orders(text: str) -> str:
    """The text less its orders about the form of the answer; all of it when nothing else is there."""
    less = _ORDER.sub(" ", text)
    less = re.sub(
        r"(?i)[,(]?\s*(?:answer|reply|respond)?\s*(?:with|in|using)? ?(?:only |just |"
        r"simply )?(?:a )?(?:yes or no|yes/no)(?: only)?\)?\s*[.:]?\s*$",
        " ",
        less,
    )
    return less if re.search(r"\w", less) else text


def style_of(turns: Sequence[Turn]) -> Style:
    """From the system messages and the last user message; the latter wins on language and length."""
    system = "\n".join(turn.text for turn in turns if turn.role == "system")
    user = next((turn.text for turn in reversed(turns) if turn.role == "user"), "")
    first, second = _read(system, order=True), _read(user, order=False)
    return Style(
        brief=(first.brief and not second.detailed) or second.brief,
        yes_no=first.yes_no or second.yes_no,
        list_form=first.list_form or second.list_form,
        detailed=second.detailed or (first.detailed and not second.brief),
        language=second.language or first.language,
        sentences=second.sentences or first.sentences,
    )


def _read(text: str, *, order: bool) -> Style:
    if not text:
        return Style()
    numbers = {"one": 1, "single": 1, "1": 1, "two": 2, "2": 2, "three": 3, "3": 3, "한": 1, "두": 2, "세": 3}
    found = _SENTENCES.search(text)
    return Style(
        brief=bool(_BRIEF.search(text)),
        yes_no=bool(_YES_NO.search(text)),
        list_form=bool(_LIST.search(text)),
        detailed=bool(_DETAIL.search(text)),
        language="ko" if _KOREAN.search(text) else "en" if _ENGLISH.search(text) else None,
        sentences=numbers[next(g for g in found.groups() if g).lower()] if found else 0,
    )


def dressed(answer: Answer, question: Question, style: Style, language: str) -> str:
    """The answer's words in the asked form."""
    if style.yes_no and _yes_or_no(answer):
        word = _yes_or_no(answer)
        return {"yes": "네", "no": "아니요"}[word] if language == "ko" else word.capitalize()
    if style.yes_no and not answer.known:
        return answer.short or answer.text
    if style.brief and answer.short:
        return answer.short
    return answer.text


def _yes_or_no(answer: Answer) -> str:
    for text in (answer.short, answer.text):
        low = text.lower()
        if re.match(r"yes\b|네(?:,|$|\s)|예(?:,|$)", low):
            return "yes"
        if re.match(r"no\b|none\b|아니", low):
            return "no"
    return ""
