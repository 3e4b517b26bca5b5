"""Answers about videos in English sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from foveal.engines.evidence.english_words import MANY, an, join, named, number, some, upper
from foveal.engines.evidence.intents import Answer
from foveal.engines.evidence.video_blocks import Block, Seen
from foveal.engines.evidence.video_phrases import Listed, Scope, Silence
from foveal.engines.evidence.video_times import Span, clock, english_span, english_spans
from foveal.engines.evidence.vocabulary import Language, Thing
from foveal.perception.base import SpeechSegment

CANNOT = "I can't tell that from the video."
_QUOTED = re.compile(r"(“[^”]*”)")
_STAYS = re.compile(r"I\b|“")  # sentences that keep their first letter behind "At 0:10,"


class EnglishVideo:
    """`VideoPhrases` in English. `language_name` names a language by its code."""

    language: Language = "en"

    def __init__(self, language_name: Callable[[str], str]) -> None:
        self._language_name = language_name

    def length(self, seconds: float) -> Answer:
        return Answer(f"The video is {_lasts(seconds)} long ({clock(seconds)}).", clock(seconds))

    def scenes(self, starts: Sequence[float], count: int, scope: Scope) -> Answer:
        what = f"{number(count)} scene{'' if count == 1 else 's'}"
        if scope.whole:
            text = f"The video has {what}"
            if 1 < count <= MANY and len(starts) == count:
                text += f": they begin at {join([clock(at) for at in starts])}"
            return Answer(f"{text}.", str(count))
        be = "is" if count == 1 else "are"
        return Answer(f"There {be} {what} {_within(scope)}.", str(count))

    def no_such_scene(self, count: int) -> Answer:
        return Answer(f"The video has only {number(count)} scene{'' if count == 1 else 's'}.", known=False)

    def not_looked_at(self, scope: Scope) -> Answer:
        return Answer(
            f"I looked at the video only from {clock(scope.start)} to {clock(scope.end)} for this; "
            "please ask about the other time in a message of its own.",
            known=False,
        )

    def framed(self, answer: Answer, at: float | None, scope: Scope) -> Answer:
        """An answer about one frame; `at` None: about all that the scope holds."""
        text = "".join(
            piece if place % 2 else _reworded(piece, frame=at is not None)
            for place, piece in enumerate(_QUOTED.split(answer.text))
        )
        if at is None:
            text = text if scope.whole else text.replace("in the video", _within(scope))
            return Answer(text, answer.short, answer.known)
        when = clock(at)
        yes_no = re.match(r"(Yes|No), ", text)
        if yes_no:
            text = f"{yes_no.group()}at {when} {_lower(text[yes_no.end() :])}"
        else:
            text = f"At {when}, {_lower(text)}"
        return Answer(text, answer.short, answer.known)

    def cannot(self) -> Answer:
        return Answer(CANNOT, "Can't tell", known=False)

    def seen(self, thing: Thing, spans: Sequence[Span], *, always: bool, pick: str) -> Answer:
        what = upper(an(named(thing)))
        if pick == "first":
            at = clock(spans[0].start)
            return Answer(f"{what} can first be seen at {at}.", at)
        if pick == "last":
            at = clock(spans[-1].end)
            return Answer(f"{what} can last be seen at {at}.", at)
        told = english_spans(spans)
        if always:
            return Answer(f"{what} can be seen throughout, {told}.", told)
        return Answer(f"{what} can be seen {told}.", told)

    def may_be_seen(self, thing: Thing, at: float) -> Answer:
        return Answer(
            f"I can't tell for sure whether {an(named(thing))} can be seen; if so, at {clock(at)}.",
            f"Perhaps at {clock(at)}",
            known=False,
        )

    def never_seen(self, thing: Thing, scope: Scope) -> Answer:
        return Answer(f"I don't see {an(named(thing))} {_within(scope)}.", "Never", known=False)

    def how_long(self, thing: Thing, spans: Sequence[Span], *, always: bool) -> Answer:
        total = sum(span.end - span.start for span in spans)
        what = upper(an(named(thing)))
        if total < 1:
            told = english_spans(spans)
            return Answer(f"{what} can be seen {told}, briefly as far as the frames show.", "Briefly")
        about = f"at least {_lasts(total)}"
        return Answer(f"{what} can be seen for {about}: {english_spans(spans)}.", upper(about))

    def times_seen(self, thing: Thing, spans: Sequence[Span], *, always: bool) -> Answer:
        count = len(spans)
        times = {1: "once", 2: "twice"}.get(count, f"{number(count)} times")
        what = upper(an(named(thing)))
        return Answer(f"{what} comes into view {times}: {english_spans(spans)}.", str(count))

    def there(self, thing: Thing, most: int, spans: Sequence[Span], *, always: bool, scope: Scope) -> Answer:
        what = some(thing, most) if most == 1 else f"{thing.plural} ({_up_to(most)} at once)"
        if scope.at is not None:
            return Answer(f"Yes, at {clock(scope.at)} {_there(thing, most)}.", "Yes")
        when = f"throughout, {english_spans(spans)}" if always else english_spans(spans)
        return Answer(f"Yes, {what} can be seen {when}.", "Yes")

    def counted(
        self, thing: Thing, most: int, at: float, *, steady: bool, again: bool, scope: Scope
    ) -> Answer:
        if most == 0:
            return Answer(f"I see no {thing.plural} {_within(scope)}.", "0")
        if steady:
            return Answer(f"{upper(_there(thing, most))} {_within(scope)}.", str(most))
        if most == 1 and again:
            return Answer(f"One {named(thing)} can be seen at a time {_within(scope)}.", "1")
        if most == 1:
            return Answer(f"{upper(_there(thing, 1))} {_within(scope)}, at {clock(at)}.", "1")
        what = named(thing, plural=True)
        return Answer(
            f"{upper(_up_to(most))} {what} can be seen at once {_within(scope)}, at {clock(at)}.", str(most)
        )

    def listing(self, items: Sequence[Listed], scope: Scope) -> Answer:
        names = [_amount(one.thing, one.low, one.most) for one in items]
        told = [
            f"{name} ({'throughout' if one.always else english_spans(one.spans)})"
            for name, one in zip(names, items, strict=True)
        ]
        return Answer(f"I see {join(told)}.", join(names))

    def who(self, people: Answer | None) -> Answer:
        if people is None:
            return Answer("I see no people in the video.", "Nobody")
        return Answer(f"{people.text} Who they are I can't tell.", people.short)

    def texts(self, texts: Sequence[tuple[str, Span]], scope: Scope) -> Answer:
        if not texts:
            return Answer(f"I don't see any readable text {_within(scope)}.", "None", known=False)
        told = join([f"“{text}” ({_bare(span)})" for text, span in texts])
        return Answer(f"The text reads {told}.", join([text for text, _ in texts]))

    def read_at(self, text: str, spans: Sequence[Span], pick: str) -> Answer:
        if pick:
            span = spans[0] if pick == "first" else spans[-1]
            at = clock(span.start if pick == "first" else span.end)
            return Answer(f"“{text}” can {pick} be read at {at}.", at)
        return Answer(f"“{text}” can be read {english_spans(spans)}.", english_spans(spans))

    def never_read(self, text: str, scope: Scope) -> Answer:
        return Answer(f"I don't read “{text}” {_within(scope)}.", "Never", known=False)

    def says(self, text: str, spans: Sequence[Span]) -> Answer:
        return Answer(f"Yes, “{text}” can be read {english_spans(spans)}.", "Yes")

    def said(self, segments: Sequence[SpeechSegment], left: int, scope: Scope, *, about: bool) -> Answer:
        more = f" It comes up {number(left)} more time{'' if left == 1 else 's'}." if about else ""
        if left and not about:
            more = f" {upper(number(left))} more sentence{' is' if left == 1 else 's are'} said."
        quotes = [_quote(one) for one in segments]
        if len(quotes) == 1:
            one = segments[0]
            return Answer(
                f"At {clock(one.start)} somebody says: “{_text(one)}”{more if left else ''}", _text(one)
            )
        return Answer(f"It is said: {join(quotes)}.{more if left else ''}", " ".join(map(_text, segments)))

    def transcript(self, segments: Sequence[SpeechSegment]) -> Answer:
        lines = [f"{clock(one.start)} {_text(one)}" for one in segments]
        return Answer("\n".join(lines), " ".join(map(_text, segments)))

    def said_near(self, segment: SpeechSegment, at: float) -> Answer:
        return Answer(
            f"Nothing is said just at {clock(at)}; nearest, {_bare(Span(segment.start, segment.end))}: "
            f"“{_text(segment)}”",
            _text(segment),
        )

    def said_when(self, segments: Sequence[tuple[float, SpeechSegment]], pick: str) -> Answer:
        if pick == "last":
            segments = segments[-1:]
        told = segments[:1] if pick == "first" else segments[:5]
        times = join([clock(at) for at, _ in told])
        if len(told) == 1:
            at, one = told[0]
            word = f"{pick} " if pick else ""
            return Answer(f"That is {word}said at {clock(at)}: “{_text(one)}”", clock(at))
        more = len(segments) - len(told)
        rest = f" It comes up {number(more)} more time{'' if more == 1 else 's'}." if more else ""
        quotes = join([f"{clock(at)} (“{_text(one)}”)" for at, one in told])
        return Answer(f"That is said at {quotes}.{rest}", times)

    def said_count(self, count: int, moments: Sequence[float]) -> Answer:
        if not count:
            return Answer("It isn't mentioned in what is said.", "0")
        times = {1: "once", 2: "twice"}.get(count, f"{number(count)} times")
        told = [clock(at) for at in moments[:8]]
        return Answer(f"It is mentioned {times}, at {join(list(dict.fromkeys(told)))}.", str(count))

    def mentioned(self, segments: Sequence[SpeechSegment], left: int) -> Answer:
        more = f" It comes up {number(left)} more time{'' if left == 1 else 's'}." if left else ""
        told = join([_said_at(one) for one in segments])
        return Answer(f"Yes, at {told}.{more}", "Yes")

    def not_mentioned(self, scope: Scope, *, yes_no: bool) -> Answer:
        where = "in what is said" if scope.whole else f"in what is said {_within(scope)}"
        return Answer(f"{'No, that' if yes_no else 'That'} isn't mentioned {where}.", "No" if yes_no else "")

    def other_language(self, codes: Sequence[str], said: Sequence[SpeechSegment], left: int) -> Answer:
        names = join([self._language_name(code) for code in codes])
        return Answer(
            f"What is said is in {names}; I don't find the words of the question in it. "
            f"{self.gist(said, left)}",
            "Can't tell",
            known=False,
        )

    def also_said(self, segments: Sequence[SpeechSegment]) -> str:
        return f"It is mentioned, though, at {join([_said_at(one) for one in segments])}."

    def silence(self, why: Silence, scope: Scope) -> Answer:
        if why == "mute":
            return Answer("The video has no sound.", "Nothing")
        if why == "unheard":
            return Answer(
                "I can't tell what is said: the video was not listened to.", "Can't tell", known=False
            )
        return Answer(f"Nothing is said {_within(scope)}.", "Nothing")

    def spoken(self, start: float, end: float, languages: Sequence[str]) -> Answer:
        names = join([self._language_name(code) for code in languages])
        when = english_span(Span(start, end))
        return Answer(f"Yes, somebody speaks{f' {names}' if names else ''}, {when}.", "Yes")

    def languages(self, codes: Sequence[str]) -> Answer:
        names = join([self._language_name(code) for code in codes])
        return Answer(f"What is said is in {names}.", names)

    def only_speech(self) -> Answer:
        return Answer("I can't tell: of the sound I only know what is said.", "Can't tell", known=False)

    def opening(self, duration: float, count: int, scope: Scope) -> str:
        scenes = f"{number(count)} scene{'' if count == 1 else 's'}"
        return f"The video is {_lasts(duration)} long and has {scenes}."

    def block(self, block: Block, place: str, scope: Scope) -> str:
        if place == "only":
            lead = f"At {clock(scope.at)}, it" if scope.at is not None else "It"
            if scope.at is None and not scope.whole:
                lead = f"{upper(_within(scope))}, it"
        else:
            between = f"{clock(block.start)} to {clock(block.end)}"
            lead = {
                "first": f"At first ({between}) it",
                "last": f"At the end ({between}) it",
            }.get(place, f"From {between} it")
        return _stopped(f"{lead} shows {self._content(block)}")

    def item(self, block: Block) -> str:
        content = "nothing that I recognise" if block.empty else self._content(block)
        return f"{_range(block)}: {content}"

    def _content(self, block: Block) -> str:
        """ "up to nine people and two cars on a street; the text reads “EXIT”" """
        lasting = [_seen(one) for one in block.seen if one.part is None]
        passing = [f"{_seen(one)} ({english_span(one.part)})" for one in block.seen if one.part is not None]
        if block.looks_like:
            lasting.append(f"what looks like {an(block.looks_like)}")
        parts = [*lasting, *passing]
        quotes = [f"“{text}”" for text, _ in block.texts]
        if not parts:
            return f"the text {join(quotes)}" if quotes else "nothing that I recognise"
        where = f" {block.place.before} {an(block.place.name)}" if block.place is not None else ""
        acts = [f"a person is {act.phrase}" for act in block.acts if not act.phrase.startswith("with ")]
        tail = [*acts[:1], *([f"the text reads {join(quotes)}"] if quotes else [])]
        return "; ".join([f"{join(parts)}{where}", *tail])

    def nothing_recognised(self, scope: Scope) -> str:
        return f"I don't recognise anything {_within(scope)}."

    def gist(self, segments: Sequence[SpeechSegment], left: int) -> str:
        lead = "Somebody says" if not left else "Among other things, somebody says"
        return f"{lead}: {join([_quote(one) for one in segments])}."

    def in_short(self, blocks: Sequence[Block], scope: Scope, seconds: float) -> str:
        told = [self._content(block).split(";")[0] for block in blocks[:4]]
        told = list(dict.fromkeys(told))
        which = f"The video ({clock(seconds)})" if scope.whole else f"{upper(_within(scope))}, the video"
        return _stopped(f"{which} shows {', then '.join(told)}")


def _reworded(text: str, *, frame: bool) -> str:
    if frame:
        text = text.replace(" in the picture", "")
        return text.replace("from the picture", "from the video")
    return re.sub(r"\bthe picture\b", "the video", re.sub(r"\bThe picture\b", "The video", text))


def _stopped(text: str) -> str:
    """With a full stop, unless a quotation at its end has one."""
    return text if text.endswith((".”", "!”", "?”")) else f"{text}."


def _lower(text: str) -> str:
    return text if _STAYS.match(text) else text[:1].lower() + text[1:]


def _within(scope: Scope) -> str:
    if scope.whole:
        return "in the video"
    if scope.at is not None:
        return f"at {clock(scope.at)}"
    return f"from {clock(scope.start)} to {clock(scope.end)}"


def _lasts(seconds: float) -> str:
    """ "42 seconds", "1 minute and 19 seconds" """
    whole = int(seconds + 1e-6)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    units = ((hours, "hour"), (minutes, "minute"), (rest, "second"))
    parts = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in units if count]
    return join(parts) or "less than a second"


def _there(thing: Thing, count: int) -> str:
    return f"there {'is' if count == 1 else 'are'} {some(thing, count)}"


def _up_to(count: int) -> str:
    return f"up to {number(count)}" if count > 1 else "one"


def _amount(thing: Thing, low: int, most: int) -> str:
    if low == most or most > MANY:
        return some(thing, most)
    return f"up to {number(most)} {thing.plural}"


def _seen(one: Seen) -> str:
    if one.high == 1 and one.colour:
        return f"{an(one.colour)} {one.thing.singular}"
    return _amount(one.thing, one.low, one.high)


def _range(block: Block) -> str:
    start, end = clock(block.start), clock(block.end)
    return start if start == end else f"{start}-{end}"


def _bare(span: Span) -> str:
    start, end = clock(span.start), clock(span.end)
    return start if start == end else f"{start} to {end}"


def _text(one: SpeechSegment) -> str:
    return " ".join(one.text.split())


def _quote(one: SpeechSegment) -> str:
    return f"“{_text(one)}” ({clock(one.start)})"


def _said_at(one: SpeechSegment) -> str:
    return f"{clock(one.start)} (“{_text(one)}”)"
