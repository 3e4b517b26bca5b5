"""Bytes → JSON object, strictly, and a precise refusal for everything else.

The common case is one pass of a fast decoder. Only a body that it refuses is looked at again: to accept
the trailing commas of Azure's own samples, else to say what is wrong and where.
Every pass is linear in the length of the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from foveal.errors import InvalidRequest

MAX_DEPTH = 50
MAX_VALUES = 1_000_000  # commas and brackets: far above any real request, far below a memory bomb

_RARE = 10_000  # up to so many finds, jumping from one to the next beats counting, which looks at every byte
_BOM = b"\xef\xbb\xbf"
# A string (terminated or not: possessive, so that no input makes it scan twice), a comma after nothing
# (both are kept), or a trailing comma.
_STRING_OR_TRAILING_COMMA = re.compile(
    rb'("(?:[^"\\]++|\\.?)*+"?|[\[{,][ \t\r\n]*+,)|,(?=[ \t\r\n]*+[\]}])', re.DOTALL
)
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[\]{}]', re.DOTALL)

_decode = msgspec.json.Decoder().decode


class _Unusable:
    """Stands in a diagnosed tree where a number cannot be used."""

    def __init__(self, why: str) -> None:
        self.why = why


class _Duplicate(dict[str, Any]):
    """An object in which `key` stood twice."""

    key = ""


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, or `InvalidRequest` naming what is wrong."""
    if body.startswith(_BOM):
        body = body[len(_BOM) :]
    if sum(_count(body, mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise InvalidRequest("The request body holds too many JSON values.", param="body")
    try:
        tree = _decode(body)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        tree = _second_look(body, error)
    if not isinstance(tree, dict):
        raise InvalidRequest(f"The request body must be a JSON object, not {json_type(tree)}.", param="body")
    # A repeated key, or only an unusual spelling: look closely.
    if _count_keys(tree) != _count_key_ends(body) and _is_quick(body):
        _refuse_duplicates(body)
    return tree


def json_type(value: object) -> str:
    """The JSON name of a value's type, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _count_keys(tree: dict[str, Any]) -> int:
    """The number of keys in the whole tree; refuses one that is nested too deeply."""
    keys = 0
    level: list[Any] = [tree]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for node in level:
            if type(node) is dict:
                keys += len(node)
                node = node.values()
            deeper += [value for value in node if type(value) is dict or type(value) is list]
        if not deeper:
            return keys
        level = deeper
    raise _too_deep()


def _count(body: bytes, mark: bytes) -> int:
    """`body.count(mark)`, but quick where `mark` is rare: base64 has none, and `find` jumps over it."""
    found = 0
    at = body.find(mark)
    while at >= 0:
        found += 1
        if found > _RARE:
            return body.count(mark)
        at = body.find(mark, at + 1)
    return found


def _count_key_ends(body: bytes) -> int:
    """How often `":` stands in the body."""
    if _count(body, b'"') > _RARE:
        return body.count(b'":')
    found = 0
    at = body.find(b'"')
    while at >= 0:
        found += body[at + 1 : at + 2] == b":"
        at = body.find(b'"', at + 1)
    return found


def _is_quick(body: bytes) -> bool:
    """Whether a closer look is quick: pictures are, millions of quotes and escapes are not."""
    return _count(body, b"\\") + _count(body, b'"') <= MAX_VALUES


def _second_look(body: bytes, error: Exception) -> Any:
    if not body.strip(b" \t\r\n"):
        raise InvalidRequest("The request body is empty; a JSON object is expected.", param="body")
    if not _is_quick(body):
        raise InvalidRequest("The request body is not valid JSON.", param="body")
    _check_depth(body)
    if isinstance(error, UnicodeDecodeError):
        _refuse_utf8(body)
    repaired = _STRING_OR_TRAILING_COMMA.sub(rb"\1", body)
    if len(repaired) != len(body):
        try:
            return _decode(repaired)
        except UnicodeDecodeError:
            _refuse_utf8(repaired)
        except msgspec.DecodeError:
            pass  # wrong in another way too: say that
    _refuse_numbers(repaired)
    reason = str(error).removeprefix("JSON is malformed: ")
    raise InvalidRequest(f"The request body is not valid JSON: {reason}.", param="body")


def _check_depth(body: bytes) -> None:
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(body):
        mark = found.group()[:1]
        if mark in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep()
        elif mark in b"]}":
            depth -= 1


def _too_deep() -> InvalidRequest:
    return InvalidRequest(f"The request body is nested more than {MAX_DEPTH} levels deep.", param="body")


def _refuse_utf8(body: bytes) -> NoReturn:
    """Name the value with the bad bytes: they decode to lone surrogates, which no valid string holds."""
    where = "body"
    for path, value in _leaves(_lenient(body.decode("utf-8", "surrogateescape"))):
        if isinstance(value, str) and any("\udc80" <= char <= "\udcff" for char in value):
            where = path
            break
    raise InvalidRequest(f"Invalid UTF-8 in the request body at '{where}'.", param=where)


def _refuse_numbers(body: bytes) -> None:
    for path, value in _leaves(_lenient(body.decode("utf-8", "replace"))):
        if isinstance(value, _Unusable):
            raise InvalidRequest(f"{value.why} - '{path}'", param=path)


def _refuse_duplicates(body: bytes) -> None:
    for path, value in _leaves(_lenient(body.decode("utf-8", "replace"), pairs=True)):
        if isinstance(value, _Duplicate):
            where = f"{path}.{value.key}" if path else value.key
            raise InvalidRequest(f"The key '{where[:200]}' appears more than once.", param=where[:200])


def _lenient(text: str, *, pairs: bool = False) -> Any:
    """The tree of `text` with bad numbers marked, or None when even that cannot be read."""
    try:
        return json.loads(
            text,
            parse_constant=lambda name: _Unusable(f"{name} is not a valid JSON number"),
            parse_float=_float,
            parse_int=lambda digits: 0 if len(digits) < 400 else _Unusable("The number is out of range"),
            object_pairs_hook=_pairs if pairs else None,
            strict=False,
        )
    except (ValueError, RecursionError):
        return None


def _float(digits: str) -> float | _Unusable:
    number = float(digits)
    return number if abs(number) != float("inf") else _Unusable("The number is out of range")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    seen: set[str] = set()
    marked = _Duplicate(plain)
    for key, _ in pairs:
        if key in seen:
            marked.key = key
            break
        seen.add(key)
    return marked


def _leaves(tree: Any) -> Iterator[tuple[str, Any]]:
    """Every value under `tree` that is not a plain container, with its path: `messages.[1].content`."""
    stack: list[tuple[str, Any]] = [("", tree)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, dict) and not isinstance(node, _Duplicate):
            stack += [(f"{path}.{key}" if path else key, value) for key, value in reversed(node.items())]
        elif isinstance(node, list):
            stack += [(f"{path}.[{index}]", value) for index, value in reversed(list(enumerate(node)))]
        else:
            yield path, node
