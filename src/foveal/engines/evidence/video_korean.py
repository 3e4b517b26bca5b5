"""Answers about videos in Korean sentences (polite style), from phrase patterns: no model writes Korean."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from foveal.engines.evidence.english_words import MANY
from foveal.engines.evidence.intents import Answer
from foveal.engines.evidence.korean import (
    amount,
    counted,
    joined,
    subject,
    topic,
    toward,
)
from foveal.engines.evidence.korean_phrases import named
from foveal.engines.evidence.video_blocks import Block, Seen
from foveal.engines.evidence.video_phrases import Listed, Scope, Silence
from foveal.engines.evidence.video_times import Span, clock, korean_span, korean_spans
from foveal.engines.evidence.vocabulary import Language, Thing
from foveal.perception.base import SpeechSegment

CANNOT = "영상만으로는 알 수 없습니다."
_QUOTED = re.compile(r"(“[^”]*”)")


class KoreanVideo:
    """`VideoPhrases` in Korean."""

    language: Language = "ko"

    def __init__(self, language_name: Callable[[str], str], colours: Callable[[str], str]) -> None:
        self._language_name = language_name
        self._colour = colours

    def length(self, seconds: float) -> Answer:
        return Answer(f"영상의 길이는 {_lasts(seconds)}({clock(seconds)})입니다.", clock(seconds))

    def scenes(self, starts: Sequence[float], count: int, scope: Scope) -> Answer:
        if scope.whole and 1 < count <= MANY and len(starts) == count:
            times = ", ".join(clock(at) for at in starts)
            return Answer(f"장면은 {count}개이고, {times}에 시작합니다.", f"{count}개")
        where = "" if scope.whole else f"{_within(scope)} "
        return Answer(f"{where}장면은 {count}개입니다.", f"{count}개")

    def no_such_scene(self, count: int) -> Answer:
        return Answer(f"영상에는 장면이 {count}개뿐입니다.", known=False)

    def not_looked_at(self, scope: Scope) -> Answer:
        return Answer(
            f"이 질문에는 {clock(scope.start)}부터 {clock(scope.end)}까지만 보았습니다. "
            "다른 시점은 따로 질문해 주세요.",
            known=False,
        )

    def framed(self, answer: Answer, at: float | None, scope: Scope) -> Answer:
        text = "".join(
            piece if place % 2 else _reworded(piece, frame=at is not None)
            for place, piece in enumerate(_QUOTED.split(answer.text))
        )
        if at is not None:
            yes_no = re.match(r"(네|아니요), ", text)
            lead = yes_no.group() if yes_no else ""
            text = f"{lead}{clock(at)}에 {text[len(lead) :]}"
        elif not scope.whole:
            text = text.replace("영상에 ", f"{_within(scope)} ")
        return Answer(text, answer.short, answer.known)

    def cannot(self) -> Answer:
        return Answer(CANNOT, "알 수 없음", known=False)

    def seen(self, thing: Thing, spans: Sequence[Span], *, always: bool, pick: str) -> Answer:
        name = named(thing)
        if pick == "first":
            at = clock(spans[0].start)
            return Answer(f"{topic(name)} {at}에 처음 보입니다.", at)
        if pick == "last":
            at = clock(spans[-1].end)
            return Answer(f"{topic(name)} {at}에 마지막으로 보입니다.", at)
        told = korean_spans(spans)
        if always:
            return Answer(f"{topic(name)} 영상 내내({told}) 보입니다.", told)
        return Answer(f"{topic(name)} {_at(spans)} 보입니다.", told)

    def may_be_seen(self, thing: Thing, at: float) -> Answer:
        return Answer(
            f"{subject(named(thing))} 보이는지 확실하지 않지만, 있다면 {clock(at)}에 있습니다.",
            f"{clock(at)}쯤",
            known=False,
        )

    def never_seen(self, thing: Thing, scope: Scope) -> Answer:
        return Answer(f"{_within(scope)} {subject(named(thing))} 보이지 않습니다.", "없음", known=False)

    def how_long(self, thing: Thing, spans: Sequence[Span], *, always: bool) -> Answer:
        total = sum(span.end - span.start for span in spans)
        if total < 1:
            return Answer(f"{topic(named(thing))} {_at(spans)} 잠깐 보입니다.", "잠깐")
        about = f"적어도 {_lasts(total)}"
        return Answer(f"{topic(named(thing))} {about} 동안 보입니다: {korean_spans(spans)}.", about)

    def times_seen(self, thing: Thing, spans: Sequence[Span], *, always: bool) -> Answer:
        count = len(spans)
        return Answer(f"{topic(named(thing))} {count}번 나옵니다: {korean_spans(spans)}.", f"{count}번")

    def there(self, thing: Thing, most: int, spans: Sequence[Span], *, always: bool, scope: Scope) -> Answer:
        what = counted(thing, most) if most > 0 else thing.korean
        if scope.at is not None:
            return Answer(f"네, {clock(scope.at)}에 {subject(what)} 있습니다.", "네")
        most_at_once = f"(동시에 최대 {amount(thing, most)})" if most > 1 else ""
        when = f"영상 내내({korean_spans(spans)})" if always else _at(spans)
        return Answer(f"네, {subject(thing.korean)} {when} 보입니다{most_at_once}.", "네")

    def counted(
        self, thing: Thing, most: int, at: float, *, steady: bool, again: bool, scope: Scope
    ) -> Answer:
        if most == 0:
            return Answer(
                f"{_within(scope)} {topic(thing.korean)} 한 {thing.unit}도 보이지 않습니다.",
                f"0{thing.unit}",
            )
        many = amount(thing, most)
        if steady:
            return Answer(f"{_within(scope)} {subject(thing.korean)} {many} 보입니다.", many)
        if most == 1:
            when = "한 번에 " if again else ""
            at_it = "" if again else f"({clock(at)})"
            return Answer(f"{_within(scope)} {subject(thing.korean)} {when}{many} 보입니다{at_it}.", many)
        return Answer(
            f"{_within(scope)} {subject(thing.korean)} 동시에 최대 {many} 보입니다({clock(at)}).", many
        )

    def listing(self, items: Sequence[Listed], scope: Scope) -> Answer:
        names = [_upto(one.thing, one.low, one.most) for one in items]
        told = [
            f"{name}({'내내' if one.always else korean_spans(one.spans)})"
            for name, one in zip(names, items, strict=True)
        ]
        return Answer(f"{', '.join(told)} 보입니다.", ", ".join(names))

    def who(self, people: Answer | None) -> Answer:
        if people is None:
            return Answer("영상에 사람이 보이지 않습니다.", "없음")
        return Answer(f"{people.text} 누구인지는 알 수 없습니다.", people.short)

    def texts(self, texts: Sequence[tuple[str, Span]], scope: Scope) -> Answer:
        if not texts:
            return Answer(f"{_within(scope)} 읽을 수 있는 글자가 보이지 않습니다.", "없음", known=False)
        told = ", ".join(f"“{text}”({korean_span(span)})" for text, span in texts)
        return Answer(f"다음 글자가 보입니다: {told}.", ", ".join(text for text, _ in texts))

    def read_at(self, text: str, spans: Sequence[Span], pick: str) -> Answer:
        if pick:
            span = spans[0] if pick == "first" else spans[-1]
            at = clock(span.start if pick == "first" else span.end)
            return Answer(f"“{text}” 글자는 {at}에 {_PICKS[pick]} 보입니다.", at)
        return Answer(f"“{text}” 글자는 {_at(spans)} 보입니다.", korean_spans(spans))

    def never_read(self, text: str, scope: Scope) -> Answer:
        return Answer(f"{_within(scope)} “{text}” 글자가 보이지 않습니다.", "없음", known=False)

    def says(self, text: str, spans: Sequence[Span]) -> Answer:
        return Answer(f"네, “{text}” 글자가 {_at(spans)} 보입니다.", "네")

    def said(self, segments: Sequence[SpeechSegment], left: int, scope: Scope, *, about: bool) -> Answer:
        told = ", ".join(_quote(one) for one in segments)
        more = f" 그 밖에 {left}번 더 {'언급됩니다' if about else '말이 이어집니다'}." if left else ""
        return Answer(f"다음과 같이 말합니다: {told}.{more}", " ".join(map(_text, segments)))

    def transcript(self, segments: Sequence[SpeechSegment]) -> Answer:
        lines = [f"{clock(one.start)} {_text(one)}" for one in segments]
        return Answer("\n".join(lines), " ".join(map(_text, segments)))

    def said_near(self, segment: SpeechSegment, at: float) -> Answer:
        when = korean_span(Span(segment.start, segment.end))
        return Answer(
            f"{clock(at)}에는 말이 없고, 가장 가까운 말은 {when}의 “{_text(segment)}”입니다.", _text(segment)
        )

    def said_when(self, segments: Sequence[tuple[float, SpeechSegment]], pick: str) -> Answer:
        told = segments[-1:] if pick == "last" else segments[:1] if pick == "first" else segments[:5]
        quotes = ", ".join(f"{clock(at)}(“{_text(one)}”)" for at, one in told)
        times = ", ".join(clock(at) for at, _ in told)
        lead = f"{_PICKS[pick]} " if pick else ""
        left = 0 if pick else len(segments) - len(told)
        more = f" 그 밖에 {left}번 더 나옵니다." if left else ""
        return Answer(f"그 말은 {quotes}에 {lead}나옵니다.{more}", times)

    def said_count(self, count: int, moments: Sequence[float]) -> Answer:
        if not count:
            return Answer("말 속에 언급되지 않습니다.", "0번")
        times = ", ".join(dict.fromkeys(clock(at) for at in moments[:8]))
        return Answer(f"{count}번 언급됩니다: {times}.", f"{count}번")

    def mentioned(self, segments: Sequence[SpeechSegment], left: int) -> Answer:
        more = f" 그 밖에 {left}번 더 언급됩니다." if left else ""
        return Answer(f"네, {', '.join(map(_quote, segments))}라고 말합니다.{more}", "네")

    def not_mentioned(self, scope: Scope, *, yes_no: bool) -> Answer:
        where = "" if scope.whole else f"{_within(scope)} "
        lead = "아니요, " if yes_no else ""
        return Answer(f"{lead}{where}그런 말은 나오지 않습니다.", "아니요" if yes_no else "없음")

    def other_language(self, codes: Sequence[str], said: Sequence[SpeechSegment], left: int) -> Answer:
        names = joined([self._language_name(code) for code in codes])
        return Answer(
            f"말은 {toward(names)} 되어 있고, 질문하신 낱말은 그 안에서 찾지 못했습니다. "
            f"{self.gist(said, left)}",
            "알 수 없음",
            known=False,
        )

    def also_said(self, segments: Sequence[SpeechSegment]) -> str:
        return f"다만 {', '.join(map(_quote, segments))}라는 말이 나옵니다."

    def silence(self, why: Silence, scope: Scope) -> Answer:
        if why == "mute":
            return Answer("영상에 소리가 없습니다.", "없음")
        if why == "unheard":
            return Answer(
                "영상의 소리를 듣지 않았기 때문에 무슨 말을 하는지 알 수 없습니다.", "알 수 없음", known=False
            )
        return Answer(f"{_within(scope)} 말소리가 없습니다.", "없음")

    def spoken(self, start: float, end: float, languages: Sequence[str]) -> Answer:
        names = joined([self._language_name(code) for code in languages])
        said = f"{toward(names)} 하는 말이" if names else "말소리가"
        return Answer(f"네, {korean_span(Span(start, end))} {said} 들립니다.", "네")

    def languages(self, codes: Sequence[str]) -> Answer:
        names = joined([self._language_name(code) for code in codes])
        return Answer(f"{toward(names)} 말합니다.", names)

    def only_speech(self) -> Answer:
        return Answer("소리 중에서는 말만 알아들을 수 있어 알 수 없습니다.", "알 수 없음", known=False)

    def opening(self, duration: float, count: int, scope: Scope) -> str:
        return f"영상의 길이는 {_lasts(duration)}이고 장면은 {count}개입니다."

    def block(self, block: Block, place: str, scope: Scope) -> str:
        if place != "only":
            lead = {"first": "처음", "last": "마지막"}.get(place)
            between = f"{clock(block.start)}부터 {clock(block.end)}까지"
            when = f"{lead}({between})에는" if lead else f"{between}는"
        else:
            when = f"{_within(scope)}는"
        return f"{when} {self._content(block)}"

    def item(self, block: Block) -> str:
        start, end = clock(block.start), clock(block.end)
        when = start if start == end else f"{start}-{end}"
        things = ", ".join([*map(self._seen, block.seen), *(f"“{text}”" for text, _ in block.texts)])
        return f"{when}: {things or '알아볼 수 있는 것 없음'}"

    def _content(self, block: Block) -> str:
        """ "사람 두 명과 자동차 한 대가 보입니다. 장소는 거리로 보입니다." """
        things = [self._seen(one) for one in block.seen]
        if block.looks_like_korean:
            things.append(f"{block.looks_like_korean} 같은 것")
        quotes = ", ".join(f"“{text}”" for text, _ in block.texts)
        if not things:
            return f"{quotes} 글자가 보입니다." if quotes else "알아볼 수 있는 것이 없습니다."
        told = f"{subject(joined(things))} 보입니다."
        if block.texts:
            told += f" {quotes} 글자도 보입니다."
        if block.place is not None:
            told += f" 장소는 {toward(block.place.korean)} 보입니다."
        return told

    def _seen(self, one: Seen) -> str:
        when = f"({korean_span(one.part)})" if one.part is not None else ""
        if one.high == 1 and one.colour:
            return f"{self._colour(one.colour)} {counted(one.thing, 1)}{when}"
        return f"{_upto(one.thing, one.low, one.high)}{when}"

    def nothing_recognised(self, scope: Scope) -> str:
        return f"{_within(scope)} 알아볼 수 있는 것이 없습니다."

    def gist(self, segments: Sequence[SpeechSegment], left: int) -> str:
        among = " 등의" if left else "라는"
        return f"{', '.join(_quote(one) for one in segments)}{among} 말이 나옵니다."

    def in_short(self, blocks: Sequence[Block], scope: Scope, seconds: float) -> str:
        things = [self._seen(one) for block in blocks[:4] for one in block.seen[:2]]
        seen = list(dict.fromkeys(things))
        which = f"{clock(seconds)} 길이의 영상에" if scope.whole else _within(scope)
        if not seen:
            return self.nothing_recognised(scope)
        return f"{which} {subject(joined(seen))} 차례로 보입니다."


_PICKS = {"first": "처음", "last": "마지막으로"}


def _reworded(text: str, *, frame: bool) -> str:
    if frame:
        text = re.sub(r"(?<!\S)사진에 ", "", text)
        return text.replace("사진만으로", "영상만으로").replace("사진", "화면")
    return text.replace("사진", "영상")


def _at(spans: Sequence[Span]) -> str:
    """ "0:12부터 0:24까지", "0:12에" """
    told = korean_spans(spans)
    return told if told.endswith(("까지", "더")) else f"{told}에"


def _within(scope: Scope) -> str:
    if scope.whole:
        return "영상에"
    if scope.at is not None:
        return f"{clock(scope.at)}에"
    return f"{clock(scope.start)}부터 {clock(scope.end)}까지"


def _lasts(seconds: float) -> str:
    whole = int(seconds + 1e-6)
    units = ((whole // 3600, "시간"), (whole // 60 % 60, "분"), (whole % 60, "초"))
    return " ".join(f"{count}{name}" for count, name in units if count) or "1초 미만"


def _upto(thing: Thing, low: int, most: int) -> str:
    return counted(thing, most) if low == most else f"{thing.korean} 최대 {amount(thing, most)}"


def _text(one: SpeechSegment) -> str:
    return " ".join(one.text.split())


def _quote(one: SpeechSegment) -> str:
    return f"“{_text(one)}”({clock(one.start)})"
