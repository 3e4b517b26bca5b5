"""What a question asks for, as terms to look for in lines of text: words, numbers, labels of documents.

Nothing here understands a question. It tells what a line has of it: letter case, plurals, one slip of the
reader in a long word and the particles of Korean nouns are allowed for, and a label ("total") is also found
in the other languages that are read ("합계", "合計").
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

_HAN = "\u3400-\u4dbf\u4e00-\u9fff々"
_KANA = "\u3040-\u30ff"
_HANGUL = "\uac00-\ud7a3"
_TOKEN = re.compile(rf"\d+(?:[.,:/\-]\d+)*|[a-z\u00c0-\u024f]+(?:'[a-z]+)?\d*|[{_HANGUL}]+|[{_HAN}{_KANA}]+")
_EAST = re.compile(rf"[{_HAN}{_KANA}{_HANGUL}]")
_CHINESE_OR_JAPANESE = re.compile(rf"[{_HAN}{_KANA}]")
_PREDICATE = re.compile(r"(?:나요|습니까|니까|[었았했]어|어요|아요|해요|는지|[었았했]나|까요|줘|주세요)$")
# Characters that readers take for one another, folded into one.
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "8": "b", "2": "z", "6": "b"})

# Weights: a label that the question names, one that it paraphrases ("pay" for "total"), one that fits any.
_NAMED, _ASKED, _GENERIC, _NUMBER = 1.2, 1.0, 0.25, 1.2


@dataclass(frozen=True, slots=True)
class Term:
    """`forms` are what it looks like in text, normalised; `said` is the word of the question. `kind` is what
    the value beside a label must be ("amount", "date"...), "" for any; `label` its key in the data, "" for a
    word of the question's own; `generic` labels tell only what the value looks like. `weight` is how much it
    tells that text holds the term.
    """

    said: str
    forms: tuple[str, ...]
    label: str = ""
    kind: str = ""
    generic: bool = False
    weight: float = 1.0

    @property
    def paraphrased(self) -> bool:
        """A label that the question asks for in other words."""
        return bool(self.label) and self.weight == _ASKED


@dataclass(frozen=True, slots=True)
class _Label:
    term: Term
    ask: re.Pattern[str] | None
    ask_around: re.Pattern[str] | None  # the same with other words in between: these are looked for too
    named: re.Pattern[str]  # any of the forms


@dataclass(frozen=True, slots=True)
class Words:
    """The word lists of data/terms.toml and data/labels.toml, ready for use."""

    english: frozenset[str]
    korean: frozenset[str]
    eastern: re.Pattern[str]  # function words of Chinese and Japanese
    particles: tuple[str, ...]  # longest first
    labels: tuple[_Label, ...]
    translations: Mapping[str, tuple[str, ...]]  # any form of a word -> all of them


def load_words() -> Words:
    """Reads the data files; callers keep the result."""
    stop, labels = _table("terms"), _table("labels")
    eastern = sorted([*stop["chinese"].split(), *stop["japanese"].split()], key=len, reverse=True)
    particles = [*stop["endings"].split(), *stop["particles"].split()]
    groups = [(word, *_forms(others)) for word, others in labels["translations"].items()]
    return Words(
        frozenset(stop["english"].split()),
        frozenset(stop["korean"].split()),
        re.compile("|".join(map(re.escape, eastern))),
        tuple(sorted(particles, key=len, reverse=True)),
        tuple(_label(row, frozenset(stop["english"].split())) for row in labels["label"]),
        {form: group for group in groups for form in group},
    )


def _table(name: str) -> Mapping[str, Any]:
    path = resources.files("foveal.engines") / "data" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _forms(text: str) -> tuple[str, ...]:
    return tuple(normal(form.strip()) for form in text.split(";"))


def _label(row: Mapping[str, Any], stop: frozenset[str]) -> _Label:
    forms = _forms(row["forms"])
    close = "|".join(pattern for pattern in row["ask"] if ".*" not in pattern)
    wide = "|".join(pattern for pattern in row["ask"] if ".*" in pattern)
    telling = sorted((form for form in forms if len(form) > 1 and form not in stop), key=len, reverse=True)
    named = [rf"\b{re.escape(form)}s?\b" if form.isascii() else re.escape(form) for form in telling]
    term = Term(row["key"], forms, row["key"], row.get("kind", ""), row.get("generic", False))
    return _Label(
        term,
        re.compile(close) if close else None,
        re.compile(wide) if wide else None,
        re.compile("|".join(named)),
    )


def normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def squeezed(low: str) -> str:
    """Normalised text without blanks and marks: East Asian words are found across them."""
    return re.sub(r"[\s·.,:()\[\]]+", "", low)


def tokens(low: str) -> list[str]:
    """Words and numbers of normalised text; "1,200" and "9:30" stay one."""
    return _TOKEN.findall(low)


def plain_number(token: str) -> str:
    """ "1,200" is "1200"."""
    return re.sub(r"(?<=\d),(?=\d{3})", "", token)


def stem(word: str) -> str:
    """English words less their plural."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word.removesuffix("'s")


