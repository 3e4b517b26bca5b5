"""Metering, wired to the data directory and to the metrics."""

from __future__ import annotations

from sqlalchemy import Engine

from foveal.http.metrics import Metrics
from foveal.metering.prices import load_prices
from foveal.metering.service import Metering
from foveal.metering.spending import Spent, Told
from foveal.settings import Settings


def build_metering(settings: Settings, database: Engine, metrics: Metrics) -> Metering:
    """Raises `SetupError` for prices that are not usable."""

    def spent(state: Spent) -> None:
        metrics.budget(state.budget.name, float(state.amount), float(state.budget.amount))

    told = Told(spent, metrics.budget_alert)
    metering = Metering(database, settings.data, load_prices(settings.prices), told=told)
    metrics.watch_ledger(metering.ledger.troubles)
    return metering
