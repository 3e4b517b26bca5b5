"""Events → the JSON of a chat completion, and the chunks of a stream, with the content filter's verdicts.

What was not judged is never called safe: there stands Azure's own word for contents that were not filtered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from foveal.chat.events import (
    AnswerEnded,
    ChoiceEnded,
    ChoiceStarted,
    Event,
    Judged,
    PromptJudged,
    TextPiece,
    ToolPiece,
    Usage,
)
from foveal.enhancements.spans import GroundedLine
from foveal.http.services import Annotations
from foveal.safety.results import results
from foveal.safety.verdict import Verdict

FINISH_DETAILS: Final = {
    "stop": {"type": "stop", "stop": "<|fim_suffix|>"},
    "length": {"type": "max_tokens"},
    "content_filter": {"type": "content_filter"},
    "tool_calls": {"type": "tool_calls"},
}
DONE: Final = b"data: [DONE]\n\n"

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Form:
    """How one answer is written: its identity, and the dialect of the route it is for."""

    id: str
    created: int
    model: str
    fingerprint: str
    annotations: Annotations
    plain: bool = False  # OpenAI's form: no finish_details, `usage` in chunks only when asked for
    functions: bool = False  # calls in the older `function_call` form
    stream: bool = False
    include_usage: bool = False
    prompt_filter_key: str = "prompt_filter_results"
    asynchronous: bool = False  # the filter tells of text after it was sent
    blocklist_details: bool = False  # the newer form of `custom_blocklists`

    def results(self, verdict: Verdict | None) -> dict[str, Any]:
        return results(verdict, details=self.blocklist_details)

    def prompt_results(self, verdict: Verdict | None) -> list[dict[str, Any]]:
        return [{"prompt_index": 0, "content_filter_results": self.results(verdict)}]

    def finish(self, finish: str) -> dict[str, Any]:
        """`finish_reason`, and beside it `finish_details` as the earlier API had it."""
        reason = "function_call" if self.functions and finish == "tool_calls" else finish
        if self.plain:
            return {"finish_reason": reason}
        return {"finish_reason": reason, "finish_details": FINISH_DETAILS[finish]}


def usage_object(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


def enhancements_object(line: GroundedLine) -> dict[str, Any]:
    """The whole answer as the one line, which is there even when nothing in it was found in the picture."""
    spans = [
        {
            "text": span.text,
            "length": span.length,
            "offset": span.offset,
            "polygon": [{"x": x, "y": y} for x, y in span.polygon],
        }
        for span in line.spans
    ]
    return {"grounding": {"lines": [{"text": line.text, "spans": spans}], "status": "Success"}}


@dataclass(slots=True)
class _Choice:
    text: list[str] = field(default_factory=list)
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    finish: str = "stop"
    grounding: GroundedLine | None = None
    verdict: Verdict | None = None


class Completion:
    """Collects the events of an answer and writes it whole."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._choices: dict[int, _Choice] = {}
        self._prompt: Verdict | None = None
        self.usage = Usage(0, 0)

    def add(self, event: Event) -> None:
        match event:
            case PromptJudged():
                self._prompt = event.verdict
            case TextPiece():
                self._choices[event.index].text.append(event.text)
            case ToolPiece(call=call):
                calls = self._choices[event.index].calls
                found = calls.setdefault(call.index, {"id": "", "name": "", "arguments": ""})
                found["id"] += call.id or ""
                found["name"] += call.name or ""
                found["arguments"] += call.arguments
            case ChoiceStarted():
                self._choices[event.index] = _Choice()
            case ChoiceEnded():
                choice = self._choices.setdefault(event.index, _Choice())
                choice.finish, choice.grounding = event.finish, event.grounding
                choice.verdict = event.verdict
            case AnswerEnded():
                self.usage = event.usage

    def encode(self) -> bytes:
        form = self._form
        answer: dict[str, Any] = {
            "id": form.id,
            "object": "chat.completion",
            "created": form.created,
            "model": form.model,
        }
        if form.annotations != "off":
            answer[form.prompt_filter_key] = form.prompt_results(self._prompt)
        answer["choices"] = [self._choice(index, choice) for index, choice in self._choices.items()]
        answer["usage"] = usage_object(self.usage)
        answer["system_fingerprint"] = form.fingerprint
        return _encode(answer)

    def _choice(self, index: int, choice: _Choice) -> dict[str, Any]:
        written = {**self._form.finish(choice.finish), "index": index, "message": self._message(choice)}
        if self._form.annotations != "off":
            written["content_filter_results"] = self._form.results(choice.verdict)
        if choice.grounding is not None:
            written["enhancements"] = enhancements_object(choice.grounding)
        return written

    def _message(self, choice: _Choice) -> dict[str, Any]:
        text = "".join(choice.text)
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if choice.calls:
            message["content"] = text or None
            functions = [
                {"name": call["name"], "arguments": call["arguments"]} for call in choice.calls.values()
            ]
            if self._form.functions:
                message["function_call"] = functions[0]
            else:
                message["tool_calls"] = [
                    {"id": call["id"], "type": "function", "function": function}
                    for call, function in zip(choice.calls.values(), functions, strict=True)
                ]
        return message


