"""Where an answer ends: at a stop sequence, or after exactly `max_tokens` tokens of cl100k.

Both work on a stream: text goes in piece by piece, and comes out as soon as it is certain to be part of
the answer, whatever may follow. How the engine cuts its pieces never changes the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

# A word ends for good before one of these, whatever follows: the tokenizer never joins across that place.
_WORD_ENDS = frozenset(' \t\n\r!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~。，、！？：；「」')
_COUNT_FROM = 512  # characters; shorter text is not counted while it cannot reach the limit
_LOOKAHEAD = 16  # tokens beyond the budget after which an endless word is cut without waiting for its end


class Tokens(Protocol):
    def encode(self, text: str) -> list[int]: ...

    def decode(self, tokens: list[int]) -> str: ...


class StopFinder:
    """Lets text through up to the first stop sequence; holds back only what could be the start of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.found = False

    def feed(self, piece: str) -> str:
        """The text that is certain now. After a stop was found, nothing more."""
        if not self._stops:
            return piece
        if self.found:
            return ""
        text = self._held + piece
        ends = [end for end in map(text.find, self._stops) if end >= 0]
        if ends:
            self.found = True
            self._held = ""
            return text[: min(ends)]
        keep = max(_overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def close(self) -> str:
        """What was held back, when no more text follows."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0


class TokenBudget:
    """Lets exactly `limit` tokens through: the first `limit` of the whole text's own encoding.

    Text is encoded word by word, because words (the tokenizer's pre-tokens) are final once they have ended.
    The word that is still open goes out at once while it cannot reach the limit; at the limit it is held back
    until its tokens are known. A character whose bytes do not all fit is left out.
    """

    def __init__(self, tokens: Tokens, limit: int) -> None:
        self._tokens = tokens
        self._limit = limit
        self._open = ""  # text whose tokens were not counted yet, or may still change
        self._bytes = 0  # no more tokens than this are in `_open`: a token is at least one byte
        self._sent = 0  # characters of `_open` that went out already
        self._scanned = 0  # characters of `_open` in which no word ends
        self.spent = 0  # tokens of the text that is final
        self.exhausted = False  # there was more text than the limit allows

    def feed(self, piece: str) -> str:
        """The text that is certain now; sets `exhausted` when the answer ends here."""
        if self.exhausted or not piece:
            return ""
        self._open += piece
        self._bytes += len(piece) if piece.isascii() else len(piece.encode("utf-8", "replace"))
        if self._bytes <= self._limit - self.spent and len(self._open) <= _COUNT_FROM:
            return self._send_open()
        out = ""
        end = _last_word_end(self._open, self._scanned)
        self._scanned = len(self._open) - end
        if end:
            out = self._settle(end)
            if self.exhausted:
                return out
        left = self._limit - self.spent
        if left <= 0:
            self.exhausted = True
        elif self._bytes <= left:
            out += self._send_open()
        elif len(self._tokens.encode(self._open)) > left + _LOOKAHEAD:
            out += self._settle(len(self._open))
        return out

    def _send_open(self) -> str:
        out = self._open[self._sent :]
        self._sent = len(self._open)
        return out

    def close(self) -> str:
        """The rest, when no more text follows (also between the text and the tool calls of an answer)."""
        return "" if self.exhausted else self._settle(len(self._open))

    @property
    def given(self) -> int:
        """Tokens of everything that went out, also of text that is not final yet: what an answer that is left
        now has cost.
        """
        return self.spent + (len(self._tokens.encode(self._open[: self._sent])) if self._sent else 0)

    def charge(self, text: str) -> bool:
        """Spend the tokens of text that goes out whole or not at all (the name of a tool)."""
        cost = len(self._tokens.encode(text))
        if self.exhausted or self.spent + cost > self._limit:
            self.exhausted = True
            return False
        self.spent += cost
        return True

    def _settle(self, end: int) -> str:
        """Make the first `end` characters of the open text final, or as many of them as fit."""
        text = self._open[:end]
        encoded = self._tokens.encode(text)
        left = self._limit - self.spent
        if len(encoded) > left:
            self.exhausted = True
            text = self._tokens.decode(encoded[:left])
            encoded = self._tokens.encode(text)
        out = text[self._sent :]
        self._sent = max(0, self._sent - end)
        self._open = "" if self.exhausted else self._open[end:]
        self._bytes = len(self._open.encode("utf-8", "replace"))
        self.spent += len(encoded)
        return out


def _last_word_end(text: str, start: int) -> int:
    """The last place at or after `start` where a word has ended for good, 0 when there is none."""
    for place in range(len(text) - 1, max(start, 1) - 1, -1):
        if text[place] in _WORD_ENDS and text[place - 1].isalnum():
            return place
    return 0
