"""Readers for one field each: type and range checked, refused in the wording of Azure's validator.

`path` is the name as Azure writes it (`messages.[1].content.[0].image_url.url`). None means missing or null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foveal.errors import InvalidRequest

JsonObject = Mapping[str, Any]


def shown(value: object) -> str:
    """A value for an error message: short, so that no picture and no key is ever echoed."""
    if isinstance(value, str | int | float | bool) or value is None:
        text = str(value) if isinstance(value, bool) or value is None else repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    return "{...}" if isinstance(value, Mapping) else "[...]"


def wrong_type(value: object, expected: str, path: str) -> InvalidRequest:
    return InvalidRequest(f"{shown(value)} is not of type '{expected}' - '{path}'", param=path)


def not_one_of(value: object, choices: Sequence[str], path: str) -> InvalidRequest:
    listed = ", ".join(f"'{choice}'" for choice in choices)
    return InvalidRequest(f"{shown(value)} is not one of [{listed}] - '{path}'", param=path)


def missing(path: str) -> InvalidRequest:
    name = path.rpartition(".")[2]
    return InvalidRequest(f"'{name}' is a required property - '{path}'", param=path)


def number(obj: JsonObject, name: str, low: float, high: float) -> float | None:
    value = obj.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(value, "number", name)
    _check_range(value, low, high, name)
    return float(value)


def integer(obj: JsonObject, name: str, low: int, high: int | None) -> int | None:
    value = obj.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(value, "integer", name)
    _check_range(value, low, high, name)
    return value


def _check_range(value: float, low: float, high: float | None, path: str) -> None:
    if value < low:
        raise InvalidRequest(f"{shown(value)} is less than the minimum of {low} - '{path}'", param=path)
    if high is not None and value > high:
        raise InvalidRequest(f"{shown(value)} is greater than the maximum of {high} - '{path}'", param=path)


def boolean(obj: JsonObject, name: str, path: str | None = None) -> bool | None:
    """Also takes "true" and "false" as strings: Data Factory pipelines send them."""
    value = obj.get(name)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise wrong_type(value, "boolean", path or name)


def string(obj: JsonObject, name: str, path: str | None = None) -> str | None:
    value = obj.get(name)
    if value is None or isinstance(value, str):
        return value
    raise wrong_type(value, "string", path or name)


def required_string(obj: JsonObject, name: str, path: str) -> str:
    value = string(obj, name, path)
    if value is None:
        raise missing(path)
    return value


def array(
    obj: JsonObject, name: str, path: str | None = None, *, most: int | None = None
) -> list[Any] | None:
    value = obj.get(name)
    if value is None:
        return None
    if not isinstance(value, list):
        raise wrong_type(value, "array", path or name)
    if most is not None and len(value) > most:
        raise InvalidRequest(
            f"[...] is too long: {len(value)} items, the maximum is {most} - '{path or name}'",
            param=path or name,
        )
    return value


def mapping(value: object, path: str) -> JsonObject:
    if not isinstance(value, dict):
        raise wrong_type(value, "object", path)
    return value
