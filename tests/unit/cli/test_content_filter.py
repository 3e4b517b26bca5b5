"""`foveal content-filter` and `foveal blocklist`: what they write is what deployments then have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.cli import Run, runner

from foveal.resources.accounts import open_accounts
from foveal.resources.content_filters import Blocklist, ContentFilter, Side
from foveal.store.database import open_database


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path))
    return runner(monkeypatch, capsys)


def filter_of(folder: Path, deployment: str) -> ContentFilter:
    database = open_database(folder)
    try:
        found = open_accounts(database, operator_key=None, engine="echo", strict=False)[0]
    finally:
        database.dispose()
    row = found.find("local", deployment)
    assert row is not None
    return row.content_filter


def test_deployments_begin_with_the_default(run: Run, tmp_path: Path) -> None:
    listed = run("content-filter", "list", "--json")
    [default] = json.loads(listed.out)
    assert default["name"] == "default"
    assert set(default["deployments"]) == {"gpt-4v", "gpt-4-turbo"}
    assert filter_of(tmp_path, "gpt-4v") == ContentFilter()
    shown = run("content-filter", "list").out
    assert "default" in shown
    assert "medium" in shown


def test_a_configuration_is_made_attached_changed_and_removed(run: Run, tmp_path: Path) -> None:
    run("blocklist", "put", "names", "Contoso", "contoso ltd", "Contoso", "--pattern", r"\d{4}")
    made = run(
        *("content-filter", "put", "strict", "--prompt", "hate=low, self-harm=high,jailbreak=filter"),
        *("--completion", "sexual=off,profanity=annotate", "--blocklist", "names", "--asynchronous"),
    )
    assert made.code == 0, made.err
    assert run("content-filter", "attach", "strict", "gpt-4v").code == 0
    lists = (Blocklist("names", ("Contoso", "contoso ltd"), (r"\d{4}",)),)
    assert filter_of(tmp_path, "gpt-4v") == ContentFilter(
        "strict",
        Side(hate="low", self_harm="high", jailbreak="filter", blocklists=lists),
        Side(sexual="off", profanity="annotate", blocklists=lists),
        "asynchronous",
    )
    assert filter_of(tmp_path, "gpt-4-turbo") == ContentFilter()
    shown = run("content-filter", "list").out
    assert "hate=low" in shown
    assert "asynchronous" in shown
    in_use = run("content-filter", "remove", "strict")
    assert (in_use.code, "gpt-4v" in in_use.err) == (2, True)
    named = run("blocklist", "remove", "names")
    assert (named.code, "strict" in named.err) == (2, True)
    run("content-filter", "put", "strict")
    assert filter_of(tmp_path, "gpt-4v") == ContentFilter("strict")
    run("content-filter", "attach", "default", "gpt-4v")
    assert run("content-filter", "remove", "strict").code == 0
    assert run("blocklist", "remove", "names").code == 0
    assert filter_of(tmp_path, "gpt-4v") == ContentFilter()


def test_blocklists_from_a_file(run: Run, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("one\n\n 둘 \none\n", "utf-8")
    assert run("blocklist", "put", "words", "zero", "--file", str(words)).code == 0
    [listed] = json.loads(run("blocklist", "list", "--json").out)
    assert listed == {"name": "words", "terms": ["zero", "one", "둘"], "patterns": []}
    assert "3" in run("blocklist", "list").out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["content-filter", "put", "default"], "cannot be changed"),
        (["content-filter", "put", "a b"], "no name"),
        (["content-filter", "put", "x", "--prompt", "hat=low"], "'hat' is not one of"),
        (["content-filter", "put", "x", "--prompt", "hate=filter"], "low, medium, high, off"),
        (["content-filter", "put", "x", "--prompt", "jailbreak=low"], "off, annotate, filter"),
        (["content-filter", "put", "x", "--completion", "jailbreak=filter"], "prompts only"),
        (["content-filter", "put", "x", "--blocklist", "none"], "no blocklist 'none'"),
        (["content-filter", "put", "x", "--resource", "nowhere"], "no resource 'nowhere'"),
        (["content-filter", "attach", "none", "gpt-4v"], "no content filter 'none'"),
        (["content-filter", "attach", "default", "nowhere"], "no deployment 'nowhere'"),
        (["content-filter", "remove", "none"], "no content filter 'none'"),
        (["blocklist", "put", "x"], "needs a term or a pattern"),
        (["blocklist", "put", "x", "--pattern", "("], "no regular expression"),
        (["blocklist", "put", "x", " "], "1 to 1000 characters"),
        (["blocklist", "put", "x", "a" * 1001], "1 to 1000 characters"),
        (["blocklist", "remove", "none"], "no blocklist 'none'"),
        (["blocklist", "list", "--resource", "nowhere"], "no resource 'nowhere'"),
    ],
)
def test_refusals(run: Run, arguments: list[str], reason: str) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert reason in ended.err
    assert ended.err.count("\n") == 1 + ended.err.count("API key")
