"""Answers of a text model: plain, JSON, or tool calls.

Nothing is ever parsed out of loose text. Which tool (or none) is decided by a generation that can only write
the lines on offer; its arguments by one that can only write JSON valid against the tool's schema;
`response_format` likewise.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from foveal.engines import decision
from foveal.engines.base import (
    Delta,
    ImagePart,
    Prompt,
    ResponseFormat,
    Role,
    Sampling,
    TextPart,
    Tool,
    ToolCallDelta,
    Turn,
)
from foveal.engines.grammar import SchemaError, choice_grammar, json_object_grammar, schema_grammar
from foveal.engines.llama import ChatMessage, Generation, Picture, Piece
from foveal.errors import InvalidRequest
from foveal.images.detail import DetailedImage

WARMEST_ARGUMENTS = 0.2  # arguments are copied from the conversation: no imagination wanted there
DECISION_TOKENS = 64

# The views of a picture that are shown to the model, as data URLs in order.
Views = Callable[[DetailedImage], tuple[str, ...]]


class Generator(Protocol):
    """What is needed of `LlamaRuntime`."""

    def generate(self, request: Generation) -> AsyncGenerator[Piece]: ...


@dataclass(frozen=True, slots=True)
class _Call:
    tool: Tool
    grammar: str


async def answer_text(
    runtime: Generator, prompt: Prompt, views: Views | None = None
) -> AsyncGenerator[Delta]:
    """The answer to `prompt`, with what it asks for of tools and formats.

    Without `views` the model sees text only and pictures in the prompt are passed over (an engine that cannot
    show them says so before it comes here). Raises `InvalidRequest` for schemas that cannot be kept.
    """
    calls = _callable_tools(prompt)
    constraint = _format_grammar(prompt.response_format)
    call = await _chosen(runtime, prompt, calls)
    if call is not None:
        deltas = _tool_call(runtime, prompt, call, views)
    else:
        deltas = _plain(runtime, prompt, constraint, views)
    async with aclosing(deltas):
        async for delta in deltas:
            yield delta


def messages_of(turns: Sequence[Turn], views: Views | None = None) -> tuple[ChatMessage, ...]:
    """The turns as every chat template takes them: only system, user and assistant, the latter two by turns.

    Results of tools become the user's notes that name the call, and the calls themselves are left out: a
    small model that sees its own calls goes on writing calls.
    """
    asked = {call.id: call for turn in turns for call in turn.tool_calls}
    found: list[tuple[Role, list[str | Picture]]] = []
    for turn in turns:
        role, parts = turn.role, _parts(turn, views)
        if role == "tool":
            call = asked.get(turn.tool_call_id or "")
            label = f"{call.name} {call.arguments}" if call else turn.name or "the tool"
            role, parts = "user", [f"[Result of {label}]\n{turn.text}"]
        if not parts:
            continue
        if found and found[-1][0] == role:
            found[-1][1].extend(parts)
        else:
            found.append((role, parts))
    return tuple(_message(role, parts) for role, parts in found)


def _parts(turn: Turn, views: Views | None) -> list[str | Picture]:
    parts: list[str | Picture] = []
    for part in turn.parts:
        if isinstance(part, TextPart):
            if part.text:
                parts.append(part.text)
        elif isinstance(part, ImagePart) and views is not None:
            parts.extend(Picture(url) for url in views(part.image))
    return parts


def _message(role: Role, parts: list[str | Picture]) -> ChatMessage:
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return ChatMessage(role, "\n\n".join(texts))
    return ChatMessage(role, parts=tuple(parts))


def with_system(messages: tuple[ChatMessage, ...], note: str) -> tuple[ChatMessage, ...]:
    """`messages` with `note` at the end of the system message, which is made if there is none."""
    if messages and messages[0].role == "system":
        return (replace(messages[0], text=f"{messages[0].text}\n\n{note}"), *messages[1:])
    return (ChatMessage("system", note), *messages)


def _callable_tools(prompt: Prompt) -> list[_Call]:
    """The tools that may be called, with the grammars of their arguments."""
    choice = prompt.tool_choice
    if choice.mode == "none":
        return []
    calls = []
    for number, tool in enumerate(prompt.tools):
        if choice.mode == "named" and tool.name != choice.name:
            continue
        schema = {"type": "object", **tool.parameters}
        if not schema.get("properties"):
            schema.setdefault("additionalProperties", False)  # a tool that declares no parameters gets none
        try:
            calls.append(_Call(tool, schema_grammar(schema)))
        except SchemaError as error:
            raise InvalidRequest(
                f"Invalid schema for function '{tool.name}': {error}",
                param=f"tools[{number}].function.parameters",
                code="invalid_function_parameters",
            ) from error
    if choice.mode in ("named", "required") and not calls:
        raise InvalidRequest(
            f"Tool choice '{choice.name or choice.mode}' does not match any of the specified 'tools'.",
            param="tool_choice",
        )
    return calls


def _format_grammar(wanted: ResponseFormat | None) -> str | None:
    if wanted is None:
        return None
    if wanted.type == "json_object" or wanted.schema is None:
        return json_object_grammar()
    try:
        return schema_grammar(wanted.schema)
    except SchemaError as error:
        name = wanted.name or "response"
        raise InvalidRequest(
            f"Invalid schema for response_format '{name}': {error}", param="response_format"
        ) from error


async def _chosen(runtime: Generator, prompt: Prompt, calls: list[_Call]) -> _Call | None:
    free = prompt.tool_choice.mode == "auto"
    if free:
        # A tool that has just answered is not asked again before the user speaks: small models never end.
        done = _answered(prompt.turns)
        calls = [call for call in calls if call.tool.name not in done]
    if not calls:
        return None
    if len(calls) == 1 and not free:
        return calls[0]
    tools = [call.tool for call in calls]
    options = decision.options(tools, none=free)
    request = Generation(
        decision.messages(tools, prompt.turns, none=free),
        Sampling(temperature=0, max_tokens=DECISION_TOKENS, seed=0),
        choice_grammar(list(options)),
    )
    written = "".join([piece.text async for piece in runtime.generate(request)])
    tool = options.get(written)
    return next((call for call in calls if call.tool is tool), None)


def _answered(turns: Sequence[Turn]) -> set[str]:
    """The tools that were called since the user's last message."""
    names: set[str] = set()
    for turn in reversed(turns):
        if turn.role == "user":
            break
        names.update(call.name for call in turn.tool_calls)
    return names


