"""Phrases of English sentences that name things: determiner or number, modifiers, head noun, "in a suit"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foveal.enhancements.grounding_tokens import Token
from foveal.enhancements.grounding_words import FACE, LONGEST, English, Form, Mention, Noun

_BACK = 8  # words that may stand between a determiner and its noun
_UNKNOWN = 3  # of them, words that no list knows
_JOINING = ("and", "wearing", "with")  # may stand between a colour and the clothes
_AHEAD = 14  # words behind a person in which clothes are looked for


@dataclass(slots=True)
class _Noun:
    """A noun found at tokens [at, past)."""

    noun: Noun
    at: int
    past: int
    plural: bool


class EnglishFinder:
    """Finds the mentions of a text, first to last; those that are denied have the form "none"."""

    def __init__(self, words: English) -> None:
        self._words = words

    def find(self, found: Sequence[Token], most: int) -> list[Mention]:
        """At most `most` mentions of the text whose tokens are given."""
        mentions: list[Mention] = []
        past, owner = 0, False
        for noun in self._nouns(found):
            if len(mentions) >= most:
                break
            made = self._phrase(found, noun, past, mentions if owner else ())
            owner = False
            if made is None:
                continue
            mention, first = made
            if _possessive(found[noun.past - 1]) and noun.noun.labels:
                owner = True  # "the man's face": the noun behind it takes this phrase in
                mention.form = "none"
            past = noun.past
            self._extend(found, noun, mention)
            mentions.append(mention)
            self._look_ahead(found, noun, mention)
            self._look_inside(found, first, noun, mention)
        return mentions

    def _nouns(self, found: Sequence[Token]) -> list[_Noun]:
        """Heads: the longest nouns, less those that only modify another noun behind them."""
        nouns: list[_Noun] = []
        place = 0
        while place < len(found):
            noun = self._noun_at(found, place)
            if noun is None:
                place += 1
                continue
            nouns.append(noun)
            place = noun.past
        return [
            noun for number, noun in enumerate(nouns) if self._is_head(found, noun, nouns[number + 1 :][:1])
        ]

    def _noun_at(self, found: Sequence[Token], place: int) -> _Noun | None:
        if found[place].text not in self._words.starts and not _possessive(found[place]):
            return None
        length = 1
        while length < LONGEST and place + length < len(found) and found[place + length].gap in " -":
            length += 1
        for size in range(length, 0, -1):
            words = tuple(token.text for token in found[place : place + size])
            known = self._words.nouns.get(words) or self._words.nouns.get((*words[:-1], _bare(words[-1])))
            if known is None:
                continue
            if size > 1 and not known[0].labels and not known[0].blocked:
                last = self._words.nouns.get(words[-1:])
                if last is not None and last[0].labels:  # "pool table": a table all the same
                    return _Noun(last[0], place + size - 1, place + size, last[1])
            return _Noun(known[0], place, place + size, known[1])
        return None

    def _is_head(self, found: Sequence[Token], noun: _Noun, behind: Sequence[_Noun]) -> bool:
        """Not "dog food", "dog-like", "car driver"; for strict words only what is surely a noun."""
        words = self._words
        before = found[noun.at]
        if before.gap == "-" and noun.at and found[noun.at - 1].text not in words["adjective"]:
            return False
        if noun.past >= len(found) or found[noun.past].gap in ",.":
            return self._article_ok(found, noun)
        follower = found[noun.past]
        if follower.text == "of" and found[noun.past - 1].text in words["collective"]:
            return False  # "a crowd of people": the people are the head
        if _possessive(found[noun.past - 1]):
            return True
        if follower.gap == "-":
            return False
        if behind and behind[0].at == noun.past and follower.text not in words["verb_like"]:
            return False
        if follower.text in words["compound"] and not noun.plural:
            return False
        fits = (
            follower.text in words["stop"]
            or follower.text in words["follow"]
            or follower.text in words["verb_like"]
            or follower.text in words["definite"]
            or follower.text in words["indefinite"]
        )
        if noun.noun.strict:
            fits = fits or follower.text.endswith(("ing", "ed"))
            return fits and self._article_ok(found, noun)
        return fits or noun.plural or follower.text.endswith(("ing", "ed", "s", "ly"))

    def _article_ok(self, found: Sequence[Token], noun: _Noun) -> bool:
        """A strict word needs an article, number or quantity before it, with adjectives between at most."""
        if not noun.noun.strict:
            return True
        words = self._words
        place = noun.at - 1
        if place < 0 or found[noun.at].gap in ".,":
            return noun.plural and found[noun.at].text not in ("faces", "ties", "books", "trains")
        if found[place].text in words["not_after"]:
            return False
        if noun.plural and found[noun.at].text == "glasses":
            return found[place].text in words["many"] or found[place].text in words.numbers
        for number in range(place, max(-1, place - 5), -1):
            token = found[number]
            if found[number + 1].gap in ".,":
                return False
            if self._determines(token.text) or _possessive(token):
                return True
            if token.text in words["stop"] and token.text != "and":
                linked = token.text in ("of", "with", "and", "are")
                return noun.plural and noun.noun.labels != (FACE,) and linked
        return False

    def _determines(self, word: str) -> bool:
        words = self._words
        return (
            word in words["definite"]
            or word in words["indefinite"]
            or word in words["negative"]
            or word in words.numbers
            or word in words.ordinals
            or (word.isdecimal() and len(word) <= 3)
        )

    def _phrase(
        self, found: Sequence[Token], noun: _Noun, past: int, owners: Sequence[Mention]
    ) -> tuple[Mention, int] | None:
        """The mention and its first token; `past` is where the mention before ends."""
        first, determiners, owned = self._left(found, noun.at, past, bool(owners))
        mention = Mention(
            noun.noun,
            found[first].start,
            found[noun.at].start,
            found[noun.past - 1].end,
            found[noun.at].sentence,
            plural=noun.plural or noun.noun.many,
            count=2 if noun.noun.two else None,
        )
        if owned and owners:
            mention.start = owners[-1].start
            mention.form = "the"
            mention.owner = len(owners) - 1
        self._number(found, determiners, mention)
        if mention.plural or mention.form in ("bare", "the", "a"):
            grouped = self._grouped(found, first, past, mention)
            first = first if grouped is None else grouped
        if noun.noun.alike and mention.form == "the" and mention.count is None:
            mention.neutral = not mention.plural
        elif noun.noun.alike and mention.form == "bare":
            mention.plural = True
        if not noun.noun.labels:
            mention.form = "none"
        return mention, first

    def _left(
        self, found: Sequence[Token], at: int, past: int, owners: bool
    ) -> tuple[int, list[Token], bool]:
        """First token of the phrase, its determiners, and whether the mention before owns it."""
        words = self._words
        first, unknown, known = at, 0, True
        place = at - 1
        lowest = max(past, at - _BACK)
        while place >= lowest:
            token, gap = found[place], found[place + 1].gap
            word = token.text
            if gap == "." or (gap == "," and not self._listed(found, place)):
                break
            if self._determines(word) and gap != ",":
                start = place
                while (
                    start - 1 >= past and self._determines(found[start - 1].text) and found[start].gap in " -"
                ):
                    start -= 1
                return start, list(found[start : place + 1]), False
            adjective = word in words["adjective"] or word in words.colours
            joined = (
                word == "and"
                and place > past
                and self._adjective(found[place - 1])
                and self._adjective(found[place + 1])
            )
            if adjective or joined:
                first = place if known and adjective else first
            elif word in words["stop"] or (
                word.endswith("s") and not word.endswith("ss") and word not in words["singular"]
            ):
                break
            else:
                unknown += 1
                known = False
                if unknown > _UNKNOWN:
                    break
            place -= 1
        if owners and place == past - 1 and (at - past <= 3):
            return past, [], True
        return first, [], False

    def _adjective(self, token: Token) -> bool:
        return token.text in self._words["adjective"] or token.text in self._words.colours

    def _listed(self, found: Sequence[Token], place: int) -> bool:
        """ "a red, rusty car": a comma between two adjectives."""
        return self._adjective(found[place]) and self._adjective(found[place + 1])

    def _number(self, found: Sequence[Token], determiners: Sequence[Token], mention: Mention) -> None:
        words = self._words
        form: Form = mention.form
        for token in determiners:
            word = token.text
            if word in words["negative"]:
                mention.form = "none"
                return
            if word in words["others"]:
                mention.rest = True
                form = "another" if form != "the" or mention.plural else form
            elif word in words["definite"]:
                form = "the"
            elif word in words.numbers or word.isdecimal():
                mention.count = words.numbers.get(word) or int(word)
                form = "a" if form == "bare" else form
            elif form == "bare":
                form = "a"
            if word in words.ordinals:
                mention.ordinal = words.ordinals[word]
            if word in words["possessive"]:
                mention.owned = True
            if word in words["many"]:
                mention.plural = True
        if mention.rest and form == "the":
            form = "another"
        if mention.count is not None and mention.count > 1:
            mention.plural = True
        if mention.count == 1 and not mention.plural:
            mention.count = None
        mention.form = form

    def _grouped(self, found: Sequence[Token], first: int, past: int, mention: Mention) -> int | None:
        """ "a group of three children", "a bunch of bananas", "all of the people" """
        words = self._words
        if first - 2 < past or found[first - 1].text != "of" or found[first].gap != " ":
            return None
        group = found[first - 2]
        if found[first - 1].gap != " " or (
            group.text not in words["collective"] and group.text not in ("all", "most", "some")
        ):
            return None
        start, determiners, _ = self._left(found, first - 2, past, False)
        if not determiners and group.text in words["collective"]:
            start = first - 2
        mention.start = found[start].start
        mention.plural = mention.plural or group.text not in ("slice", "piece", "bunch")
        if group.text in words["pairs"]:
            mention.count = 2
        elif group.text in words["trios"]:
            mention.count = 3
        kept = mention.count
        self._number(found, determiners, mention)
        mention.count = kept
        if mention.form == "bare":
            mention.form = "a"
        return start

    def _extend(self, found: Sequence[Token], noun: _Noun, mention: Mention) -> None:
        """ "a cup of coffee", "a man in a suit": what belongs to the phrase behind its noun."""
        words = self._words
        at = noun.past
        if at + 1 >= len(found) or found[at].gap != " " or found[at + 1].gap != " ":
            return
        if found[at].text == "of" and found[at - 1].text in words["container"]:
            end = at + 1
            while end < len(found) and end < at + 4 and (end == at + 1 or found[end].gap in " -"):
                word = found[end].text
                inside = self._words.nouns.get((word,))
                if inside is not None and inside[0].labels and not _is_food(inside[0]):
                    return
                if (
                    word in words["stop"]
                    or self._determines(word)
                    or (end > at + 1 and word.endswith(("s", "ing")))
                ):
                    break
                end += 1
            if end > at + 1:
                mention.end = found[end - 1].end
        elif found[at].text == "in" and noun.noun.person:
            end = self._clothes(found, at + 1)
            if end:
                mention.end = found[end - 1].end
                mention.detailed = True

    def _clothes(self, found: Sequence[Token], at: int) -> int:
        """The token past "a dark red suit" at `at`, or past a colour alone; 0 when it is neither."""
        words = self._words
        for place in range(at, min(len(found), at + 6)):
            token = found[place]
            if token.gap in ".," or (token.text in words["stop"] and token.text != "and"):
                break
            if token.text in words["clothing"]:
                return place + 1
        alone = found[at].text in words.colours
        follows = found[at + 1] if at + 1 < len(found) else None
        if not alone:
            return 0
        if follows is None or follows.gap in ".," or follows.text in words["stop"]:
            return at + 1
        return at + 1 if follows.text.endswith(("s", "ing", "ed")) else 0

    def _look_ahead(self, found: Sequence[Token], noun: _Noun, mention: Mention) -> None:
        """Colours of the clothes that the words behind a person tell, up to the next person."""
        if not noun.noun.person:
            return
        words = self._words
        worn: list[str] = []
        colours: list[str] = []
        for place in range(noun.past, min(len(found), noun.past + _AHEAD)):
            token = found[place]
            if token.gap == "." or token.text in words["scope_end"]:
                break
            known = words.nouns.get((token.text,))
            if known is not None and known[0].person:
                break
            if token.text in words.colours and (place + 1 == len(found) or found[place + 1].text != "haired"):
                colours.append(words.colours[token.text])
            elif token.text in words["clothing"]:
                if token.text not in words["worn"]:
                    worn += colours
                colours = []
            elif known is not None or (token.text in words["stop"] and token.text not in _JOINING):
                colours = []
        mention.worn = tuple(dict.fromkeys(worn))
        if found[noun.past - 1].end < mention.end and not worn:  # "a woman in red"
            inside = [
                words.colours[t.text]
                for t in found[noun.past : noun.past + 6]
                if t.end <= mention.end and t.text in words.colours
            ]
            mention.worn = tuple(inside)

    def _look_inside(self, found: Sequence[Token], first: int, noun: _Noun, mention: Mention) -> None:
        """Colours, size and number told between determiner and noun."""
        words = self._words
        inside = [token.text for token in found[first : noun.at]]
        mention.colours = tuple(
            dict.fromkeys(words.colours[word] for word in inside if word in words.colours)
        )
        mention.size = (
            "large"
            if any(word in words["large"] for word in inside)
            else "small"
            if any(word in words["small"] for word in inside)
            else ""
        )
        for word in inside:
            if word in words.ordinals and not mention.ordinal:
                mention.ordinal = words.ordinals[word]
            if word in words["others"]:
                mention.rest = True
                mention.form = "another" if mention.form != "none" else "none"


def _possessive(token: Token) -> bool:
    return token.text.endswith(("'s", "’s"))


def _bare(word: str) -> str:
    return word[:-2] if word.endswith(("'s", "’s")) else word


def _is_food(noun: Noun) -> bool:
    return len(noun.labels) > 2 and "banana" in noun.labels
