"""Answers about a video: rules on its facts over time and its transcript, the language model for the rest."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from foveal.engines.base import Turn, VideoPart
from foveal.engines.evidence.guard import Guard
from foveal.engines.evidence.intents import Answer, Ask, Style
from foveal.engines.evidence.lexicon import Lexicon
from foveal.engines.evidence.rules import Rules
from foveal.engines.evidence.sights import Sights
from foveal.engines.evidence.style import dressed
from foveal.engines.evidence.text_reader import TextReader
from foveal.engines.evidence.video_blocks import blocks_of, moment_block
from foveal.engines.evidence.video_english import EnglishVideo
from foveal.engines.evidence.video_heard import HeardRules, silence_of
from foveal.engines.evidence.video_korean import KoreanVideo
from foveal.engines.evidence.video_open import OpenPath
from foveal.engines.evidence.video_phrases import Scope, VideoPhrases
from foveal.engines.evidence.video_questions import VideoAsk, VideoGrammar, VideoQuestion, load_video_grammar
from foveal.engines.evidence.video_rules import SeenRules
from foveal.engines.evidence.video_speech import Talk
from foveal.engines.evidence.video_timeline import Timeline
from foveal.engines.evidence.video_times import spans_of
from foveal.engines.evidence.vocabulary import Language
from foveal.engines.evidence.vocabulary_tables import data_table
from foveal.engines.terms import Words

QUOTED = 3  # sentences of speech in a summary, twice as many in a detailed one


MakeRules = Callable[[Sights, Language], Rules]


@dataclass(frozen=True, slots=True)
class Watcher:
    """`rules` are those of pictures, over one frame; `phrases` speak both languages."""

    grammar: VideoGrammar
    phrases: dict[Language, VideoPhrases]
    rules: MakeRules
    words: Words
    open_path: OpenPath

    def questions(self, turns: Sequence[Turn], part: VideoPart) -> list[VideoQuestion]:
        return self.grammar.questions(turns, part.duration)

    async def tell(
        self, asked: VideoQuestion, style: Style, timeline: Timeline, seed: int | None
    ) -> AsyncGenerator[str]:
        """One question's answer in pieces of whole sentences."""
        language = style.language or asked.language
        say = self.phrases[language]
        scoped = self._scoped(asked, timeline, say)
        if isinstance(scoped, Answer):
            yield dressed(scoped, asked.question, style, language)
            return
        part, scope = scoped
        heard = HeardRules(part, scope, self.talk(part), say)
        seen = SeenRules(part, scope, say, lambda sights: self.rules(sights, language))
        if language == "en" and self.open_path.wants_words(asked):
            async with aclosing(self.open_path.write(asked, part, heard.talk, seed)) as written:
                async for sentence in written:
                    yield sentence
            return
        if asked.ask == VideoAsk.SUMMARY:
            for sentence in self._summary(part, scope, say, style, heard):
                yield sentence
            return
        answer = self._ruled(asked, style, seen, heard)
        if answer is not None:
            yield dressed(answer, asked.question, style, language)
            return
        if language == "en" and asked.question.ask == Ask.OPEN:
            told = self.open_path.tell(asked, part, heard.talk, seed)
            async with aclosing(told) as sentences:
                async for sentence in sentences:
                    yield sentence
            return
        yield dressed(say.cannot(), asked.question, style, language)

    def talk(self, part: Timeline) -> Talk:
        return Talk(part.speech or (), self.words, self.grammar.lexicon.words, self.grammar.idle)

    def _scoped(
        self, asked: VideoQuestion, timeline: Timeline, say: VideoPhrases
    ) -> tuple[Timeline, Scope] | Answer:
        """The stretch of the timeline that the question is about."""
        all_of_it = Scope(timeline.start, timeline.end, timeline.whole)
        if asked.beyond:
            return replace(say.length(timeline.duration), known=False)
        if asked.scene is not None and timeline.shots:
            place = len(timeline.shots) - 1 if asked.scene < 0 else asked.scene
            if place >= len(timeline.shots):
                return say.no_such_scene(timeline.cuts)
            shot = timeline.shots[place]
            return timeline.within(shot.start, shot.end), Scope(shot.start, shot.end, whole=False)
        start, end, at = timeline.start, timeline.end, None
        if asked.beside is not None:
            way, thing = asked.beside
            spans = spans_of(timeline, lambda moment: moment.sights.verdict(thing) == "yes")
            if not spans:
                return say.never_seen(thing, all_of_it)
            first = spans[0]
            start = {"before": start, "after": first.end}.get(way, first.start)
            end = {"before": first.start, "after": end}.get(way, first.end + 0.05)
            return timeline.within(start, end), Scope(start, end, whole=False)
        if asked.stretch is not None:
            start, end, at = asked.stretch.start, asked.stretch.end, asked.stretch.at
        elif asked.edge and timeline.shots:
            length = min(end - start, max(5.0, 0.2 * (end - start)))
            start, end = (start, start + length) if asked.edge == "start" else (end - length, end)
        else:
            return timeline, all_of_it
        if start > timeline.end or end < timeline.start:
            return say.not_looked_at(all_of_it)
        start, end = max(start, timeline.start), min(end, timeline.end)
        whole = start <= 0 and end >= timeline.duration and at is None
        return timeline.within(start, end), Scope(start, end, whole, at)

    def _ruled(self, asked: VideoQuestion, style: Style, seen: SeenRules, heard: HeardRules) -> Answer | None:
        say, timeline, scope = seen.say, seen.timeline, seen.scope
        if asked.ask == VideoAsk.LENGTH:
            return say.length(timeline.duration)
        if asked.ask == VideoAsk.SCENES:
            starts = [shot.start for shot in timeline.shots]
            return say.scenes(starts, timeline.cuts, scope)
        answer = heard.answer(asked, detailed=style.detailed)
        if answer is not None:
            return self._or_read(answer, asked, seen)
        told = self._told(asked, seen, heard)
        if told is not None and (told.known or silence_of(timeline) is not None):
            return told
        if silence_of(timeline) is None:
            quoted = heard.quoted(asked) if told is None else None
            if quoted is not None:
                return quoted
            if asked.ask == VideoAsk.WHEN or told is not None:
                mentions = heard.mentions(asked)
                if mentions:
                    told = told or say.cannot()
                    return replace(told, text=f"{told.text} {say.also_said(mentions)}")
        if told is None and asked.question.ask != Ask.OPEN:
            return say.cannot()
        return told

    def _told(self, asked: VideoQuestion, seen: SeenRules, heard: HeardRules) -> Answer | None:
        """What is seen; of "what time does the ferry leave" the transcript may know more."""
        if asked.ask == VideoAsk.WHEN and not asked.question.quoted and silence_of(seen.timeline) is None:
            quoted = heard.quoted(asked)
            if quoted is not None:
                return quoted
        if asked.ask == VideoAsk.PICTURE and asked.question.ask == Ask.UNKNOWABLE:
            return None
        return seen.answer(asked)

    def _or_read(self, answer: Answer, asked: VideoQuestion, seen: SeenRules) -> Answer:
        """ "Does it say “EXIT”?": where it is not said, it may be read."""
        quoted = asked.question.quoted
        if asked.ask != VideoAsk.SAID_YES_NO or not quoted or answer.short == "Yes" or answer.short == "네":
            return answer
        if not seen.reads(quoted):
            return answer
        read = seen.answer(
            replace(asked, ask=VideoAsk.PICTURE, question=replace(asked.question, ask=Ask.SAYS))
        )
        return read or answer

    def _summary(
        self, part: Timeline, scope: Scope, say: VideoPhrases, style: Style, heard: HeardRules
    ) -> list[str]:
        moment = part.nearest(scope.at) if scope.at is not None else None
        blocks = [moment_block(moment)] if moment is not None else blocks_of(part, detailed=style.detailed)
        telling = [block for block in blocks if not block.empty]
        if style.list_form:
            return ["\n".join(f"- {say.item(block)}" for block in blocks)]
        if (style.brief or style.sentences == 1) and telling:
            return [say.in_short(telling, scope, part.duration)]
        sentences = [say.opening(part.duration, part.cuts, scope)] if scope.whole else []
        for block in telling:
            if len(blocks) == 1:
                place = "only"
            elif not scope.whole:
                place = ""
            else:
                place = "first" if block is blocks[0] else "last" if block is blocks[-1] else ""
            sentences.append(say.block(block, place, scope))
        if not telling:
            sentences.append(say.nothing_recognised(scope))
        spoken = self._spoken(part, scope, say, style, heard)
        if telling and 0 < style.sentences < len(sentences) + len(spoken):
            return [say.in_short(telling, scope, part.duration), *spoken][: style.sentences]
        return [*sentences, *spoken]

    def _spoken(
        self, part: Timeline, scope: Scope, say: VideoPhrases, style: Style, heard: HeardRules
    ) -> list[str]:
        why = silence_of(part)
        if why is not None:
            return [say.silence(why, scope).text] if why != "unheard" and scope.at is None else []
        if scope.at is not None:
            said = heard.talk.around(scope.at)
            return [say.gist(said, 0)] if said else []
        chosen, left = heard.gist(2 * QUOTED if style.detailed else QUOTED)
        return [say.gist(chosen, left)]


def build_watcher(lexicon: Lexicon, reader: TextReader, guard: Guard, rules: MakeRules) -> Watcher:
    """Reads the tables of questions about videos."""
    names = data_table("video")["languages"]
    colours = lexicon.colours.names

    def named(code: str, place: int) -> str:
        return str(names[code][place]) if code in names else code

    phrases: dict[Language, VideoPhrases] = {
        "en": EnglishVideo(lambda code: named(code, 0)),
        "ko": KoreanVideo(lambda code: named(code, 1), lambda name: colours.get(name, name)),
    }
    grammar = load_video_grammar(lexicon)
    return Watcher(grammar, phrases, rules, reader.forms.words, OpenPath(reader.writer, guard, reader))
