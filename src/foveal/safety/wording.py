"""A text as the content filter reads it: plain letters, without disguise, in windows of a few dozen words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

WINDOW_WORDS = 32  # of a window, which is one sentence, so that a bad one is not lost among good ones
WINDOW_LETTERS = 240
FEWEST_WORDS = 4  # a shorter sentence is read together with the next
PAGE_WORDS = 100  # of a page of windows: what only several sentences say together
PAGE_LETTERS = 800

# Control characters, zero width, direction marks, fillers, selectors, private use, half characters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e01ef]+"
)
_NO_JAMO = re.compile("[^\u3131-\u3163]+")  # NFKC would make letters of syllables of ㅋㅋ
_SPACES = re.compile(r"\s+")
_SAME = re.compile(r"([^\W\d_])\1{3,}")
_ENDS = re.compile(r"(?<=[.!?。！？…])[\"'”’)\]]*\s+|(?<=[。！？])|\n+")
_LETTER = re.compile(r"[^\W\d_]")

# Disguises. Each pattern must be rare in plain writing; what it finds is read a second time, undisguised.
_SPACED_LATIN = re.compile(r"(?<![^\W_])[a-z]([ .\-_*·]{1,2})[a-z@$0-9](?:\1[a-z@$0-9])+(?![^\W_])")
_SPACED_HANGUL = re.compile(r"(?<!\w)[가-힣]([ .\-_*·/]{1,2})[가-힣](?:\1[가-힣])+(?!\w)")
_SPLIT_HANGUL = re.compile(r"(?<=[가-힣ㄱ-ㅣ])[0-9@!.\-_*~^/|]{1,3}(?=[가-힣ㄱ-ㅣ])")
_LEET_WORD = re.compile(r"(?<![^\s\"'(])(?=\S*[a-z])(?=\S*[0-9@$!|*+])[a-z0-9@$!|*+]{3,}(?![^\s.,?!\"')])")
_DOTTED_WORD = re.compile(r"(?<![^\s\"'(])[a-z]+(?:[.\-_*][a-z]+){2,}(?![^\s,?!\"')])")
_LEET = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t"} | dict(zip("@$!|+", "asiit", strict=True))
)
_LOOKALIKES = str.maketrans("авеклмнорстухісѕјԁɡο", "abeklmhopctyxicsjdgo")
_LOOKALIKE = re.compile(r"[авеклмнорстухісѕјԁɡο]")
_DRAWN_OUT = re.compile(r"([a-z가-힣])\1\1")
_MARKS = re.compile(r"[\u0300-\u036f]+")


def tidy(text: str) -> str:
    """Lower case, one form of each letter (full width becomes plain), nothing invisible, runs of spaces and
    of one letter shortened (to three); line ends stay.
    """
    plain = _NO_JAMO.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    plain = _INVISIBLE.sub("", plain)
    plain = _SAME.sub(r"\1\1\1", plain.lower())
    return "\n".join(line for raw in plain.splitlines() if (line := _SPACES.sub(" ", raw).strip()))


def undisguised(tidied: str) -> str | None:
    """A tidied text with spaced, dotted, look-alike and leet letters put right; None when there are none."""
    plain = tidied
    if not plain.isascii():
        plain = _MARKS.sub("", unicodedata.normalize("NFD", plain))
        plain = unicodedata.normalize("NFC", plain)
        if re.search("[a-z]", plain):
            plain = _LOOKALIKE.sub(lambda found: found[0].translate(_LOOKALIKES), plain)
    plain = _SPACED_LATIN.sub(_joined, plain)
    plain = _SPACED_HANGUL.sub(_joined, plain)
    plain = _SPLIT_HANGUL.sub("", plain)
    plain = _DOTTED_WORD.sub(_joined, plain)
    plain = _LEET_WORD.sub(_read, plain)
    plain = _DRAWN_OUT.sub(r"\1", plain)
    return plain if plain != tidied else None


def _joined(found: re.Match[str]) -> str:
    return re.sub(r"[ .\-_*·/]", "", found[0])


def _read(found: re.Match[str]) -> str:
    """A word of letters with a few signs among them; a number with a unit stays what it is."""
    word = found[0]
    bare = word.rstrip("!")
    if re.fullmatch(r"[a-z]+|[0-9]+[a-z]+|[a-z]{1,3}[0-9]+", bare):
        return word
    return bare.translate(_LEET).replace("*", "")


def pages(tidied: str) -> list[tuple[str, ...]]:
    """A tidied text as pages, and each page as windows, which are sentences or parts of long ones.

    A window has at most `WINDOW_*`, a page at most `PAGE_*`. What has no letter (numbers, signs) is left out,
    and what is said again.
    """
    seen = dict.fromkeys(_grouped(_sentences(tidied), FEWEST_WORDS, WINDOW_WORDS, WINDOW_LETTERS))
    found: list[tuple[str, ...]] = []
    page: list[str] = []
    words = letters = 0
    for window in filter(_LETTER.search, seen):
        more = window.count(" ") + 1
        if page and (words + more > PAGE_WORDS or letters + len(window) > PAGE_LETTERS):
            found.append(tuple(page))
            page, words, letters = [], 0, 0
        page.append(window)
        words += more
        letters += len(window)
    return [*found, tuple(page)] if page else found


def _sentences(text: str) -> Iterator[str]:
    for sentence in _ENDS.split(text):
        if sentence and sentence.strip():
            yield from _pieces(sentence.strip())


def _pieces(sentence: str) -> Iterator[str]:
    """The sentence, or parts of it that fit into a window."""
    if len(sentence) <= WINDOW_LETTERS:
        yield sentence
        return
    words: list[str] = []
    for word in sentence.split(" "):
        words += [word[at : at + WINDOW_LETTERS] for at in range(0, len(word), WINDOW_LETTERS)]
    yield from _grouped(iter(words), WINDOW_WORDS, WINDOW_WORDS, WINDOW_LETTERS)


def _grouped(parts: Iterator[str], enough: int, most_words: int, most_letters: int) -> Iterator[str]:
    """The parts, joined until they have `enough` words, as far as the rest allows."""
    group: list[str] = []
    words = letters = 0
    for part in parts:
        more = part.count(" ") + 1
        full = words + more > most_words or letters + len(part) > most_letters
        if group and (words >= enough or full):
            yield " ".join(group)
            group, words, letters = [], 0, 0
        group.append(part)
        words += more
        letters += len(part) + 1
    if group:
        yield " ".join(group)
