"""Resources, their keys and their deployments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "resources",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(8), nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
    )
    op.create_table(
        "resource_keys",
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("by_operator", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("resource", "slot"),
        sa.ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
        sa.CheckConstraint("slot IN (1, 2)", name="slot_is_1_or_2"),
    )
    op.create_table(
        "deployments",
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("engine", sa.String(32), nullable=True),
        sa.Column("strict", sa.Boolean, nullable=True),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("resource", "name"),
        sa.ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("deployments")
    op.drop_table("resource_keys")
    op.drop_table("resources")
