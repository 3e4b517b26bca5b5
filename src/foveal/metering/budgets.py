"""Budgets as they are kept: an amount for a day or a month, of everything, a resource or a deployment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, Literal, cast

from sqlalchemy import Connection, Engine, delete, insert, select

from foveal.errors import InvalidRequest, NotFound
from foveal.metering.base import MICROS, now
from foveal.store.ledger_tables import budget_alerts, budgets
from foveal.store.tables import deployments, resources

Per = Literal["day", "month"]
ALERTS: Final = (80,)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_MOST: Final = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Budget:
    """`alerts` are percents of `amount`; `resource` or `deployment` None: all of them."""

    name: str
    amount: Decimal
    per: Per
    resource: str | None = None
    deployment: str | None = None
    alerts: tuple[int, ...] = ALERTS

    def covers(self, resource: str, deployment: str | None) -> bool:
        return self.resource in (None, resource) and self.deployment in (None, deployment)


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a month of UTC: `first` and `last` are days, `end` is in microseconds since 1970."""

    first: str
    last: str
    end: int


def period_of(per: Per, at: int) -> Period:
    today = datetime.fromtimestamp(at // MICROS, UTC).date()
    first = today if per == "day" else today.replace(day=1)
    after = first + timedelta(days=1) if per == "day" else (first + timedelta(days=32)).replace(day=1)
    end = int(datetime(after.year, after.month, after.day, tzinfo=UTC).timestamp()) * MICROS
    return Period(first.isoformat(), date.isoformat(after - timedelta(days=1)), end)


def read_amount(text: str) -> Decimal:
    """Raises `InvalidRequest`."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or not 0 < amount <= _MOST:
        raise InvalidRequest(f"a budget's amount is a number above 0, not {text[:40]}", param="amount")
    return amount


def set_budget(database: Engine, budget: Budget) -> None:
    """Make a budget, or put it in the place of the one of that name; its alerts may then be told again.

    Raises `InvalidRequest`.
    """
    if _NAME.fullmatch(budget.name) is None:
        raise InvalidRequest(
            "the name of a budget is 1 to 64 letters, digits, '.', '_' and '-', a letter or digit first",
            param="name",
        )
    if any(not 1 <= percent <= 100 for percent in budget.alerts):
        raise InvalidRequest("an alert is a percent from 1 to 100", param="alert")
    with database.begin() as connection:
        _check_scope(connection, budget)
        _forget(connection, budget.name)
        connection.execute(
            insert(budgets).values(
                name=budget.name,
                amount=str(budget.amount),
                per=budget.per,
                resource=budget.resource or "",
                deployment=budget.deployment or "",
                alerts=sorted(set(budget.alerts)),
                created_at=now(),
            )
        )


def list_budgets(database: Engine) -> list[Budget]:
    """In the order of their names."""
    with database.connect() as connection:
        return [
            Budget(
                row.name,
                Decimal(row.amount),
                cast(Per, row.per),
                row.resource or None,
                row.deployment or None,
                tuple(row.alerts),
            )
            for row in connection.execute(select(budgets).order_by(budgets.c.name))
        ]


def remove_budget(database: Engine, name: str) -> None:
    """Raises `NotFound`."""
    with database.begin() as connection:
        if not _forget(connection, name):
            raise NotFound(f"there is no budget '{name[:64]}'; see `foveal budget ls`")


def _forget(connection: Connection, name: str) -> bool:
    connection.execute(delete(budget_alerts).where(budget_alerts.c.budget == name))
    return connection.execute(delete(budgets).where(budgets.c.name == name)).rowcount > 0


def _check_scope(connection: Connection, budget: Budget) -> None:
    """A budget of something that is not there would never be spent."""
    if budget.resource is not None:
        _check(budget.resource, "resource", connection.scalars(select(resources.c.name)))
    if budget.deployment is not None:
        named = select(deployments.c.name).distinct()
        if budget.resource is not None:
            named = named.where(deployments.c.resource == budget.resource)
        _check(budget.deployment, "deployment", connection.scalars(named))


def _check(name: str, what: str, known: Iterable[str]) -> None:
    names = sorted(known)
    if name not in names:
        there = f"there are {', '.join(names)}" if names else "there is none"
        raise InvalidRequest(f"there is no {what} '{name[:64]}'; {there}", param=what)