class Chunks:
    """Writes the frames of a stream. Text, the common case, is put between two prepared halves."""

    def __init__(self, form: Form) -> None:
        self._form = form
        head = {
            "id": form.id,
            "object": "chat.completion.chunk",
            "created": form.created,
            "model": form.model,
            "system_fingerprint": form.fingerprint,
        }
        self._head = b"data: " + _encode(head)[:-1] + b',"choices":['
        with_usage = form.include_usage or not form.plain
        self._tail = b'],"usage":null}\n\n' if with_usage else b"]}\n\n"
        self._text_tails: dict[Verdict | None, bytes] = {}
        self._text_heads: dict[int, bytes] = {}
        self._prompt: Verdict | None = None

    def opening(self, first: Event) -> bytes:
        """The first frames of the stream, given its first event."""
        if isinstance(first, PromptJudged):
            return self.write(first)
        return self._judged_prompt(None) + self.write(first)

    def _judged_prompt(self, verdict: Verdict | None) -> bytes:
        """What stands before the first choice: on Azure a chunk with no choices and the prompt's verdict."""
        self._prompt = verdict
        if self._form.annotations != "azure":
            return b""
        chunk = {
            "id": "",
            "object": "",
            "created": 0,
            "model": "",
            self._form.prompt_filter_key: self._form.prompt_results(verdict),
            "choices": [],
            "usage": None,
        }
        return b"data: " + _encode(chunk) + b"\n\n"

    def write(self, event: Event) -> bytes:
        match event:
            case TextPiece():
                return self._text_head(event.index) + _encode(event.text) + self._text_tail(event.verdict)
            case PromptJudged():
                return self._judged_prompt(event.verdict)
            case Judged():
                return self._judged(event)
            case ToolPiece():
                return self._frame({"index": event.index, "finish_reason": None, "delta": self._call(event)})
            case ChoiceStarted():
                return self._started(event.index)
            case ChoiceEnded():
                return self._ended(event)
            case AnswerEnded():
                return self._usage(event.usage)

    def error(self, body: dict[str, Any]) -> bytes:
        return b"data: " + _encode(body) + b"\n\n"

    def _frame(self, choice: dict[str, Any]) -> bytes:
        return self._head + _encode(choice) + self._tail

    def _text_tail(self, verdict: Verdict | None) -> bytes:
        tail = self._text_tails.get(verdict)
        if tail is None:
            told = self._form.annotations == "azure" and not self._form.asynchronous
            filtered = b',"content_filter_results":' + _encode(self._form.results(verdict)) if told else b""
            tail = self._text_tails[verdict] = b"}" + filtered + b"}" + self._tail
        return tail

    def _judged(self, event: Judged) -> bytes:
        """Told of text that was sent before: a chunk without text."""
        if self._form.annotations == "off":
            return b""
        offsets = {"check_offset": event.checked, "start_offset": event.start, "end_offset": event.end}
        choice = {
            "index": event.index,
            "finish_reason": None,
            "content_filter_results": self._form.results(event.verdict),
            "content_filter_offsets": offsets,
            "delta": {},
        }
        return self._frame(choice)

    def _text_head(self, index: int) -> bytes:
        head = self._text_heads.get(index)
        if head is None:
            head = self._head + b'{"index":%d,"finish_reason":null,"delta":{"content":' % index
            self._text_heads[index] = head
        return head

    def _started(self, index: int) -> bytes:
        frame = self._frame({"index": index, "finish_reason": None, "delta": {"role": "assistant"}})
        if index == 0 and self._form.annotations == "compact":
            verdict = b',"%s":' % self._form.prompt_filter_key.encode() + _encode(
                self._form.prompt_results(self._prompt)
            )
            return frame[: -len(b"}\n\n")] + verdict + b"}\n\n"
        return frame

    def _ended(self, event: ChoiceEnded) -> bytes:
        choice = {"index": event.index, **self._form.finish(event.finish), "delta": {}}
        blocked = event.finish == "content_filter" and self._form.annotations == "azure"
        if self._form.annotations == "compact" or blocked:
            choice["content_filter_results"] = self._form.results(event.verdict)
        if event.grounding is not None:
            choice["enhancements"] = enhancements_object(event.grounding)
        return self._frame(choice)

    def _usage(self, usage: Usage) -> bytes:
        if not self._form.include_usage:
            return b""
        return self._head + b'],"usage":' + _encode(usage_object(usage)) + b"}\n\n"

    def _call(self, event: ToolPiece) -> dict[str, Any]:
        call = event.call
        function: dict[str, str] = {"arguments": call.arguments}
        if call.name is not None:
            function = {"name": call.name, **function}
        if self._form.functions:
            return {"function_call": function}
        piece: dict[str, Any] = {"index": call.index}
        if call.id is not None:
            piece |= {"id": call.id, "type": "function"}
        return {"tool_calls": [{**piece, "function": function}]}
