"""A conversation into the questions of its last message, pronouns filled from the turns before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from foveal.engines.base import Turn
from foveal.engines.evidence import english, english_clause, korean
from foveal.engines.evidence.intents import Ask, Question
from foveal.engines.evidence.lexicon import Lexicon
from foveal.engines.evidence.style import without_orders
from foveal.engines.evidence.vocabulary import Thing

MOST_QUESTIONS = 12  # of one message; a pasted page of text is not twelve questions
_ASKS = (
    r"(?:what|which|where|who|how|when|why|is|are|does|do|did|can|could|has|have|"
    r"was|were|describe|read|count|list|name|tell|"
    r"if (?:so|yes|there is|there are)|what's|where's|who's)"
)
_ORDINALS = {
    "first": 0,
    "1st": 0,
    "second": 1,
    "2nd": 1,
    "third": 2,
    "3rd": 2,
    "fourth": 3,
    "4th": 3,
    "fifth": 4,
    "5th": 4,
}
_KOREAN_ORDINALS = {"첫": 0, "두": 1, "세": 2, "네": 3, "다섯": 4}


def split(text: str) -> list[str]:
    """The separate questions of a message, in order. Text between quotation marks is never cut."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group())
        return f"\x00{len(kept) - 1}\x00"

    safe = re.sub(r"[\"“「][^\"”」\n]{1,200}[\"”」]", keep, text)
    safe = re.sub(r"(?m)^\s*(?:\d{1,2}[.)]|[-*•])\s+", "\n", safe)
    pieces: list[str] = []
    for sentence in re.split(r"(?<=[?？])\s*|\n+|(?<=[.!。])\s+", safe):
        pieces += _compound(sentence)
    restored = [
        re.sub(r"\x00(\d+)\x00", lambda m: kept[int(m.group(1))], piece).strip(" ,;") for piece in pieces
    ]
    return [piece for piece in restored if re.search(r"\w", piece)][:MOST_QUESTIONS]


def _compound(sentence: str) -> list[str]:
    """ "Is there a dog and what colour is it": two; "dogs and cats": one."""
    if korean.is_korean(sentence):
        return re.split(
            r"(?<=고),? (?=(?:그것|그건|무슨|어떤|몇|어디|색|또|그리고))|(?<=[요까니어죠]),\s+", sentence
        )
    if re.match(r"\s*(?:tell|explain|describe|show)\b.*\b(?:if|whether)\b", sentence, re.IGNORECASE):
        return [sentence]
    return re.split(
        rf"(?i),? (?:and|also|then|plus|but) (?:also |then )?(?={_ASKS}\b)|[,;] (?={_ASKS}\b)", sentence
    )


def parse(text: str, lexicon: Lexicon) -> Question:
    return korean.parse(text, lexicon) if korean.is_korean(text) else english.parse(text, lexicon)


def questions_of(turns: Sequence[Turn], lexicon: Lexicon, pictures: int) -> list[Question]:
    """The questions of the last user turn. A message without one asks for a description."""
    users = [turn for turn in turns if turn.role == "user"]
    if not users:
        return []
    last: Thing | None = None
    before: Question | None = None
    for turn in users[:-1]:
        for question in _parsed(turn.text, lexicon, last, pictures):
            last, before = _named(question) or last, question
    found = _parsed(users[-1].text, lexicon, last, pictures, before)
    if not found:
        return [Question(Ask.DESCRIBE, users[-1].text, "ko" if korean.is_korean(users[-1].text) else "en")]
    return found


def _parsed(
    text: str, lexicon: Lexicon, last: Thing | None, pictures: int, before: Question | None = None
) -> list[Question]:
    found: list[Question] = []
    for piece in split(without_orders(text)):
        question = parse(piece, lexicon)
        question = _continued(question, before)
        question = follow_up_thing(question, last)
        question = replace(question, images=pictures_meant(piece, pictures))
        found.append(question)
        last, before = _named(question) or last, question
    telling = [question for question in found if not _is_chatter(question)]
    return telling or found


def _continued(question: Question, before: Question | None) -> Question:
    """ "And the cat?", "고양이는?": the question before, about another thing."""
    if before is None or before.ask in (Ask.DESCRIBE, Ask.OPEN, Ask.UNKNOWABLE, Ask.LIST):
        return question
    bare = english_clause.clean(question.text) if question.language == "en" else question.text.strip(" ?.")
    short = len(bare.split()) <= (4 if question.language == "en" else 2)
    and_what = re.match(r"(?i)^\s*(?:and|what about|how about|and what about)\b", question.text)
    about = re.match(r"(?:what|how) about (?:the |any )?", bare)
    korean_about = question.language == "ko" and re.search(r"(?:은|는)(?:요)?$", bare)
    again = about or (and_what and question.ask == Ask.PRESENCE) or korean_about
    if question.things and short and again and question.ask in (Ask.PRESENCE, Ask.OPEN, Ask.WHAT_IS):
        return replace(before, text=question.text, things=question.things, language=question.language)
    return question


def _named(question: Question) -> Thing | None:
    if question.things:
        return question.things[0]
    return question.anchor


def _is_chatter(question: Question) -> bool:
    """ "Hello.", "Thanks": said beside the question."""
    if question.ask != Ask.OPEN or question.things:
        return False
    low = question.text.lower().strip(" .!,")
    statement = not question.text.rstrip().endswith("?")
    return statement and (
        len(low.split()) <= 3 or bool(re.match(r"(?:i|we|here|this|these|my|you are|look)\b|안녕|여기", low))
    )


def pictures_meant(text: str, pictures: int) -> tuple[int, ...]:
    """Which of several pictures a clause names: "the second image", "두 번째 사진", "image 2"."""
    if pictures < 2:
        return ()
    low = text.lower()
    found: list[int] = []
    for word, index in _ORDINALS.items():
        if re.search(rf"\b{word}\b(?: (?:one|image|picture|photo|photograph|pic))?", low) and not re.search(
            rf"\b{word} (?:line|row|word)", low
        ):
            found.append(index)
    for word, index in _KOREAN_ORDINALS.items():
        if re.search(rf"{word} ?번째", low):
            found.append(index)
    found += [int(n) - 1 for n in re.findall(r"\b(?:image|picture|photo|사진|이미지) ?#?(\d)\b", low)]
    if re.search(r"\blast (?:one|image|picture|photo)|마지막 ?(?:사진|이미지)", low):
        found.append(pictures - 1)
    return tuple(sorted({index for index in found if index < pictures}))


def follow_up_thing(question: Question, last: Thing | None) -> Question:
    """Fills a pronoun's or an omitted object from the turn before."""
    if question.things or last is None or question.part in ("background", "picture", "greyscale"):
        return question
    if question.ask in (Ask.COUNT, Ask.COLOUR, Ask.WHERE, Ask.COLOUR_YES_NO, Ask.PLACE_YES_NO) and (
        not question.target or question.target in ("one", "ones", "them", "those")
    ):
        return replace(question, things=(last,), named=False, target="")
    return question
