"""Rate limits of keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_limits",
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("tokens", sa.Integer, nullable=True),
        sa.Column("requests", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("resource", "slot"),
        sa.ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
    )
    for event in ("INSERT", "UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER key_limits_{event.lower()}_counted AFTER {event} ON key_limits "
            "BEGIN UPDATE account_changes SET count = count + 1; END"
        )
