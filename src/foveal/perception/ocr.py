"""The text reader: boxes, lines, Korean, reading order."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from foveal.errors import SetupError
from foveal.images.detail import Pixels
from foveal.models.store import ModelStore
from foveal.perception.base import Point, TextLine, TextWord
from foveal.perception.korean import KoreanReader, open_korean
from foveal.perception.reading import by_script, in_reading_order, language_of
from foveal.perception.runtime import Runtime
from foveal.perception.textboxes import Cutter, Quad, TextBoxFinder
from foveal.perception.textlines import LineReader, ReadLine
from foveal.perception.textmemory import LineMemory

_WEAK = 0.8  # below, a line may stand on its head
_PROBES = 3
_GAIN = 0.05  # of confidence, a line, by which the other way up must be better
_LEAST = 0.5  # a line read with less is not text
_LEAST_ALONE = 0.85  # the same for a single character: ornament is often taken for one
_DETECTOR = "PP-OCRv6_det_small.onnx"
_RECOGNISER = "PP-OCRv6_rec_small.onnx"


class PictureReader:
    """`TextReader` for English, Chinese and Japanese, and for Korean when its weights are there."""

    def __init__(self, boxes: TextBoxFinder, lines: LineReader, korean: KoreanReader | None) -> None:
        self._boxes = boxes
        self._lines = lines
        self._korean = korean

    def read(self, pixels: Pixels) -> list[TextLine]:
        found = self._boxes.find(pixels)
        if not found:
            return []
        cutter = Cutter(pixels)
        straight = [cutter.cut(box.quad) for box in found]
        cuts = [line for line, _ in straight]
        quads = [quad for _, quad in straight]
        read = self._lines.read(cuts)
        self._turn_over(cuts, quads, read)
        if self._korean is not None:
            read = self._korean.improve(cuts, read, self._lines.read)
        return _in_order(read, quads, pixels)

    def read_frame(self, pixels: Pixels, memory: LineMemory) -> list[TextLine]:
        """A frame of a video: a coarser look, lines that `memory` knows not read again, none upside down."""
        cutter = Cutter(pixels)
        quads: list[Quad] = []
        read: list[ReadLine] = []
        new: list[tuple[Quad, Pixels, Quad]] = []
        for box in self._boxes.glance(pixels):
            known = memory.recall(box.quad, lambda quad: cutter.cut(quad)[0])
            straight, quad = cutter.cut(box.quad)
            if known is None:
                new.append((box.quad, straight, quad))
            else:
                read.append(known)
                quads.append(quad)
        cuts = [straight for _, straight, _ in new]
        fresh = self._lines.read(cuts)
        if self._korean is not None:
            fresh = self._korean.improve(cuts, fresh, self._lines.read)
        for (place, straight, quad), line in zip(new, fresh, strict=True):
            memory.keep(place, straight, line)
            read.append(line)
            quads.append(quad)
        return _in_order(read, quads, pixels)

    def _turn_over(self, cuts: list[Pixels], quads: list[Quad], read: list[ReadLine]) -> None:
        """Turn what stands on its head, in place: all lying lines or none, and so the upright ones.

        When most lines of a direction are weak, the widest of them are tried the other way; if those get
        better, all are turned, because a page has one way up.
        """
        lying = [
            place
            for place, quad in enumerate(quads)
            if abs(quad[1] - quad[0])[0] >= abs(quad[1] - quad[0])[1]
        ]
        upright = [place for place in range(len(quads)) if place not in set(lying)]
        for places in (lying, upright):
            weak = [place for place in places if read[place].confidence < _WEAK]
            if not places or 2 * len(weak) < len(places):
                continue
            weak.sort(key=lambda place: -cuts[place].shape[1])
            if self._on_its_head(
                [cuts[place] for place in weak[:_PROBES]], [read[p] for p in weak[:_PROBES]]
            ):
                self._turn(places, cuts, quads, read)

    def _on_its_head(self, cuts: list[Pixels], read: list[ReadLine]) -> bool:
        """Whether these lines read better upside down, by whichever recogniser knows their script."""
        turned = [_upside_down(cut) for cut in cuts]
        again = self._lines.read(turned)
        gain = sum(_sureness(line) for line in again) - sum(_sureness(line) for line in read)
        lost = max(map(_sureness, [*again, *read])) < _WEAK
        if self._korean is None or not lost or (len(cuts) == 1 and gain <= _GAIN):  # mostly no text
            return gain > _GAIN * len(cuts)
        korean = self._korean.sureness(turned) - self._korean.sureness(cuts)
        if len(cuts) == 1:
            return korean >= 0  # Korean that the first recogniser takes for something else when turned
        return korean > _GAIN * len(cuts)

    def _turn(self, places: list[int], cuts: list[Pixels], quads: list[Quad], read: list[ReadLine]) -> None:
        turned = [_upside_down(cuts[place]) for place in places]
        for place, cut, again in zip(places, turned, self._lines.read(turned), strict=True):
            cuts[place], read[place] = cut, again
            quads[place] = np.roll(quads[place], -2, axis=0)


def _in_order(read: Sequence[ReadLine], quads: Sequence[Quad], pixels: Pixels) -> list[TextLine]:
    height, width = pixels.shape[:2]
    lines = [
        _line(text, quad, width, height) for text, quad in zip(read, quads, strict=True) if _is_text(text)
    ]
    return in_reading_order(by_script(lines), aspect=width / height)


def _is_text(read: ReadLine) -> bool:
    if len(read.text) > 1:
        return read.confidence >= _LEAST
    return read.text.isalnum() and read.confidence >= _LEAST_ALONE  # a star on a flag is no text


def _upside_down(cut: Pixels) -> Pixels:
    return np.ascontiguousarray(cut[::-1, ::-1])


def _sureness(line: ReadLine) -> float:
    """0 for a single character: many read the same both ways."""
    return line.confidence if len(line.text) > 1 else 0.0


def _line(read: ReadLine, quad: Quad, width: int, height: int) -> TextLine:
    words = tuple(
        TextWord(word.text, word.confidence, _relative(_part(quad, word.start, word.end), width, height))
        for word in read.words
    )
    return TextLine(read.text, read.confidence, _relative(quad, width, height), language_of(read.text), words)


def _part(quad: Quad, start: float, end: float) -> Quad:
    """The piece of a line between two shares of its width."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    return np.array(
        [quad[0] + top * start, quad[0] + top * end, quad[3] + bottom * end, quad[3] + bottom * start],
        dtype=np.float32,
    )


