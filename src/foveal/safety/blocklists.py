"""Finding the terms and patterns of blocklists in a text, in time that grows with its length only."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import re2

from foveal.errors import InvalidRequest
from foveal.resources.content_filters import Blocklist


class Blocklists:
    """Each list is prepared when it is first used, once, and kept. Calls may run side by side, and belong
    beside the event loop: a long text takes milliseconds.
    """

    def __init__(self) -> None:
        self._preparing = threading.Lock()
        self._prepared: dict[Blocklist, _Prepared] = {}

    def found(self, lists: Sequence[Blocklist], *texts: str) -> list[str]:
        """The names of the lists of which something stands in a text, each once."""
        if not lists:
            return []
        plain = [unicodedata.normalize("NFKC", text) for text in texts]
        folded = [text.casefold() for text in plain]
        names = [one.name for one in lists if self._of(one).within(plain, folded)]
        return list(dict.fromkeys(names))

    def _of(self, blocklist: Blocklist) -> _Prepared:
        with self._preparing:
            found = self._prepared.get(blocklist)
            if found is None:
                patterns = tuple(compile_pattern(pattern) for pattern in blocklist.patterns)
                found = _Prepared(Terms(blocklist.terms), patterns)
                self._prepared[blocklist] = found
            return found


@dataclass(frozen=True, slots=True)
class _Prepared:
    terms: Terms
    patterns: tuple[Any, ...]  # RE2's: no text makes them slow

    def within(self, plain: Sequence[str], folded: Sequence[str]) -> bool:
        return any(map(self.terms.within, folded)) or any(
            one.search(text) is not None for one in self.patterns for text in plain
        )


class Terms:
    """Terms as whole words; Korean and the like write endings to a word, so there only the beginning counts.

    They are looked up, not compiled: one expression of a thousand terms is too large for RE2, and one of a
    hundred takes it seconds. A term can only begin where a word begins, or at the sign that it begins with.
    """

    def __init__(self, terms: Sequence[str]) -> None:
        told = (unicodedata.normalize("NFKC", term.strip()).casefold() for term in terms)
        self._terms = frozenset(term for term in told if term)
        lengths: dict[str, set[int]] = {}
        for term in self._terms:
            lengths.setdefault(term[0], set()).add(len(term))
        self._lengths = {first: tuple(sorted(some)) for first, some in lengths.items()}
        signs = "".join(first for first in self._lengths if not _is_word(first))
        self._starts = re.compile(r"(?<!\w)\w" + (f"|[{re.escape(signs)}]" if signs else ""))

    def within(self, text: str) -> bool:
        """`text`: NFKC, casefolded."""
        if not self._terms:
            return False
        for start in self._starts.finditer(text):
            for length in self._lengths.get(start[0], ()):
                end = start.start() + length
                if text[start.start() : end] in self._terms and _ends(text, end):
                    return True
        return False


def _ends(text: str, end: int) -> bool:
    """Whether a term may end there."""
    last = text[end - 1]
    return not (last.isascii() and _is_word(last)) or end >= len(text) or not _is_word(text[end])


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def compile_pattern(pattern: str) -> Any:
    """Raises `InvalidRequest`, saying what is wrong with it."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise InvalidRequest(
            f"'{pattern[:80]}' is no regular expression: {reason}", param="pattern"
        ) from None
