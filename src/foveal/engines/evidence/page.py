"""The text of a document as values and what labels them, and as sentences.

A value is labelled by what stands before it in its cell ("Tel: 555"), by the other cells of its row, by the
cell at the top of its column, and by the heading of its block.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from foveal.engines.evidence import values
from foveal.engines.layout import Cell, Row

_COLON = re.compile(r"^(.{1,40}?)\s*(?:(?<!\d)[:：]|[:：](?!\d\d))(?!//)\s*(.+)$")
_TAILS = ("phone", "email", "url", "time", "date", "amount")  # kinds that end a cell: "전화 02-338-4521"
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_LEADING_COUNT = re.compile(r"^[x×]?(\d{1,3})\s?[x×]?\s+([^\W\d_].+)$")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“\"(])|(?<=[。！？])")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value. `own` stands before it in its cell, `beside` are the other cells of its row, `header` the
    cells above it that name it, `heading` is that of its block.
    """

    value: str
    row: int
    column: int
    own: str = ""
    beside: tuple[tuple[str, str], ...] = ()  # text and header
    header: tuple[str, ...] = ()
    heading: str = ""

    @property
    def key(self) -> str:
        """What names it in an answer."""
        if not self.own and self.header and self.header[0].endswith((":", "：")):
            return self.header[0]
        return self.own or next((text for text, _ in self.beside if _LETTERS.search(text)), "")


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(row.text for row in self.rows)


def page_of(rows: Sequence[Row]) -> Page:
    entries: list[Entry] = []
    tables = _tables(rows)
    for number, row in enumerate(rows):
        heading = _heading(rows, number)
        top = tables[number]
        headers = [_above(rows, top, number, cell) for cell in row.cells]
        for column, cell in enumerate(row.cells):
            beside = tuple(
                (other.text, " ".join(headers[place][:1]))
                for place, other in enumerate(row.cells)
                if place != column and not _COLON.match(other.text) and not values.pieces(other.text, "email")
            )
            entries += _entries(cell.text, number, column, beside, headers[column], heading)
    sentences = _sentences(rows)
    whole = {row.text.replace(" | ", " ") for row in rows}
    for sentence in sentences:  # "Treasurer: Marcus Thorne." at the end of a longer line
        colon = _COLON.match(sentence)
        if (
            colon
            and sentence not in whole
            and len(colon.group(1).split()) <= 4
            and not re.search(r"[.\d]", colon.group(1))
        ):
            entries.append(Entry(colon.group(2).rstrip("."), len(rows), 0, colon.group(1)))
    return Page(tuple(rows), tuple(entries), tuple(sentences))


def _entries(
    text: str,
    row: int,
    column: int,
    beside: tuple[tuple[str, str], ...],
    header: tuple[str, ...],
    heading: str,
) -> list[Entry]:
    """The cell as a whole, and what it holds as label and value."""

    def entry(value: str, own: str) -> Entry:
        return Entry(value.strip(), row, column, own.strip(), beside, header, heading)

    found = [entry(text, "")]
    colon = _COLON.match(text)
    if colon and _LETTERS.search(colon.group(1)):
        found.append(entry(colon.group(2), colon.group(1)))
        return found
    leading = _LEADING_COUNT.match(text)
    if leading:
        found.append(entry(leading.group(1), leading.group(2)))
    for kind in _TAILS:
        at = values.span(text, kind)
        if at and at[1] >= len(text.rstrip(" .)")) and _LETTERS.search(text[: at[0]]) and at[0] <= 40:
            own = text[: at[0]].strip(" :：-(")
            own = own if ")" in own else own.split("(")[-1]  # "£14 (students £9)"
            found.append(entry(text[at[0] : at[1]], own))
            break
    else:
        code = re.match(r"^(.*?(?:no|number|번호|番号|号)\.?|#)\s*([\w*/-]*\d[\w*/-]*)$", text, re.IGNORECASE)
        word = re.match(r"^([^\W\d_]{3,}(?:\s[^\W\d_]+)?)\s(\d[\w-]*)$", text)
        hit = code or word
        if hit:
            found.append(entry(hit.group(2), hit.group(1)))
    return found


