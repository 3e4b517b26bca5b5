"""`enhancements` and data sources of the wire → which enhancements are on, and what each source says.

Both spellings of the key are read under every api-version. A source's values may stand in `parameters`, one
level deeper (`@azure/openai` beta 8 to 11 nests what is nested already), or beside `type`.
"""

from __future__ import annotations

from collections.abc import Iterator

from foveal.chat.fields import JsonObject, array, boolean, mapping, missing, required_string
from foveal.chat.request import DataSource

DATA_SOURCE_KEYS = ("dataSources", "data_sources")


def read_enhancements(obj: JsonObject) -> tuple[str, ...]:
    """The names of those that are enabled, as sent."""
    value = obj.get("enhancements")
    if value is None:
        return ()
    enabled = []
    for name, options in mapping(value, "enhancements").items():
        path = f"enhancements.{name[:40]}"
        if options is not None and boolean(mapping(options, path), "enabled", f"{path}.enabled"):
            enabled.append(name[:40])
    return tuple(enabled)


def read_data_sources(obj: JsonObject) -> tuple[DataSource, ...]:
    return tuple(
        _read_data_source(mapping(item, f"{key}.[{index}]"), f"{key}.[{index}]")
        for key in DATA_SOURCE_KEYS
        for index, item in enumerate(array(obj, key) or ())
    )


def _read_data_source(item: JsonObject, path: str) -> DataSource:
    if item.get("type") is None:
        raise missing(f"{path}.type")
    kind = required_string(item, "type", f"{path}.type")
    values: dict[str, object] = {}
    for level in _levels(item, path):
        values |= {name: value for name, value in level.items() if name not in ("type", "parameters")}
    return DataSource(path, kind, values)


def _levels(item: JsonObject, path: str) -> Iterator[JsonObject]:
    """The item itself, then its `parameters`, then theirs: the innermost counts."""
    yield item
    for _ in range(2):
        path = f"{path}.parameters"
        inner = item.get("parameters")
        if inner is None:
            return
        item = mapping(inner, path)
        yield item
