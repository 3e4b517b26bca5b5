"""Schemas as grammars: what a model of random weights writes under a grammar is valid against the schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from foveal.engines.base import Sampling
from foveal.engines.grammar import (
    SchemaError,
    choice_grammar,
    json_object_grammar,
    schema_grammar,
)
from foveal.engines.llama import ChatMessage, Generation, LlamaRuntime

Check = Callable[[Any], bool]


async def written(runtime: LlamaRuntime, grammar: str, seed: int) -> str:
    sampling = Sampling(temperature=1.5, seed=seed, max_tokens=3000)
    request = Generation((ChatMessage("user", "go"),), sampling, grammar)
    pieces = [piece async for piece in runtime.generate(request)]
    assert pieces[-1].finish == "stop"
    return "".join(piece.text for piece in pieces)


SHORT = {"type": "string", "maxLength": 6}
SCHEMAS: list[tuple[dict[str, Any], Check]] = [
    ({"type": "integer", "minimum": 0, "maximum": 120}, lambda v: 0 <= v <= 120),
    ({"type": "integer", "minimum": -37, "maximum": 4}, lambda v: -37 <= v <= 4),
    ({"type": "integer", "exclusiveMinimum": 98, "exclusiveMaximum": 1005}, lambda v: 98 < v < 1005),
    ({"type": "integer", "minimum": 17}, lambda v: v >= 17),
    ({"type": "number", "minimum": 0, "maximum": 1}, lambda v: 0 <= v <= 1),
    ({"type": "number", "minimum": -2.5, "exclusiveMaximum": 3}, lambda v: -2.5 <= v < 3),
    ({"type": "number", "minimum": 0.25, "maximum": 0.75}, lambda v: 0.25 <= v <= 0.75),
    ({"type": "number", "multipleOf": 0.1}, lambda v: abs(v * 10 - round(v * 10)) < 1e-6 * max(1, abs(v))),
    ({"enum": ["a", 'quo"te', "한국어", 3, None]}, lambda v: v in ["a", 'quo"te', "한국어", 3, None]),
    ({"const": {"a": [1, 2]}}, lambda v: v == {"a": [1, 2]}),
    ({"type": ["string", "null"], "maxLength": 5}, lambda v: v is None or len(v) <= 5),
    ({"type": "string", "minLength": 3, "maxLength": 5}, lambda v: 3 <= len(v) <= 5),
    ({"type": "string", "format": "date"}, lambda v: len(v) == 10 and 1 <= int(v[5:7]) <= 12),
    ({"type": "array", "items": SHORT, "minItems": 2, "maxItems": 3}, lambda v: 2 <= len(v) <= 3),
    ({"type": "array", "items": SHORT, "maxItems": 1}, lambda v: len(v) <= 1),
    ({"type": "array", "prefixItems": [SHORT, {"type": "null"}], "items": False, "minItems": 1},
     lambda v: len(v) in (1, 2) and isinstance(v[0], str)),
    ({"type": "object", "properties": {"a": SHORT, "b": {"type": "boolean"}, "c": {"type": "null"}},
      "required": ["b"], "additionalProperties": False},
     lambda v: {"b"} <= set(v) <= {"a", "b", "c"} and isinstance(v["b"], bool)),
    ({"type": "object", "properties": {}}, lambda v: isinstance(v, dict)),
    ({"type": "object", "additionalProperties": {"type": "integer"}},
     lambda v: all(isinstance(item, int) for item in v.values())),
    ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, lambda v: v in (None, True, False)),
    ({"allOf": [{"type": "object", "properties": {"a": SHORT}, "required": ["a"]},
                {"properties": {"b": {"type": "null"}}, "required": ["b"]}]},
     lambda v: set(v) == {"a", "b"}),
    ({"$defs": {"node": {"type": "object", "properties": {"name": SHORT,
        "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["name"]}},
      "$ref": "#/$defs/node"}, lambda v: {"name"} <= set(v) <= {"name", "next"}),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "check"), SCHEMAS)
async def test_what_is_written_is_valid(runtime: LlamaRuntime, schema: dict[str, Any], check: Check) -> None:
    grammar = schema_grammar(schema)
    for seed in range(4):
        text = await written(runtime, grammar, seed)
        assert check(json.loads(text)), text


async def test_any_object(runtime: LlamaRuntime) -> None:
    for seed in range(3):
        assert isinstance(json.loads(await written(runtime, json_object_grammar(), seed)), dict)


async def test_choices_are_taken_literally(runtime: LlamaRuntime) -> None:
    options = ['say "hi"', "back\\slash", "two\nlines", "ünï"]
    for seed in range(4):
        assert await written(runtime, choice_grammar(options), seed) in options


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "wat"}, "not a valid type"),
        ({"not": {}}, "'not'"),
        ({"type": "string", "pattern": "^a+$"}, "'pattern'"),
        ({"$ref": "#/$defs/gone"}, "leads nowhere"),
        ({"$ref": "http://example.com/schema"}, "does not point"),
        ({"type": "array", "items": {}, "uniqueItems": True}, "uniqueItems"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "no number"),
        ({"type": "integer", "minimum": "five"}, "must be a number"),
        ({"type": "number", "multipleOf": 0.3}, "multipleOf"),
        ({"type": "string", "minLength": 5000}, "at most"),
        ({"type": "string", "enum": [1, 2]}, "no value"),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, "can match"),
        ({"allOf": [{"type": "string"}, {"type": "null"}]}, "two different 'type'"),
    ],
)
def test_what_cannot_be_promised_is_refused(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(SchemaError, match="In context=") as refused:
        schema_grammar({"type": "object", "properties": {"inner": schema}})
    assert reason in str(refused.value)
    assert "inner" in str(refused.value)


def test_a_deep_schema_is_refused_not_crashed() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(3000):
        schema = {"type": "array", "items": schema}
    with pytest.raises(SchemaError, match="too deeply"):
        schema_grammar(schema)