async def _tool_call(
    runtime: Generator, prompt: Prompt, call: _Call, views: Views | None
) -> AsyncGenerator[Delta]:
    note = (
        f"Write the arguments for a call of the tool {call.tool.name} that serves the user's last message, "
        "as one JSON object. Take the values from the conversation; leave out what nobody mentioned.\n"
        f"{call.tool.name}: {call.tool.description}\n"
        f"Arguments, as a JSON schema: {json.dumps(dict(call.tool.parameters), ensure_ascii=False)}"
    )
    sampling = replace(
        prompt.sampling,
        temperature=min(prompt.sampling.temperature, WARMEST_ARGUMENTS),
        presence_penalty=0.0,
        frequency_penalty=0.0,
        stop=(),
    )
    request = Generation(with_system(messages_of(prompt.turns, views), note), sampling, call.grammar)
    first = ToolCallDelta(0, id=f"call_{secrets.token_hex(12)}", name=call.tool.name)
    yield Delta(tool_call=first)
    pieces = runtime.generate(request)
    async with aclosing(pieces):
        async for piece in pieces:
            if piece.text:
                yield Delta(tool_call=ToolCallDelta(0, arguments=piece.text))
            if piece.finish is not None:
                yield Delta(finish="length" if piece.finish == "length" else "tool_calls")


async def _plain(
    runtime: Generator, prompt: Prompt, grammar: str | None, views: Views | None
) -> AsyncGenerator[Delta]:
    messages = messages_of(prompt.turns, views)
    if prompt.response_format is not None:
        messages = with_system(messages, _format_note(prompt.response_format))
    elif any(turn.role == "tool" for turn in prompt.turns):
        messages = with_system(messages, "Answer in plain words, from the results that are given.")
    pieces = runtime.generate(Generation(messages, prompt.sampling, grammar))
    async with aclosing(pieces):
        async for piece in pieces:
            if piece.text or piece.finish is not None:
                yield Delta(text=piece.text, finish=piece.finish)


def _format_note(wanted: ResponseFormat) -> str:
    if wanted.schema is None:
        return "Answer with one JSON object and nothing else."
    schema = json.dumps(dict(wanted.schema), ensure_ascii=False)
    return f"Answer with JSON and nothing else. It follows this JSON schema: {schema}"
