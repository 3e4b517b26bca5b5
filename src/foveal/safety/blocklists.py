"""Finding the terms and patterns of blocklists in a text, in time that grows with its length only."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import re2

from foveal.errors import InvalidRequest
from foveal.resources.content_filters import Blocklist


class Blocklists:
    """Compiled as they are first used. Patterns are RE2's: no text makes them slow."""

    def __init__(self) -> None:
        self._compiled: dict[Blocklist, Any] = {}

    def found(self, lists: Sequence[Blocklist], text: str) -> list[str]:
        """The names of the lists of which something stands in the text."""
        if not lists:
            return []
        plain = unicodedata.normalize("NFKC", text)
        return [one.name for one in lists if self._pattern(one).search(plain) is not None]

    def _pattern(self, blocklist: Blocklist) -> Any:
        found = self._compiled.get(blocklist)
        if found is None:
            terms = [_term(term) for term in blocklist.terms]
            found = compile_pattern(
                "|".join([*terms, *(f"(?:{one})" for one in blocklist.patterns)]) or r"\z."
            )
            self._compiled[blocklist] = found
        return found


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


def _term(term: str) -> str:
    """As a whole word; Korean and the like write endings to a word, so there only the beginning counts."""
    plain = unicodedata.normalize("NFKC", term.strip())
    quoted = re2.escape(plain)
    before = r"(?:^|[^\pL\pN_])" if _is_word(plain[:1]) else ""
    after = r"(?:$|[^\pL\pN_])" if _is_word(plain[-1:]) and plain[-1:].isascii() else ""
    return f"{before}{quoted}{after}"


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"
