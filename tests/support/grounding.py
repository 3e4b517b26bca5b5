"""The judged set of grounding (tests/fixtures/grounding): answers about photos and their phrases' boxes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foveal.enhancements.spans import Findings, GroundedLine, Span
from foveal.perception.base import Box, Face, TextLine
from foveal.perception.facts import ColourShare, SeenObject

FOLDER = Path(__file__).parents[1] / "fixtures" / "grounding"
SAME = 0.5  # overlap from which a span's polygon is that of the boxes judged right
SURE = 0.4


@dataclass(frozen=True, slots=True)
class Wanted:
    """A phrase that names something detected, and the boxes that it may be (one set of several).

    `optional`: only doubtful boxes are right, so that no span is no fault.
    """

    phrase: str
    offset: int
    polygons: tuple[Box, ...]
    optional: bool

    @property
    def end(self) -> int:
        return self.offset + len(self.phrase)


@dataclass(frozen=True, slots=True)
class Case:
    """`round`: the photos of rounds 2 and 3 were answered before and judged after the rules stood as they did
    then (docs/grounding.md has the figures of that moment).
    """

    picture: str
    round: int
    by: str
    text: str
    findings: Findings
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Score:
    right: int
    spans: int
    found: int
    wanted: int
    wrong: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    def __add__(self, other: Score) -> Score:
        return Score(
            self.right + other.right,
            self.spans + other.spans,
            self.found + other.found,
            self.wanted + other.wanted,
            self.wrong + other.wrong,
            self.missed + other.missed,
        )

    @property
    def precision(self) -> float:
        return self.right / max(1, self.spans)

    @property
    def recall(self) -> float:
        return self.found / max(1, self.wanted)


def cases(folder: Path = FOLDER) -> Iterator[Case]:
    for path in sorted(folder.glob("*.json")):
        row = json.loads(path.read_text(encoding="utf-8"))
        findings = read_findings(row)
        for answer in row["answers"]:
            wanted = tuple(_wanted(one, findings) for one in answer["expected"])
            yield Case(row["picture"], row["set"], answer["by"], answer["text"], findings, wanted)


def read_findings(row: dict[str, Any]) -> Findings:
    return Findings(
        tuple(
            SeenObject(label, confidence, Box(*box), _shares(colours), _shares(clothing))
            for label, confidence, box, colours, clothing in row["objects"]
        ),
        tuple(Face(confidence, Box(*box)) for confidence, box in row["faces"]),
        tuple(
            TextLine(text, confidence, _polygon(points), language)
            for text, confidence, points, language in row["lines"]
        ),
    )


def _polygon(
    points: Sequence[Sequence[float]],
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]:
    one, two, three, four = ((x, y) for x, y in points)
    return one, two, three, four


def _shares(shares: dict[str, float]) -> tuple[ColourShare, ...]:
    return tuple(ColourShare(name, share) for name, share in shares.items())


def _wanted(row: dict[str, Any], findings: Findings) -> Wanted:
    polygons = tuple(Box.around([_box(name, findings) for name in names]) for names in row["boxes"])
    return Wanted(row["phrase"], row["offset"], polygons, row.get("optional", False))


def _box(name: str, findings: Findings) -> Box:
    if name.startswith("f"):
        return findings.faces[int(name[1:])].box
    if name.startswith("l"):
        return findings.lines[int(name[1:])].box
    return findings.objects[int(name)].box


def score(case: Case, line: GroundedLine) -> Score:
    """A span is right when it lies inside a judged phrase or around it (0.3 of the longer in common) and its
    polygon is that of the boxes.
    """
    right, wrong, met = 0, [], set()
    for span in line.spans:
        home = next((one for one in case.wanted if _same_phrase(span, one)), None)
        if home is not None and any(box(span).iou(polygon) >= SAME for polygon in home.polygons):
            right += 1
            met.add(home.offset)
        else:
            wrong.append(f"{case.picture} {case.by}: {span.text!r} ({'boxes' if home else 'phrase'})")
    needed = [one for one in case.wanted if not one.optional]
    missed = [f"{case.picture} {case.by}: {one.phrase!r}" for one in needed if one.offset not in met]
    return Score(right, len(line.spans), len(needed) - len(missed), len(needed), tuple(wrong), tuple(missed))


def _same_phrase(span: Span, wanted: Wanted) -> bool:
    end = span.offset + span.length
    nested = (span.offset <= wanted.offset and end >= wanted.end) or (
        span.offset >= wanted.offset and end <= wanted.end
    )
    return nested and min(end, wanted.end) - max(span.offset, wanted.offset) >= 0.3 * max(
        span.length, len(wanted.phrase)
    )


def box(span: Span) -> Box:
    xs = [x for x, _ in span.polygon]
    ys = [y for _, y in span.polygon]
    return Box(min(xs), min(ys), max(xs), max(ys))
