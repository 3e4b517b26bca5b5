"""What a search looks for, as words: the things that it names and its other telling words.

Descriptions of frames are English, so a thing is looked for by its English names whatever the language of
the search ("고양이" finds "a cat"; "vehicle" finds "a bus"). Other words are looked for as they are, in text
on the screen and in speech, with the leniency of `foveal.engines.terms`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from foveal.engines import terms
from foveal.engines.evidence.lexicon import Lexicon, load_lexicon
from foveal.engines.evidence.vocabulary import Language, Mention, Thing, Vocabulary

_HANGUL = re.compile("[가-힣]")
_HAN_OR_KANA = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_EAST = re.compile(f"{_HANGUL.pattern}|{_HAN_OR_KANA.pattern}")
_NONE: frozenset[int] = frozenset()
_LATIN = re.compile(r"[a-z\u00c0-\u024f]")
_POSSESSIVE = re.compile(r"['’]s\b")
LONGEST = 1_000  # letters of a search that are looked at


def index_words(text: str) -> Iterator[str]:
    """The words by which a text is found: words less their plural, numbers, pairs of East Asian letters.

    Korean words end in particles and Chinese has no blanks: what is looked for there is found by its pairs.
    """
    tokens = dict.fromkeys(terms.tokens(terms.normal(text)))
    yield from dict.fromkeys(key for token in tokens for key in _keys(token))


def _keys(token: str) -> Iterable[str]:
    if _HANGUL.match(token) or _HAN_OR_KANA.match(token):
        return [token[at : at + 2] for at in range(len(token) - 1)] or [token]
    if token[0].isdigit():
        return [terms.plain_number(token)]
    return [terms.stem(token.removesuffix("'s"))]


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing or word of a search. `forms` name it, `keys` find it in the index of words."""

    said: str
    forms: frozenset[str]
    weight: float
    keys: tuple[str, ...]


class Wanted:
    """The goals of one search: `things`, then `words`, whose terms are `said`. Remembers each word and text
    that it has judged; not for several threads.
    """

    def __init__(self, things: Sequence[Goal], words: Sequence[Goal], said: Sequence[terms.Term]) -> None:
        self.goals = (*things, *words)
        self._things = len(things)
        self._matcher = terms.Matcher(said)
        self._single: dict[str, set[int]] = {}
        self._phrases: dict[str, set[int]] = {}
        for place, goal in enumerate(self.goals):
            for form in goal.forms:
                if len(terms.tokens(form)) != 1:
                    self._phrases.setdefault(form, set()).add(place)
                elif place < self._things:
                    self._single.setdefault(form, set()).add(place)
                    self._single.setdefault(terms.stem(form), set()).add(place)
        pattern = "|".join(map(re.escape, sorted(self._phrases, key=len, reverse=True)))
        self._pattern = re.compile(pattern) if pattern else None
        # East Asian forms may lie across the blanks of a text: such texts are judged as a whole.
        self._eastern = any(_EAST.search(form) for goal in words for form in goal.forms)
        forms = [terms.stem(form) for goal in words for form in goal.forms]
        self._ends = frozenset(letter for form in forms for letter in (form[0], form[-1]))
        self._tokens: dict[str, frozenset[int]] = {}
        self._texts: dict[str, frozenset[int]] = {}

    def index_keys(self) -> tuple[str, ...]:
        """What to look for in the index of words."""
        return tuple(dict.fromkeys(key for goal in self.goals for key in goal.keys))

    def held(self, text: str) -> frozenset[int]:
        """Which of the goals (by place) a text holds."""
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = self._held(text) if self.goals else _NONE
        return known

    def _held(self, text: str) -> frozenset[int]:
        low = text.lower() if text.isascii() else terms.normal(text)
        found: set[int] = set()
        for token in terms.tokens(low):
            judged = self._tokens.get(token)
            if judged is None:
                judged = self._tokens[token] = self._judged(token)
            found |= judged
        if self._pattern is not None:
            for phrase in self._pattern.findall(low):
                found |= self._phrases[phrase]
        if self._eastern and not low.isascii():
            found.update(self._things + place for place in self._matcher.hits(low))
        return frozenset(found)

    def _may_be_said(self, token: str) -> bool:
        """A quick look, right for most words: those that a slip or an ending away are the same begin or end
        with the same letter.
        """
        if not (token.isascii() and token.isalpha()):
            return True
        return token[0] in self._ends or token[-1] in self._ends or terms.stem(token)[-1] in self._ends

    def _judged(self, token: str) -> frozenset[int]:
        found: set[int] = set()
        if self._may_be_said(token):
            found.update(self._things + place for place in self._matcher.hits(token))
        for form in (token.removesuffix("'s"), terms.stem(token)):
            found |= self._single.get(form, _NONE)
        return frozenset(found)


