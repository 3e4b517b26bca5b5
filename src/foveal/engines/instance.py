"""The smallest JSON value that is valid against a schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from foveal.engines.grammar import SchemaError, schema_grammar

DEEPEST = 40
_FORMATS = {
    "date": "2024-01-01",
    "time": "00:00:00Z",
    "date-time": "2024-01-01T00:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "ipv4": "192.0.2.1",
}


def minimal_instance(schema: Mapping[str, Any]) -> Any:
    """Required properties only, fewest items, numbers nearest to zero; raises `SchemaError`."""
    schema_grammar(schema)  # one rule for what is understood
    return _value(schema, schema, 0)


def _value(schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    if depth > DEEPEST:
        raise SchemaError((), "no finite value can match.")
    if not isinstance(schema, Mapping):
        return None
    if "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#").split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            target = target[int(step)] if isinstance(target, list) else target[step]
        return _value({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, root, depth + 1)
    for word in ("allOf", "anyOf", "oneOf"):
        if word in schema:
            return _combined(schema, word, root, depth)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema or "required" in schema else "null")
    kinds = [kind] if isinstance(kind, str) else kind
    return _typed(schema, "null" if "null" in kinds else kinds[0], root, depth)


def _combined(schema: Mapping[str, Any], word: str, root: Mapping[str, Any], depth: int) -> Any:
    base = {key: value for key, value in schema.items() if key != word}
    if word == "allOf":
        whole = base
        for part in schema[word]:
            both = {**whole.get("properties", {}), **part.get("properties", {})}
            needed = [*whole.get("required", []), *part.get("required", [])]
            whole = {**whole, **part}
            if both:
                whole["properties"], whole["required"] = both, needed
        return _value(whole, root, depth + 1)
    problem = SchemaError((), "no value can match.")
    for part in schema[word]:
        try:
            return _value({**base, **part}, root, depth + 1)
        except SchemaError as error:
            problem = error
    raise problem


def _typed(schema: Mapping[str, Any], kind: str, root: Mapping[str, Any], depth: int) -> Any:
    if kind == "object":
        properties = schema.get("properties", {})
        extra = schema.get("additionalProperties", True)
        return {
            name: _value(properties.get(name, extra), root, depth + 1) for name in schema.get("required", [])
        }
    if kind == "array":
        first = schema.get("prefixItems", [])
        rest = schema.get("items", True)
        count = schema.get("minItems", 0)
        return [_value(first[i] if i < len(first) else rest, root, depth + 1) for i in range(count)]
    if kind == "string":
        known = _FORMATS.get(str(schema.get("format")))
        return known if known is not None else "a" * schema.get("minLength", 0)
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    return False if kind == "boolean" else None


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    low_open, high_open = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low_open is True:
        low_open = low
    if high_open is True:
        high_open = high
    above = low_open if isinstance(low_open, int | float) and low_open is not False else -math.inf
    below = high_open if isinstance(high_open, int | float) and high_open is not False else math.inf

    def fits(value: float) -> bool:
        return low <= value <= high and above < value < below

    least, most = max(low, above), min(high, below)
    edges = [edge for edge in (least, most) if math.isfinite(edge)]
    candidates: list[int | float] = [0]
    for edge in edges:
        candidates += [math.ceil(edge), math.floor(edge), math.floor(edge) + 1, math.ceil(edge) - 1]
    if not whole:
        candidates += [*edges, sum(edges) / 2]
    for candidate in sorted(candidates, key=abs):
        if fits(candidate):
            return candidate
    raise SchemaError((), "no number fits the bounds.")
