"""Small helpers for tests that speak raw HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx

CHAT = "/openai/deployments/gpt-4v/chat/completions"
# A 2×2 red PNG.
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDA"
    "AAANHQEDasKb6QAAAABJRU5ErkJggg=="
)


def ask(text: str = "hi", *parts: Any, **fields: Any) -> dict[str, Any]:
    content: Any = [{"type": "text", "text": text}, *parts] if parts else text
    return {"messages": [{"role": "user", "content": content}], **fields}


def image(url: str = PICTURE, **fields: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **fields}}


def frames(text: str) -> list[str]:
    """The `data:` values of a stream."""
    assert text.endswith("\n\n")
    lines = text[:-2].split("\n\n")
    assert all(line.startswith("data: ") for line in lines)
    return [line.removeprefix("data: ") for line in lines]


def chunks(text: str) -> list[dict[str, Any]]:
    *chunked, done = frames(text)
    assert done == "[DONE]"
    return [json.loads(chunk) for chunk in chunked]


def assert_healthy(http: httpx.Client) -> None:
    """The server still answers: sent after everything that could have hurt it."""
    response = http.post(CHAT, json=ask("still there?", max_tokens=50))
    assert response.status_code == 200, response.text
    assert "still there?" in response.json()["choices"][0]["message"]["content"]
