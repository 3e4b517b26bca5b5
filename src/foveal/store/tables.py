"""The SQL tables. Rows only; what they mean is in `foveal.resources`."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
)

metadata = MetaData()

resources = Table(
    "resources",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("region", String(32), nullable=False),
    Column("tier", String(8), nullable=False),
    Column("created_at", Integer, nullable=False),
)

resource_keys = Table(
    "resource_keys",
    metadata,
    Column("resource", String(64), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("by_operator", Boolean, nullable=False),
    Column("created_at", Integer, nullable=False),
    PrimaryKeyConstraint("resource", "slot"),
    ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
    CheckConstraint("slot IN (1, 2)", name="slot_is_1_or_2"),
)

deployments = Table(
    "deployments",
    metadata,
    Column("resource", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("sku", String(32), nullable=False),
    Column("capacity", Integer, nullable=False),
    # None: the operator's default engine (the `engine` setting), so that one flag moves every deployment.
    Column("engine", String(32), nullable=True),
    Column("strict", Boolean, nullable=True),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    PrimaryKeyConstraint("resource", "name"),
    ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
)
