"""What the engine `openai` says and hears: request bodies, server-sent events, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pybase64 import b64encode

from foveal.engines.base import (
    Delta,
    FinishReason,
    ImagePart,
    Prompt,
    TextPart,
    ToolCallDelta,
    Turn,
    VideoPart,
)
from foveal.errors import (
    EngineError,
    EngineUnavailable,
    FovealError,
    InvalidRequest,
    PayloadTooLarge,
    TooManyRequests,
)

LONGEST_EVENT = 8 * 1024 * 1024  # bytes


def request_body(prompt: Prompt, model: str) -> dict[str, Any]:
    """A streamed chat completion request; fields at OpenAI's defaults are left out where servers differ."""
    sampling = prompt.sampling
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(turn) for turn in prompt.turns],
        "stream": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
    }
    if sampling.presence_penalty:
        body["presence_penalty"] = sampling.presence_penalty
    if sampling.frequency_penalty:
        body["frequency_penalty"] = sampling.frequency_penalty
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.logit_bias:
        body["logit_bias"] = {str(token): bias for token, bias in sampling.logit_bias.items()}
    if prompt.response_format is not None:
        body["response_format"] = _response_format(prompt)
    if prompt.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters) or {"type": "object", "properties": {}},
                },
            }
            for tool in prompt.tools
        ]
        body["tool_choice"] = _tool_choice(prompt)
    return body


def _response_format(prompt: Prompt) -> dict[str, Any]:
    wanted = prompt.response_format
    if wanted is None or wanted.type == "json_object" or wanted.schema is None:
        return {"type": "json_object"}
    schema = {"name": wanted.name or "response", "schema": dict(wanted.schema), "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _tool_choice(prompt: Prompt) -> object:
    choice = prompt.tool_choice
    if choice.mode == "named":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode


def _message(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role}
    if turn.images:
        message["content"] = [_part(part) for part in turn.parts if not isinstance(part, VideoPart)]
    else:
        message["content"] = turn.text if turn.parts or not turn.tool_calls else None
    if turn.name is not None:
        message["name"] = turn.name
    if turn.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in turn.tool_calls
        ]
    if turn.tool_call_id is not None:
        message["tool_call_id"] = turn.tool_call_id
    return message


def _part(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    image = part.image
    url = f"data:{image.media_type};base64,{b64encode(image.data).decode('ascii')}"
    return {"type": "image_url", "image_url": {"url": url, "detail": image.detail}}


class EventReader:
    """Server-sent events out of bytes that come in any pieces; decodes whole lines only."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The `data` of every event that `chunk` completes."""
        # A carriage return at the end may be half of a line end: it waits for the next bytes.
        text = self._rest + chunk
        keep = b"\r" if text.endswith(b"\r") else b""
        text = text[: len(text) - len(keep)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._rest = rest + keep
        if len(self._rest) > LONGEST_EVENT:
            raise EngineError("The engine sent an event that is too long.")
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].decode(errors="replace").removeprefix(" "))
            elif not line and self._data:
                yield "\n".join(self._data)
                self._data = []

    def end(self) -> Iterator[str]:
        """The last event, when its final line end is missing."""
        yield from self.feed(b"\n\n")


class AnswerReader:
    """Deltas out of chunks; keeps the finish reason for the end, where our contract wants it."""

    def __init__(self) -> None:
        self.finish: FinishReason | None = None
        self.done = False

    def read(self, data: str) -> Iterator[Delta]:
        if data.strip() == "[DONE]":
            self.done = True
            return
        try:
            chunk = json.loads(data)
        except ValueError:
            raise EngineError("The engine sent something that is not JSON.") from None
        if not isinstance(chunk, dict):
            raise EngineError("The engine sent something that is not a completion.")
        if chunk.get("error"):
            raise EngineError(f"The engine failed in the middle of its answer: {_text_of(chunk['error'])}")
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) != 0:
                continue
            yield from _deltas(choice.get("delta") or choice.get("message") or {})
            reason = choice.get("finish_reason")
            if reason is not None:
                self.finish = reason if reason in get_args(FinishReason) else "stop"


def _deltas(part: Mapping[str, Any]) -> Iterator[Delta]:
    if part.get("content"):
        yield Delta(text=part["content"])
    for position, call in enumerate(part.get("tool_calls") or ()):
        function = call.get("function") or {}
        yield Delta(
            tool_call=ToolCallDelta(
                index=call.get("index", position),
                id=call.get("id"),
                name=function.get("name"),
                arguments=function.get("arguments") or "",
            )
        )


def refusal(status: int, body: bytes, headers: Mapping[str, str], where: str, model: str) -> FovealError:
    """The error to raise for an answer with `status`; `where` is the engine's address without secrets."""
    message, param, code = _reason(body)
    if status in (400, 422):
        return InvalidRequest(message or "The engine refused the request.", param=param, code=code)
    if status == 413:
        return PayloadTooLarge(message or "The engine found the request too large.")
    if status in (401, 403):
        return EngineError(f"The engine at {where} refused our key.")
    if status == 404:
        return EngineError(f"The engine at {where} does not know the model '{model}'.")
    if status == 429:
        wait = headers.get("retry-after", "1")
        return TooManyRequests(
            f"The engine is busy. Please retry after {wait} seconds.", headers={"retry-after": wait}
        )
    if status == 503:
        return EngineUnavailable(f"The engine at {where} cannot serve now: {message or 'no reason given'}")
    return EngineError(f"The engine at {where} failed with status {status}: {message or 'no reason given'}")


def _reason(body: bytes) -> tuple[str, str | None, str | None]:
    """Message, param and code out of OpenAI's error shape, or whatever else was sent."""
    try:
        content = json.loads(body)
    except ValueError:
        return body.decode(errors="replace").strip()[:500], None, None
    error = content.get("error", content) if isinstance(content, dict) else content
    if not isinstance(error, dict):
        return _text_of(error), None, None
    param, code = error.get("param"), error.get("code")
    return _text_of(error), param if isinstance(param, str) else None, code if isinstance(code, str) else None


def _text_of(error: object) -> str:
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or error
    return (error if isinstance(error, str) else json.dumps(error, ensure_ascii=False))[:500]