def _tables(rows: Sequence[Row]) -> list[int]:
    """For every row, the first row of its table (itself when in none). One row of a single cell (a heading
    inside) does not end a table; two do, and so does a gap before a row of words.
    """
    found: list[int] = []
    top, single = 0, 0
    for number, row in enumerate(rows):
        several = len(row.cells) > 1
        words = not any(values.is_number(cell.text) for cell in row.cells)
        begins = several and (
            single > 1 or len(rows[top].cells) < 2 or (row.opens and words and top != number - 1)
        )
        if begins or number == 0:
            top = number
        single = 0 if several else single + 1
        found.append(top if single < 2 else number)
    return found


def _above(rows: Sequence[Row], top: int, number: int, cell: Cell) -> tuple[str, ...]:
    """The cell above at the top of the column, and the one right above when it ends as labels do."""
    found: list[str] = []
    for place in (top, number - 1):
        over = _over(rows[place], cell) if 0 <= place < number else None
        if over is None or over.text in found or _COLON.match(over.text):
            continue
        if over.text.endswith((":", "：")):  # "Bill to: | Ship to:", and the names below
            names = place == number - 1 and all(one.text.endswith((":", "：")) for one in rows[place].cells)
        else:
            names = place == top and not _is_data(over.text)
        if names:
            found.append(over.text)
    return tuple(found)


def _is_data(text: str) -> bool:
    """A value rather than a name of values; years name columns."""
    typed = sum(len(piece) for kind in ("time", "phone", "date") for piece in values.pieces(text, kind))
    year = re.fullmatch(r"(?:19|20)\d\d\s?[년年]?", text.strip())
    return not year and (values.is_number(text) or 2 * typed > len(text))


def _over(row: Row, cell: Cell) -> Cell | None:
    """The cell of a row above that shares most of the width, else one that ends or begins where it does."""
    if len(row.cells) < 2:
        return None
    best, most = None, 0.0
    for one in row.cells:
        shared = min(one.right, cell.right) - max(one.left, cell.left)
        if shared > most:
            best, most = one, shared
    if best is not None:
        return best
    near = min(row.cells, key=lambda one: min(abs(one.right - cell.right), abs(one.left - cell.left)))
    away = min(abs(near.right - cell.right), abs(near.left - cell.left))
    return near if away < 3 * max(cell.unit, near.unit) else None


def _heading(rows: Sequence[Row], number: int) -> str:
    """The nearest row above with one cell of words, in this block or right before it."""
    for place in range(number - 1, max(-1, number - 12), -1):
        if len(rows[place].cells) == 1 and _LETTERS.search(rows[place].cells[0].text):
            return rows[place].cells[0].text
        if rows[place].opens and place < number - 1 and len(rows[place].cells) > 1:
            break
    return ""


def _sentences(rows: Sequence[Row]) -> list[str]:
    """Running text put together from rows of one cell and cut at full stops; other rows stay rows."""
    found: list[str] = []
    running = ""
    width = max((row.cells[-1].right - row.cells[0].left for row in rows), default=0.0)

    def end() -> None:
        nonlocal running
        part = ""
        for piece in _SENTENCE.split(running):
            part = f"{part} {piece}".strip()
            if len(part.split()) > 3 or len(part) > 24 or not part.isascii():
                found.append(part)
                part = ""
        if part:
            found.append(part)
        running = ""

    for row in rows:
        cell = row.cells[0]
        full = len(row.cells) == 1 and cell.right - cell.left > 0.7 * width
        starts = row.opens or re.match(r"(?:\d{1,2}[.)]|[-•*※])\s", cell.text)
        if starts or len(row.cells) > 1:
            end()
        running = f"{running} {row.text.replace(' | ', ' ')}".strip()
        if not full:
            end()
    end()
    return [one for one in found if one]
