"""JSON as people write it into shells: single quotes around strings, commas after the last item.

A body that is JSON is read as such. Only one that is not, and holds a single quote, is rewritten and read
again. Every pass is linear in the length of the body.
"""

from __future__ import annotations

import re
from typing import Any

from foveal.chat.body import read_object
from foveal.errors import InvalidRequest

_DOUBLE = rb'"(?:[^"\\]++|\\.?)*+"?'
_SINGLE = rb"'(?:[^'\\]++|\\.?)*+'?"
# What Python's repr writes beside its single quotes.
_WORD = rb"\b(?:True|False|None)\b"
_PIECES = re.compile(rb"|".join((_DOUBLE, _SINGLE, _WORD)), re.DOTALL)
_WORDS = {b"True": b"true", b"False": b"false", b"None": b"null"}
_IN_STRING = re.compile(rb"\\'|\"", re.DOTALL)


def read_relaxed(body: bytes) -> dict[str, Any]:
    """The object in `body`, or `InvalidRequest` naming what is wrong."""
    try:
        return read_object(body)
    except InvalidRequest:
        if b"'" not in body:
            raise
    return read_object(_PIECES.sub(_rewritten, body))


def _rewritten(found: re.Match[bytes]) -> bytes:
    piece = found.group()
    if piece.startswith(b'"'):
        return piece
    if not piece.startswith(b"'"):
        return _WORDS[piece]
    closed = len(piece) > 1 and piece.endswith(b"'")
    inside = piece[1:-1] if closed else piece[1:]
    # A quote that was escaped needs no escape now, one that was not does.
    inside = _IN_STRING.sub(lambda mark: b"'" if mark.group() == rb"\'" else rb"\"", inside)
    return b'"' + inside + (b'"' if closed else b"")
