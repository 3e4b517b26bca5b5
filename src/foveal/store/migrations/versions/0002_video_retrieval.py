"""Video retrieval: identities, storage accounts and roles; indexes, documents, ingestions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("resources", sa.Column("identity", sa.Boolean, nullable=False, server_default="0"))
    _create_storage()
    _create_retrieval()
    _create_ingestions()


def _create_storage() -> None:
    op.create_table(
        "storage_accounts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
    )
    op.create_table(
        "role_assignments",
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("resource", "role", "account"),
        sa.ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["account"], ["storage_accounts.name"], ondelete="CASCADE"),
    )


def _create_retrieval() -> None:
    op.create_table(
        "video_indexes",
        sa.Column("key", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("schema", sa.JSON, nullable=True),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("user_data", sa.JSON, nullable=False),
        sa.Column("etag", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("resource", "name"),
        sa.ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "documents",
        sa.Column("key", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("index_key", sa.Integer, nullable=False),
        sa.Column("document_id", sa.Text, nullable=False),
        sa.Column("published", sa.Boolean, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("user_data", sa.JSON, nullable=False),
        sa.Column("duration", sa.Float, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("index_key", "document_id"),
        sa.ForeignKeyConstraint(["index_key"], ["video_indexes.key"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )


def _create_ingestions() -> None:
    op.create_table(
        "ingestions",
        sa.Column("key", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("index_key", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("batch", sa.String(36), nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("cancelled", sa.Boolean, nullable=False, server_default="0"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("index_key", "name"),
        sa.ForeignKeyConstraint(["index_key"], ["video_indexes.key"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ingestion_videos",
        sa.Column("ingestion", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("document_id", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=True),
        sa.Column("metadata", sa.JSON, nullable=True),
        sa.Column("user_data", sa.JSON, nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("step", sa.String(32), nullable=False, server_default=""),
        sa.Column("progress", sa.Float, nullable=False, server_default="0"),
        sa.Column("error", sa.JSON, nullable=True),
        sa.Column("document", sa.Integer, nullable=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("ingestion", "position"),
        sa.ForeignKeyConstraint(["ingestion"], ["ingestions.key"], ondelete="CASCADE"),
        sa.Index("ix_ingestion_videos_state", "state"),
    )


def downgrade() -> None:
    for name in (
        "ingestion_videos",
        "ingestions",
        "documents",
        "video_indexes",
        "role_assignments",
        "storage_accounts",
    ):
        op.drop_table(name)
    op.drop_column("resources", "identity")
