"""What of each budget is spent, known on the path of every request without asking SQL.

Three parts make the sum: what SQL says (read at most every second, with what other processes spent), what of
this process is being moved there, and what was settled since. So a request is refused as soon as this process
has spent the budget, and within about a second when others have. What is in flight does not count: requests
that were admitted before the budget was spent may go over it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import IntegrityError

from foveal.errors import BudgetExceeded
from foveal.metering.base import MICROS, Entry, day_of
from foveal.metering.budgets import Budget, Period, list_budgets, period_of
from foveal.metering.prices import NOTHING, Prices, shown_amount
from foveal.store.ledger_tables import budget_alerts, usage_days

log = logging.getLogger(__name__)

FRESH = 1.0  # seconds for which what SQL said is good
ALL = 100  # percent; that it is spent is always told


@dataclass(slots=True)
class Spent:
    """What of a budget is spent in its present period: `known` to SQL, `moving` there, `since`."""

    budget: Budget
    period: Period
    known: Decimal = NOTHING
    moving: Decimal = NOTHING
    since: Decimal = NOTHING

    @property
    def amount(self) -> Decimal:
        return self.known + self.moving + self.since

    def turn(self, at: int) -> None:
        """Begin anew when the period is over."""
        if at >= self.period.end:
            self.period = period_of(self.budget.per, at)
            self.known = self.moving = self.since = NOTHING


@dataclass(slots=True)
class Told:
    """Who is told how much of each budget is spent, and of alerts: name and percent."""

    spent: Callable[[Spent], None] = field(default=lambda _: None)
    alert: Callable[[str, int], None] = field(default=lambda _name, _percent: None)


class Spending:
    """`Listener` of the ledger that follows the budgets."""

    def __init__(
        self,
        database: Engine,
        prices: Prices,
        clock: Callable[[], int],
        told: Told,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._prices = prices
        self._clock = clock
        self._told = told
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._states: tuple[Spent, ...] = ()
        self._read_at: float | None = None

    def admit(self, resource: str, deployment: str | None) -> None:
        """Raises `BudgetExceeded` when a budget that covers this is spent."""
        if not self._states:
            return
        at = self._clock()
        with self._lock:
            for state in self._states:
                if state.budget.covers(resource, deployment):
                    state.turn(at)
                    if state.amount >= state.budget.amount:
                        raise _refusal(state, at, self._prices.currency)

    def settled(self, entry: Entry) -> None:
        if not self._states:
            return
        with self._lock:
            cost: Decimal | None = None
            for state in self._states:
                if state.budget.covers(entry.resource, entry.deployment):
                    cost = self._prices.of(entry) if cost is None else cost
                    state.turn(entry.at)
                    state.since += cost

    def turned(self) -> None:
        with self._lock:
            for state in self._states:
                state.moving += state.since
                state.since = NOTHING

    def moved(self) -> None:
        """Ask SQL again when what it said is old. Called when nothing of this process is on its way there."""
        moment = self._monotonic()
        if self._read_at is not None and moment - self._read_at < FRESH:
            return
        self._read_at = moment
        self.refresh()

    def refresh(self) -> None:
        """Take over what SQL says of budgets and of what is spent, and tell of alerts."""
        states = self._read()
        with self._lock:
            before = {state.budget: state for state in self._states}
            for state in states:
                old = before.get(state.budget)
                if old is not None and old.period == state.period:
                    state.since = old.since
            self._states = tuple(states)
        for state in states:
            self._told.spent(state)
            self._alert(state)

    def _read(self) -> list[Spent]:
        at = self._clock()
        return [
            Spent(budget, period, spent_in(self._database, self._prices, budget, period))
            for budget in list_budgets(self._database)
            for period in (period_of(budget.per, at),)
        ]

    def _alert(self, state: Spent) -> None:
        budget = state.budget
        for percent in sorted({*budget.alerts, ALL}):
            if state.amount * 100 < budget.amount * percent:
                return
            if not self._first_to_tell(budget.name, state.period.first, percent):
                continue
            self._told.alert(budget.name, percent)
            log.warning(
                "budget %s: %d %% of %s %s for the %s is spent (%s)%s",
                budget.name,
                percent,
                self._prices.currency,
                shown_amount(budget.amount),
                budget.per,
                shown_amount(state.amount),
                "; further requests are refused" if percent >= ALL else "",
            )

    def _first_to_tell(self, name: str, period: str, percent: int) -> bool:
        row = {"budget": name, "period": period, "percent": percent}
        same = (budget_alerts.c[column] == value for column, value in row.items())
        with self._database.connect() as connection:
            if connection.execute(select(budget_alerts).where(*same)).first() is not None:
                return False
        try:
            with self._database.begin() as connection:
                connection.execute(insert(budget_alerts).values(**row))
        except IntegrityError:  # another process was quicker
            return False
        return True


def spent_in(database: Engine, prices: Prices, budget: Budget, period: Period) -> Decimal:
    """What SQL knows to be spent of a budget in a period."""
    table = usage_days.c
    scope = [
        *([table.resource == budget.resource] if budget.resource is not None else []),
        *([table.deployment == budget.deployment] if budget.deployment is not None else []),
    ]
    key = (table.day, table.resource, table.deployment, table.meter)
    statement = (
        select(*key, func.sum(table.micros))
        .where(table.day >= period.first, table.day <= period.last, *scope)
        .group_by(*key)
    )
    with database.connect() as connection:
        return sum(
            (
                prices.cost(meter, int(number), resource, deployment, day)
                for day, resource, deployment, meter, number in connection.execute(statement)
            ),
            NOTHING,
        )


def spending_now(database: Engine, prices: Prices, at: int) -> Sequence[Spent]:
    """Every budget with what SQL knows to be spent of it."""
    found = []
    for budget in list_budgets(database):
        period = period_of(budget.per, at)
        found.append(Spent(budget, period, spent_in(database, prices, budget, period)))
    return found


def _refusal(state: Spent, at: int, currency: str) -> BudgetExceeded:
    budget = state.budget
    seconds = max(1, -(-(state.period.end - at) // MICROS))
    return BudgetExceeded(
        f"The budget '{budget.name}' of {currency} {shown_amount(budget.amount)} for the {budget.per} is "
        f"spent. Requests are served again from {day_of(state.period.end)} (UTC), or when the operator "
        "raises the budget.",
        headers={"retry-after": str(seconds), "x-should-retry": "false"},
    )
