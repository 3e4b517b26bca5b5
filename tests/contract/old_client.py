"""Run by test_openai_112 with openai 1.12 on the path: prints one JSON object with what the client saw."""

from __future__ import annotations

import json
import sys
from typing import Any

import openai
from openai import AzureOpenAI


def main(url: str, key: str, picture: str) -> dict[str, Any]:
    client = AzureOpenAI(azure_endpoint=url, api_key=key, api_version="2023-12-01-preview", max_retries=0)
    look: Any = [
        {"type": "text", "text": "Describe this picture:"},
        {"type": "image_url", "image_url": {"url": picture}},
    ]
    seen: dict[str, Any] = {"version": openai.__version__}
    plain: Any = [{"role": "user", "content": "Good morning"}]
    pictured: Any = [{"role": "user", "content": look}]
    answer = client.chat.completions.create(model="gpt-4v", messages=plain, max_tokens=100)
    seen["plain"] = answer.model_dump()
    answer = client.chat.completions.create(model="gpt-4v", messages=pictured, max_tokens=100)
    seen["image"] = answer.model_dump()
    stream = client.chat.completions.create(model="gpt-4v", messages=pictured, max_tokens=100, stream=True)
    seen["stream"] = [chunk.model_dump() for chunk in stream]
    answer = client.chat.completions.create(
        model="gpt-4-turbo", messages=plain, response_format={"type": "json_object"}
    )
    seen["json"] = answer.choices[0].message.content
    tool: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    answer = client.chat.completions.create(
        model="gpt-4-turbo",
        messages=plain,
        tools=[tool],
        tool_choice={"type": "function", "function": {"name": "weather"}},
    )
    seen["tools"] = answer.choices[0].model_dump()
    answer = client.chat.completions.create(
        model="gpt-4-turbo",
        messages=plain,
        functions=[{"name": "weather", "parameters": {"type": "object"}}],
        function_call={"name": "weather"},
    )
    seen["functions"] = answer.choices[0].model_dump()
    extended = AzureOpenAI(
        base_url=f"{url}/openai/deployments/gpt-4v/extensions", api_key=key, api_version="2023-12-01-preview"
    )
    answer = extended.chat.completions.create(
        model="gpt-4-vision-preview", messages=pictured, extra_body={"dataSources": []}, max_tokens=100
    )
    seen["extensions"] = answer.choices[0].message.content
    seen["models"] = [model.id for model in client.models.list()]
    seen["errors"] = errors(client, url, plain)
    return seen


def errors(client: AzureOpenAI, url: str, plain: Any) -> dict[str, str]:
    wrong = AzureOpenAI(azure_endpoint=url, api_key="wrong", api_version="2023-12-01-preview", max_retries=0)
    found = {}
    for name, owner, fields in (
        ("deployment", client, {"model": "nope"}),
        ("range", client, {"model": "gpt-4v", "temperature": 9}),
        ("key", wrong, {"model": "gpt-4v"}),
    ):
        try:
            owner.chat.completions.create(messages=plain, **fields)
        except openai.APIStatusError as error:
            found[name] = f"{type(error).__name__}: {error.message}"
    return found


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
