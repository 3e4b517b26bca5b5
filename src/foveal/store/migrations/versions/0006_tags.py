"""Tags of resources and deployments, and the name that a resource has in its address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("resources", sa.Column("tags", sa.JSON, nullable=True))
    op.add_column("resources", sa.Column("subdomain", sa.String(64), nullable=True))
    op.add_column("deployments", sa.Column("tags", sa.JSON, nullable=True))