class Wanting:
    """Reads searches. Made once: its tables take 40 ms to read."""

    def __init__(self, lexicon: Lexicon | None = None, words: terms.Words | None = None) -> None:
        self._lexicon = lexicon or load_lexicon()
        self._terms = words or terms.load_words()
        table = tomllib.loads(files(__package__).joinpath("data/search.toml").read_text(encoding="utf-8"))
        self._idle = frozenset([*table["english"].split(), *table["korean"].split()])
        self._idle_korean = tuple(word for word in table["korean"].split() if len(word) > 1)
        self._counts = frozenset(table["counts"].split())
        self._weights: dict[str, float] = table["weights"]

    def read(self, text: str) -> Wanted:
        text = _POSSESSIVE.sub("", terms.normal(text[:LONGEST]))
        goals: list[Goal] = []
        rest = text
        for mention in self._mentions(text):
            rest = _without(rest, mention.start, mention.end)
            goals.append(_thing(mention.thing, self._lexicon.words))
        for word, colour in self._lexicon.colours.korean.items():
            if (at := rest.find(word)) >= 0:
                rest = _without(rest, at, at + len(word))
                forms = frozenset((colour, word))
                goals.append(Goal(colour, forms, self._weights["colour"], (terms.stem(colour), *_keys(word))))
        said = [term for term in terms.question_terms(rest, self._terms) if not self._says_nothing(term)]
        return Wanted(goals, [self._word(term) for term in said], said)

    def _mentions(self, text: str) -> list[Mention]:
        """Those of both languages, none inside another."""
        found: list[Mention] = []
        languages: list[Language] = ["ko"] if _HANGUL.search(text) else []
        if _LATIN.search(text):
            languages.append("en")
        for language in languages:
            for mention in self._lexicon.words.find(text, language):
                if all(mention.end <= one.start or one.end <= mention.start for one in found):
                    found.append(mention)
        return list({mention.thing.key: mention for mention in found}.values())

    def _says_nothing(self, term: terms.Term) -> bool:
        if term.label:
            return term.generic
        return term.said in self._idle or (
            terms.is_hangul(term.said) and term.said.startswith(self._idle_korean)
        )

    def _word(self, term: terms.Term) -> Goal:
        weight = term.weight
        if term.said in self._lexicon.colours.english:
            weight = self._weights["colour"]
        elif term.said in self._counts:
            weight = self._weights["count"]
        keys = [
            key
            for form in term.forms
            for token in terms.tokens(form)
            if token not in self._terms.english
            for key in _keys(token)
        ]
        return Goal(term.said, frozenset(term.forms), weight, tuple(dict.fromkeys(keys)))


def _without(text: str, start: int, end: int) -> str:
    return f"{text[:start]}{' ' * (end - start)}{text[end:]}"


def _thing(thing: Thing, words: Vocabulary) -> Goal:
    """By all the names that descriptions give it: its own, those of its kinds and of the tagger's."""
    names = {thing.said} if thing.said else set()
    for label in thing.labels:
        one = words.thing(label)
        names |= {one.singular, one.plural}
    names |= {words.tag_name(tag) for tag in thing.tags}
    if not thing.labels or not thing.group:
        names |= {thing.singular, thing.plural}
    names |= {thing.korean} if thing.korean else set()
    forms = frozenset(terms.normal(name) for name in names if name)
    kinds = [words.thing(label) for label in thing.labels]
    main = [thing.singular, thing.korean, *(name for one in kinds for name in (one.singular, one.plural))]
    keys = [key for name in main for token in terms.tokens(terms.normal(name)) for key in _keys(token)]
    return Goal(thing.key, forms, 1.0, tuple(dict.fromkeys(keys)))
