"""What units cost: a table of prices, the page's by default or the operator's own, in any currency."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from foveal.errors import SetupError
from foveal.metering.base import METERS, MICROS, Entry, day_of, micros

_FIELDS: Final = {"meter", "amount", "per", "resource", "deployment", "from"}
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Price:
    """Of one unit of a meter: for everything, or for a resource or a deployment only, from a day on."""

    meter: str
    unit: Decimal
    resource: str | None = None
    deployment: str | None = None
    since: str = ""

    def holds(self, resource: str, deployment: str, day: str) -> bool:
        return (
            self.resource in (None, resource) and self.deployment in (None, deployment) and self.since <= day
        )

    @property
    def rank(self) -> tuple[bool, bool, str]:
        """The row that says most wins, then the one that begins last."""
        return (self.deployment is not None, self.resource is not None, self.since)


@dataclass(frozen=True, slots=True)
class Prices:
    """`currency` is its code (USD). Costs are exact: nothing is rounded here."""

    currency: str
    rows: Sequence[Price]
    _found: dict[tuple[str, str, str, str], Decimal] = field(default_factory=dict, compare=False)

    @property
    def dated(self) -> bool:
        """Whether a price depends on the day."""
        return any(row.since for row in self.rows)

    def unit(self, meter: str, resource: str, deployment: str, day: str) -> Decimal:
        """What one unit costs; nothing when the table does not say."""
        key = (meter, resource, deployment, day if self.dated else "")
        price = self._found.get(key)
        if price is None:
            held = [row for row in self.rows if row.meter == meter and row.holds(resource, deployment, day)]
            price = max(held, key=lambda row: row.rank).unit if held else NOTHING
            if len(self._found) > 10_000:
                self._found.clear()
            self._found[key] = price
        return price

    def cost(self, meter: str, millionths: int, resource: str, deployment: str, day: str) -> Decimal:
        """What millionths of a unit cost."""
        return millionths * self.unit(meter, resource, deployment, day) / MICROS

    def of(self, entry: Entry) -> Decimal:
        """What an entry costs."""
        day, deployment = day_of(entry.at), entry.deployment or ""
        return sum(
            (
                self.cost(meter, micros(number), entry.resource, deployment, day)
                for meter, number in entry.units.items()
            ),
            NOTHING,
        )


def load_prices(file: Path | None = None) -> Prices:
    """The operator's table, or the page's. Raises `SetupError` that says what is wrong with the file."""
    try:
        if file is None:
            text = files(__package__).joinpath("data/prices.toml").read_text("utf-8")
        else:
            text = file.read_text("utf-8")
        return _read(tomllib.loads(text, parse_float=Decimal))
    except OSError as error:
        raise SetupError(f"the prices {file} cannot be read: {error.strerror}", param="prices") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise SetupError(f"the prices {file} are not usable: {error}", param="prices") from None


def shown_amount(amount: Decimal) -> str:
    """As people read it: two places, more where they say something, at most six; thousands apart."""
    rounded = amount.quantize(Decimal("0.000001")).normalize()
    places = max(2, -int(rounded.as_tuple().exponent))
    return f"{rounded:,.{places}f}"


def _read(table: Mapping[str, Any]) -> Prices:
    currency = table.get("currency")
    if not isinstance(currency, str) or not (1 <= len(currency) <= 8) or not currency.isalpha():
        raise ValueError('`currency` must be a code like "USD"')
    rows = table.get("price", [])
    unknown = set(table) - {"currency", "price"}
    if unknown or not isinstance(rows, list):
        raise ValueError(f"there are `currency` and [[price]] rows only, not {', '.join(sorted(unknown))}")
    return Prices(currency.upper(), tuple(_row(row, number) for number, row in enumerate(rows, start=1)))


def _row(row: Mapping[str, Any], number: int) -> Price:
    where = f"[[price]] {number}"
    if unknown := set(row) - _FIELDS:
        raise ValueError(f"{where} has unknown fields: {', '.join(sorted(unknown))}")
    meter = row.get("meter")
    if meter not in METERS:
        raise ValueError(f"{where}: `meter` must be one of {', '.join(METERS)}")
    amount, per = _number(row.get("amount"), where, "amount"), _number(row.get("per", 1), where, "per")
    if per == 0:
        raise ValueError(f"{where}: `per` must be above 0")
    since = row.get("from")
    if since is not None and type(since) is not date:
        raise ValueError(f"{where}: `from` must be a day like 2024-04-09, without quotes")
    names = {name: row.get(name) for name in ("resource", "deployment")}
    for name, value in names.items():
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{where}: `{name}` must be a name")
    return Price(meter, amount / per, **names, since="" if since is None else since.isoformat())


def _number(value: object, where: str, name: str) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        raise ValueError(f"{where}: `{name}` must be a number, 0 or more")
    return value
