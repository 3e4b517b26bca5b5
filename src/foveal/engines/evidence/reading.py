"""Questions about text: which of the lines that were read answer them."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence

from foveal.engines.evidence.sights import gap, grown
from foveal.perception.base import Box, TextLine
from foveal.perception.reading import slope

CONFIDENT = 0.6  # lines below are noise more often than text
_MOJIBAKE = re.compile(r"^[\W_]+$")

# What a reading question looks for, in the text of one line.
_TARGETS = {
    "price": r"(?:[$€£¥₩]\s?\d[\d,]*(?:\.\d{1,2})?|\d[\d,]*(?:\.\d{1,2})?\s?(?:원|USD|EUR|"
    r"KRW|dollars?|euros?|€|円|元|\$)|\b\d{1,4}\.\d{2}\b)",
    "time": r"\b\d{1,2}(?::|\.)\d{2}\s?(?:[ap]\.?m\.?)?|\b\d{1,2}\s?(?:[ap]\.?m\.?)\b|"
    r"(?:오전|오후)?\s?\d{1,2}시(?:\s?\d{1,2}분)?",
    "phone": r"(?:\+?\d[\d\s().-]{6,}\d)",
    "email": r"[\w.+-]+@[\w-]+\.[\w.]+",
    "url": r"(?:https?://|www\.)\S+|\b[\w-]+\.(?:com|org|net|edu|gov|io|kr|co|de|uk|fr|jp)\b\S*",
    "date": r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|"
    r"sep|oct|nov|dec)\w*\.?\s?\d{1,2}(?:,?\s?\d{4})?|\b\d{1,2}\s(?:jan|feb|mar|"
    r"apr|may|jun|jul|aug|sep|oct|nov|dec)\w*(?:\s\d{4})?|"
    r"\d{4}년(?:\s?\d{1,2}월)?(?:\s?\d{1,2}일)?|\d{1,2}월\s?\d{1,2}일|\b(?:19|"
    r"20)\d{2}\b",
    "number": r"\d[\d,.:/-]*",
    "plate": r"\b(?=[A-Z0-9 -]*\d)[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,5}(?:[ "
    r"-]?[A-Z0-9]{1,4})?\b|\d{2,3}[가-힣]\s?\d{4}",
}


def readable(lines: Sequence[TextLine], floor: float = CONFIDENT) -> list[TextLine]:
    """Lines that are text with some certainty, in reading order."""
    return [
        line
        for line in lines
        if line.confidence >= floor and line.text.strip() and not _MOJIBAKE.match(line.text.strip())
    ]


def blocks(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """Lines that belong together (one above the other, of about one size), in reading order."""
    groups: list[list[TextLine]] = []
    for line in lines:
        home = next((group for group in groups if _continues(group[-1], line)), None)
        if home is None:
            groups.append([line])
        else:
            home.append(line)
    return groups


def _continues(above: TextLine, line: TextLine) -> bool:
    a, b = above.box, line.box
    height = min(size(above), size(line))  # of the print: the boxes of tilted lines overlap
    alike = max(size(above), size(line)) <= 2.2 * height if height else False
    fall = (slope(above) + slope(line)) / 2
    step = (b.centre[1] - a.centre[1]) - fall * (b.centre[0] - a.centre[0])
    under = 0.5 * height <= step <= 1.6 * height
    beside = abs(step) < 0.4 * height and 0 <= b.left - a.right <= 1.5 * height
    sideways = min(a.right, b.right) - max(a.left, b.left)
    return alike and ((under and sideways > 0.3 * min(a.width, b.width)) or beside)


def texts(lines: Sequence[TextLine]) -> list[str]:
    """One string per block."""
    return [" ".join(line.text.strip() for line in group) for group in blocks(lines)]


def near(lines: Sequence[TextLine], boxes: Sequence[Box]) -> list[TextLine]:
    """Lines inside one of the boxes (a little grown); when there are none, those that touch them."""
    inside = [
        line
        for line in lines
        if any(line.box.overlap(grown(box, 0.1)) >= 0.6 * line.box.area for box in boxes)
    ]
    return inside or [line for line in lines if any(gap(line.box, box) < 0.01 for box in boxes)]


def targets(lines: Sequence[TextLine], target: str) -> list[str]:
    """The pieces of text that are a price, a time, a number... largest print first for titles and names."""
    if target in ("title", "name"):
        largest = max((size(line) for line in lines), default=0.0)
        groups = [group for group in blocks(lines) if max(map(size, group)) >= 0.85 * largest]
        return (
            [" ".join(line.text.strip() for line in groups[0] if size(line) >= 0.6 * largest)]
            if groups
            else []
        )
    pattern = re.compile(_TARGETS[target], re.IGNORECASE if target != "plate" else 0)
    found: list[str] = []
    for line in lines:
        for match in pattern.finditer(line.text):
            piece = match.group().strip(" .,:-/")
            if piece and piece not in found:
                found.append(piece)
    return found


def size(line: TextLine) -> float:
    """Height of the print: the mean of the polygon's sides (a tilted line's box is much higher)."""
    top_left, top_right, bottom_right, bottom_left = line.polygon
    return (math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2


def squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())


def says(lines: Sequence[TextLine], quoted: str) -> bool:
    """Whether the text contains the words, letter case, spaces and one slip of the reader aside."""
    wanted = squeezed(quoted)
    everything = squeezed(" ".join(line.text for line in lines))
    if not wanted:
        return False
    if wanted in everything:
        return True
    if len(wanted) < 5:
        return False
    width = len(wanted)
    return any(
        difflib.SequenceMatcher(None, wanted, everything[i : i + width]).ratio() >= 0.85
        for i in range(max(1, len(everything) - width + 1))
    )


def line_number(text: str) -> int | None:
    """Which line a question asks for: "the second line" is 2, "the last line" -1."""
    order = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    low = text.lower()
    found = re.search(
        rf"\b({'|'.join(order)}|last|top|bottom) (?:line|row)\b|\bline (?:number "
        rf")?(\d+)\b|(첫|두|세|네|다섯|마지막) ?번?째? ?줄",
        low,
    )
    if not found:
        return None
    word, digits, korean = found.groups()
    if digits:
        return int(digits)
    if korean:
        return {"첫": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "마지막": -1}[korean]
    return {"last": -1, "bottom": -1, "top": 1}.get(word) or order.index(word) + 1
