"""Terms as whole words, patterns as RE2 has them, and no text that makes them slow."""

from __future__ import annotations

import pytest

from foveal.errors import InvalidRequest
from foveal.resources.content_filters import Blocklist
from foveal.safety.blocklists import Blocklists, compile_pattern


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("Contoso", "We love CONTOSO!", True),
        ("Contoso", "contosophy", False),
        ("Contoso", "a Contoso, b", True),
        ("Northwind Traders", "the northwind traders' shop", True),
        ("C++", "I write c++ daily", True),
        ("C++", "vitamin C", False),
        ("경쟁사", "경쟁사에서 샀어요", True),  # endings are written to the word
        ("경쟁사", "우리 비경쟁사", False),
        ("ｃontoso", "contoso", True),  # full-width letters
        ("a.b", "axb", False),
        (".net", "the new .NET, here", True),
        (".net", "the.nets", False),
        ("@경쟁사", "a@경쟁사들", True),
        ("STRASSE", "in der Straße", True),
        ("snake", "snake_case", False),
    ],
)
def test_terms(term: str, text: str, found: bool) -> None:
    assert Blocklists().found([Blocklist("own", (term,))], text) == (["own"] if found else [])


def test_patterns_and_several_lists() -> None:
    lists = [
        Blocklist("cards", patterns=(r"\d{4}-\d{4}",)),
        Blocklist("names", ("Contoso",), ("north(wind|sea)",)),
        Blocklist("empty"),
    ]
    both = Blocklists()
    assert both.found(lists, "1234-5678 of Northsea") == ["cards", "names"]
    assert both.found(lists, "nothing") == []
    assert both.found([], "1234-5678") == []


def test_a_list_of_thousands_of_terms() -> None:
    names = Blocklist("names", tuple(f"company {number}" for number in range(20_000)), ("c[ae]t",))
    lists = Blocklists()
    assert lists.found([names], "We asked Company 19999, and nobody else.") == ["names"]
    assert lists.found([names], "We asked company 20000.", "Nobody else, no dog.") == []
    assert lists.found([names], "We asked company 20000.", "A CAT.") == ["names"]


def test_a_list_without_anything_in_it_finds_nothing() -> None:
    assert Blocklists().found([Blocklist("empty"), Blocklist("blank", ("", " "))], "a text", "") == []


def test_no_text_makes_a_pattern_slow() -> None:
    """A backtracking matcher would need longer than the world is old."""
    evil = Blocklist("evil", patterns=("(a+)+$",))
    assert Blocklists().found([evil], "a" * 50_000 + "b") == []


@pytest.mark.parametrize("pattern", ["(", "[a", "(?=x)", r"(a)\1", "x{99999}"])
def test_a_broken_pattern_is_named(pattern: str) -> None:
    with pytest.raises(InvalidRequest, match="no regular expression"):
        compile_pattern(pattern)
