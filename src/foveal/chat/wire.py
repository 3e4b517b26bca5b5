"""A request body → `ChatRequest`. What is wrong with it alone is refused here; `rules` judges the rest.

Unknown fields are remembered in `fields` and otherwise ignored; strict mode refuses them.
"""

from __future__ import annotations

from foveal.chat.body import read_object
from foveal.chat.extensions import read_data_sources, read_enhancements
from foveal.chat.fields import JsonObject, boolean, integer, mapping, string
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
        enhancements=read_enhancements(obj),
        data_sources=read_data_sources(obj),
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
