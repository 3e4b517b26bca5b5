"""Metering: the ledger, its sums by day, budgets, and who asked for an ingestion."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        *(
            sa.Column(name, sa.String(length), nullable=False)
            for name, length in (
                ("resource", 64),
                ("deployment", 64),
                ("principal", 256),
                ("kind", 16),
                ("outcome", 16),
            )
        ),
        sa.Column("units", sa.JSON, nullable=False),
    )
    sums = {
        "day": 10,
        "resource": 64,
        "deployment": 64,
        "principal": 256,
        "kind": 16,
        "outcome": 16,
        "meter": 32,
    }
    op.create_table(
        "usage_days",
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in sums.items()),
        sa.Column("micros", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(*sums),
    )
    op.create_table(
        "budgets",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("amount", sa.String(40), nullable=False),
        sa.Column("per", sa.String(8), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("deployment", sa.String(64), nullable=False),
        sa.Column("alerts", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "budget_alerts",
        sa.Column("budget", sa.String(64), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("percent", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("budget", "period", "percent"),
    )
    op.add_column(
        "ingestions", sa.Column("principal", sa.String(256), nullable=False, server_default="operator")
    )
