"""Korean: lines that PP-OCRv6 cannot read (it has no Hangul) are read again by Tesseract.

The rule that measured best: read a line again when the recogniser was unsure of it or found too little text
for its box; if any line turns out Korean, read every line without Hangul again, for then the page is Korean.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import tesserocr
from PIL import Image

from foveal.errors import EngineUnavailable
from foveal.images.detail import Pixels
from foveal.models.store import ModelStore
from foveal.perception.reading import is_han, is_hangul, is_kana
from foveal.perception.textlines import NOTHING, ReadLine, ReadWord

_UNSURE = 0.93
_SPARSE = 0.3  # characters per line height of width: Latin print has about 2, Hangul about 1
_BELIEVED = 0.55  # of Tesseract's mean word confidence
_FIRST = 40  # doubtful lines, the widest, that are read again to know whether a picture holds Korean
_MOST = 400  # further lines of one that does: a dense page has 130
_LINE_HEIGHT = 48  # pixels; about what Tesseract was trained on
_PLAIN = 0.9  # below, a line of a Korean picture may be of mixed script
_SURELY = 0.8  # a word of two syllables or more that Tesseract reads with this is Korean
_FULLER = 0.8  # a reading of every piece is better than a surer one that leaves pieces out
_SPACE = 0.2  # of the line height: a blank this wide parts words
_SPLIT = 0.19  # the same inside Hangul, whose syllables stand closer than words
_NEAR = 0.3  # of the line height: how far Tesseract misplaces the end of a word
_MOST_PIECES = 8
_WHITE = 230  # the least of a pixel's red, green and blue: white print from here
_PALE = 170  # below: none
_WHITE_SHARE = (0.04, 0.5)  # of the pixels of a line of white print
_MODEL = "tesseract-kor"

log = logging.getLogger(__name__)


@dataclass
class KoreanReader:
    """Thread-safe: each use takes one of the idle Tesseract instances or starts one."""

    folder: Path
    threads: int = 1
    _idle: queue.SimpleQueue[tesserocr.PyTessBaseAPI] = field(default_factory=queue.SimpleQueue)

    def improve(
        self,
        cuts: Sequence[Pixels],
        read: Sequence[ReadLine],
        read_again: Callable[[list[Pixels]], list[ReadLine]],
    ) -> list[ReadLine]:
        """The same lines, those that Tesseract reads as Korean replaced.

        `read_again` is the first recogniser: lines of mixed script are cut at their spaces, and each piece
        goes to both.
        """
        better = list(read)
        doubtful = [place for place, line in enumerate(read) if _doubtful(cuts[place], line)]
        doubtful.sort(key=lambda place: -cuts[place].shape[1])
        rest = [place for place in range(len(read)) if place not in set(doubtful)]
        hinted = self._choose_each(doubtful[:_FIRST], cuts, better)
        if not any(is_hangul(letter) for line in better for letter in line.text):
            return better
        hinted |= self._choose_each((doubtful[_FIRST:] + rest)[:_MOST], cuts, better)
        mixed = [
            place
            for place, line in enumerate(better)
            if line.confidence < _PLAIN or place in hinted or _misses(line, pieces(cuts[place]))
        ]
        wholes = self._each(
            lambda tesseract, place: _piecewise(tesseract, cuts[place], better[place], read_again),
            mixed[:_MOST],
        )
        for place, line in zip(mixed, wholes, strict=False):
            better[place] = line
        return better

    def _choose_each(self, places: Sequence[int], cuts: Sequence[Pixels], lines: list[ReadLine]) -> set[int]:
        """Read these lines again and keep, in place, what is Korean. Returns the places of those that were
        not kept although some word of theirs surely is: the rest of such a line is for the first recogniser.
        """
        again = self._each(lambda tesseract, place: _read(tesseract, cuts[place]), places)
        hinted = set()
        for place, line in zip(places, again, strict=True):
            chosen = _choose(lines[place], line)
            if chosen is not line and not _has_hangul(chosen) and any(map(_surely_hangul, line.words)):
                hinted.add(place)
            lines[place] = chosen
        return hinted

    def _each(
        self, work: Callable[[tesserocr.PyTessBaseAPI, int], ReadLine], places: Sequence[int]
    ) -> list[ReadLine]:
        """`work` on every place, in order of the places; side by side, because Tesseract uses one core."""

        def run(place: int) -> ReadLine:
            with self._instance() as tesseract:
                return work(tesseract, place)

        if self.threads == 1 or len(places) < 2:
            return [run(place) for place in places]
        with ThreadPoolExecutor(self.threads, thread_name_prefix="korean") as pool:
            return list(pool.map(run, places))

    def sureness(self, cuts: Sequence[Pixels]) -> float:
        """The sum over the lines of how sure Tesseract is of their Hangul."""
        with self._instance() as tesseract:
            return sum(_choose(NOTHING, _read(tesseract, cut)).confidence for cut in cuts)

    @contextmanager
    def _instance(self) -> Iterator[tesserocr.PyTessBaseAPI]:
        try:
            tesseract = self._idle.get_nowait()
        except queue.Empty:
            tesseract = tesserocr.PyTessBaseAPI(
                path=str(self.folder), lang="kor", psm=tesserocr.PSM.SINGLE_LINE, oem=tesserocr.OEM.LSTM_ONLY
            )
        try:
            yield tesseract
        finally:
            tesseract.Clear()
            self._idle.put(tesseract)


def open_korean(models: ModelStore, *, threads: int) -> KoreanReader | None:
    """None, and a line in the log, when the weights are not there: every other script still works."""
    try:
        path = models.path(_MODEL)
    except EngineUnavailable as error:
        log.warning("Korean text cannot be read: %s", error.message)
        return None
    return KoreanReader(path.parent, max(1, threads))


def _doubtful(cut: Pixels, line: ReadLine) -> bool:
    height, width = cut.shape[:2]
    if line.confidence < _UNSURE or len(line.text) < _SPARSE * width / height:
        return True
    return _misses(line, pieces(cut))


def _misses(line: ReadLine, spans: Sequence[tuple[float, float]]) -> bool:
    """Whether some piece of the line holds no word of the reading: script that the recogniser cannot read."""
    return any(all(word.end <= start or word.start >= end for word in line.words) for start, end in spans)


def _read(tesseract: tesserocr.PyTessBaseAPI, cut: Pixels) -> ReadLine:
    """Subtitles are white on whatever is behind them: where a cut may hold some, its white alone is read, and
    the cut as it is when that says little.
    """
    share = float((cut.min(axis=2) >= _WHITE).mean())
    if not _WHITE_SHARE[0] <= share <= _WHITE_SHARE[1]:
        return _recognise(tesseract, cut)
    white = _recognise(tesseract, _white_as_ink(cut))
    if white.confidence >= _SURELY:
        return white
    return max(white, _recognise(tesseract, cut), key=lambda line: line.confidence)


def _white_as_ink(cut: Pixels) -> Pixels:
    """White turned black, everything that has a colour or is darker turned white."""
    inked = (cut.min(axis=2).astype(np.int32) - _PALE) * 255 // (_WHITE - _PALE)
    grey = (255 - np.clip(inked, 0, 255)).astype(np.uint8)
    return np.dstack([grey, grey, grey])


def _recognise(tesseract: tesserocr.PyTessBaseAPI, cut: Pixels) -> ReadLine:
    height, width = cut.shape[:2]
    scale = _LINE_HEIGHT / height
    wide = max(1, round(width * scale))
    grey = cv2.cvtColor(np.ascontiguousarray(cut), cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(
        grey, (wide, _LINE_HEIGHT), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    if float(np.median(grey)) < 110:
        grey = 255 - grey  # light print on dark
    edge = 10
    canvas = cv2.copyMakeBorder(grey, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    tesseract.SetImage(Image.fromarray(np.asarray(canvas, dtype=np.uint8)))
    tesseract.Recognize()
    words: list[ReadWord] = []
    iterator = tesseract.GetIterator()
    if iterator is None:
        return NOTHING
    for word in tesserocr.iterate_level(iterator, tesserocr.RIL.WORD):
        if word.Empty(tesserocr.RIL.WORD):
            continue  # asking an empty place for its text is an error of the binding
        text = word.GetUTF8Text(tesserocr.RIL.WORD).strip()
        box = word.BoundingBox(tesserocr.RIL.WORD)
        if text and box is not None:
            start, end = (min(max((x - edge) / wide, 0.0), 1.0) for x in (box[0], box[2]))
            words.append(ReadWord(text, word.Confidence(tesserocr.RIL.WORD) / 100.0, start, end))
    if not words:
        return NOTHING
    return _join(_closed_up(words, cut))


def _closed_up(words: Sequence[ReadWord], cut: Pixels) -> list[ReadWord]:
    """Tesseract parts the syllables of widely set Hangul: without a blank between them, words are one."""
    spans = pieces(cut, _SPLIT)
    blanks = [(before[1] + after[0]) / 2 for before, after in pairwise(spans)]
    reach = _NEAR * cut.shape[0] / cut.shape[1]
    joined: list[ReadWord] = []
    for word in words:
        last = joined[-1] if joined else None
        if last is not None and is_hangul(last.text[-1]) and is_hangul(word.text[0]):
            middle = (last.end + word.start) / 2
            if all(abs(blank - middle) > reach for blank in blanks):
                sure = last.confidence * len(last.text) + word.confidence * len(word.text)
                text = last.text + word.text
                joined[-1] = ReadWord(text, sure / len(text), last.start, word.end)
                continue
        joined.append(word)
    return joined


def _piecewise(
    tesseract: tesserocr.PyTessBaseAPI,
    cut: Pixels,
    whole: ReadLine,
    read_again: Callable[[list[Pixels]], list[ReadLine]],
) -> ReadLine:
    """The line read word by word, each by the recogniser that knows its script, if that is surer than
    `whole`.
    """
    spans = pieces(cut)
    if not 2 <= len(spans) <= _MOST_PIECES:
        return whole
    width = cut.shape[1]
    parts = [np.ascontiguousarray(cut[:, round(start * width) : round(end * width)]) for start, end in spans]
    words: list[ReadWord] = []
    for (start, end), part, first in zip(spans, parts, read_again(parts), strict=True):
        best = first if first.confidence >= _UNSURE else _choose(first, _read(tesseract, part))
        if best.text:
            words.append(ReadWord(best.text, best.confidence, start, end))
    if len(words) < len(spans):
        return whole
    joined = _join(words)
    fuller = _misses(whole, spans) or (_has_hangul(joined) and not _has_hangul(whole))
    if joined.confidence > whole.confidence or (joined.confidence >= _FULLER and fuller):
        return joined
    return whole


def pieces(cut: Pixels, space: float = _SPACE) -> list[tuple[float, float]]:
    """The words of a straightened line as shares of its width, by the blank columns between them."""
    height, width = cut.shape[:2]
    grey = cv2.cvtColor(np.ascontiguousarray(cut), cv2.COLOR_RGB2GRAY)
    # A column is blank when it is as even as paper: compare with the strongest contrast of the line.
    spread = grey.max(axis=0).astype(np.int32) - grey.min(axis=0)
    inked = np.flatnonzero(spread > 0.35 * max(int(spread.max()), 1))
    if len(inked) == 0:
        return []
    jumps = np.flatnonzero(np.diff(inked) > space * height)
    starts = [int(inked[0]), *(int(inked[jump + 1]) for jump in jumps)]
    ends = [*(int(inked[jump]) for jump in jumps), int(inked[-1])]
    margin = 0.1 * height
    return [
        (max(0.0, (start - margin) / width), min(1.0, (end + 1 + margin) / width))
        for start, end in zip(starts, ends, strict=True)
    ]


def _join(words: Sequence[ReadWord]) -> ReadLine:
    letters = sum(len(word.text) for word in words)
    confidence = sum(word.confidence * len(word.text) for word in words) / max(letters, 1)
    return ReadLine(" ".join(word.text for word in words), confidence, tuple(words))


def _has_hangul(line: ReadLine) -> bool:
    return any(map(is_hangul, line.text))


def _surely_hangul(word: ReadWord) -> bool:
    return word.confidence >= _SURELY and len(word.text) > 1 and all(map(is_hangul, word.text.rstrip(":.,")))


def _choose(first: ReadLine, korean: ReadLine) -> ReadLine:
    letters = [letter for letter in korean.text if letter.isalpha()]
    hangul = sum(is_hangul(letter) for letter in letters)
    if hangul == 0 or 2 * hangul < len(letters) or korean.confidence < _BELIEVED:
        return first
    east = sum(is_kana(letter) or is_han(letter) for letter in first.text)
    if first.confidence > 0.9 and east >= 2 and east >= hangul:
        return first  # Chinese or Japanese, read well the first time
    return korean
