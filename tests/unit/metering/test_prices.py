"""Prices: the page's figures and its worked examples to the cent, the operator's own table, refusals."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.metering import moment

from foveal.errors import SetupError
from foveal.metering.base import Entry
from foveal.metering.prices import load_prices, shown_amount


def entry(units: dict[str, float], at: str = "2024-04-09T12:00", deployment: str | None = "gpt-4v") -> Entry:
    return Entry("1", moment(at), "local", deployment, "key1", "chat", "answered", units)


def test_the_worked_example_of_a_picture() -> None:
    """100 tokens of text, a picture of 255 tokens, OCR, grounding, an answer of 100 tokens."""
    units: dict[str, float] = {"input_tokens": 100 + 255, "ocr": 1, "grounding": 1, "output_tokens": 100}
    prices = load_prices()
    assert prices.of(entry(units)) == Decimal("0.00955")
    assert prices.currency == "USD"


def test_the_worked_example_of_a_video() -> None:
    """Three minutes: a prompt of 100 tokens, frames chosen with 100 + 700 tokens and one query, 20 frames of
    85 tokens and a transcript of 100, an answer of 100; indexing it once is charged by itself."""
    units: dict[str, float] = {
        "input_tokens": 100 + 800 + 20 * 85 + 100,
        "video_queries": 1,
        "output_tokens": 100,
    }
    prices = load_prices()
    assert prices.of(entry(units)) == Decimal("0.03025")
    assert prices.of(entry({"video_minutes": 3})) == Decimal("0.15")


@pytest.mark.parametrize(
    ("meter", "number", "cost"),
    [
        ("input_tokens", 1000, "0.01"),
        ("output_tokens", 1000, "0.03"),
        ("ocr", 1000, "1.50"),
        ("grounding", 1000, "1.50"),
        ("video_minutes", 1, "0.05"),
        ("video_queries", 1000, "0.25"),
        ("analysis", 1000, "0"),
    ],
)
def test_the_pages_prices(meter: str, number: int, cost: str) -> None:
    assert load_prices().of(entry({meter: number})) == Decimal(cost)


def test_half_a_minute_costs_half() -> None:
    assert load_prices().of(entry({"video_minutes": 0.5})) == Decimal("0.025")


def test_the_operators_table(tmp_path: Path) -> None:
    """The row that says most holds, and of those the one that begins last."""
    file = tmp_path / "prices.toml"
    file.write_text(
        """
        currency = "krw"
        [[price]]
        meter = "input_tokens"
        amount = 14
        per = 1000
        [[price]]
        meter = "input_tokens"
        amount = 20.5
        per = 1000
        from = 2024-05-01
        [[price]]
        meter = "input_tokens"
        amount = 1
        per = 1000
        deployment = "cheap"
        [[price]]
        meter = "input_tokens"
        amount = 2
        per = 1000
        resource = "other"
        """
    )
    prices = load_prices(file)
    thousand: dict[str, float] = {"input_tokens": 1000}
    assert prices.currency == "KRW"
    assert prices.of(entry(thousand, "2024-04-30T23:59")) == 14
    assert prices.of(entry(thousand, "2024-05-01T00:00")) == Decimal("20.5")
    assert prices.of(entry(thousand, "2024-05-01T00:00", "cheap")) == 1
    assert prices.of(entry(thousand, deployment=None)) == 14
    assert prices.of(entry({"output_tokens": 5})) == 0
    assert prices.cost("input_tokens", 1_000_000_000, "other", "gpt-4v", "2024-06-01") == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "currency"),
        ('currency = ""', "currency"),
        ('currency = "$"', "currency"),
        ('currency = "USD"\nprices = 1', "not prices"),
        ('currency = "USD"\n[[price]]\nmeter = "words"\namount = 1', "must be one of input_tokens"),
        ('currency = "USD"\n[[price]]\nmeter = "ocr"\namount = -1', "1: `amount`"),
        ('currency = "USD"\n[[price]]\nmeter = "ocr"\namount = nan', "`amount`"),
        ('currency = "USD"\n[[price]]\nmeter = "ocr"\namount = true', "`amount`"),
        ('currency = "USD"\n[[price]]\nmeter = "ocr"\namount = 1\nper = 0', "`per`"),
        ('currency = "USD"\n[[price]]\nmeter = "ocr"\namount = 1\nfrom = "soon"', "`from`"),
        ('currency = "USD"\n[[price]]\nmeter = "ocr"\namount = 1\ndeployment = 1', "`deployment`"),
        ('currency = "USD"\n[[price]]\nmeter = "ocr"\namount = 1\nsku = "S"', "unknown fields: sku"),
        ("currency = ", "not usable"),
    ],
)
def test_a_table_that_is_not_usable(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(text)
    with pytest.raises(SetupError, match=says):
        load_prices(file)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"prices.* cannot be read"):
        load_prices(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0.00"),
        ("0.00955", "0.00955"),
        ("1234.5", "1,234.50"),
        ("0.1234567", "0.123457"),
        ("20", "20.00"),
    ],
)
def test_how_amounts_are_shown(amount: str, shown: str) -> None:
    assert shown_amount(Decimal(amount)) == shown
