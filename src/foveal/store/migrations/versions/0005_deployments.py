"""Deployments with upgrade option and parity, granted quotas, and a count of changes that servers look at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WATCHED = ("resources", "resource_keys", "deployments", "content_filters", "blocklists")
GRANTED = 1_000_000
ROOMY = 100_000


def upgrade() -> None:
    upgrade_option = sa.Column("upgrade", sa.String(40), nullable=False, server_default="NoAutoUpgrade")
    op.add_column("deployments", upgrade_option)
    op.add_column("deployments", sa.Column("parity", sa.String(16), nullable=False, server_default="azure"))
    quotas = op.create_table(
        "quotas",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("limit", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", "region"),
    )
    _lift_limits(quotas)
    changes = op.create_table("account_changes", sa.Column("count", sa.Integer, nullable=False))
    op.bulk_insert(changes, [{"count": 0}])
    for table in WATCHED:
        for event in ("INSERT", "UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_{event.lower()}_counted AFTER {event} ON {table} "
                "BEGIN UPDATE account_changes SET count = count + 1; END"
            )


def _lift_limits(quotas: sa.Table) -> None:
    """Capacities were told but not enforced until now: those of a directory that is in use become so large
    that nothing changes for it.
    """
    connection = op.get_bind()
    connection.execute(sa.text("UPDATE deployments SET capacity = :roomy"), {"roomy": ROOMY})
    regions = connection.execute(sa.text("SELECT DISTINCT region FROM resources")).scalars().all()
    names = ("GPT-4-Turbo-V", "GPT-4-Turbo")
    rows = [{"name": name, "region": region, "limit": GRANTED} for region in regions for name in names]
    if rows:
        op.bulk_insert(quotas, rows)
