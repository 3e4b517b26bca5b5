"""What is said in a video: which segments of the transcript hold a topic, how often, which tell the most."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from foveal.engines.evidence.korean import has_final
from foveal.engines.evidence.vocabulary import Vocabulary
from foveal.engines.terms import Matcher, Term, Words, normal, question_terms, squeezed, stem, tokens
from foveal.perception.base import SpeechSegment

_PARTICLE = re.compile(r"(?<=^[가-힣])[은는이가을를도에의]$")
_SYLLABLE = re.compile(r"^[가-힣]$")  # too short to be looked for inside words
_EASTERN = ("ko", "ja", "zh")
_SENTENCE_END = re.compile(r"[.!?…。]['\"”’]?$")


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question asks the transcript for. `exact` was quoted: it is looked for word by word."""

    terms: tuple[Term, ...]
    exact: str = ""

    def __bool__(self) -> bool:
        return bool(self.terms or self.exact)


@dataclass(frozen=True, slots=True)
class Talk:
    """A transcript that can be searched. `idle` are words that questions about videos are made of."""

    speech: tuple[SpeechSegment, ...]
    words: Words
    vocabulary: Vocabulary
    idle: frozenset[str]

    def topic(self, text: str, quoted: str = "") -> Topic:
        """The telling words of a piece of a question, in both languages where their things are known."""
        terms: list[Term] = []
        for said in self._telling(quoted or text):
            bare = _PARTICLE.sub("", said)  # of short nouns, which keep theirs
            if quoted or not (self.idle & {said, stem(said), bare} or self._idle_korean(said)):
                forms = self.words.translations.get(said, (said,))
                terms.append(Term(said, self._forms(said, forms)))
        return Topic(tuple(terms), quoted)

    def _telling(self, text: str) -> list[str]:
        """Words that are no small words; Korean ones without their particles."""
        english = [
            stem(word)
            for word in tokens(normal(text))
            if word.isascii() and word not in self.words.english and (len(word) > 1 or word.isdigit())
        ]
        others = [
            term.said
            for term in question_terms(text, self.words)
            if not term.said.isascii() and not term.paraphrased
        ]
        return list(dict.fromkeys([*english, *others]))

    def _idle_korean(self, said: str) -> bool:
        """Korean words are idle by how they begin: endings follow."""
        return not said.isascii() and any(said[:length] in self.idle for length in range(2, len(said)))

    def foreign(self, topic: Topic) -> bool:
        """The topic is worded in another script than all that is said: not finding it tells nothing."""
        forms = [form for term in topic.terms for form in term.forms]
        latin = any(form.isascii() for form in forms)
        eastern = any(not form.isascii() for form in forms)
        said = [one.text.isascii() or one.language not in _EASTERN for one in self.speech]
        return bool(forms) and ((not latin and all(said)) or (not eastern and not any(said)))

    def _forms(self, said: str, forms: Sequence[str]) -> tuple[str, ...]:
        """A word with what its thing is called in the other language; a Korean word with every English one
        for things of its kind ("배": boat, ship, ferry), for a transcript seldom uses the general word.
        """
        known = [
            mention.thing
            for form in (said, *forms)
            for mention in self.vocabulary.find(form, "en" if form.isascii() else "ko")
            if mention.thing.labels and not mention.thing.group and "person" not in mention.thing.labels
        ]
        others: list[str] = []
        for thing in known:
            if not said.isascii():
                others += [
                    " ".join(words)
                    for words, (named, _) in self.vocabulary.english.items()
                    if named.labels == thing.labels
                ]
            elif not thing.adds:
                others += [thing.singular, thing.korean]
        every = [*forms, *others]
        every += [form for word in every if _SYLLABLE.match(word) for form in _with_particles(word)]
        return tuple(dict.fromkeys(every))

    def about(self, topic: Topic) -> tuple[SpeechSegment, ...]:
        """The segments that speak of the topic, in order: those with the most of its words, half at least."""
        if topic.exact:
            found = tuple(one for one in self.speech if _holds(one.text, topic.exact))
            if found:
                return found
        if not topic.terms:
            return ()
        hits = self._hits(topic)
        best = max(map(len, hits), default=0)
        if not best or best * 2 < len(topic.terms) or (topic.exact and best < len(topic.terms)):
            return ()
        return tuple(one for one, held in zip(self.speech, hits, strict=True) if len(held) == best)

    def share(self, topic: Topic) -> float:
        """How much of the topic the best segment, with the one after it, holds: 0..1."""
        if not topic.terms:
            return 0.0
        hits = [*self._hits(topic), frozenset[int]()]
        best = max((len(a | b) for a, b in itertools.pairwise(hits)), default=0)
        return best / len(topic.terms)

    def _hits(self, topic: Topic) -> list[frozenset[int]]:
        matcher = Matcher(topic.terms)
        return [matcher.hits(one.text) for one in self.speech]

    def times_said(self, topic: Topic) -> list[tuple[SpeechSegment, int]]:
        """The segments that name the topic and how often each does."""
        found: list[tuple[SpeechSegment, int]] = []
        for one in self.about(topic):
            if topic.exact:
                count = len(re.findall(_pattern(topic.exact), _plain(one.text)))
            else:
                single = [Matcher((term,)) for term in topic.terms]
                words = tokens(normal(one.text))
                count = min(sum(bool(each.hits(word)) for word in words) for each in single)
            found.append((one, max(1, count)))
        return found

    def moment_of(self, segment: SpeechSegment, topic: Topic) -> float:
        """When the topic is named within a segment: the time of its first word that is one."""
        matcher = Matcher(topic.terms)
        for word in segment.words:
            if matcher.hits(word.text):
                return word.start
        return segment.start

    def around(self, at: float) -> tuple[SpeechSegment, ...]:
        """What is being said at a time, or the nearest segment within two seconds and a half."""
        over = tuple(one for one in self.speech if one.start <= at + 0.25 and one.end >= at - 0.25)
        if over:
            return over
        near = min(self.speech, key=lambda one: _apart(one, at), default=None)
        return (near,) if near is not None and _apart(near, at) <= 2.5 else ()

    def gist(self, most: int) -> tuple[SpeechSegment, ...]:
        """Up to `most` segments that tell the most of all that is said, in order: the first, then those whose
        words come up again and again and were not chosen yet.
        """
        if len(self.speech) <= most:
            return self.speech
        bags = [self._bag(one.text) for one in self.speech]
        total: Counter[str] = Counter(word for bag in bags for word in bag)
        chosen = [0]
        heard = set(bags[0])
        while len(chosen) < most:
            scores = [
                (
                    round(sum(math.log(1 + total[word]) for word in bag - heard) / (4 + len(bag)) ** 0.5, 6),
                    -place,
                )
                for place, bag in enumerate(bags)
                if place not in chosen
            ]
            _, best = max(scores)
            chosen.append(-best)
            heard |= bags[-best]
        return tuple(self.speech[place] for place in sorted(chosen))

    def _bag(self, text: str) -> set[str]:
        return {
            stem(word) for word in tokens(normal(text)) if word not in self.words.english and len(word) > 2
        }


