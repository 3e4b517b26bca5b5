"""What English sentences say about their mentions around the phrases: places, company, colours."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from foveal.enhancements.grounding_tokens import Token
from foveal.enhancements.grounding_words import English, Mention

_PLACES = {
    "left": "left",
    "leftmost": "left",
    "right": "right",
    "rightmost": "right",
    "top": "top",
    "upper": "top",
    "bottom": "bottom",
    "lower": "bottom",
    "middle": "middle",
    "center": "middle",
    "centre": "middle",
    "foreground": "foreground",
    "background": "background",
    "distance": "background",
}
_INSIDE = {
    **_PLACES,
    "central": "middle",
    "distant": "background",
    "closest": "foreground",
    "nearest": "foreground",
}
_SIDE = frozenset(
    (
        "side",
        "corner",
        "edge",
        "hand",
        "part",
        "half",
        "portion",
        "third",
        "section",
        "foreground",
        "background",
    )
)
_COPULA = frozenset(
    (
        "is",
        "are",
        "was",
        "were",
        "sits",
        "stands",
        "lies",
        "appears",
        "sit",
        "stand",
        "lie",
        "appear",
        "seated",
        "standing",
        "sitting",
    )
)
_BEGINS = frozenset(("and", "while", "but", "with", "whereas"))


_HELD = 10  # words between who holds and what is held
_PREDICATE = 8  # words behind a phrase in which a verb may tell its colour


@dataclass(frozen=True, slots=True)
class _Place:
    """A place told at tokens [first, past): words of `_PLACES`, whether a comma follows it."""

    first: int
    past: int
    names: tuple[str, ...]


class Context:
    """Adds to the mentions of one text what stands around them."""

    def __init__(
        self, words: English, text: str, found: Sequence[Token], mentions: Sequence[Mention]
    ) -> None:
        self._words = words
        self._text = text
        self._found = found
        self._mentions = mentions
        self._starts = [token.start for token in found]
        self._begins = [mention.start for mention in mentions]

    def add(self) -> None:
        for mention in self._mentions:
            self._inside(mention)
        for place in self._places():
            self._attach(place)
        for number in range(len(self._mentions)):
            self._company(number)
            self._told(number)

    def _token(self, point: int) -> int:
        """The number of the token that starts at or behind a code point."""
        return bisect_left(self._starts, point)

    def _inside(self, mention: Mention) -> None:
        words = self._found[self._token(mention.start) : self._token(mention.head)]
        mention.place = tuple(dict.fromkeys(_INSIDE[t.text] for t in words if t.text in _INSIDE))

    def _places(self) -> list[_Place]:
        found: list[_Place] = []
        number = 0
        while number < len(self._found):
            if self._found[number].text in _PLACES and not self._inside_any(number):
                past = number + 1
                names = [_PLACES[self._found[number].text]]
                while past < len(self._found) and self._found[past].gap in " -":
                    word = self._found[past].text
                    if word in _PLACES:
                        names.append(_PLACES[word])
                    elif word not in _SIDE:
                        break
                    past += 1
                place = self._checked(number, past, names)
                if place is not None:
                    found.append(place)
                number = past
            else:
                number += 1
        return found

    def _inside_any(self, number: int) -> bool:
        token = self._found[number]
        at = bisect_right(self._begins, token.start) - 1
        return at >= 0 and token.start < self._mentions[at].end

    def _checked(self, first: int, past: int, names: list[str]) -> _Place | None:
        """Only places of the picture: not "turning left", "left of the dog", "in the middle of the road"."""
        found, words = self._found, self._words
        article = next((n for n in range(first - 1, max(-1, first - 4), -1) if found[n].text == "the"), None)
        alone = names[0] in ("foreground", "background") or "foreground" in names or "background" in names
        if article is None or any(found[n].gap in ".," for n in range(article + 1, first + 1)):
            if not alone:
                return None
            article = first
        before = article - 1
        turned = before >= 1 and found[before - 1].text in words["looking"]
        if turned and found[before].text in ("to", "toward", "towards"):
            return None
        if past < len(found) and found[past].text == "of" and found[past].gap == " ":
            nouns = [token.text for token in found[past + 1 : past + 4]]
            if not any(noun in words["image"] for noun in nouns) and (
                self._mention_from(past + 1) is not None or names[0] in ("middle", "top", "bottom")
            ):
                self._relative(before, past, names)
                return None
        if found[first].text in ("upper", "lower") and past == first + 1:
            return None
        start = before if before >= 0 and found[article].gap == " " else article
        return _Place(start, past, tuple(dict.fromkeys(names)))

    def _relative(self, before: int, past: int, names: Sequence[str]) -> None:
        """ "to the left of the window there is a dog": beside another thing."""
        anchor = self._mention_from(past + 1)
        if anchor is None or names[0] not in ("left", "right") or before < 0:
            return
        opens = self._found[before].gap in ".,"
        target = self._mention_from_end(anchor.end) if opens else self._mention_before(before)
        if target is None or target is anchor or target.sentence != anchor.sentence:
            return
        if names[0] == "left":
            target.left_of = anchor.noun.labels
        else:
            target.right_of = anchor.noun.labels

    def _mention_from(self, number: int) -> Mention | None:
        """The mention that starts within two words of a token."""
        if number >= len(self._found):
            return None
        found = self._mention_from_end(self._found[number].start)
        near = self._found[min(len(self._found) - 1, number + 1)].start
        return found if found is not None and found.noun.labels and found.start <= near else None

    def _mention_from_end(self, point: int) -> Mention | None:
        at = bisect_left(self._begins, point)
        return self._mentions[at] if at < len(self._mentions) else None

    def _mention_before(self, number: int) -> Mention | None:
        at = bisect_left(self._begins, self._found[number].start) - 1
        found = self._mentions[at] if at >= 0 else None
        return found if found is not None and found.sentence == self._found[number].sentence else None

    def _attach(self, place: _Place) -> None:
        found = self._found
        sentence = found[place.first].sentence
        started = place.first > 0 and found[place.first - 1].text in _BEGINS
        opens = started or found[place.first].gap in ".,"
        behind = self._mention_from_end(found[place.past - 1].end)
        behind = behind if behind is not None and behind.sentence == sentence else None
        ahead = self._mention_before(place.first)
        if behind is not None and (ahead is None or opens) and self._leads(place, behind, opens):
            self._give(behind, place.names)
            self._coordinate(behind, place.names)
            if opens and set(place.names) & {"foreground", "background"}:
                self._spread(behind, place.names)
            return
        if ahead is None:
            return
        if any(
            token.text in _COPULA
            for token in found[max(0, place.first - 4) : place.first]
            if token.start >= ahead.end
        ):
            ahead = self._subject(ahead, place)
        self._give(ahead, place.names)

    def _leads(self, place: _Place, behind: Mention, opens: bool) -> bool:
        """ "On the left, a dog", "On the left is a dog"; not "a cat on the left, and a dog"."""
        found = self._found
        if place.past >= len(found):
            return False
        follows = found[place.past]
        first = place.first == 0 or found[place.first].gap == "."
        started = place.first > 0 and found[place.first - 1].text in _BEGINS
        return (
            first
            or follows.gap == " "
            or (started and follows.gap == ",")
            or (opens and follows.gap == "," and found[place.first].gap == "," and self._mention_gap(place))
        )

    def _mention_gap(self, place: _Place) -> bool:
        return self._found[place.past].text not in ("and", "while", "but", "with")

    def _subject(self, ahead: Mention, place: _Place) -> Mention:
        """The first mention of the clause that the place ends: "The man with the dog is on the left"."""
        at = bisect_left(self._begins, ahead.start)
        while at > 0 and self._mentions[at - 1].sentence == ahead.sentence:
            between = self._found[
                self._token(self._mentions[at - 1].end) : self._token(self._mentions[at].start)
            ]
            if any(token.text in _COPULA or token.text in self._words["scope_end"] for token in between):
                break
            if any(token.gap == "," for token in between) or not between or between[0].text == "and":
                break
            at -= 1
        return self._mentions[at]

    def _give(self, mention: Mention, names: Sequence[str]) -> None:
        mention.place = tuple(dict.fromkeys((*mention.place, *names)))

    def _coordinate(self, first: Mention, names: Sequence[str]) -> None:
        """ "On the left are a dog and a cat": both."""
        at = bisect_left(self._begins, first.start)
        for before, after in zip(self._mentions[at:], self._mentions[at + 1 : at + 4], strict=False):
            between = self._found[self._token(before.end) : self._token(after.start)]
            if [token.text for token in between] not in ([], ["and"]) or after.sentence != first.sentence:
                return
            start = self._found[self._token(after.start)]
            if start.gap == ",":
                return
            self._give(after, names)

    def _spread(self, first: Mention, names: Sequence[str]) -> None:
        """ "In the background, guests sit at a table": all of the sentence that is placed nowhere else."""
        for other in self._mentions[bisect_left(self._begins, first.start) + 1 :][:8]:
            if other.sentence != first.sentence or other.place:
                return
            if other.form != "the":
                self._give(other, names)

    def _company(self, number: int) -> None:
        """ "a man riding a bike": the man with a bike near him, the bike with a man near it."""
        if number + 1 >= len(self._mentions):
            return
        one, other = self._mentions[number], self._mentions[number + 1]
        between = self._found[self._token(one.end) : self._token(other.start)]
        if one.sentence != other.sentence or not one.noun.person or other.noun.person or len(between) > _HELD:
            return
        if any(token.text in self._words["holding"] for token in between):
            one.beside = one.beside or other.noun.labels
            other.beside = other.beside or one.noun.labels
            other.holder = number

    def _told(self, number: int) -> None:
        """ "The dog is black and white": colours that the verb behind gives."""
        mention = self._mentions[number]
        at = self._token(mention.end)
        ends = self._mentions[number + 1].start if number + 1 < len(self._mentions) else len(self._text)
        told: list[str] = []
        verb = False
        for token in self._found[at : at + _PREDICATE]:
            if token.gap == "." or token.start >= ends or token.text in self._words["scope_end"]:
                break
            if token.text in self._words.colours and verb:
                told.append(self._words.colours[token.text])
            elif told and token.text != "and":
                # "is red brick", "is a red one": no colour of the thing, unless the clause ends
                told = told if token.gap == "," or token.text in self._words["stop"] else []
                break
            verb = verb or token.text in ("is", "are", "looks", "look")
        mention.hints = tuple(dict.fromkeys(told))
