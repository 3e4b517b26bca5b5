"""Vision enhancements that are refused: resources, tiers, keys, strict mode, broken input."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.support.enhanced import (
    BOTH,
    CHAT,
    CV_KEY,
    EXTENSIONS,
    FREE_KEY,
    OPENAI_KEY,
    Enhanced,
    source,
)
from tests.support.wire import ask, image


def test_an_openai_resource_needs_a_paid_computer_vision_resource(enhanced: Enhanced) -> None:
    def ask_as_openai(**fields: Any) -> httpx.Response:
        return enhanced.post(EXTENSIONS, ask("x", image(), enhancements=BOTH, **fields), key=OPENAI_KEY)

    assert ask_as_openai(dataSources=[source(enhanced)]).status_code == 200
    for fields, param, says in (
        ({}, "dataSources", "tier S1"),
        ({"dataSources": [source(enhanced, FREE_KEY)]}, "dataSources.[0].parameters.key", "tier F0"),
        ({"dataSources": [source(enhanced, OPENAI_KEY)]}, "dataSources.[0].parameters.key", "not a key"),
        ({"data_sources": [source(enhanced, "no")]}, "data_sources.[0].parameters.key", "not a key"),
        (
            {"dataSources": [source(enhanced, endpoint="https://other.example/")]},
            "dataSources.[0].parameters.endpoint",
            "other.example",
        ),
    ):
        error = ask_as_openai(**fields)
        assert error.status_code == 400, fields
        assert error.json()["error"]["code"] == "InvalidDataSource"
        assert error.json()["error"]["param"] == param
        assert says in error.json()["error"]["message"]
        assert CV_KEY not in error.text


@pytest.mark.parametrize(
    ("version", "extensions", "fields", "refused"),
    [
        ("2023-12-01-preview", True, {"enhancements": BOTH, "dataSources": []}, None),
        ("2023-12-01-preview", True, {"enhancements": BOTH, "data_sources": []}, "data_sources"),
        ("2023-12-01-preview", True, {"enhancements": BOTH, "n": 1}, "n"),
        ("2023-12-01-preview", True, {"enhancements": BOTH, "seed": 1}, "seed"),
        ("2023-12-01-preview", False, {"enhancements": BOTH}, "enhancements"),
        ("2023-12-01-preview", False, {"dataSources": []}, "dataSources"),
        ("2023-09-01-preview", True, {"enhancements": BOTH}, "enhancements"),
        ("2024-02-15-preview", False, {"enhancements": BOTH, "data_sources": []}, None),
        ("2024-02-15-preview", False, {"enhancements": BOTH, "dataSources": []}, "dataSources"),
        ("2024-03-01-preview", False, {"enhancements": BOTH}, None),
        ("2024-04-01-preview", False, {"enhancements": BOTH}, "enhancements"),
        ("2024-02-01", False, {"enhancements": BOTH}, "enhancements"),
    ],
)
def test_strict_mode_has_them_where_the_api_version_had_them(
    enhanced: Enhanced, version: str, extensions: bool, fields: dict[str, Any], refused: str | None
) -> None:
    route = f"/openai/deployments/strict-v/{'extensions/' if extensions else ''}chat/completions"
    response = enhanced.post(route, ask("x", image(), **fields), version=version)
    if refused is None:
        assert response.status_code == 200, response.text
        return
    assert response.status_code == 400
    assert response.json()["error"]["message"] == (
        f"1 validation error for Request\nbody -> {refused}\n"
        "  extra fields not permitted (type=value_error.extra)"
    )


def test_the_version_without_enhancements_says_so_on_every_route(enhanced: Enhanced) -> None:
    for deployment in ("gpt-4-turbo", "strict-turbo"):
        route = f"/openai/deployments/{deployment}/extensions/chat/completions"
        response = enhanced.post(route, ask("x", image(), enhancements=BOTH))
        assert response.status_code == 400
        assert "does not support Vision Enhancement" in response.json()["error"]["message"]


def test_a_computer_vision_key_opens_no_chat(enhanced: Enhanced) -> None:
    assert enhanced.post(CHAT, ask(), key=CV_KEY).status_code == 401


CV = "AzureComputerVision"


@pytest.mark.parametrize(
    "fields",
    [
        {"enhancements": "ocr"},
        {"enhancements": {"ocr": "yes"}},
        {"enhancements": {"ocr": {"enabled": 5}}},
        {"enhancements": {"ocr": {"enabled": "yes"}}},
        {"enhancements": {"": {"enabled": True}}},
        {"enhancements": {"x" * 10_000: {"enabled": True}}},
        {"enhancements": {"OCR": {"enabled": True}}},
        {"enhancements": BOTH, "dataSources": [None]},
        {"enhancements": BOTH, "dataSources": "AzureComputerVision"},
        {"enhancements": BOTH, "dataSources": [{"type": None}]},
        {"enhancements": BOTH, "dataSources": [{"type": "AzureCognitiveSearch", "parameters": {}}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": "x"}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": {"endpoint": ["a"], "key": "k"}}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": {"endpoint": "x" * 100_000}}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": {"key": {}}}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": {"key": "k" * 1_000_000}}]},
        {"enhancements": BOTH, "dataSources": [{"type": CV, "parameters": {"key": "\ud800"}}]},
        {
            "enhancements": BOTH,
            "dataSources": [{"type": CV, "parameters": {"endpoint": "http://[::1", "key": "k"}}],
        },
        {
            "enhancements": BOTH,
            "dataSources": [{"type": CV, "parameters": {"endpoint": "http://a b/", "key": "k"}}],
        },
        {
            "enhancements": BOTH,
            "dataSources": [{"type": CV, "parameters": {"endpoint": "file:///etc", "key": "k"}}],
        },
        {"enhancements": BOTH, "tools": [{"type": "function", "function": {"name": "f"}}]},
        {"enhancements": BOTH, "response_format": {"type": "json_object"}},
    ],
)
def test_bad_input_is_a_precise_400(enhanced: Enhanced, fields: dict[str, Any]) -> None:
    response = enhanced.post(EXTENSIONS, json.dumps(ask("x", image(), **fields)))
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["param"]
    assert len(response.content) < 2000
    assert enhanced.post(EXTENSIONS, ask("x", image(), enhancements=BOTH)).status_code == 200
