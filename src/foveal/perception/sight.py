"""Every ability together: what is seen in one picture (objects, tags, faces, colours) and what is read in it.

Synchronous and thread-safe; `finder` runs the two halves side by side in its pool.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Protocol

from foveal.images.detail import DetailedImage, Pixels
from foveal.images.fine import fine_view
from foveal.models.store import ModelStore
from foveal.perception import colours, ssd
from foveal.perception.base import (
    DetectedObject,
    Detector,
    Face,
    FaceFinder,
    Tag,
    Tagger,
    TextLine,
    TextReader,
)
from foveal.perception.colours import ColourNamer
from foveal.perception.faces import BlazeFaceFinder
from foveal.perception.facts import ColourShare, Facts, SeenObject
from foveal.perception.kinds import KindCheck, load_kind_check
from foveal.perception.objects import SsdDetector, frame_views, load_confidence
from foveal.perception.ocr import load_reader
from foveal.perception.runtime import Runtime
from foveal.perception.tagger import ImageNetTagger
from foveal.perception.textmemory import LineMemory

_MOST_DOUBTFUL = 64  # of one picture


class FrameReader(Protocol):
    def read_frame(self, pixels: Pixels, memory: LineMemory) -> list[TextLine]: ...


@dataclass(frozen=True, slots=True)
class FrameSight:
    """What the many frames of a video are looked at with: fewer looks, and a memory of lines."""

    detector: Detector
    kinds: KindCheck
    reader: FrameReader


@dataclass(frozen=True, slots=True)
class Seen:
    objects: tuple[SeenObject, ...]
    doubtful: tuple[DetectedObject, ...]
    tags: tuple[Tag, ...]
    faces: tuple[Face, ...]
    shares: tuple[ColourShare, ...]
    brightness: float
    stage_seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Sight:
    """The abilities, ready to use. Without `frames`, those of videos are looked at as pictures are."""

    detector: Detector
    tagger: Tagger
    faces: FaceFinder
    reader: TextReader
    namer: ColourNamer
    kinds: KindCheck
    sure: float  # confidence from which an object is mentioned
    frames: FrameSight | None = None

    def read(self, image: DetailedImage) -> tuple[TextLine, ...]:
        """The text that the plan's view shows."""
        return tuple(self.reader.read(image.best))

    def read_closely(self, image: DetailedImage) -> tuple[TextLine, ...]:
        """The text at the picture's own resolution. Raises InvalidImage when its bytes cannot be decoded."""
        return tuple(self.reader.read(fine_view(image)))

    def see_frame(self, image: DetailedImage) -> Seen:
        if self.frames is None:
            return self.see(image)
        return replace(self, detector=self.frames.detector, kinds=self.frames.kinds).see(image)

    def read_frame(self, pixels: Pixels, memory: LineMemory) -> tuple[TextLine, ...]:
        """`memory`: that of the video."""
        if self.frames is None:
            return tuple(self.reader.read(pixels))
        return tuple(self.frames.reader.read_frame(pixels, memory))

    def see(self, image: DetailedImage) -> Seen:
        pixels = image.best
        watch = _Watch()
        found = self.detector.detect(pixels)
        watch.lap("objects")
        tags = self.tagger.tag(image.overview)
        found = self.kinds.check(found, tags, pixels, self.tagger)
        watch.lap("tags")
        faces = self.faces.find(pixels)
        watch.lap("faces")
        sure = tuple(self._coloured(one, pixels) for one in found if one.confidence >= self.sure)
        shares = self.namer.measure(colours.shrink(image.overview))
        light = colours.brightness(image.overview)
        watch.lap("colours")
        doubtful = tuple(one for one in found if one.confidence < self.sure)[:_MOST_DOUBTFUL]
        return Seen(sure, doubtful, tuple(tags), tuple(faces), shares, light, watch.laps)

    def _coloured(self, one: DetectedObject, pixels: Pixels) -> SeenObject:
        clothing = colours.clothing_colours(self.namer, pixels, one.box) if one.label == "person" else ()
        inside = colours.object_colours(self.namer, pixels, one.box)
        return SeenObject(one.label, one.confidence, one.box, inside, clothing)


def assemble(
    image: DetailedImage, seen: Seen, lines: tuple[TextLine, ...] = (), reading: float | None = None
) -> Facts:
    """`reading`: seconds that the lines took; None when nothing was read."""
    text = {} if reading is None else {"text": reading}
    return Facts(
        width=image.width,
        height=image.height,
        detail=image.detail,
        objects=seen.objects,
        doubtful=seen.doubtful,
        tags=seen.tags,
        faces=seen.faces,
        lines=lines,
        colours=seen.shares,
        brightness=seen.brightness,
        stage_seconds={**seen.stage_seconds, **text},
    )


def load_sight(models: ModelStore, *, threads: int) -> Sight:
    """Load every net. Raises EngineUnavailable naming the first weight file that is missing."""
    runtime = Runtime(threads=threads, cache=models.folder / ".converted")
    labels = {int(number): name for number, name in _data("coco.json").items()}
    confidence = load_confidence()
    graph = ssd.load_graph(runtime, models.path("ssd-mobilenet-v2-coco"))
    detector = SsdDetector(runtime.compile(graph), labels, confidence)
    names: list[str] = _data("imagenet.json")
    tagger = ImageNetTagger(runtime.compile(runtime.read(models.path("efficientnet-lite3-imagenet"))), names)
    faces = BlazeFaceFinder(runtime.compile(runtime.read(models.path("face-full-range"))))
    reader = load_reader(models, runtime)
    kinds = load_kind_check(names, labels.values())
    return Sight(
        detector=detector,
        tagger=tagger,
        faces=faces,
        reader=reader,
        namer=colours.load_namer(),
        kinds=kinds,
        sure=confidence.sure,
        frames=FrameSight(
            detector.with_plan(*frame_views()), replace(kinds, largest=1, worth=confidence.sure), reader
        ),
    )


def _data(name: str) -> Any:
    return json.loads((resources.files("foveal.perception") / "data" / name).read_text(encoding="utf-8"))


class _Watch:
    """Seconds since the last lap, by name."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
