"""Which value of a page a question asks for: the terms of the question against what labels each value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from foveal.engines.evidence import values
from foveal.engines.evidence.page import Entry, Page
from foveal.engines.terms import Matcher, Term, Words, labels_in, tokens

ENOUGH = 0.6  # share of the terms' weight that a label must hold
_TIE = 0.04
_LATER_KIND = 0.15  # what a value loses that is of the second kind asked for ("when": a date before a time)
_UNSAID = (
    0.5  # what a label weighs that the question paraphrases ("leave"), or that labels nothing ("Departures")
)
_UNKNOWN_WORD = 0.8  # what a term weighs that the page does not hold at all
_UNKNOWN_LABEL = 0.4  # labels often stand for themselves: nothing says "phone" before a phone number


@dataclass(frozen=True, slots=True)
class Hit:
    score: float
    entry: Entry
    piece: str  # the part of the value that is of the asked kind


@dataclass(slots=True)
class Lookup:
    """One question's terms over one page; remembers what each text holds."""

    page: Page
    terms: tuple[Term, ...]
    words: Words
    _matcher: Matcher = field(init=False)
    _known: dict[str, frozenset[int]] = field(init=False, default_factory=dict)
    _present: frozenset[int] = field(init=False)
    _labelling: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        self._matcher = Matcher(self.terms)
        found: set[int] = set()
        for row in self.page.rows:
            found |= self.hits(row.text)
        self._present = frozenset(found)
        labelling: set[int] = set()
        for entry in self.page.entries:
            for text in (entry.own, *entry.header, *(text for text, _ in entry.beside)):
                labelling |= self.hits(text)
        self._labelling = frozenset(labelling)

    def hits(self, text: str) -> frozenset[int]:
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._matcher.hits(text)
        return known

    @property
    def telling(self) -> frozenset[int]:
        """Terms that say what is asked for, not only of which kind it is."""
        return frozenset(at for at, term in enumerate(self.terms) if not term.generic)

    @property
    def present(self) -> frozenset[int]:
        """Telling terms that the page holds somewhere."""
        return self._present & self.telling

    @property
    def speaks(self) -> bool:
        """Whether the page holds any word that is asked for; of questions of numbers alone, any number."""
        words = [at for at in self.telling if not self.terms[at].said[0].isdigit()]
        return any(at in self._present for at in words or self.telling)

    def covered(self, found: dict[int, float]) -> float:
        """Share of the terms' weight that was found; generic terms only help."""
        have = need = 0.0
        for at, term in enumerate(self.terms):
            have += term.weight * found.get(at, 0.0)
            if term.generic:
                need += term.weight * found.get(at, 0.0)
            elif at in self._present:
                idle = term.label and (term.paraphrased or at not in self._labelling)
                need += _UNSAID if idle and at not in found else term.weight
            else:
                need += term.weight * (_UNKNOWN_LABEL if term.label else _UNKNOWN_WORD)
        return have / need if need else 0.0

    def in_text(self, text: str) -> float:
        return self.covered(dict.fromkeys(self.hits(text), 1.0))

    def best(self, kinds: Sequence[str], *, counting: bool = False) -> list[Hit]:
        """The values of those kinds that the terms label best, in the order of the page; empty when none is
        labelled well enough.
        """
        scored: list[Hit] = []
        for entry in self.page.entries:
            piece, late = self._piece(entry.value, kinds)
            if not piece or (counting and piece != entry.value):
                continue
            score = self._score(entry, kinds, counting=counting)
            if score >= ENOUGH:
                scored.append(Hit(score - _LATER_KIND * late, entry, piece))
        if not scored:
            return []
        top = max(hit.score for hit in scored)
        best = [hit for hit in scored if hit.score >= top - _TIE]
        inner = [hit for hit in best if hit.entry.own]  # the value alone rather than the cell with its label
        cells = {(hit.entry.row, hit.entry.column) for hit in inner}
        return [hit for hit in best if hit.entry.own or (hit.entry.row, hit.entry.column) not in cells]

    @staticmethod
    def _piece(value: str, kinds: Sequence[str]) -> tuple[str, bool]:
        """The first piece of the first kind that the value has any of; whether that is not the first kind."""
        for number, kind in enumerate(kinds):
            found = values.pieces(value, kind)
            if found:
                return found[0], number > 0
        return "", False

    def _score(self, entry: Entry, kinds: Sequence[str], *, counting: bool) -> float:
        found: dict[int, float] = {}

        def credit(text: str, share: float, *, numbers: bool = True) -> None:
            for at in self.hits(text):
                if numbers or not self.terms[at].said[0].isdigit():
                    found[at] = max(found.get(at, 0.0), share)

        credit(entry.heading, 0.5)
        for text, header in entry.beside:
            named = bool(self.hits(text))
            credit(header, 0.9 if named else 0.6, numbers=named)
            credit(text, 1.0)
        for text in entry.header:
            credit(text, 1.0)
        credit(entry.own, 1.0)
        if not self._tells(found, kinds):
            return 0.0
        score = self.covered(found)
        if score < ENOUGH:
            return score
        score -= self._strangers(entry)
        score += 0.12 * sum(share for at, share in found.items() if self.terms[at].generic)
        if counting:
            score += 0.1 if values.as_count(entry.value) is not None else 0.0
            score -= (
                0.3 if "." in entry.value or values.pieces(entry.value, "amount") == [entry.value] else 0.0
            )
        return score

    def _tells(self, found: Iterable[int], kinds: Sequence[str]) -> bool:
        """A number alone ("2021") labels nothing when words were asked for too."""
        telling = self.telling
        words = {at for at in telling if not self.terms[at].said[0].isdigit()}
        return any(at in (words or telling) or (not telling and self.terms[at].kind in kinds) for at in found)

    def _strangers(self, entry: Entry) -> float:
        """What speaks against a label: another label in it than asked for, words that nobody asked for."""
        asked = {term.label for term in self.terms if term.label}
        kinds = {term.kind for term in self.terms if term.kind}
        against = 0.0
        for text in (entry.own or entry.key, *entry.header):
            strange = [
                term for term in labels_in(text, self.words) if term.label not in asked and not term.generic
            ]
            if strange:
                against = max(against, 0.25 if strange[0].kind in kinds else 0.4)
        label = tokens((entry.own or entry.key).casefold())
        unasked = sum(not self.hits(word) for word in label)
        return against + (0.15 * unasked / len(label) if label else 0.0)
