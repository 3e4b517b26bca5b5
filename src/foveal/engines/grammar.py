"""JSON schemas as GBNF grammars: whatever a grammar lets through is valid against its schema.

The other way round is not promised: a grammar may let through less than the schema (properties come in their
declared order, extra properties are left out where others are declared, numbers have at most 15 digits, very
long strings and arrays are cut), never more. What cannot be promised is refused with `SchemaError`, which
says where. One exception, as everywhere: `oneOf` is read as `anyOf`. Keywords that only describe (`title`,
`default`, unknown `format`s ...) are passed over. GBNF: llama.cpp's grammars/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from foveal.engines import grammar_numbers as numbers

LONGEST_STRING = (
    1000  # characters, where the schema sets a larger bound (longer repetitions are refused natively)
)
LONGEST_ARRAY = 200
MOST_RULES = 4000

_BASE = {
    "char": r'[^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]',
    "string": '"\\"" char* "\\""',
    "integer": '"-"? ("0" | [1-9] [0-9]{0,14})',
    "number": 'integer ("." [0-9]{1,15})?',
    "boolean": '"true" | "false"',
    "null": '"null"',
    "value": "object | array | string | number | boolean | null",
    "member": 'string ": " value',
    "object": '"{" (member (", " member)*)? "}"',
    "array": '"[" (value (", " value)*)? "]"',
}
_DAY = (
    '(("0" [13578] | "1" [02]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])'
    ' | ("0" [469] | "11") "-" ("0" [1-9] | [12] [0-9] | "30")'
    ' | "02-" ("0" [1-9] | "1" [0-9] | "2" [0-8]))'
)
_DATE = f'[12] [0-9]{{3}} "-" {_DAY}'
_TIME = '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] "Z"'
_FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f'{_DATE} "T" {_TIME}',
    "uuid": '[0-9a-f]{8} "-" [0-9a-f]{4} "-4" [0-9a-f]{3} "-" [89ab] [0-9a-f]{3} "-" [0-9a-f]{12}',
}
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_REFUSED = (
    "not", "if", "then", "else", "pattern", "patternProperties", "propertyNames", "contains", "dependencies",
    "dependentRequired", "dependentSchemas", "unevaluatedItems", "$dynamicRef", "contentSchema",
    "minProperties", "maxProperties",
)  # fmt: skip
_OBJECT_WORDS = ("properties", "required", "additionalProperties")
_ARRAY_WORDS = ("items", "prefixItems", "minItems", "maxItems", "uniqueItems")

Path = tuple[str, ...]
Schema = Mapping[str, Any]


class SchemaError(ValueError):
    """A schema that no grammar can promise to keep; the message says where and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"In context={path!r}, {reason}")


def json_object_grammar() -> str:
    """Any JSON object."""
    return _text({**_BASE, "root": "object"})


def choice_grammar(options: Sequence[str]) -> str:
    """Exactly one of `options`, as plain text."""
    return "root ::= " + " | ".join(_literal(option) for option in options)


def schema_grammar(schema: Schema) -> str:
    """JSON that is valid against `schema`; raises `SchemaError`."""
    compiler = _Compiler(schema)
    try:
        root = compiler.rule(schema, ())
    except RecursionError:
        raise SchemaError((), "the schema is nested too deeply.") from None
    return _text({**_BASE, **compiler.rules, "root": root})


def _text(rules: Mapping[str, str]) -> str:
    return "\n".join(f"{name} ::= {body}" for name, body in rules.items())


def _literal(text: str) -> str:
    """A GBNF terminal that matches `text` exactly."""
    escaped = "".join(
        "\\" + char if char in '"\\' else char if ord(char) >= 32 else f"\\x{ord(char):02X}" for char in text
    )
    return f'"{escaped}"'


def _json_literal(value: object) -> str:
    return _literal(json.dumps(value, ensure_ascii=False))


