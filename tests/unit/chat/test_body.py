"""Bytes → JSON object: what is taken, and a precise refusal for everything else."""

from __future__ import annotations

import pytest

from foveal.chat.body import read_object
from foveal.errors import InvalidRequest


@pytest.mark.parametrize(
    "body",
    [
        b'{"max_tokens": 100}',
        b'{"max_tokens": 100, }',
        b'{"max_tokens": 100,\n\t } \r\n',
        b'\xef\xbb\xbf{"max_tokens": 100}',
        b'{"max_tokens" :100}',
    ],
)
def test_an_object_is_read(body: bytes) -> None:
    assert read_object(body) == {"max_tokens": 100}


def test_a_comma_inside_a_string_stays() -> None:
    assert read_object(b'{"a": "x, }", "b": ["\\", ]",],}') == {"a": "x, }", "b": ['", ]']}


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        (b"", "body", "empty"),
        (b" \r\n\t", "body", "empty"),
        (b"[]", "body", "not an array"),
        (b'"text"', "body", "not a string"),
        (b"null", "body", "not null"),
        (b"12", "body", "not a number"),
        (b"{", "body", "not valid JSON"),
        (b'{"a": 1} x', "body", "trailing characters"),
        (b'{"a": [1,,]}', "body", "not valid JSON"),
        (b'{"a": [,]}', "body", "not valid JSON"),
        (b'{ , "a": 1}', "body", "not valid JSON"),
        (b'{"a": {, }}', "body", "not valid JSON"),
        (b"{'a': 1}", "body", "not valid JSON"),
        (b'{"a": "\\ud800"}', "body", "not valid JSON"),
        (b'{"temperature": NaN}', "temperature", "NaN"),
        (b'{"a": {"b": [0, -Infinity]}}', "a.b.[1]", "-Infinity"),
        (b'{"temperature": 1e999}', "temperature", "out of range"),
        (b'{"n": ' + b"9" * 6000 + b"}", "n", "out of range"),
        (b'{"messages": [{"content": "x\xff"}]}', "messages.[0].content", "UTF-8"),
        (b'{"a\xff": 1}', "body", "UTF-8"),
        (b'{"n": 1, "n": 2}', "n", "more than once"),
        (b'{"a": [{"b": 1, "b": 2}]}', "a.[0].b", "more than once"),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "body", "nested"),
        (b'{"a":' + b"[" * 100_000, "body", "nested"),
        (b'{"a": [' + b"[]," * 1_000_000 + b"[]]}", "body", "too many"),
    ],
)
def test_anything_else_is_refused_by_name(body: bytes, param: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says) as refused:
        read_object(body)
    assert refused.value.param == param
    assert refused.value.status == 400


def test_fifty_levels_are_taken() -> None:
    assert read_object(b'{"a":' * 50 + b"1" + b"}" * 50)


def test_a_hostile_string_is_scanned_once() -> None:
    with pytest.raises(InvalidRequest, match="not valid JSON"):
        read_object(b'{"a": "' + b'\\"' * 2_000_000)
