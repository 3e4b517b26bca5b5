"""Content filters: configurations, blocklists, and which configuration a deployment has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deployments", sa.Column("content_filter", sa.String(64), nullable=True))
    for name, columns in (("content_filters", ("configuration",)), ("blocklists", ("terms", "patterns"))):
        op.create_table(
            name,
            sa.Column("resource", sa.String(64), nullable=False),
            sa.Column("name", sa.String(64), nullable=False),
            *(sa.Column(column, sa.JSON, nullable=False) for column in columns),
            sa.Column("created_at", sa.Integer, nullable=False),
            sa.Column("updated_at", sa.Integer, nullable=False),
            sa.PrimaryKeyConstraint("resource", "name"),
            sa.ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
        )