class _Compiler:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self.rules: dict[str, str] = {}
        self._references: dict[str, str] = {}

    def _add(self, body: str, path: Path) -> str:
        if len(self.rules) >= MOST_RULES:
            raise SchemaError(path, "the schema is too large.")
        name = f"r{len(self.rules)}"
        self.rules[name] = body
        return name

    def rule(self, schema: object, path: Path) -> str:
        """The name of a rule for `schema`."""
        if schema is True:
            return "value"
        if not isinstance(schema, Mapping):
            raise SchemaError(path, f"{json.dumps(schema)} is not a schema that anything can match.")
        for word in _REFUSED:
            if word in schema:
                raise SchemaError(path, f"'{word}' is not supported.")
        if "$ref" in schema:
            return self._reference(schema, path)
        if "allOf" in schema:
            return self.rule(self._merged(schema, "allOf", path), path)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self._any_of(schema, word, path)
        if "enum" in schema or "const" in schema:
            return self._constant(schema, path)
        return self._typed(schema, path)

    def _reference(self, schema: Schema, path: Path) -> str:
        pointer = schema["$ref"]
        beside = {
            word: value for word, value in schema.items() if word not in ("$ref", "$defs", "definitions")
        }
        target = self._resolve(pointer, path)
        if any(word not in ("title", "description", "default", "examples") for word in beside):
            return self.rule(_merge(target, beside, path), path)
        name = self._references.get(pointer)
        if name is None:
            name = self._add("", path)
            self._references[pointer] = name
            self.rules[name] = self.rule(target, (*path, pointer))
        return name

    def _resolve(self, pointer: object, path: Path) -> Schema:
        if not isinstance(pointer, str) or not pointer.startswith("#"):
            raise SchemaError(path, f"reference {pointer!r} does not point into the schema itself.")
        found: Any = self._root
        for step in pointer.removeprefix("#").split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping) and step in found:
                found = found[step]
            elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
                found = found[int(step)]
            else:
                raise SchemaError(path, f"reference {pointer!r} leads nowhere.")
        if not isinstance(found, Mapping):
            raise SchemaError(path, f"reference {pointer!r} leads to no schema.")
        return found

    def _merged(self, schema: Schema, word: str, path: Path) -> Schema:
        result: Schema = {key: value for key, value in schema.items() if key != word}
        for part in self._parts(schema, word, path):
            while "$ref" in part:
                rest = {key: value for key, value in part.items() if key != "$ref"}
                part = _merge(self._resolve(part["$ref"], path), rest, path)
            result = _merge(result, part, path)
        return result

    def _parts(self, schema: Schema, word: str, path: Path) -> list[Schema]:
        parts = schema[word]
        if not isinstance(parts, list) or not parts or not all(isinstance(part, Mapping) for part in parts):
            raise SchemaError(path, f"'{word}' must be a list of schemas.")
        return parts

    def _any_of(self, schema: Schema, word: str, path: Path) -> str:
        base = {key: value for key, value in schema.items() if key != word}
        described = {"title", "description", "default", "examples", "$defs", "definitions", "$schema", "$id"}
        names = []
        for number, part in enumerate(self._parts(schema, word, path)):
            inside = (*path, word, str(number))
            whole = (
                part if base.keys() <= described else self._merged({"allOf": [base, part]}, "allOf", inside)
            )
            names.append(self.rule(whole, inside))
        return self._add(" | ".join(names), path)

    def _constant(self, schema: Schema, path: Path) -> str:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        if not isinstance(values, list):
            raise SchemaError(path, "'enum' must be a list.")
        types = _types(schema, path) if "type" in schema else None
        fitting = [value for value in values if types is None or _is_of(value, types)]
        if not fitting:
            raise SchemaError(path, "no value of the enumeration can match.")
        return self._add(" | ".join(_json_literal(value) for value in fitting), path)

    def _typed(self, schema: Schema, path: Path) -> str:
        if "type" in schema:
            types = _types(schema, path)
        elif any(word in schema for word in _OBJECT_WORDS):
            types = ["object"]
        elif any(word in schema for word in _ARRAY_WORDS):
            types = ["array"]
        else:
            return "value"
        names = [self._of_type(schema, name, path) for name in types]
        return names[0] if len(names) == 1 else self._add(" | ".join(names), path)

    def _of_type(self, schema: Schema, name: str, path: Path) -> str:
        if name == "object":
            return self._object(schema, path)
        if name == "array":
            return self._array(schema, path)
        if name == "string":
            return self._string(schema, path)
        if name in ("integer", "number"):
            try:
                body = numbers.rule(schema, whole=name == "integer")
            except ValueError as error:
                raise SchemaError(path, str(error)) from None
            return name if body is None else self._add(body, path)
        return name

    def _string(self, schema: Schema, path: Path) -> str:
        known = _FORMATS.get(str(schema.get("format")))
        if known is not None:
            return self._add(f'"\\"" {known} "\\""', path)
        least, most = _bounds(schema, "minLength", "maxLength", LONGEST_STRING, path)
        if least == 0 and most is None:
            return "string"
        return self._add(f'"\\"" char{{{least},{"" if most is None else most}}} "\\""', path)

    def _array(self, schema: Schema, path: Path) -> str:
        least, most = _bounds(schema, "minItems", "maxItems", LONGEST_ARRAY, path)
        if schema.get("uniqueItems") and (most is None or most > 1):
            raise SchemaError(path, "'uniqueItems' is not supported.")
        if most == 0:
            return self._add('"[]"', path)
        first = [
            self.rule(item, (*path, "prefixItems", str(number)))
            for number, item in enumerate(schema.get("prefixItems", ()))
        ]
        items = schema.get("items", True)
        if items is False:
            most, item = min(len(first), len(first) if most is None else most), "value"
        else:
            item = self.rule(items, (*path, "items"))
        if first:
            return self._add(_tuple(first, item, least, most), path)
        if least <= 1:
            more = "*" if most is None else f"{{0,{most - 1}}}"
            body = f'{item} (", " {item}){more}'
            return self._add(f'"[" {body} "]"' if least else f'"[" ({body})? "]"', path)
        more = f"{{{least - 1},{'' if most is None else most - 1}}}"
        return self._add(f'"[" {item} (", " {item}){more} "]"', path)

    def _object(self, schema: Schema, path: Path) -> str:
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        extra = schema.get("additionalProperties", True)
        if not isinstance(properties, Mapping) or not isinstance(required, list):
            raise SchemaError(path, "'properties' must be an object and 'required' a list.")
        wanted = dict(properties)
        for name in required:
            if name not in wanted:
                wanted[name] = extra  # False is refused by `rule`, and nothing could match it
        if not wanted:
            return self._free_object(extra, path)
        pairs = [
            (
                f"{_json_literal(name)} {_literal(': ')} {self.rule(value, (*path, 'properties', name))}",
                name in required,
            )
            for name, value in wanted.items()
        ]
        # Two chains of rules, from the last property back: one goes on after `{`, one after another property.
        after_open, after_other = _literal("}"), _literal("}")
        for pair, needed in reversed(pairs):
            opened, other = f"{pair} {after_other}", f"{_literal(', ')} {pair} {after_other}"
            if not needed:
                opened, other = f"{opened} | {after_open}", f"{other} | {after_other}"
            after_open, after_other = self._add(opened, path), self._add(other, path)
        return self._add(f"{_literal('{')} {after_open}", path)

    def _free_object(self, extra: object, path: Path) -> str:
        if extra is False:
            return self._add('"{}"', path)
        if extra is True:
            return "object"
        member = self._add(f'string ": " {self.rule(extra, (*path, "additionalProperties"))}', path)
        return self._add(f'"{{" ({member} (", " {member})*)? "}}"', path)


