"""Answers about what is said in a video, from its transcript."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from foveal.engines.evidence.intents import Answer
from foveal.engines.evidence.video_phrases import Scope, Silence, VideoPhrases
from foveal.engines.evidence.video_questions import VideoAsk, VideoQuestion
from foveal.engines.evidence.video_speech import Talk, Topic, sentences
from foveal.engines.evidence.video_timeline import Timeline
from foveal.perception.base import SpeechSegment

MOST_QUOTED = 5  # segments of one answer
ROOM = 600  # characters that are quoted whole
_ALL = re.compile(r"transcri|word for word|everything|받아|전사|대본|스크립트|녹취|전부|모두", re.IGNORECASE)
_STARTS = re.compile(r"\b(?:start|begin)|시작")
_ENDS = re.compile(r"\b(?:end|stop|finish)|끝")
_ON = re.compile(r"\b(?:about|regarding|concerning|mention\w*)\b|대해|대한|관해|관한|언급")
ENOUGH = 0.6  # of a question's telling words must a piece of speech hold to be quoted as its answer


def silence_of(timeline: Timeline) -> Silence | None:
    """Why there is nothing to tell of what is said; None when something is said."""
    if not timeline.sound:
        return "mute"
    if timeline.speech is None:
        return "unheard"
    return None if timeline.speech else "silent"


@dataclass(frozen=True, slots=True)
class HeardRules:
    """The rules over what is said in all of a video or a stretch of it."""

    timeline: Timeline
    scope: Scope
    talk: Talk
    say: VideoPhrases

    def answer(self, asked: VideoQuestion, *, detailed: bool) -> Answer | None:
        """None when the question is not about what is said."""
        if asked.ask == VideoAsk.NOISE:
            return self.say.only_speech()
        if asked.ask not in _ABOUT_SPEECH:
            return None
        why = silence_of(self.timeline)
        if why is not None:
            return self.say.silence(why, self.scope)
        if asked.ask == VideoAsk.SPEAKER:
            return self.say.cannot()
        if asked.ask in (VideoAsk.SOUND, VideoAsk.LANGUAGE):
            return self._of_the_whole(asked.ask)
        topic = self.talk.topic(asked.rest, asked.question.quoted)
        if asked.ask == VideoAsk.SAID and _ALL.search(asked.rest) and not _ON.search(asked.rest):
            topic = Topic(())
        if asked.ask == VideoAsk.SAID:
            return self._said(asked, topic, detailed)
        if not topic:
            return self._of_all(asked)
        return self._about(asked, topic)

    def quoted(self, asked: VideoQuestion) -> Answer | None:
        """A piece of speech that holds most of what any other question asks for."""
        topic = self.talk.topic(asked.rest, asked.question.quoted)
        if len(topic.terms) < 2 or self.talk.share(topic) < ENOUGH:
            return None
        found = self.talk.about(topic)
        return self.say.said(found[:2], 0, self.scope, about=True) if found else None

    def mentions(self, asked: VideoQuestion) -> Sequence[SpeechSegment]:
        """Where the thing that is asked about, and is not seen, is spoken of."""
        topic = self.talk.topic(asked.rest, asked.question.quoted)
        return self.talk.about(topic)[:2] if topic else ()

    def _of_the_whole(self, ask: VideoAsk) -> Answer:
        speech = self.talk.speech
        codes = self.codes
        if ask == VideoAsk.LANGUAGE:
            return self.say.languages(codes) if codes else self.say.cannot()
        return self.say.spoken(speech[0].start, speech[-1].end, codes)

    def _of_all(self, asked: VideoQuestion) -> Answer:
        """Without a topic: when anything is said, whether anything is, how often nothing counts."""
        speech = self.talk.speech
        if asked.ask == VideoAsk.SAID_WHEN:
            told = sentences(speech)
            pick = asked.pick or ("first" if _STARTS.search(asked.rest) else "")
            pick = pick or ("last" if _ENDS.search(asked.rest) else "")
            return self.say.said_when([(one.start, one) for one in told], pick)
        return self._of_the_whole(VideoAsk.SOUND)

    def _said(self, asked: VideoQuestion, topic: Topic, detailed: bool) -> Answer:
        speech = sentences(self.talk.speech)
        if asked.pick and not topic:
            one = speech[0] if asked.pick == "first" else speech[-1]
            return self.say.said((one,), 0, self.scope, about=False)
        if topic:
            found = sentences(self.talk.about(topic))
            if not found:
                return self._not_mentioned(topic, yes_no=False)
            return self.say.said(
                found[:MOST_QUOTED], len(found) - len(found[:MOST_QUOTED]), self.scope, about=True
            )
        if self.scope.at is not None:
            return self._said_at(self.scope.at)
        if detailed or _ALL.search(asked.text):
            return self.say.transcript(speech)
        if len(speech) <= MOST_QUOTED and sum(len(one.text) for one in speech) <= ROOM:
            return self.say.said(speech, 0, self.scope, about=False)
        chosen = self._gist(speech, MOST_QUOTED)
        return self.say.said(chosen, len(speech) - len(chosen), self.scope, about=False)

    def gist(self, most: int) -> tuple[Sequence[SpeechSegment], int]:
        """What a summary quotes, and how many sentences it leaves out."""
        speech = sentences(self.talk.speech)
        chosen = self._gist(speech, most)
        return chosen, len(speech) - len(chosen)

    def _gist(self, speech: tuple[SpeechSegment, ...], most: int) -> tuple[SpeechSegment, ...]:
        talk = Talk(speech, self.talk.words, self.talk.vocabulary, self.talk.idle)
        return talk.gist(most)

    def _said_at(self, at: float) -> Answer:
        found = self.talk.around(at)
        if not found:
            return self.say.silence("silent", self.scope)
        one = found[0]
        if len(found) == 1 and not one.start - 0.25 <= at <= one.end + 0.25:
            return self.say.said_near(one, at)
        return self.say.said(found, 0, self.scope, about=False)

    def _not_mentioned(self, topic: Topic, *, yes_no: bool) -> Answer:
        if self.talk.foreign(topic):
            return self.say.other_language(self.codes, *self.gist(3))
        return self.say.not_mentioned(self.scope, yes_no=yes_no)

    @property
    def codes(self) -> list[str]:
        return list(dict.fromkeys(one.language for one in self.talk.speech if one.language))

    def _about(self, asked: VideoQuestion, topic: Topic) -> Answer:
        found = self.talk.times_said(topic)
        yes_no = asked.ask == VideoAsk.SAID_YES_NO
        if asked.ask == VideoAsk.SAID_COUNT and not (not found and self.talk.foreign(topic)):
            moments = [self.talk.moment_of(one, topic) for one, _ in found]
            return self.say.said_count(sum(count for _, count in found), moments)
        if not found:
            return self._not_mentioned(topic, yes_no=yes_no)
        if yes_no:
            told = [one for one, _ in found[:2]]
            return self.say.mentioned(told, len(found) - len(told))
        return self.say.said_when([(self.talk.moment_of(one, topic), one) for one, _ in found], asked.pick)


_ABOUT_SPEECH = (
    VideoAsk.SAID,
    VideoAsk.SAID_WHEN,
    VideoAsk.SAID_COUNT,
    VideoAsk.SAID_YES_NO,
    VideoAsk.SOUND,
    VideoAsk.SPEAKER,
    VideoAsk.LANGUAGE,
)
