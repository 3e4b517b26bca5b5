"""Base64 of a client, up to 28 MB of it, to bytes: piece by piece, so that no step holds the GIL for long.

(Cutting 28 MB of text in two takes 27 ms and holds the GIL all the while; decoding it does not.)
"""

from __future__ import annotations

import io

import pybase64

_PIECE = 1 << 20  # characters; a multiple of 4
_NO_WHITESPACE = str.maketrans("", "", " \t\r\n\f")


class BadBase64(Exception):
    """Not base64: another alphabet, something after the padding, or a length that cannot be."""


class TooMuchBase64(Exception):
    """It decodes to more bytes than are taken."""


def decode_base64(text: str, start: int, *, max_bytes: int) -> bytes:
    """The bytes of `text[start:]`.

    White space (line breaks of the `base64` command) is passed over and missing padding is filled in, as
    browsers do for data URLs; everything else outside the standard alphabet is refused.
    """
    decoded = io.BytesIO()
    rest = ""
    ended = False
    for at in range(start, len(text), _PIECE):
        piece = rest + text[at : at + _PIECE]
        whole = len(piece) - len(piece) % 4
        try:
            content = _decode(piece[:whole])
        except ValueError:  # of which binascii.Error is one
            piece = piece.translate(_NO_WHITESPACE)
            whole = len(piece) - len(piece) % 4
            content = _decode_or_refuse(piece[:whole])
        rest = piece[whole:]
        if ended and (content or rest.strip()):
            raise BadBase64("goes on after its padding")
        ended = ended or piece[:whole].endswith("=")
        _append(decoded, content, max_bytes)
    rest = rest.translate(_NO_WHITESPACE)
    if rest:
        _append(decoded, _decode_or_refuse(rest + "=" * (-len(rest) % 4)), max_bytes)
    return decoded.getvalue()


def _append(decoded: io.BytesIO, content: bytes, max_bytes: int) -> None:
    if decoded.tell() + len(content) > max_bytes:
        raise TooMuchBase64
    decoded.write(content)


def _decode(text: str) -> bytes:
    return pybase64.b64decode(text, validate=True)


def _decode_or_refuse(text: str) -> bytes:
    try:
        return _decode(text)
    except ValueError as error:  # binascii.Error, or characters outside ASCII
        raise BadBase64("not base64") from error
