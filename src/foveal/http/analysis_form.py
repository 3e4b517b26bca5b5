"""An analysis as Azure writes it: the present shape, and the previews' older one of text."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any

from foveal.analysis.contract import Version
from foveal.analysis.result import Analysis, PixelBox, Polygon, ReadLine

_PREVIEW_READER = "2022-04-30"


def analysis_json(analysis: Analysis, version: Version) -> dict[str, Any]:
    """Only what was asked for has a key."""
    body: dict[str, Any] = {"modelVersion": version.model}
    if analysis.caption is not None:
        body["captionResult"] = _said(analysis.caption.text, analysis.caption.confidence)
    if analysis.dense_captions is not None:
        body["denseCaptionsResult"] = _values(
            {**_said(one.text, one.confidence), "boundingBox": _box(one.box)}
            for one in analysis.dense_captions
        )
    body["metadata"] = {"width": analysis.width, "height": analysis.height}
    if analysis.tags is not None:
        body["tagsResult"] = _values(_tag(one.name, one.confidence) for one in analysis.tags)
    if analysis.objects is not None:
        body["objectsResult"] = _values(
            {"boundingBox": _box(one.box), "tags": [_tag(one.name, one.confidence)]}
            for one in analysis.objects
        )
    if analysis.lines is not None:
        pages = version.read == "pages"
        body["readResult"] = _pages(analysis) if pages else _blocks(analysis.lines)
    if analysis.crops is not None:
        body["smartCropsResult"] = _values(
            {"aspectRatio": one.aspect_ratio, "boundingBox": _box(one.box)} for one in analysis.crops
        )
    if analysis.people is not None:
        body["peopleResult"] = _values(
            {"boundingBox": _box(one.box), "confidence": _share(one.confidence)} for one in analysis.people
        )
    return body


def _values(rows: Any) -> dict[str, Any]:
    return {"values": list(rows)}


def _said(text: str, confidence: float) -> dict[str, Any]:
    return {"text": text, "confidence": _share(confidence)}


def _tag(name: str, confidence: float) -> dict[str, Any]:
    return {"name": name, "confidence": _share(confidence)}


def _box(box: PixelBox) -> dict[str, int]:
    return {"x": box.x, "y": box.y, "w": box.width, "h": box.height}


def _share(confidence: float) -> float:
    return round(confidence, 4)


def _points(polygon: Polygon) -> list[dict[str, int]]:
    return [{"x": x, "y": y} for x, y in polygon]


def _blocks(lines: Sequence[ReadLine]) -> dict[str, Any]:
    """One block holds all lines, as Azure's answers do; none when there is no text."""
    rows = [
        {
            "text": line.text,
            "boundingPolygon": _points(line.polygon),
            "words": [
                {
                    "text": word.text,
                    "boundingPolygon": _points(word.polygon),
                    "confidence": _share(word.confidence),
                }
                for word in line.words
            ],
        }
        for line in lines
    ]
    return {"blocks": [{"lines": rows}] if rows else []}


def _pages(analysis: Analysis) -> dict[str, Any]:
    """The previews: all text in `content`, lines and words point into it by offset and length, counted in
    text elements (a letter with its combining marks is one).
    """
    lines = analysis.lines or ()
    content = "\n".join(line.text for line in lines)
    words, rows, at = [], [], 0
    for line in lines:
        rows.append(
            {"content": line.text, "boundingBox": _flat(line.polygon), "spans": [_span(at, line.text)]}
        )
        place = 0
        for word in line.words:
            found = line.text.find(word.text, place)
            place = found if found >= 0 else place
            words.append(
                {
                    "content": word.text,
                    "boundingBox": _flat(word.polygon),
                    "confidence": _share(word.confidence),
                    "span": _span(at + _elements(line.text[:place]), word.text),
                }
            )
            place += len(word.text)
        at += _elements(line.text) + 1
    page = {
        "height": float(analysis.height),
        "width": float(analysis.width),
        "angle": _angle(lines),
        "pageNumber": 1,
        "words": words,
        "spans": [_span(0, content)],
        "lines": rows,
    }
    return {
        "stringIndexType": "TextElements",
        "content": content,
        "pages": [page],
        "styles": [],
        "modelVersion": _PREVIEW_READER,
    }


def _span(offset: int, text: str) -> dict[str, int]:
    return {"offset": offset, "length": _elements(text)}


def _elements(text: str) -> int:
    return sum(unicodedata.category(letter) not in ("Mn", "Me") for letter in text)


def _flat(polygon: Polygon) -> list[float]:
    return [float(side) for point in polygon for side in point]


def _angle(lines: Sequence[ReadLine]) -> float:
    """Degrees, clockwise: the direction of the line in the middle when they are ordered by it."""
    angles = sorted(
        math.degrees(
            math.atan2(line.polygon[1][1] - line.polygon[0][1], line.polygon[1][0] - line.polygon[0][0])
        )
        for line in lines
    )
    return round(angles[len(angles) // 2], 4) if angles else 0.0
