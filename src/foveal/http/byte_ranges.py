"""Byte ranges and preconditions of a request for a file (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Unsatisfiable(Exception):
    """The range lies outside the file."""


def wanted_range(headers: Mapping[str, str], size: int, etag: str, modified: float) -> tuple[int, int] | None:
    """From where up to, not including, where; None for all of it. Raises `Unsatisfiable`.

    `x-ms-range` goes before `Range`, as in Azure. What is no single range is left out of account, and so is
    a range of a file that has changed since (`If-Range`).
    """
    found = _RANGE.fullmatch((headers.get("x-ms-range") or headers.get("range") or "").strip())
    if found is None or not _unchanged(headers.get("if-range"), etag, modified):
        return None
    first, last = found.groups()
    if not first:
        if not last:
            return None
        start, end = size - min(int(last), size), size
    else:
        start, end = int(first), size if not last else min(int(last) + 1, size)
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise Unsatisfiable
    return start, end


def matches(header: str | None, etag: str) -> bool:
    """Whether `If-Match` or `If-None-Match` names this version of the file; False when there is no such."""
    if header is None:
        return False
    named = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in named or etag in named


def http_date(moment: float) -> str:
    return formatdate(moment, usegmt=True)


def _unchanged(header: str | None, etag: str, modified: float) -> bool:
    if header is None or header.strip() == etag:
        return True
    try:
        return parsedate_to_datetime(header.strip()).timestamp() == int(modified)
    except (ValueError, OverflowError):
        return False