def is_hangul(word: str) -> bool:
    return bool(re.match(rf"[{_HANGUL}]", word))


def question_terms(question: str, words: Words) -> tuple[Term, ...]:
    """Labels first, most telling (longest named) first; then the words that no label covers, in their order.

    "What is the phone number of the Seoul office?": the label phone; seoul, office.
    """
    low = normal(question)
    named: list[tuple[Term, list[tuple[int, int]]]] = []
    for label in words.labels:
        spans = [match.span() for match in label.named.finditer(low)]
        weight = _GENERIC if label.term.generic else _NAMED if spans else _ASKED
        if label.ask is not None:
            spans += [match.span() for match in label.ask.finditer(low)]
        if spans or (label.ask_around is not None and label.ask_around.search(low)):
            named.append((replace(label.term, weight=weight), spans))
    covered = [span for _, spans in named for span in spans]
    labels = [  # "price" inside "unit price" is not asked for
        (max((end - start for start, end in spans), default=0), term)
        for term, spans in named
        if not spans or not all(any(_inside(span, other) for other in covered) for span in spans)
    ]
    rest = "".join(" " if any(a <= at < b for a, b in covered) else letter for at, letter in enumerate(low))
    found = [term for _, term in sorted(labels, key=lambda pair: -pair[0])]
    for word in _telling_words(rest, words):
        forms = words.translations.get(word, (word,))
        found.append(Term(word, forms, weight=_NUMBER if word[0].isdigit() else 1.0))
    return tuple(dict.fromkeys(found))


def labels_in(text: str, words: Words) -> tuple[Term, ...]:
    """The labels that a piece of text names, longest first; those inside longer ones are left out."""
    low = normal(text)
    found = [(match.span(), label.term) for label in words.labels for match in label.named.finditer(low)]
    spans = [span for span, _ in found]
    return tuple(
        term
        for span, term in sorted(found, key=lambda pair: pair[0][0] - pair[0][1])
        if not any(_inside(span, other) for other in spans)
    )


