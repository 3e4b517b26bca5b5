"""A request body → `ChatRequest`. What is wrong with it alone is refused here; `rules` judges the rest.

Unknown fields are remembered in `fields` and otherwise ignored; strict mode refuses them.
"""

from __future__ import annotations

from collections.abc import Sequence

from foveal.chat.body import read_object
from foveal.chat.fields import JsonObject, array, boolean, integer, mapping, missing, string
from foveal.chat.messages import read_messages
from foveal.chat.options import (
    MAX_CHOICES,
    read_max_tokens,
    read_response_format,
    read_sampling,
    read_tools,
)
from foveal.chat.request import ChatRequest
from foveal.errors import InvalidRequest

DATA_SOURCE_KEYS = ("dataSources", "data_sources")


def read_chat_request(body: bytes) -> ChatRequest:
    """Bytes of a request → `ChatRequest`; raises `InvalidRequest` that names the parameter."""
    obj = read_object(body)
    messages = read_messages(obj)
    tools, tool_choice, functions_form = read_tools(obj)
    stream = boolean(obj, "stream") or False
    return ChatRequest(
        messages=messages,
        sampling=read_sampling(obj),
        max_tokens=read_max_tokens(obj),
        n=integer(obj, "n", 1, MAX_CHOICES) or 1,
        stream=stream,
        include_usage=_read_stream_options(obj, stream),
        model=_read_model(obj),
        response_format=read_response_format(obj),
        tools=tools,
        tool_choice=tool_choice,
        functions_form=functions_form,
        parallel_tool_calls=boolean(obj, "parallel_tool_calls") is not False,
        logprobs=_read_logprobs(obj),
        enhancements=_read_enhancements(obj),
        data_sources=tuple(_read_data_sources(obj)),
        user=string(obj, "user"),
        fields=frozenset(obj),
        nulls=frozenset(name for name, value in obj.items() if value is None),
    )


def _read_model(obj: JsonObject) -> str | None:
    """Azure's routes ignore `model`, whatever it is; the plain route needs a string."""
    model = obj.get("model")
    return model if isinstance(model, str) else None


def _read_stream_options(obj: JsonObject, stream: bool) -> bool:
    value = obj.get("stream_options")
    if value is None:
        return False
    if not stream:
        raise InvalidRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    options = mapping(value, "stream_options")
    return boolean(options, "include_usage", "stream_options.include_usage") or False


def _read_logprobs(obj: JsonObject) -> bool:
    wanted = boolean(obj, "logprobs") or False
    most = integer(obj, "top_logprobs", 0, 20)
    if most is not None and not wanted and most > 0:
        raise InvalidRequest(
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", param="top_logprobs"
        )
    return wanted


def _read_enhancements(obj: JsonObject) -> tuple[str, ...]:
    value = obj.get("enhancements")
    if value is None:
        return ()
    enabled = []
    for name, options in mapping(value, "enhancements").items():
        path = f"enhancements.{name[:40]}"
        if options is not None and boolean(mapping(options, path), "enabled", f"{path}.enabled"):
            enabled.append(name[:40])
    return tuple(enabled)


def _read_data_sources(obj: JsonObject) -> Sequence[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key in DATA_SOURCE_KEYS:
        for index, item in enumerate(array(obj, key) or ()):
            path = f"{key}.[{index}]"
            kind = mapping(item, path).get("type")
            if kind is None:
                raise missing(f"{path}.type")
            found.append((path, string(item, "type", f"{path}.type") or ""))
    return found
