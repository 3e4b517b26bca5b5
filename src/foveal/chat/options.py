"""The options of a request beside its messages, each read or refused by name: sampling, format, tools."""

from __future__ import annotations

import re
from typing import Any

from foveal.chat.fields import (
    JsonObject,
    array,
    boolean,
    integer,
    mapping,
    missing,
    not_one_of,
    number,
    required_string,
    shown,
    string,
    wrong_type,
)
from foveal.engines.base import ResponseFormat, Sampling, Tool, ToolChoice
from foveal.errors import InvalidRequest

MAX_CHOICES = 128
MAX_TOOLS = 128
MAX_STOPS = 4
MAX_STOP_LENGTH = 1024  # characters; keeps the search for stops cheap for every answer
VOCABULARY = 100_277  # cl100k: ids 0 to 100,276
INT64 = 1 << 63

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def read_sampling(body: JsonObject) -> Sampling:
    """Temperature, top_p, penalties, seed, stop and logit_bias; `max_tokens` is read apart."""
    temperature = number(body, "temperature", 0, 2)
    top_p = number(body, "top_p", 0, 1)
    return Sampling(
        temperature=1.0 if temperature is None else temperature,
        top_p=1.0 if top_p is None else top_p,
        presence_penalty=number(body, "presence_penalty", -2, 2) or 0.0,
        frequency_penalty=number(body, "frequency_penalty", -2, 2) or 0.0,
        seed=integer(body, "seed", -INT64, INT64 - 1),
        stop=_read_stop(body.get("stop")),
        logit_bias=_read_logit_bias(body.get("logit_bias")),
    )


def read_max_tokens(body: JsonObject) -> int | None:
    old = integer(body, "max_tokens", 1, None)
    new = integer(body, "max_completion_tokens", 1, None)
    if old is not None and new is not None:
        raise InvalidRequest(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_completion_tokens",
        )
    return new if old is None else old


def _read_stop(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list):
        raise wrong_type(value, "string' or 'array", "stop")
    if not stops:
        raise InvalidRequest("[] is too short - 'stop'", param="stop")
    if len(stops) > MAX_STOPS:
        raise InvalidRequest(f"[...] is too long: the maximum is {MAX_STOPS} items - 'stop'", param="stop")
    for index, stop in enumerate(stops):
        path = "stop" if isinstance(value, str) else f"stop.[{index}]"
        if not isinstance(stop, str):
            raise wrong_type(stop, "string", path)
        if not stop:
            raise InvalidRequest(f"'' is too short - '{path}'", param=path)
        if len(stop) > MAX_STOP_LENGTH:
            raise InvalidRequest(
                f"{shown(stop)} is longer than {MAX_STOP_LENGTH} characters - '{path}'", param=path
            )
    return tuple(stops)


def _read_logit_bias(value: Any) -> dict[int, float]:
    if value is None:
        return {}
    bias: dict[int, float] = {}
    for key, amount in mapping(value, "logit_bias").items():
        path = f"logit_bias.{key[:40]}"
        if not (key.isascii() and key.isdigit() and len(key) <= 6 and int(key) < VOCABULARY):
            raise InvalidRequest(
                f"Invalid key in 'logit_bias': {shown(key)}. Keys are token ids from 0 to {VOCABULARY - 1}.",
                param="logit_bias",
            )
        if isinstance(amount, bool) or not isinstance(amount, int | float):
            raise wrong_type(amount, "number", path)
        if not -100 <= amount <= 100:
            raise InvalidRequest(f"{shown(amount)} is not in the range -100 to 100 - '{path}'", param=path)
        bias[int(key)] = float(amount)
    return bias