def _tuple(first: list[str], item: str, least: int, most: int | None) -> str:
    """An array whose first items have rules of their own."""
    longest = len(first) if most is None else min(len(first), most)
    tail = ""
    if most is None or most > longest:
        tail = f'(", " {item}){{{max(0, least - longest)},{"" if most is None else most - longest}}}'
    for number in range(longest - 1, -1, -1):
        comma = '", " ' if number else ""
        inner = f"{comma}{first[number]} {tail}"
        tail = inner if number < least else f"({inner})?"
    return f'"[" {tail} "]"'


def _types(schema: Schema, path: Path) -> list[str]:
    given = schema["type"]
    types = [given] if isinstance(given, str) else given
    if not isinstance(types, list) or not types or any(name not in _TYPES for name in types):
        raise SchemaError(path, f"{json.dumps(given)} is not a valid type.")
    return types


def _is_of(value: object, types: list[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, int):
        return "integer" in types or "number" in types
    kinds: tuple[tuple[type, str], ...] = (
        (float, "number"), (str, "string"), (list, "array"), (dict, "object"), (type(None), "null"),
    )  # fmt: skip
    return any(isinstance(value, kind) and name in types for kind, name in kinds)


def _bounds(schema: Schema, low: str, high: str, cap: int, path: Path) -> tuple[int, int | None]:
    least, most = schema.get(low, 0), schema.get(high)
    for word, bound in ((low, least), (high, most)):
        if bound is not None and (not isinstance(bound, int) or bound < 0):
            raise SchemaError(path, f"'{word}' must be a whole number.")
    if least > cap:
        raise SchemaError(path, f"'{low}' may be at most {cap}.")
    if most is not None and most < least:
        raise SchemaError(path, f"'{high}' is smaller than '{low}'.")
    return least, None if most is None else min(most, cap)


def _merge(one: Schema, other: Schema, path: Path) -> Schema:
    """A schema that asks for what both ask for; refused where that is not plain to see."""
    result = dict(one)
    for word, value in other.items():
        if (
            word not in result
            or result[word] == value
            or word in ("title", "description", "default", "examples")
        ):
            result[word] = value
        elif word == "properties":
            both = {name: {"allOf": [one[word][name], value[name]]} for name in value if name in one[word]}
            result[word] = {**one[word], **value, **both}
        elif word == "required":
            result[word] = list(dict.fromkeys([*one[word], *value]))
        elif word in ("$defs", "definitions"):
            continue  # references are resolved from the whole schema
        else:
            raise SchemaError(path, f"two different '{word}' meet here, which is not supported.")
    return result
