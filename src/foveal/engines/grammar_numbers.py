"""Numbers within bounds as GBNF, digit by digit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

LARGEST = 10**15 - 1
MOST_LISTED = 200


def rule(schema: Mapping[str, Any], *, whole: bool) -> str | None:
    """The body of a rule for an integer (`whole`) or number within the schema's bounds, None for no bounds.

    Raises ValueError for bounds that cannot be kept.
    """
    low, low_open = _bound(schema, "minimum", "exclusiveMinimum")
    high, high_open = _bound(schema, "maximum", "exclusiveMaximum")
    decimals = 0 if whole else 6
    step = schema.get("multipleOf")
    if step is not None:
        decimals = min(decimals, _decimals(step))
    elif low is None and high is None:
        return None
    least = -LARGEST if low is None else math.floor(low) + 1 if low_open else math.ceil(low)
    most = LARGEST if high is None else math.ceil(high) - 1 if high_open else math.floor(high)
    if low is not None and high is None:
        most = max(LARGEST, 10 * abs(least))
    if high is not None and low is None:
        least = min(-LARGEST, -10 * abs(most))
    if least <= most:
        return _between(least, most, decimals)
    if decimals and low is not None and high is not None:
        return _listed(low, high, low_open, high_open, decimals)
    raise ValueError("no number fits the bounds.")


def _bound(schema: Mapping[str, Any], word: str, open_word: str) -> tuple[Fraction | None, bool]:
    """The bound, and whether it is itself outside (`exclusive...` is a number now, was a flag in draft 4)."""
    closed, opened = schema.get(word), schema.get(open_word)
    for value in (closed, opened):
        if value is not None and not isinstance(value, int | float):
            raise ValueError(f"'{word}' must be a number.")
    if isinstance(opened, bool) or opened is None:
        return (None if closed is None else _exact(closed)), bool(opened)
    if closed is None:
        return _exact(opened), True
    tighter = closed > opened if word == "minimum" else closed < opened
    return (_exact(closed), False) if tighter else (_exact(opened), True)


def _exact(value: float) -> Fraction:
    if not math.isfinite(value):
        raise ValueError("bounds must be finite.")
    return Fraction(str(value))


def _decimals(step: object) -> int:
    for places in range(7):
        if isinstance(step, int | float) and _exact(step) == Fraction(1, 10**places):
            return places
    raise ValueError("'multipleOf' is supported for 1, 0.1, 0.01 and so on only.")


def _listed(low: Fraction, high: Fraction, low_open: bool, high_open: bool, decimals: int) -> str:
    for places in range(1, decimals + 1):
        scale = 10**places
        first = math.floor(low * scale) + 1 if low_open else math.ceil(low * scale)
        last = math.ceil(high * scale) - 1 if high_open else math.floor(high * scale)
        if first <= last:
            values = range(first, min(last, first + MOST_LISTED - 1) + 1)
            return " | ".join(f'"{float(Fraction(value, scale)):.{places}f}"' for value in values)
    raise ValueError("no number fits the bounds.")


def _between(least: int, most: int, decimals: int) -> str:
    options = []
    if least < 0:
        options.append(f'"-" ({_magnitude(max(0 if decimals else 1, -most), -least, decimals)})')
    if most >= 0:
        options.append(_magnitude(max(0, least), most, decimals))
    return " | ".join(option for option in options if option)


def _magnitude(least: int, most: int, decimals: int) -> str:
    """Numbers from `least` to `most`, both >= 0: any below `most` may go on with a fraction."""
    if not decimals:
        return " | ".join(_digits(least, most))
    options = [" | ".join(_digits(most, most))]
    if least < most:
        options.insert(0, f'({" | ".join(_digits(least, most - 1))}) ("." [0-9]{{1,{decimals}}})?')
    return " | ".join(options)


def _digits(least: int, most: int) -> list[str]:
    found = []
    for length in range(len(str(least)), len(str(most)) + 1):
        start = max(least, 10 ** (length - 1) if length > 1 else 0)
        found += _same_length(str(start), str(min(most, 10**length - 1)))
    return found


def _same_length(start: str, end: str) -> list[str]:
    if start == end:
        return [f'"{start}"'] if start else [""]
    if set(start) == {"0"} and set(end) == {"9"}:
        return [f"[0-9]{{{len(start)}}}"]
    head, tail = int(start[0]), int(end[0])
    if head == tail:
        return [f'"{head}" {rest}' for rest in _same_length(start[1:], end[1:])]
    rest = len(start) - 1
    found = []
    if set(start[1:]) - {"0"}:
        found += [f'"{head}" {more}' for more in _same_length(start[1:], "9" * rest)]
        head += 1
    upper = []
    if set(end[1:]) - {"9"}:
        upper = [f'"{tail}" {more}' for more in _same_length("0" * rest, end[1:])]
        tail -= 1
    if head <= tail:
        found.append(f"[{head}-{tail}]" + (f" [0-9]{{{rest}}}" if rest else ""))
    return found + upper
