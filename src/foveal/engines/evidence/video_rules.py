"""Answers about what is seen in a video, from the facts of its frames over time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from foveal.engines.evidence import reading
from foveal.engines.evidence.intents import Answer, Ask, Question
from foveal.engines.evidence.notes import sure_counts
from foveal.engines.evidence.rules import Rules
from foveal.engines.evidence.shares import both, unique
from foveal.engines.evidence.sights import Sights, prominence
from foveal.engines.evidence.video_phrases import Listed, Scope, VideoPhrases
from foveal.engines.evidence.video_questions import VideoAsk, VideoQuestion
from foveal.engines.evidence.video_timeline import Moment, Timeline
from foveal.engines.evidence.video_times import Span, spans_of, throughout
from foveal.engines.evidence.vocabulary import Thing
from foveal.perception.base import TextLine

MOST_KINDS = 8  # of a listing
MOST_TEXTS = 8
# Asked of one frame, whatever the time: they are answered from the frame that shows the thing best.
_OF_A_FRAME = (
    Ask.COMPARE,
    Ask.WHERE,
    Ask.PLACE_YES_NO,
    Ask.RELATION_YES_NO,
    Ask.WHAT_AT,
    Ask.COLOUR,
    Ask.COLOUR_YES_NO,
    Ask.WHAT_IS,
    Ask.DOING,
    Ask.SCENE,
    Ask.EXTREME,
    Ask.FACES,
    Ask.PRESENCE,
    Ask.COUNT,
    Ask.READ,
)
_MOST = re.compile(r"\b(?:most|maximum|highest number)\b|가장 ?많|제일 ?많")
_YES = re.compile(r"(?:Yes|네)\b")


@dataclass(frozen=True, slots=True)
class SeenRules:
    """The rules over a timeline (all of a video or a stretch of it), speaking one language."""

    timeline: Timeline
    scope: Scope
    say: VideoPhrases
    rules: Callable[[Sights], Rules]

    def answer(self, asked: VideoQuestion) -> Answer | None:
        """None when no rule is for it."""
        question = asked.question
        if not self.timeline.moments:
            return self.say.cannot()
        if asked.ask == VideoAsk.WHEN:
            return self._when(asked)
        if asked.ask in (VideoAsk.HOW_LONG, VideoAsk.TIMES_SEEN):
            return self._over_time(asked)
        if asked.ask == VideoAsk.ABOUT:
            return self._about(question.things[0])
        if asked.ask == VideoAsk.LIST:
            return self._who() if _asks_who(asked) else self._listing(None)
        if self.scope.at is not None:
            return self._at_once(question)
        simple = not (question.colour or question.place or question.anchor or question.rest)
        plain = simple and bool(question.things) and not any(thing.adds for thing in question.things)
        if question.ask == Ask.PRESENCE and plain:
            return both([self._there(thing) for thing in unique(question.things)])
        if question.ask == Ask.COUNT and plain:
            return both([self._counted(thing) for thing in unique(question.things)])
        if question.ask == Ask.LIST:
            return self._listing(question.things[0] if question.things else None)
        if question.ask == Ask.READ and question.target in ("", "any"):
            return self._texts(yes_no=question.target == "any")
        if question.ask == Ask.SAYS:
            return self._says(question.quoted)
        if question.ask in _OF_A_FRAME:
            return self._best(question)
        return None

    def spans(self, thing: Thing) -> list[Span]:
        return spans_of(self.timeline, lambda moment: moment.sights.verdict(thing) == "yes")

    def _always(self, spans: Sequence[Span]) -> bool:
        return throughout(self.timeline, spans)

    def _likely(self, thing: Thing) -> Moment | None:
        """The moment at which a thing that is never surely seen is likeliest."""
        found = [moment for moment in self.timeline.moments if moment.sights.verdict(thing) == "likely"]
        if not found:
            return None
        return max(found, key=lambda one: _doubt(one.sights, thing))

    def _when(self, asked: VideoQuestion) -> Answer | None:
        question = asked.question
        if question.quoted:
            return self._read_when(question.quoted, asked.pick)
        if question.things and _MOST.search(asked.rest):
            return self._counted(question.things[0])
        if question.things:
            told = [self._seen_when(thing, asked.pick) for thing in unique(question.things)[:2]]
            return both(told)
        if question.ask == Ask.READ or reading_words(asked.rest):
            return self._texts(yes_no=False)
        return None

    def _seen_when(self, thing: Thing, pick: str) -> Answer:
        spans = self.spans(thing)
        if spans:
            return self.say.seen(thing, spans, always=self._always(spans), pick=pick)
        likely = self._likely(thing)
        if likely is not None:
            return self.say.may_be_seen(thing, likely.at)
        return self.say.never_seen(thing, self.scope)

    def _about(self, thing: Thing) -> Answer:
        told = [self._seen_when(thing, "")]
        if self.spans(thing):
            told.append(self._best(Question(Ask.COLOUR, "", things=(thing,))))
        return both([one for one in told if one.known] or told)

    def _read_when(self, text: str, pick: str) -> Answer:
        spans = spans_of(self.timeline, lambda moment: reading.says(_lines(moment), text))
        return self.say.read_at(text, spans, pick) if spans else self.say.never_read(text, self.scope)

    def reads(self, text: str) -> bool:
        return any(reading.says(_lines(moment), text) for moment in self.timeline.moments)

    def _over_time(self, asked: VideoQuestion) -> Answer | None:
        if not asked.things:
            return None
        thing = asked.things[0]
        spans = self.spans(thing)
        if not spans:
            return self._seen_when(thing, "")
        always = self._always(spans)
        tell = self.say.how_long if asked.ask == VideoAsk.HOW_LONG else self.say.times_seen
        return tell(thing, spans, always=always)

    def _who(self) -> Answer:
        person = self.timeline.moments[0].sights.words.thing("person")
        seen = bool(self.spans(person))
        return self.say.who(self._counted(person) if seen else None)

    def _there(self, thing: Thing) -> Answer:
        spans = self.spans(thing)
        if spans:
            most = max(moment.sights.number(thing) for moment in self.timeline.moments)
            return self.say.there(thing, most, spans, always=self._always(spans), scope=self.scope)
        likely = self._likely(thing)
        moment = likely or self.timeline.moments[0]
        question = Question(Ask.PRESENCE, "", things=(thing,))
        answer = self.rules(moment.sights).answer(question)
        assert answer is not None
        return self.say.framed(answer, likely.at if likely is not None else None, self.scope)

    def _counted(self, thing: Thing) -> Answer:
        counts = [(moment.sights.number(thing), -moment.number) for moment in self.timeline.moments]
        most, place = max(counts)
        seen = [count for count, _ in counts if count]
        steady = len(set(seen)) <= 1 and len(seen) > len(counts) // 2 and bool(seen)
        at = self.timeline.moments[-place].at
        return self.say.counted(
            thing, most, at, steady=steady, again=len(self.spans(thing)) > 1, scope=self.scope
        )

    def _listing(self, group: Thing | None) -> Answer:
        """Kinds that a description would mention, and of a group those that are sure at all."""
        most: dict[str, int] = {}
        least: dict[str, int] = {}
        weight: dict[str, float] = {}
        for moment in self.timeline.moments:
            counts = sure_counts(moment.sights) if group is None else moment.sights.counts()
            for label, count in counts.items():
                if group is None or label in group.labels:
                    most[label] = max(most.get(label, 0), count)
                    least[label] = min(least.get(label, count), count)
                    weight[label] = weight.get(label, 0.0) + _weight(moment.sights, label)
        if not most:
            return self._nothing_listed(group)
        words = self.timeline.moments[0].sights.words
        items: list[Listed] = []
        for label in sorted(most, key=lambda name: -weight[name])[:MOST_KINDS]:
            thing = words.thing(label)
            spans = self.spans(thing)
            items.append(Listed(thing, least[label], most[label], spans, self._always(spans)))
        return self.say.listing(items, self.scope)

    def _nothing_listed(self, group: Thing | None) -> Answer:
        if group is not None:
            return self.say.never_seen(group, self.scope)
        return Answer(self.say.nothing_recognised(self.scope), known=False)

    def _texts(self, *, yes_no: bool) -> Answer:
        found: list[tuple[str, list[Moment]]] = []
        for moment in self.timeline.moments:
            for text in reading.texts(_lines(moment)):
                home = next((seen for known, seen in found if _alike(known, text)), None)
                if home is None:
                    found.append((text, [moment]))
                elif home[-1] is not moment:
                    home.append(moment)
        if yes_no and not found:
            answer = self.rules(self.timeline.moments[0].sights).say.no_text("any")
            return self.say.framed(answer, None, self.scope)
        told = [(text, Span(seen[0].at, seen[-1].at)) for text, seen in found[:MOST_TEXTS]]
        answer = self.say.texts(told, self.scope)
        if not yes_no:
            return answer
        yes = "네" if self.say.language == "ko" else "Yes"
        return replace(answer, text=f"{yes}. {answer.text}", short=yes)

    def _says(self, text: str) -> Answer:
        spans = spans_of(self.timeline, lambda moment: reading.says(_lines(moment), text))
        if spans:
            return self.say.says(text, spans)
        return self._best(Question(Ask.SAYS, "", quoted=text))

    def _at_once(self, question: Question) -> Answer | None:
        """About one moment: what the rules of pictures say of its frame."""
        moment = self.timeline.nearest(self.scope.at or 0.0)
        if moment is None:
            return self.say.cannot()
        answer = self.rules(moment.sights).answer(question)
        return None if answer is None else self.say.framed(answer, self.scope.at, self.scope)

    def _best(self, question: Question) -> Answer:
        """The frame that shows best what is asked about; of a yes or no, the first frame for a yes."""
        things = [*question.things, *([question.anchor] if question.anchor else [])]
        ranked = sorted(self.timeline.moments, key=lambda one: (-_shows(one.sights, things), one.number))
        answers = [(moment, self.rules(moment.sights).answer(question)) for moment in ranked]
        told = [(moment, answer) for moment, answer in answers if answer is not None]
        if len(things) > 1 and not any(_shows(moment.sights, things) for moment in self.timeline.moments):
            apart = [self._seen_when(thing, "") for thing in unique(things)]
            return both(apart)  # never in one frame
        showing = [(moment, answer) for moment, answer in told if _shows(moment.sights, things) > 0]
        told = showing or told
        if not told:
            return self.say.cannot()
        known = [(moment, answer) for moment, answer in told if answer.known]
        yes = sorted(((m, a) for m, a in known if _YES.match(a.text)), key=lambda pair: pair[0].number)
        moment, answer = (yes or known or told)[0]
        same = all(other.text == answer.text for _, other in told)
        seen = not things or _shows(moment.sights, things) > 0
        timeless = same or not answer.known or not seen
        return self.say.framed(answer, None if timeless else moment.at, self.scope)


def _asks_who(asked: VideoQuestion) -> bool:
    return bool(re.match(r"who\b", asked.rest)) or bool(re.search(r"누가|누구|인물", asked.rest))


def reading_words(rest: str) -> bool:
    return bool(
        re.search(r"\b(?:text|title|caption|words?|writing|letters)\b|글자|글씨|자막|제목|문구", rest)
    )


def _doubt(sights: Sights, thing: Thing) -> float:
    return max((one.confidence for one in sights.doubtful(thing)), default=0.0)


def _lines(moment: Moment) -> list[TextLine]:
    return reading.readable(moment.sights.facts.lines)


def _alike(known: str, text: str) -> bool:
    a, b = reading.squeezed(known), reading.squeezed(text)
    return a == b or (len(b) >= 3 and b in a)


def _weight(sights: Sights, label: str) -> float:
    return sum(prominence(one.box) for one in sights.facts.objects if one.label == label)


def _shows(sights: Sights, things: Sequence[Thing]) -> float:
    """How well a frame shows all of some things; without things, how much it shows at all."""
    if not things:
        place = sights.place()
        return sum(prominence(one.box) for one in sights.facts.objects) + (place.score if place else 0.0)
    each = [
        max((one.confidence * prominence(one.box) for one in sights.objects(thing)), default=0.0)
        for thing in things
    ]
    return min(each)
