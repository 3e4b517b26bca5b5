"""From words with times to segments of speech, and words that a net repeats without end cut to one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from foveal.perception.base import SpeechSegment, SpokenWord

_ENDS = (".", "?", "!", "。", "？", "！", "…")
_CLAUSES = (*_ENDS, ",", ";", ":", "、", "，", "；", "：")
_CLOSING = "\"'”’»)]」』）"
_HYPHENS = ("-", "‐", "'", "’")
_BREATH = 0.2  # seconds between words: a sentence may end here
_PAUSE = 0.8  # seconds: a phrase ends, whatever its words
_LONG = 12.0  # seconds: a segment ends at the next comma or breath
_LONGEST = 20.0  # seconds: it ends
_SHORT = 4  # letters: "Mr.", "Mrs." and "St." end no sentence

_LOOP = 24  # words: a longer phrase is not looked for twice
_TIMES = 3  # that a phrase of several words may not be said in a row
_TIMES_WORD = 6  # the same for a single word: "no, no, no, no" happens


@dataclass(frozen=True, slots=True)
class Heard:
    """A word as the net gives it: its text with the blank before it if there is one, seconds, likelihood."""

    text: str
    start: float
    end: float
    likelihood: float


def without_loops(words: Sequence[Heard]) -> list[Heard]:
    """Where a phrase is said over and over without a pause, it is left once: nets fall into such loops,
    people do not. An announcement that is repeated has pauses.
    """
    kept: list[Heard] = []
    for breath in _parts(words, lambda group, word: _pause(group[-1], word)):
        bare = [_bare(word.text) for word in breath]
        place = 0
        while place < len(breath):
            length, times = _loop(bare, place)
            kept.extend(breath[place : place + length])
            place += length * times
    return kept


def _loop(words: Sequence[str], place: int) -> tuple[int, int]:
    """Words of the phrase that begins here, and how often it stands in a row; 1, 1 when it is no loop."""
    for length in range(1, min(_LOOP, (len(words) - place) // _TIMES) + 1):
        phrase = words[place : place + length]
        times = 1
        while words[place + times * length : place + (times + 1) * length] == phrase:
            times += 1
        # A single character is a word where writing has no blanks.
        least = _TIMES if length > 1 and len("".join(phrase)) > 3 else _TIMES_WORD
        if times >= least:
            return length, times
    return 1, 1


def _pause(last: Heard, word: Heard) -> bool:
    return word.start - last.end >= _PAUSE


def _bare(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum()) or text.strip()


def with_punctuation(words: Sequence[Heard]) -> list[Heard]:
    """Marks, and what follows a hyphen or an apostrophe, put to the word before them."""
    joined: list[Heard] = []
    for word in words:
        bare = any(map(str.isalnum, word.text))
        if joined and not bare:
            joined[-1] = replace(joined[-1], text=joined[-1].text + word.text)
        elif joined and word.text[:1] in _HYPHENS:
            joined[-1] = replace(joined[-1], text=joined[-1].text + word.text, end=word.end)
        elif bare:
            joined.append(word)
    return joined


def segments_of(words: Sequence[Heard], language: str) -> list[SpeechSegment]:
    """Phrases and sentences, in order."""
    return [_segment(group, language) for group in _parts(words, _parted)]


def _parts(words: Sequence[Heard], parted: Callable[[list[Heard], Heard], bool]) -> list[list[Heard]]:
    groups: list[list[Heard]] = []
    for word in words:
        if groups and not parted(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def _parted(group: Sequence[Heard], word: Heard) -> bool:
    last = group[-1]
    gap, length = word.start - last.end, word.end - group[0].start
    text = last.text.strip().rstrip(_CLOSING)
    if _pause(last, word) or length > _LONGEST:
        return True
    if text.endswith(_ENDS) and (gap >= _BREATH or not _is_short(text)):
        return True
    return length > _LONG and (gap >= _BREATH or text.endswith(_CLAUSES))


def _is_short(text: str) -> bool:
    return text.endswith(".") and len(text) <= _SHORT and text[:1].isupper()


def _segment(group: Sequence[Heard], language: str) -> SpeechSegment:
    likelihood = sum(math.log(max(1e-6, word.likelihood)) for word in group) / len(group)
    return SpeechSegment(
        start=group[0].start,
        end=group[-1].end,
        text=" ".join("".join(word.text for word in group).split()),
        language=language,
        confidence=math.exp(likelihood),
        words=tuple(SpokenWord(word.text.strip(), word.start, word.end) for word in group),
    )
