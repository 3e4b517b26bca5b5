"""Questions over several rows of a page: the items of a list, counts of rows, the highest and the lowest."""

from __future__ import annotations

import re
from collections.abc import Sequence

from foveal.engines.evidence import values
from foveal.engines.evidence.lookup import Lookup
from foveal.engines.evidence.page import Entry
from foveal.engines.layout import Row
from foveal.engines.terms import labels_in

_LETTERS = re.compile(r"[^\W\d_]{2,}")


def name_of(row: Row) -> str:
    """The cell that names a row: its first one of words."""
    return next((cell.text for cell in row.cells if _LETTERS.search(cell.text) and not _typed(cell.text)), "")


def items(lookup: Lookup, not_items: frozenset[str]) -> list[Row]:
    """Rows of a thing and a number, before the total and below the header; no row of a document's labels."""
    found: list[Row] = []
    for row in lookup.page.rows:
        name = name_of(row)
        numbers = [cell.text for cell in row.cells if values.is_number(cell.text)]
        labels = {term.label for term in labels_in(name, lookup.words)}
        if "total" in labels and found:
            break
        if len(row.cells) > 1 and name and numbers and not labels & not_items:
            found.append(row)
    return found


def column(lookup: Lookup) -> list[Entry]:
    """The values below a header that the terms name, when no row is named too."""
    heads = {
        entry.header[0] for entry in lookup.page.entries if entry.header and lookup.hits(entry.header[0])
    }
    if len(heads) != 1:
        return []
    head = heads.pop()
    if lookup.present - lookup.hits(head):
        return []
    return [one for one in lookup.page.entries if one.header[:1] == (head,) and not one.own]


def matching_rows(lookup: Lookup) -> list[Row]:
    """Rows of several cells that hold every term that the page holds, headers aside."""
    heads: set[int] = set()
    for entry in lookup.page.entries:
        heads |= set().union(*(lookup.hits(text) for text in entry.header))
    wanted = lookup.present - heads
    if not wanted or lookup.telling - lookup.present - _labelled(lookup):
        return []
    return [row for row in lookup.page.rows if len(row.cells) > 1 and wanted <= lookup.hits(row.text)]


def _labelled(lookup: Lookup) -> frozenset[int]:
    return frozenset(at for at, term in enumerate(lookup.terms) if term.label)


def compared(lookup: Lookup, rows: Sequence[Row], *, time: bool) -> list[tuple[float, Entry]]:
    """The values that a comparison runs over, in the order of the page: those of one named row against the
    headers, else those of one column against the rows' names.
    """
    value = values.as_minutes if time else values.as_number
    whole = [one for one in lookup.page.entries if not one.own]
    row = _named_row(lookup, whole)
    if row is not None:
        entries = [one for one in whole if one.row == row and one.header]
        return [(number, one) for one in entries if (number := value(one.value)) is not None]
    places = {number for number, one in enumerate(lookup.page.rows) if any(one is row for row in rows)}
    wanted = frozenset(at for at in lookup.present if any(at in lookup.hits(one.text) for one in rows))
    chosen: dict[int, tuple[float, Entry]] = {}
    named = {
        one.header[0]
        for one in whole
        if one.header and lookup.hits(one.header[0]) - wanted and value(one.value) is not None
    }
    for one in whole:
        if one.row not in places or (named and one.header[:1] and one.header[0] not in named):
            continue
        number = value(one.value)
        if number is None or not wanted <= lookup.hits(lookup.page.rows[one.row].text):
            continue
        if time and one.row in chosen:  # times: the first column (departure); numbers: the last (amount)
            continue
        chosen[one.row] = (number, one)
    return list(chosen.values())


def _named_row(lookup: Lookup, entries: Sequence[Entry]) -> int | None:
    """The one row that the terms name best and that has values under headers: "Revenue | 1 | 2 | 3"."""
    named: dict[int, float] = {}
    for one in entries:
        weight = sum(lookup.terms[at].weight for at in lookup.hits(one.value) & lookup.telling)
        weight /= 1 + 0.2 * len(one.value.split())  # "Revenue" rather than "Cost of revenue"
        numbers = sum(bool(header) and values.is_number(text) for text, header in one.beside)
        if one.column == 0 and weight and numbers >= 2:
            named[one.row] = weight
    best = [row for row, weight in named.items() if weight == max(named.values())]
    return best[0] if len(best) == 1 else None


def _typed(text: str) -> bool:
    return (
        values.is_number(text)
        or values.pieces(text, "time") == [text]
        or values.pieces(text, "date") == [text]
    )
