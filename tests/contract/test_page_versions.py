"""What the page says of model versions, statement by statement, against a running server.

Each case quotes the sentence that it shows (in English; the page is Korean).
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.support.wire import PICTURE

from foveal.resources.versions import load_model_versions

TEXT = [{"role": "user", "content": "Answer in json: what is 1 + 1?"}]
SEEN = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Answer in json: what is this?"},
            {"type": "image_url", "image_url": {"url": PICTURE}},
        ],
    }
]
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
JSON_MODE = {"type": "json_object"}
OCR = {"ocr": {"enabled": True}}
NO_JSON = "Invalid parameter: 'response_format' of type 'json_object' is not supported with this model."
NO_TOOLS = "Invalid parameter: 'tools' is not supported with image input with this model."
NO_IMAGES = "Invalid content type. image_url is only supported by certain models."
NO_VISION = "The deployed GPT model does not support Vision Enhancement and On Your Data (OYD) with images"
OLD_QUOTE = "these preview models are replaced by gpt-4 version turbo-2024-04-09"
JSON_QUOTE = "turbo-2024-04-09 does not support JSON mode and function calling with image (vision) input"
TEXT_QUOTE = (
    "text based requests (without image_url and inline images) support JSON mode and function calling"
)
ENHANCED_QUOTE = "enhancements (OCR, grounding, video prompts) are not supported for turbo-2024-04-09"
PROVISIONED_QUOTE = "provisioned deployments of this model accept text input only"
STANDARD_QUOTE = "standard deployments accept both text and image inference requests"
RELAXED = "with parity relaxed a deployment does what its engine can"

CASES: list[tuple[str, str, str, dict[str, Any], str | None]] = [
    (TEXT_QUOTE, "gpt-4-turbo", "chat", {"messages": TEXT, "response_format": JSON_MODE}, None),
    (TEXT_QUOTE, "gpt-4-turbo", "chat", {"messages": TEXT, "tools": TOOLS}, None),
    (JSON_QUOTE, "gpt-4-turbo", "chat", {"messages": SEEN, "response_format": JSON_MODE}, NO_JSON),
    (JSON_QUOTE, "gpt-4-turbo", "chat", {"messages": SEEN, "tools": TOOLS}, NO_TOOLS),
    (STANDARD_QUOTE, "gpt-4-turbo", "chat", {"messages": SEEN}, None),
    (STANDARD_QUOTE, "gpt-4-turbo", "chat", {"messages": TEXT}, None),
    (PROVISIONED_QUOTE, "gpt-4-provisioned", "chat", {"messages": TEXT}, None),
    (PROVISIONED_QUOTE, "gpt-4-provisioned", "chat", {"messages": SEEN}, NO_IMAGES),
    (
        ENHANCED_QUOTE,
        "gpt-4-turbo",
        "extensions",
        {"messages": SEEN, "enhancements": OCR},
        NO_VISION,
    ),
    (
        "vision-preview has the enhancements",
        "gpt-4v",
        "extensions",
        {"messages": TEXT, "enhancements": OCR},
        None,
    ),
    ("1106-Preview takes text", "gpt-4-text", "chat", {"messages": TEXT, "tools": TOOLS}, None),
    ("1106-Preview takes no pictures", "gpt-4-text", "chat", {"messages": SEEN}, NO_IMAGES),
    (RELAXED, "relaxed-turbo", "chat", {"messages": SEEN, "response_format": JSON_MODE}, None),
    (RELAXED, "relaxed-turbo", "chat", {"messages": SEEN, "tools": TOOLS}, None),
    (RELAXED, "relaxed-provisioned", "chat", {"messages": SEEN}, None),
]


@pytest.mark.parametrize(("quote", "deployment", "route", "body", "refusal"), CASES)
def test_the_page_on_versions(
    http: httpx.Client, quote: str, deployment: str, route: str, body: dict[str, Any], refusal: str | None
) -> None:
    path = "chat/completions" if route == "chat" else "extensions/chat/completions"
    answer = http.post(f"/openai/deployments/{deployment}/{path}", json=body)
    if refusal is None:
        assert answer.status_code == 200, (quote, answer.text)
    else:
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, refusal), quote


def test_the_previews_are_replaced_by_the_ga_version() -> None:
    versions = load_model_versions()
    for preview in ("1106-Preview", "0125-Preview", "vision-preview"):
        assert versions[("gpt-4", preview)].upgrade == "turbo-2024-04-09", OLD_QUOTE
    assert versions[("gpt-4", "turbo-2024-04-09")].upgrade is None


def test_the_quota_of_the_ga_version_is_that_of_gpt_4_turbo() -> None:
    """ "The default quota of gpt-4-turbo-2024-04-09 is the same as the current quota of GPT-4-Turbo." """
    versions = load_model_versions()
    assert versions[("gpt-4", "turbo-2024-04-09")].quota == versions[("gpt-4", "1106-Preview")].quota


def test_the_ga_version_is_there_for_standard_and_provisioned_deployments() -> None:
    """ "gpt-4 version turbo-2024-04-09 is available for both standard and provisioned deployments." """
    assert load_model_versions()[("gpt-4", "turbo-2024-04-09")].skus == ("Standard", "ProvisionedManaged")
