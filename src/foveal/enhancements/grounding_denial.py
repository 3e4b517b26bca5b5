"""Which of the things that English sentences name are not there: negated, doubted, asked after."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import zip_longest

from foveal.enhancements.grounding_tokens import Token
from foveal.enhancements.grounding_words import English, Mention

_AUX = frozenset(
    (
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "can",
        "could",
        "be",
        "appears",
        "appear",
        "seem",
        "seems",
        "to",
        "clearly",
    )
)
_SEEN = frozenset(
    (
        "visible",
        "present",
        "seen",
        "shown",
        "there",
        "in",
        "included",
        "be",
        "appear",
        "apparent",
        "evident",
        "detected",
    )
)


class Denial:
    """Gives the denied mentions of one text the form "none"."""

    def __init__(
        self, words: English, text: str, found: Sequence[Token], mentions: Sequence[Mention]
    ) -> None:
        self._words = words
        self._text = text
        self._found = found
        self._mentions = mentions
        self._starts = [token.start for token in found]

    def mark(self) -> None:
        """Marks what is negated or hypothetical: "no dog", "don't see a dog", "whether there is a dog"."""
        asked = self._questions()
        before: Mention | None = None
        triggers = [n for n, token in enumerate(self._found) if self._denies(n, token)]
        for number, mention in enumerate(self._mentions):
            at = self._token(mention.start)
            if mention.form != "none":
                chained = (
                    before is not None
                    and before.form == "none"
                    and before.noun.labels
                    and self._chained(before, mention)
                )
                if (
                    chained
                    or mention.sentence in asked
                    or self._denied(number, at, triggers)
                    or self._gone(mention)
                ):
                    mention.form = "none"
            before = mention

    def _denies(self, number: int, token: Token) -> bool:
        if token.text not in self._words["negation"]:
            return False
        follows = self._found[number + 1].text if number + 1 < len(self._found) else ""
        return not (token.text == "not" and follows == "only")

    def _denied(self, place: int, at: int, triggers: Sequence[int]) -> bool:
        """An indefinite mention behind a denial in its clause; "the dog" is there all the same."""
        mention = self._mentions[place]
        if mention.form == "the" and self._found[at].text != "any":
            return False
        last = bisect_left(triggers, at) - 1
        if last < 0 or self._found[triggers[last]].sentence != mention.sentence:
            return False
        between = self._found[triggers[last] + 1 : at + 1]
        if self._found[triggers[last]].text == "without" and any(
            self._token(other.start) > triggers[last] and other.end <= mention.start
            for other in self._mentions[max(0, place - 2) : place]
        ):
            return False
        for number, token in enumerate(between):
            if token.text in self._words["scope_end"]:
                return False
            follows = between[number + 1].text if number + 1 < len(between) else ""
            if token.gap == "," and (
                token.text in ("and", "there", "a", "an", "it") and follows not in ("or", "nor")
            ):
                return False
        return True

    def _chained(self, before: Mention, mention: Mention) -> bool:
        """ "no dogs, cats or birds": the denial goes on through a list."""
        if before.sentence != mention.sentence or mention.form not in ("bare", "a"):
            return False
        if before.owner is not None or before.end > mention.start:
            return False
        between = self._found[self._token(before.end) : self._token(mention.start)]
        words = [token.text for token in between]
        negated = self._found[self._token(before.start)].text in ("no", "any", "without")
        return (
            negated
            and all(word in ("or", "nor", "and") for word in words)
            and (bool(words) or self._found[self._token(mention.start)].gap == ",")
        )

    def _gone(self, mention: Mention) -> bool:
        """ "a dog is not visible", "dogs aren't there" """
        at = self._token(mention.end)
        for number in range(at, min(len(self._found) - 1, at + 4)):
            token = self._found[number]
            if token.gap in ".,":
                return False
            if token.text == "not" or token.text.endswith(("n't", "n’t")) or token.text == "cannot":
                behind = [one.text for one in self._found[number + 1 : number + 4]]
                return any(word in _SEEN for word in behind)
            if token.text in ("absent", "missing"):
                return True
            if token.text not in _AUX:
                return False
        return False

    def _questions(self) -> frozenset[int]:
        """Sentences that end in a question mark."""
        ends = zip_longest(self._found, (token.start for token in self._found[1:]))
        return frozenset(
            token.sentence for token, after in ends if "?" in self._text[token.end : after or token.end + 3]
        )

    def _token(self, point: int) -> int:
        """The number of the token that starts at or behind a code point."""
        return bisect_left(self._starts, point)