def _inside(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return span != other and other[0] <= span[0] and span[1] <= other[1]


def _telling_words(low: str, words: Words) -> list[str]:
    found: list[str] = []
    for token in tokens(low):
        if is_hangul(token):
            bare = "" if _PREDICATE.search(token) else _bare(token, words)
            if len(bare) > 1 or bare in words.translations:  # other single syllables are ends of words
                found.append(bare)
        elif _CHINESE_OR_JAPANESE.match(token):
            found += _eastern(token, words)
        elif token[0].isdigit():
            found.append(plain_number(token))
        elif token not in words.english and len(token) > 1:
            found.append(stem(token))
    return list(dict.fromkeys(found))


def _bare(word: str, words: Words) -> str:
    """A Korean noun without its ending and particle; "" when nothing telling is left."""
    if word in words.particles:  # left over from a label
        return ""
    for _ in range(2):
        if any(word == known or (len(known) > 1 and word.startswith(known)) for known in words.korean):
            return ""
        for particle in words.particles:
            if word.endswith(particle) and len(word) - len(particle) >= (2 if len(particle) == 1 else 1):
                word = word[: -len(particle)]
                break
        else:
            break
    return "" if word in words.korean else word


def _eastern(run: str, words: Words) -> list[str]:
    """Chinese and Japanese write no blanks: what is left between function words, and its pairs."""
    found = [piece for piece in words.eastern.split(run) if len(piece) >= 2]
    pairs = [piece[at : at + 2] for piece in found if len(piece) > 3 for at in range(len(piece) - 1)]
    return [*found, *pairs]


def alike(term: str, word: str) -> bool:
    """Whether `word`, as read, is `term`: equal, equal but for look-alikes, or one slip in a long word."""
    if term == word:
        return True
    if term[0].isdigit() and word[0].isdigit():
        return term == plain_number(word)
    if abs(len(term) - len(word)) > 1 or len(term) < 3:
        return False
    if any(letter.isdigit() for letter in word + term):
        return not term.isdigit() and term.translate(_ALIKE) == word.translate(_ALIKE)
    return len(term) >= 5 and (term[0] == word[0] or term[-1] == word[-1]) and _one_slip(term, word)


def _one_slip(a: str, b: str) -> bool:
    """One letter changed, added or lost."""
    if len(a) > len(b):
        a, b = b, a
    at = next((place for place, letter in enumerate(a) if letter != b[place]), len(a))
    return a[at + 1 :] == b[at + 1 :] if len(a) == len(b) else a[at:] == b[at + 1 :]


class Matcher:
    """Looks for terms in texts; remembers each word that it has judged, so that long pages stay cheap."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = tuple(terms)
        self._single: list[tuple[int, str]] = []  # forms of one word
        self._phrases: list[tuple[int, str]] = []  # forms of several
        self._runs: list[tuple[int, str]] = []  # East Asian forms
        for at, term in enumerate(self.terms):
            for form in term.forms:
                if _EAST.search(form):
                    self._runs.append((at, squeezed(form)))
                elif len(tokens(form)) > 1 or not form.isalnum():
                    self._phrases.append((at, form))
                else:
                    self._single.append((at, stem(form)))
        self._known: dict[str, frozenset[int]] = {}

    def hits(self, text: str) -> frozenset[int]:
        """Which of the terms (by place) the text holds."""
        low = normal(text)
        found: set[int] = set()
        parts = tokens(low)
        for token in parts:
            judged = self._known.get(token)
            if judged is None:
                judged = self._known[token] = self._judge(token)
            found |= judged
        if self._runs and _EAST.search(low):
            together = squeezed(low)
            alone = {token for token in parts if len(token) == 1}
            found |= {
                at for at, run in self._runs if (run in alone if _is_syllable(run) else run in together)
            }
        if self._phrases:
            found |= {at for at, phrase in self._phrases if phrase in low}
        return frozenset(found)

    def _judge(self, token: str) -> frozenset[int]:
        forms = {token, stem(token), *re.findall(r"\d+|[^\d\W]{2,}", token)}
        return frozenset(
            at
            for at, term in self._single
            if any(alike(term, form) for form in forms) or _same_root(term, token)
        )


def _is_syllable(run: str) -> bool:
    """One Hangul syllable is in too many words; a Chinese character mostly keeps its sense in them."""
    return len(run) == 1 and is_hangul(run)


def _same_root(term: str, word: str) -> bool:
    """ "depart" and "departure": one begins with the other."""
    if len(term) < 5 or len(word) < 5 or not word.isascii() or not word.isalpha():
        return False
    shorter = min(len(term), len(word))
    return term[:shorter] == word[:shorter] and max(len(term), len(word)) - shorter <= 4
