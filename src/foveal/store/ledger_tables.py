"""The tables of metering: what every request spent, the sums of it by day, and budgets. Never content."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Integer, PrimaryKeyConstraint, String, Table

from foveal.store.tables import metadata

__all__ = ["budget_alerts", "budgets", "ledger", "metadata", "usage_days"]

# Append-only: a row is never changed. Ids begin with the time, so that rows are added at the end.
ledger = Table(
    "ledger",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False),  # microseconds since 1970, UTC
    Column("resource", String(64), nullable=False),
    Column("deployment", String(64), nullable=False),  # empty: the request was of none
    Column("principal", String(256), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("units", JSON, nullable=False),  # meter → number
)

# The ledger's sums, kept in the same transactions: so usage of a million requests is read in milliseconds.
usage_days = Table(
    "usage_days",
    metadata,
    Column("day", String(10), nullable=False),  # UTC, 2024-04-09
    Column("resource", String(64), nullable=False),
    Column("deployment", String(64), nullable=False),
    Column("principal", String(256), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("meter", String(32), nullable=False),  # `requests` is one of them
    Column("micros", BigInteger, nullable=False),  # millionths of a unit: sums of whole numbers are exact
    PrimaryKeyConstraint("day", "resource", "deployment", "principal", "kind", "outcome", "meter"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("amount", String(40), nullable=False),  # a decimal number, in the currency of the prices
    Column("per", String(8), nullable=False),  # day, month
    Column("resource", String(64), nullable=False),  # empty: all
    Column("deployment", String(64), nullable=False),  # empty: all
    Column("alerts", JSON, nullable=False),  # percents
    Column("created_at", BigInteger, nullable=False),  # microseconds
)

# What was told already: once per period and threshold, whichever process saw it first.
budget_alerts = Table(
    "budget_alerts",
    metadata,
    Column("budget", String(64), nullable=False),
    Column("period", String(10), nullable=False),  # its first day
    Column("percent", Integer, nullable=False),
    PrimaryKeyConstraint("budget", "period", "percent"),
)
