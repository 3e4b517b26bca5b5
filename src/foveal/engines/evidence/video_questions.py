"""Questions about a video: what they ask for, of which times, filled from the questions before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from foveal.engines.base import Turn
from foveal.engines.evidence import korean
from foveal.engines.evidence.intents import Ask, Question
from foveal.engines.evidence.lexicon import Lexicon
from foveal.engines.evidence.questions import follow_up_thing, parse, split
from foveal.engines.evidence.style import without_orders
from foveal.engines.evidence.vocabulary import Language, Thing
from foveal.engines.evidence.vocabulary_tables import data_table
from foveal.engines.stretches import Stretch, Times, load_times


class VideoAsk(StrEnum):
    LENGTH = "length"
    SCENES = "scenes"  # how many
    SUMMARY = "summary"
    SAID = "said"  # what is said, all or about a topic
    SAID_WHEN = "said when"
    SAID_COUNT = "said count"
    SAID_YES_NO = "said yes no"
    SOUND = "sound"  # does anybody speak
    SPEAKER = "speaker"  # who speaks
    LANGUAGE = "language"
    NOISE = "noise"  # music and the like
    WHEN = "when"  # when something is seen, or can be read
    HOW_LONG = "how long"  # it is seen
    TIMES_SEEN = "times seen"
    ABOUT = "about"  # one thing: when it is seen, and its colour
    LIST = "list"  # who or what appears
    PICTURE = "picture"  # what the grammar of pictures understands


@dataclass(frozen=True, slots=True)
class VideoQuestion:
    """`text` as written; `rest` the same in lower case, its times cut out. `question` is what the grammar of
    pictures makes of it.

    Of which times: `stretch`; `scene` (0-based, -1 the last); `edge` ("start", "end"); `beside` something
    ("before", "after" or "while" it is seen). `beyond`: it names a time after the end. `follows`: it asks
    about the time of the question before. `pick` is "first" or "last" of several times.
    """

    ask: VideoAsk
    text: str
    language: Language
    rest: str
    question: Question
    stretch: Stretch | None = None
    scene: int | None = None
    edge: str = ""
    pick: str = ""
    follows: bool = False
    beside: tuple[str, Thing] | None = None
    beyond: bool = False

    @property
    def things(self) -> tuple[Thing, ...]:
        return self.question.things

    @property
    def timed(self) -> bool:
        return self.stretch is not None or self.scene is not None or bool(self.edge or self.beside)


_ORDER = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_KOREAN_ORDER = ("첫", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열")
_SCENE = re.compile(
    rf"\b(?:({'|'.join(_ORDER)}|last|final|opening|closing|\d{{1,3}}(?:st|nd|rd|th)) (?:scene|shot|part|"
    r"segment|cut)|(?:scene|shot) (?:number |no\.? |#)?(\d{1,3}))\b"
)
_KOREAN_SCENE = re.compile(
    rf"(?:({'|'.join(_KOREAN_ORDER)}|\d{{1,3}}) ?번째|(마지막)|(첫)) ?(?:장면|컷|숏|샷|부분)"
)
_DANGLING = re.compile(
    r"(?:\b(?:in|during|within|at|around|for|over|of|by|(?<!going )on|from|between)(?: the)?|,)"
    r"\s*(?=[?.!,]|$)"
)
_KOREAN_DANGLING = re.compile(r"^\s*(?:에는|에서는|에서|에|는|은|의|쯤|경|동안|사이)(?=\s)")
_APOSTROPHE = re.compile(r"\b(what|where|who|how|when)s\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“”«»「]([^\"“”«»」]+)[\"“”«»」]|(?:^|[\s(])[‘']([^'’]+)[’']")
_LONG = 1e6  # seconds: of a video in which every time lies
_SHORT = {"en": 6, "ko": 3}  # words of a question that only changes what the one before asked about


class VideoGrammar:
    """Reads questions about videos. Made once from its tables."""

    def __init__(self, lexicon: Lexicon, times: Times, table: Mapping[str, Any]) -> None:
        self.lexicon = lexicon
        self.idle = frozenset(f"{table['english']['idle']} {table['korean']['idle']}".split())
        self._times = times
        self._words = {
            "en": _Words.read(table["english"], table["rewording"]["english"]),
            "ko": _Words.read(table["korean"], table["rewording"]["korean"]),
        }

    def questions(self, turns: Sequence[Turn], duration: float) -> list[VideoQuestion]:
        """Those of the last user turn; a message without one asks for a summary."""
        users = [turn.text for turn in turns if turn.role == "user"]
        before: VideoQuestion | None = None
        found: list[VideoQuestion] = []
        last: Thing | None = None
        for text in users:
            found = []
            for piece in _with_times(split(without_orders(text)), self._times, duration):
                one = self._continued(self.read(piece, duration), before, last)
                found.append(one)
                before, last = one, (one.things[0] if one.things else last)
        telling = [one for one in found if not _is_chatter(one)]
        if telling or not all(_GREETING.match(one.rest) for one in found):
            return telling or found
        return [self.read("Describe this video.", duration)]

    def read(self, text: str, duration: float) -> VideoQuestion:
        language: Language = "ko" if korean.is_korean(text) else "en"
        words = self._words[language]
        flat = _APOSTROPHE.sub(r"\1's", " ".join(text.split()))
        low = flat.lower()
        named = self._times.find(low, duration)
        if named is not None:
            flat = flat if len(flat) == len(low) else low
            flat = f"{flat[: named.begins].rstrip()} {flat[named.ends :].lstrip()}".strip()
            flat = _KOREAN_DANGLING.sub("", flat) if language == "ko" else _DANGLING.sub("", flat)
        flat, beside = self._beside(flat, words, language) if named is None else (flat, None)
        rest = flat.lower().strip(" ?.!,")
        ask = words.ask(rest)
        question = replace(parse(words.as_picture(flat), self.lexicon), text=text, language=language)
        quoted = _QUOTED.search(flat)
        if quoted:
            question = replace(question, quoted=next(group for group in quoted.groups() if group))
        if ask in _OF_THINGS and not question.things:
            named_things = self.lexicon.words.find(rest, language)
            question = replace(question, things=tuple(one.thing for one in named_things))
        ask, pick = self._refined(ask, question, rest, words, timed=named is not None)
        timing = ask in (VideoAsk.WHEN, VideoAsk.SAID_WHEN, VideoAsk.HOW_LONG)
        scene = None if timing else _scene(rest, language)
        free = not timing and scene is None and named is None
        edge = (
            "start" if free and words.start.search(rest) else "end" if free and words.end.search(rest) else ""
        )
        return VideoQuestion(
            ask,
            text.strip(),
            language,
            rest,
            question,
            named.stretch if named else None,
            scene,
            edge,
            pick,
            bool(words.again.search(rest)),
            beside,
            named is None and ask in _AT_TIMES and self._beyond(low, duration),
        )

    def _beyond(self, low: str, duration: float) -> bool:
        named = self._times.find(low, _LONG)
        return named is not None and named.stretch.at is not None and named.stretch.at > duration

    @staticmethod
    def _refined(
        ask: VideoAsk, question: Question, rest: str, words: _Words, *, timed: bool
    ) -> tuple[VideoAsk, str]:
        """What is asked for, and which of several times, by the things that are named."""
        pick = "first" if words.first.search(rest) else "last" if words.last.search(rest) else ""
        seen = ask in (VideoAsk.PICTURE, VideoAsk.SUMMARY)
        two = len(question.things) == 2 and (seen or ask == VideoAsk.WHEN)
        if two and not timed and words.order.search(rest):
            return VideoAsk.WHEN, "first"
        if ask == VideoAsk.PICTURE and timed and not re.search(r"\w", rest):
            return VideoAsk.SUMMARY, pick
        loose = seen and bool(question.things) and question.ask in _LOOSE and not timed
        if loose and words.about.search(rest):
            return VideoAsk.ABOUT, pick
        if ask == VideoAsk.PICTURE and question.ask == Ask.DESCRIBE and not question.things:
            return VideoAsk.SUMMARY, pick
        return ask, pick

    def _beside(self, text: str, words: _Words, language: Language) -> tuple[str, tuple[str, Thing] | None]:
        """ "What is said before the cat appears?": the question, and before what."""
        found = words.relative.match(text.strip(" ?.!"))
        if found is None:
            return text, None
        head, word, tail = found.groups() if language == "en" else found.group(3, 2, 1)
        things = [one.thing for one in self.lexicon.words.find(tail, language) if one.thing.labels]
        if not things:
            return text, None
        way = (
            "before" if word.lower() in words.before else "after" if word.lower() in words.after else "while"
        )
        return head, (way, things[0])

    def _continued(
        self, one: VideoQuestion, before: VideoQuestion | None, last: Thing | None
    ) -> VideoQuestion:
        if before is None:
            return one
        if one.follows and not one.timed and before.timed:
            one = replace(one, stretch=before.stretch, scene=before.scene, edge=before.edge)
        if _leads_on(one) and one.ask == VideoAsk.PICTURE:
            if one.timed and not one.things and not one.question.quoted:
                return replace(
                    before,
                    text=one.text,
                    language=one.language,
                    stretch=one.stretch,
                    scene=one.scene,
                    edge=one.edge,
                )
            if one.things or one.question.quoted or before.ask in _OF_TOPICS:
                asked = replace(before.question, things=one.things, quoted=one.question.quoted)
                return replace(before, text=one.text, language=one.language, rest=one.rest, question=asked)
        if not one.things and last is not None and _OF_IT.search(one.rest) and one.ask in _OF_THINGS:
            return replace(one, question=replace(one.question, things=(last,), named=False))
        if one.ask == VideoAsk.PICTURE:
            return replace(one, question=follow_up_thing(one.question, last))
        return one


_AT_TIMES = (VideoAsk.SUMMARY, VideoAsk.SAID, VideoAsk.PICTURE)
_LOOSE = (Ask.DESCRIBE, Ask.OPEN, Ask.UNKNOWABLE, Ask.PRESENCE, Ask.WHAT_IS, Ask.COLOUR_YES_NO)
_OF_TOPICS = (VideoAsk.SAID, VideoAsk.SAID_WHEN, VideoAsk.SAID_COUNT, VideoAsk.SAID_YES_NO)
_OF_THINGS = (VideoAsk.WHEN, VideoAsk.HOW_LONG, VideoAsk.TIMES_SEEN)
_OF_IT = re.compile(r"\b(?:it|they|them|he|she|that|this|one|those)\b|그것|그게|그건|걔|그 ?(?:사람|동물)")
_GREETING = re.compile(r"(?:hi|hello|hey|thanks?|thank you|ok|okay|good \w+|please)\b|안녕|감사|고마워")
_ABOUT = re.compile(r"^(?:and|what about|how about|and what about|or)\b")


def _leads_on(one: VideoQuestion) -> bool:
    """ "And at 0:30?", "What about the cat?", "고양이는?": the question before, about something else."""
    if len(one.rest.split()) > _SHORT[one.language]:
        return False
    if one.language == "ko":
        return not one.rest or bool(re.search(r"(?:은|는|도)(?:요)?$", one.rest))
    return not one.rest or bool(_ABOUT.match(one.rest))


def _is_chatter(one: VideoQuestion) -> bool:
    if one.ask != VideoAsk.PICTURE or one.question.ask != Ask.OPEN or one.things or one.timed:
        return False
    return not one.text.rstrip().endswith("?") and len(one.rest.split()) <= 4


def _with_times(pieces: Sequence[str], times: Times, duration: float) -> list[str]:
    """ "From 0:30 to 0:45, what is visible?" is split behind its times: they go before what follows."""
    joined: list[str] = []
    lead = ""
    for place, piece in enumerate(pieces):
        named = times.find(piece.lower(), duration)
        alone = named is not None and not re.search(r"\w", piece[: named.begins] + piece[named.ends :])
        if alone and place + 1 < len(pieces):
            lead = f"{lead}{piece}, "
        else:
            joined.append(lead + piece)
            lead = ""
    return joined


def _scene(rest: str, language: Language) -> int | None:
    found = (_KOREAN_SCENE if language == "ko" else _SCENE).search(rest)
    if found is None:
        return None
    word = next(group for group in found.groups() if group)
    if word in ("last", "final", "closing", "마지막"):
        return -1
    if word == "opening":
        return 0
    order = _KOREAN_ORDER if language == "ko" else _ORDER
    if word in order:
        return order.index(word)
    return max(0, int(re.sub(r"\D", "", word)) - 1)


@dataclass(frozen=True, slots=True)
class _Words:
    asks: tuple[tuple[VideoAsk, re.Pattern[str]], ...]
    written: re.Pattern[str]
    start: re.Pattern[str]
    end: re.Pattern[str]
    first: re.Pattern[str]
    last: re.Pattern[str]
    again: re.Pattern[str]
    relative: re.Pattern[str]
    filler: re.Pattern[str]
    order: re.Pattern[str]
    about: re.Pattern[str]
    before: frozenset[str]
    after: frozenset[str]
    video: re.Pattern[str]
    picture: str

    @classmethod
    def read(cls, table: Mapping[str, Any], video: str) -> _Words:
        asks = tuple((VideoAsk(name), re.compile(pattern)) for name, pattern in table["asks"])
        picture = "picture" if "\\b" in video else "사진"
        return cls(
            asks,
            written=re.compile(table["written"]),
            start=re.compile(table["start"]),
            end=re.compile(table["end"]),
            first=re.compile(table["first"]),
            last=re.compile(table["last"]),
            again=re.compile(table["again"]),
            relative=re.compile(table["relative"], re.IGNORECASE),
            filler=re.compile(table["filler"], re.IGNORECASE),
            order=re.compile(table["order"]),
            about=re.compile(table["about"]),
            before=frozenset(table["before"]),
            after=frozenset(table["after_words"]),
            video=re.compile(video, re.IGNORECASE),
            picture=picture,
        )

    def ask(self, rest: str) -> VideoAsk:
        """What is said of a sign is read, not heard."""
        written = self.written.search(_QUOTED.sub(" ", rest)) is not None
        for ask, pattern in self.asks:
            if written and ask in _HEARD:
                continue
            if pattern.search(rest):
                return ask
        return VideoAsk.PICTURE

    def as_picture(self, text: str) -> str:
        """The question as one about a picture, for its grammar; quotations stay as they are."""
        pieces = re.split(r"([\"“「][^\"”」]*[\"”」])", text)
        return "".join(
            piece if place % 2 else self.video.sub(self.picture, self.filler.sub(" ", piece))
            for place, piece in enumerate(pieces)
        )


_HEARD = (VideoAsk.SAID, VideoAsk.SAID_WHEN, VideoAsk.SAID_YES_NO, VideoAsk.SAID_COUNT, VideoAsk.SPEAKER)


def load_video_grammar(lexicon: Lexicon) -> VideoGrammar:
    return VideoGrammar(lexicon, load_times(), data_table("video"))