def _relative(quad: Quad, width: int, height: int) -> tuple[Point, Point, Point, Point]:
    a, b, c, d = ((min(1.0, float(x) / width), min(1.0, float(y) / height)) for x, y in quad)
    return a, b, c, d


def load_reader(models: ModelStore, runtime: Runtime) -> PictureReader:
    folder = _weights_folder()
    recogniser = runtime.read(folder / _RECOGNISER)
    # The characters travel in the file: one a line, then the space; 0 is CTC's blank.
    characters = ["", *str(recogniser.get_rt_info(["framework", "character"]).value).split("\n"), " "]
    return PictureReader(
        TextBoxFinder(runtime.compile(runtime.read(folder / _DETECTOR), streams=1)),
        LineReader(runtime.compile(recogniser), characters),
        open_korean(models, threads=runtime.threads),
    )


def _weights_folder() -> Path:
    """The weights lie in the rapidocr wheel; only its files are used, the package is never imported."""
    spec = find_spec("rapidocr")
    places = spec.submodule_search_locations if spec is not None else None
    for place in places or ():
        folder = Path(place) / "models"
        if (folder / _DETECTOR).is_file() and (folder / _RECOGNISER).is_file():
            return folder
    raise SetupError("The OCR weights are missing. Install them with: pip install 'rapidocr>=3.10,<3.11'")
