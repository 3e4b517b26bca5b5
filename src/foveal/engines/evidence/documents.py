"""Questions about the text of a document, answered by rules over its rows: labels, tables, lists.

Nothing is computed or invented: an answer is made of pieces of the text, or there is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from foveal.engines.evidence import reading, tables, values
from foveal.engines.evidence.document_phrases import DocumentPhrases, Found
from foveal.engines.evidence.intents import Answer, Ask, Question
from foveal.engines.evidence.lookup import ENOUGH, Hit, Lookup
from foveal.engines.evidence.page import Entry, Page
from foveal.engines.evidence.vocabulary import Language
from foveal.engines.evidence.vocabulary_tables import data_table
from foveal.engines.layout import Row
from foveal.engines.terms import Words, load_words, question_terms

MOST_VALUES = 6  # in one answer
_MENTIONED = 0.85  # share of the terms that a row must hold to mention them
_TOPIC = 0.45  # the same of a sentence that is quoted instead of yes or no, for the asker to judge
_SURE_QUOTE = 0.75  # share of the terms that a sentence must hold to be quoted where no value was asked for
_ORDER = {
    word: number
    for words in (
        "first second third fourth fifth sixth seventh eighth ninth tenth",
        "첫 두 세 네 다섯 여섯 일곱 여덟 아홉 열",
    )
    for number, word in enumerate(words.split(), 1)
}
_VISUAL = (
    Ask.COLOUR, Ask.COLOUR_YES_NO, Ask.FACES, Ask.DOING, Ask.DESCRIBE, Ask.PLACE_YES_NO,
    Ask.RELATION_YES_NO,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forms:
    """data/documents.toml, compiled."""

    pattern: Mapping[str, re.Pattern[str]]
    kinds: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]
    not_items: frozenset[str]
    bare: frozenset[str]
    noise: frozenset[str]
    itself: frozenset[str]
    words: Words


def load_forms() -> Forms:
    """Reads the data files; callers keep the result."""
    table: Mapping[str, Any] = data_table("documents")
    texts = {
        name: text
        for name, text in table.items()
        if isinstance(text, str) and name not in ("noise", "itself")
    }
    return Forms(
        {name: re.compile(text) for name, text in texts.items()},
        tuple((re.compile(pattern), tuple(kinds)) for pattern, kinds in table["kinds"]),
        frozenset(table["not_items"]),
        frozenset(table["bare"]),
        frozenset(table["noise"].split()),
        frozenset(table["itself"].split()),
        load_words(),
    )


@dataclass(slots=True)
class Documents:
    """One page, answering in one language."""

    page: Page
    forms: Forms
    language: Language
    say: DocumentPhrases = field(init=False)

    def __post_init__(self) -> None:
        self.say = DocumentPhrases(self.language)

    def concerns(self, question: Question, *, seen: bool) -> bool:
        """Whether the question may be about the text; `seen`: a thing that it names is in the picture."""
        if question.ask in _VISUAL or self.forms.pattern["look"].search(question.text.lower()):
            return False
        if question.ask in (Ask.READ, Ask.SAYS, Ask.OPEN, Ask.UNKNOWABLE):
            return True
        return not seen

    def answer(self, question: Question) -> Answer | None:
        """None when no rule finds an answer in the text."""
        low = question.text.lower().strip(" ?？.!")
        lookup = self.lookup(question.text)
        if question.ask == Ask.SAYS:
            return None  # the rule of pictures compares letter by letter
        if question.ask == Ask.READ and not lookup.telling and question.target in ("", "any"):
            return self._read(question)
        if self.is_yes_no(question):
            return self._mentioned(low, lookup)
        for rule in (self._nth, self._listed, self._extreme, self._counted):
            found = rule(low, lookup)
            if found is not None:
                return found
        return self._value(low, lookup) or self._typed(low, lookup) or self._name(lookup)

    def lookup(self, question: str) -> Lookup:
        """The question's terms over the page, less words of counting, and less those for the document itself
        ("the concert") where the text does not use them.
        """
        terms = question_terms(question, self.forms.words)
        kept = [term for term in terms if term.label or term.said not in self.forms.noise]
        lookup = Lookup(self.page, tuple(kept), self.forms.words)
        labelled = any(
            term.label and not term.generic and term.said not in self.forms.itself for term in kept
        )
        rows = [lookup.hits(row.text) for row in self.page.rows if len(row.cells) > 1]
        idle = {
            term
            for at, term in enumerate(kept)
            if term.said in self.forms.itself and (labelled or not any(at in row for row in rows))
        }
        return (
            Lookup(self.page, tuple(t for t in kept if t not in idle), self.forms.words) if idle else lookup
        )

    def quoted(self, question: Question) -> Answer | None:
        """The one sentence or row that holds most of what the question asks for."""
        lookup = self.lookup(question.text)
        score, best = self._best_sentence(lookup)
        floor = _SURE_QUOTE
        if self.is_yes_no(question):
            floor = _TOPIC
            own = frozenset(at for at in lookup.present if not lookup.terms[at].label)
            rows = [row.text for row in self.page.rows if own and own <= lookup.hits(row.text)]
            if len(rows) == 1:  # "open on Mondays?": what is said of Mondays rather than of opening
                score, best = lookup.in_text(rows[0]), rows[0]
        return self.say.quote(best) if lookup.speaks and score >= floor else None

    def _best_sentence(self, lookup: Lookup) -> tuple[float, str]:
        """The sentence that holds most of the terms, or two that follow one another where one does not do."""
        alone = self.page.sentences
        pairs = [f"{one} {other}" for one, other in pairwise(alone)]
        scored = [(lookup.in_text(one), one) for one in alone]
        scored += [(0.9 * lookup.in_text(one), one) for one in pairs if len(one) <= 200]
        return max(scored, default=(0.0, ""), key=lambda pair: pair[0])

    def cannot_tell(self) -> Answer:
        return self.say.cannot_tell()

    def may_be_worded_otherwise(self, question: str, lookup: Lookup) -> bool:
        """Whether the text may answer in other words than the question: not where a number is asked for."""
        if any(lookup.terms[at].said[0].isdigit() for at in lookup.telling - lookup.present):
            return False  # "in 2018", where the table begins with 2019
        exact = {"amount", "number", "code", "phone"} & set(self._kinds(question.lower(), lookup))
        return lookup.speaks or not exact

    def is_yes_no(self, question: Question) -> bool:
        low = question.text.lower().strip(" ?？.!")
        pattern = self.forms.pattern
        return bool(pattern["yes_no"].search(low)) and not pattern["asks"].search(low)

    def _read(self, question: Question) -> Answer | None:
        number = reading.line_number(question.text)
        rows = self.page.rows
        if number is None:
            return self.say.everything(self.page.text)
        if not -1 <= number <= len(rows) or not rows:
            return self.say.cannot_tell()
        return self.say.quote(rows[number - 1 if number > 0 else -1].text)

    def _mentioned(self, low: str, lookup: Lookup) -> Answer | None:
        """ "Is there a muffin on the receipt?": the row that says so, or no."""
        if not self.forms.pattern["mention"].search(low) or not lookup.telling:
            return None
        best = max(self.page.rows, key=lambda row: lookup.in_text(row.text))
        if lookup.in_text(best.text) >= _MENTIONED:
            return self.say.mentioned(best.text)
        wanted = " ".join(lookup.terms[at].said for at in sorted(lookup.telling))
        return self.say.not_mentioned(wanted)

    def _nth(self, low: str, lookup: Lookup) -> Answer | None:
        found = self.forms.pattern["nth"].search(low)
        rows = tables.items(lookup, self.forms.not_items)
        if not found or not rows:
            return None
        word = next(group for group in found.groups() if group)
        number = len(rows) if word in ("last", "마지막") else _ORDER[word]
        return self.say.quote(rows[number - 1].text) if number <= len(rows) else self.say.cannot_tell()

    def _listed(self, low: str, lookup: Lookup) -> Answer | None:
        if not self.forms.pattern["list"].search(low):
            return None
        below = [one.value for one in tables.column(lookup)]
        names = below or [tables.name_of(row) for row in tables.items(lookup, self.forms.not_items)]
        if not names or (not below and lookup.present):
            return None
        return self.say.listed(list(dict.fromkeys(names)))

    def _extreme(self, low: str, lookup: Lookup) -> Answer | None:
        pattern = self.forms.pattern
        time = next((name for name in ("latest", "earliest") if pattern[name].search(low)), "")
        number = next((name for name in ("highest", "lowest") if pattern[name].search(low)), "")
        if not time and not number:
            return None
        rows = self._rows_with_times() if time else tables.items(lookup, self.forms.not_items)
        found = tables.compared(lookup, rows, time=bool(time))
        if len(found) < 2:
            return None
        choose = max if (time or number) in ("latest", "highest") else min
        value, entry = choose(found, key=lambda pair: pair[0])
        same = [one for other, one in found if other == value]
        if len(same) > 1:
            return self.say.given([self._found(one, one.value, "".join(one.header[:1])) for one in same])
        if time:
            return self.say.quote(self.page.rows[entry.row].text, entry.value)
        across = len({one.row for _, one in found}) == 1
        name = entry.header[0] if across else tables.name_of(self.page.rows[entry.row])
        return self.say.extreme(name, entry.value)

    def _rows_with_times(self) -> list[Row]:
        rows = [row for row in self.page.rows if len(row.cells) > 1]
        return [row for row in rows if any(values.as_minutes(cell.text) is not None for cell in row.cells)]

    def _counted(self, low: str, lookup: Lookup) -> Answer | None:
        """How many rows of a kind there are, where no number is written for it."""
        pattern = self.forms.pattern
        if not pattern["count"].search(low):
            return None
        if lookup.telling:
            written = lookup.best(("number",), counting=True)
            if written:
                return self._given(written, lookup)
        if pattern["things"].search(low) and not lookup.present:
            names = [tables.name_of(row) for row in tables.items(lookup, self.forms.not_items)]
            return self.say.counted(names) if names else None
        rows = tables.matching_rows(lookup)
        return self.say.counted([row.text for row in rows]) if rows else None

    def _kinds(self, low: str, lookup: Lookup) -> tuple[str, ...]:
        """What the value must look like: as the question says, else as its first label does."""
        ranked = sorted(lookup.terms, key=lambda term: term.generic)
        label = next((term.kind for term in ranked if term.kind), "")
        for pattern, kinds in self.forms.kinds:
            if pattern.search(low):
                return tuple(sorted(kinds, key=lambda kind: kind != label))
        return (label,)

    def _value(self, low: str, lookup: Lookup) -> Answer | None:
        kinds = self._kinds(low, lookup)
        hits = lookup.best(kinds)
        return self._given(hits, lookup) if hits else None

    def _given(self, hits: Sequence[Hit], lookup: Lookup) -> Answer:
        """One of the values of each row where the question tells no column: the last, where amounts stand."""
        rows = {hit.entry.row: hit for hit in hits}
        keys = [hit.entry.key for hit in hits]
        if len(rows) < len(hits) and len({hit.entry.header[:1] for hit in hits}) < len(hits):
            hits = list(rows.values())
        found: dict[tuple[str, str], Found] = {}
        for hit in hits:
            head = hit.entry.header[0] if hit.entry.header else ""
            told = head if lookup.hits(head) or keys.count(hit.entry.key) > 1 else ""
            one = self._found(hit.entry, hit.piece, told)
            found.setdefault((one.value, one.key), one)
        return self.say.given(list(found.values())[:MOST_VALUES])

    def _found(self, entry: Entry, piece: str, header: str) -> Found:
        header = header.rstrip(" :：")
        key = entry.key.rstrip(" :：")
        return Found(piece, key, "" if header == key else header)

    def _name(self, lookup: Lookup) -> Answer | None:
        """Who a receipt or a letter is from, where nothing says it: its first line does."""
        seller = lookup.terms and all(term.label == "seller" for term in lookup.terms)
        return self.say.quote(self.page.rows[0].cells[0].text) if seller else None

    def _typed(self, low: str, lookup: Lookup) -> Answer | None:
        """The value without a label of its own: the only one of its kind in the best sentence, or on the page
        where the question says no more than the kind ("What is the phone number?").
        """
        kinds = ["address" if kind == "place" else kind for kind in self._kinds(low, lookup)]
        kinds = [kind for kind in kinds if kind not in ("", "name", "number")]
        for kind in kinds:
            asked = [lookup.terms[at] for at in lookup.telling] or lookup.terms
            if asked and all(term.label in self.forms.bare for term in asked):
                found = [piece for row in self.page.rows for piece in values.pieces(row.text, kind)]
                if 0 < len(set(found)) <= MOST_VALUES:
                    return self.say.given([Found(piece) for piece in dict.fromkeys(found)])
        if not lookup.speaks:
            return None
        score, best = self._best_sentence(lookup)
        if score < ENOUGH:
            return None
        pieces = [piece for kind in kinds for piece in values.pieces(best, kind)]
        return self.say.quote(best, pieces[0] if len(set(pieces)) == 1 else "") if pieces else None