def read_response_format(body: JsonObject) -> ResponseFormat | None:
    value = body.get("response_format")
    if value is None:
        return None
    given = mapping(value, "response_format")
    kind = given.get("type")
    if kind is None:
        raise missing("response_format.type")
    if kind == "text":
        return None
    if kind == "json_object":
        return ResponseFormat("json_object")
    if kind != "json_schema":
        raise not_one_of(kind, ("text", "json_object", "json_schema"), "response_format.type")
    path = "response_format.json_schema"
    if given.get("json_schema") is None:
        raise missing(path)
    spec = mapping(given["json_schema"], path)
    boolean(spec, "strict", f"{path}.strict")
    string(spec, "description", f"{path}.description")
    schema = spec.get("schema")
    return ResponseFormat(
        "json_schema",
        schema=None if schema is None else mapping(schema, f"{path}.schema"),
        name=_tool_name(spec, path),
    )


def read_tools(body: JsonObject) -> tuple[tuple[Tool, ...], ToolChoice, bool]:
    """The tools, which of them may or must be called, and whether the older `functions` form was used."""
    tools = array(body, "tools", most=MAX_TOOLS)
    functions = array(body, "functions", most=MAX_TOOLS)
    if tools and functions:
        raise InvalidRequest("'functions' and 'tools' cannot both be given.", param="functions")
    if functions:
        read = tuple(_read_function(item, f"functions.[{i}]") for i, item in enumerate(functions))
        choice = _read_function_call(body.get("function_call"))
    else:
        read = tuple(_read_tool(item, f"tools.[{i}]") for i, item in enumerate(tools or ()))
        choice = _read_tool_choice(body.get("tool_choice"))
    field = "function_call" if functions else "tool_choice"
    if not read and (
        choice.mode in ("required", "named") or body.get("function_call") not in (None, "none", "auto")
    ):
        field = "tool_choice" if body.get("tool_choice") is not None else "function_call"
        owner = "tools" if field == "tool_choice" else "functions"
        raise InvalidRequest(
            f"Invalid value for '{field}': '{field}' is only allowed when '{owner}' are specified.",
            param=field,
        )
    if choice.name is not None and choice.name not in {tool.name for tool in read}:
        raise InvalidRequest(
            f"Invalid value for '{field}': no function named {shown(choice.name)} was given.", param=field
        )
    return read, choice, bool(functions)


def _read_tool(value: object, path: str) -> Tool:
    item = mapping(value, path)
    kind = item.get("type")
    if kind is None:
        raise missing(f"{path}.type")
    if kind != "function":
        raise not_one_of(kind, ("function",), f"{path}.type")
    if item.get("function") is None:
        raise missing(f"{path}.function")
    return _read_function(item["function"], f"{path}.function")


def _read_function(value: object, path: str) -> Tool:
    item = mapping(value, path)
    parameters = item.get("parameters")
    boolean(item, "strict", f"{path}.strict")
    return Tool(
        name=_tool_name(item, path),
        description=string(item, "description", f"{path}.description") or "",
        parameters={} if parameters is None else mapping(parameters, f"{path}.parameters"),
    )


def _tool_name(item: JsonObject, path: str) -> str:
    name = required_string(item, "name", f"{path}.name")
    if not _TOOL_NAME.fullmatch(name):
        raise InvalidRequest(
            f"{shown(name)} does not match '^[a-zA-Z0-9_-]{{1,64}}$' - '{path}.name'", param=f"{path}.name"
        )
    return name


def _read_tool_choice(value: Any) -> ToolChoice:
    match value:
        case None | "auto":
            return ToolChoice("auto")
        case "none":
            return ToolChoice("none")
        case "required":
            return ToolChoice("required")
        case dict():
            function = value.get("function")
            if value.get("type") != "function" or not isinstance(function, dict):
                raise missing("tool_choice.function")
            return ToolChoice("named", required_string(function, "name", "tool_choice.function.name"))
        case _:
            raise not_one_of(value, ("none", "auto", "required"), "tool_choice")


def _read_function_call(value: Any) -> ToolChoice:
    match value:
        case None | "auto":
            return ToolChoice("auto")
        case "none":
            return ToolChoice("none")
        case dict():
            return ToolChoice("named", required_string(value, "name", "function_call.name"))
        case _:
            raise not_one_of(value, ("none", "auto"), "function_call")