def sentences(speech: Sequence[SpeechSegment], longest: int = 240) -> tuple[SpeechSegment, ...]:
    """Segments that continue one another without a pause, joined to whole sentences."""
    joined: list[SpeechSegment] = []
    for one in speech:
        last = joined[-1] if joined else None
        if (
            last is not None
            and not _SENTENCE_END.search(last.text.strip())
            and one.start - last.end <= 0.8
            and len(last.text) + len(one.text) <= longest
        ):
            text = f"{last.text.strip()} {one.text.strip()}"
            words = (*last.words, *one.words)
            confidence = min(last.confidence, one.confidence)
            joined[-1] = SpeechSegment(last.start, one.end, text, last.language, confidence, words)
        else:
            joined.append(one)
    return tuple(joined)


def _with_particles(noun: str) -> list[str]:
    with_final = has_final(noun)
    return [noun + particle for particle in (("은", "이", "을") if with_final else ("는", "가", "를"))]


def _apart(one: SpeechSegment, at: float) -> float:
    return max(one.start - at, at - one.end, 0.0)


def _plain(text: str) -> str:
    return " ".join(tokens(normal(text)))


def _pattern(exact: str) -> str:
    plain = re.escape(_plain(exact))
    return rf"\b{plain}(?:s|es)?\b" if plain.isascii() else plain


def _holds(text: str, exact: str) -> bool:
    if not tokens(normal(exact)):
        return False
    if not exact.isascii() and squeezed(normal(exact)) in squeezed(normal(text)):
        return True
    return bool(re.search(_pattern(exact), _plain(text)))
