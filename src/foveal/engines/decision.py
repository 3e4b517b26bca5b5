"""Which tool? The prompt by which a small model decides well.

It first names the kind of the message and then the tool, in one constrained line ("general knowledge: none",
"request: get_weather"): a kind is easier to tell, and settles most of it. Of 40 prompts that the examples do
not contain, Qwen2.5-Coder-1.5B decided 38 right this way, and 34 when it wrote the tool alone. The system
text and the examples never change, so the model computes them once (prompt cache).
"""

from __future__ import annotations

from collections.abc import Sequence

from foveal.engines.base import ImagePart, Tool, Turn
from foveal.engines.llama import ChatMessage

MOST_TURNS = 8
LONGEST_TEXT = 1200  # characters of a message; the middle is left out
LONGEST_DESCRIPTION = 300

_SYSTEM = (
    "You route messages to tools. You get a list of tools and a conversation. Reply with one line: the kind "
    "of the user's last message, and the tool that has to be called now to serve it, or none.\n"
    "Kinds: small talk; general knowledge (what an encyclopedia or a calculator knows); writing (to write, "
    "explain, translate, joke); picture (what a picture shows); answered (the result that is needed is "
    "already there); request (something that one of the tools does). Only a request has a tool."
)
_REQUEST = "request"
_KINDS = ("small talk", "general knowledge", "writing", "picture", "answered")

_WEATHER = "- get_weather(city, unit): Get the current weather in a city"
_MAIL = "- send_mail(to, subject, body): Send an e-mail"
_STOCK = "- stock_price(symbol): Latest price of a share"
_EXAMPLES = (
    ((_STOCK,), "user: Hello, how are you today?", "small talk: none"),
    ((_STOCK, _MAIL), "user: What is Microsoft trading at right now?", "request: stock_price"),
    ((_WEATHER,), "user: Why is the sky blue?", "general knowledge: none"),
    ((_WEATHER, _MAIL), "user: Do I need an umbrella in Lisbon?", "request: get_weather"),
    ((_MAIL,), "user: Write a poem about rain.", "writing: none"),
    ((_WEATHER,), "user: What is the longest river of Africa?", "general knowledge: none"),
    ((_STOCK,), "user: Tell me a funny story about the stock market.", "writing: none"),
    ((_WEATHER,), "user: Is it going to freeze in Oslo tonight?", "request: get_weather"),
    ((_WEATHER,), "user: (picture) What does this show? Two people walk through snow.", "picture: none"),
    (
        (_STOCK,),
        'user: Price of IBM?\ntool stock_price {"symbol": "IBM"}: 231.5\nuser: And of Apple?',
        "request: stock_price",
    ),
    ((_MAIL,), "user: Tell bob@example.com that I am late.", "request: send_mail"),
    ((_WEATHER, _MAIL), "user: How many months have 31 days?", "general knowledge: none"),
    ((_STOCK,), 'user: Price of IBM?\ntool stock_price {"symbol": "IBM"}: 231.5', "answered: none"),
)


def options(tools: Sequence[Tool], *, none: bool) -> dict[str, Tool | None]:
    """Every line that may be answered, and the tool it stands for."""
    lines: dict[str, Tool | None] = {f"{_REQUEST}: {tool.name}": tool for tool in tools}
    if none:
        lines.update({f"{kind}: none": None for kind in _KINDS})
    return lines


def messages(tools: Sequence[Tool], turns: Sequence[Turn], *, none: bool) -> tuple[ChatMessage, ...]:
    """The prompt whose answer is one of the `options`."""
    found = [ChatMessage("system", _SYSTEM)]
    for listed, conversation, answer in _EXAMPLES:
        found += [ChatMessage("user", _question(listed, conversation)), ChatMessage("assistant", answer)]
    question = _question([_line(tool) for tool in tools], _conversation(turns))
    if not none:
        question += " (A tool has to be called; choose the one that fits best.)"
    return (*found, ChatMessage("user", question))


def _question(tools: Sequence[str], conversation: str) -> str:
    return "Tools:\n" + "\n".join(tools) + f"\n\nConversation:\n{conversation}\n\nLine:"


def _line(tool: Tool) -> str:
    properties = tool.parameters.get("properties")
    names = ", ".join(properties) if isinstance(properties, dict) else ""
    return f"- {tool.name}({names}): {_cut(' '.join(tool.description.split()), LONGEST_DESCRIPTION)}"


def _conversation(turns: Sequence[Turn]) -> str:
    asked = {call.id: call for turn in turns for call in turn.tool_calls}
    lines = []
    for turn in turns[-MOST_TURNS:]:
        text = _cut(turn.text, LONGEST_TEXT)
        if turn.role == "tool":
            call = asked.get(turn.tool_call_id or "")
            lines.append(f"tool {call.name} {call.arguments}: {text}" if call else f"tool: {text}")
            continue
        pictures = sum(isinstance(part, ImagePart) for part in turn.parts)
        text = " ".join([*["(picture)"] * pictures, text]).strip()
        if text:
            lines.append(f"{turn.role}: {text}")
    return "\n".join(lines)


def _cut(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    return f"{text[: length // 2]} ... {text[-length // 2 :]}"
