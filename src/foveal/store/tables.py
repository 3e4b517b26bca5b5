"""The SQL tables. Rows only; what they mean is in `foveal.resources` and `foveal.video`."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
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
    # The managed identity of the resource: with a role on a storage account it may read there.
    Column("identity", Boolean, nullable=False, server_default="0"),
    # What the management API was told and gives back: tags, and the name of its own in the address.
    Column("tags", JSON(none_as_null=True), nullable=True),
    Column("subdomain", String(64), nullable=True),
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
    # None: the default configuration.
    Column("content_filter", String(64), nullable=True),
    # When the version moves on by itself.
    Column("upgrade", String(40), nullable=False, server_default="NoAutoUpgrade"),
    # What it may do: what Azure's model version could, or what the engine can.
    Column("parity", String(16), nullable=False, server_default="azure"),
    Column("tags", JSON(none_as_null=True), nullable=True),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    PrimaryKeyConstraint("resource", "name"),
    ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
)

# What a key may take in a minute, of all deployments together; a key without a row takes what they give.
key_limits = Table(
    "key_limits",
    metadata,
    Column("resource", String(64), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("tokens", Integer, nullable=True),
    Column("requests", Integer, nullable=True),
    PrimaryKeyConstraint("resource", "slot"),
    ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
)

# Quotas that the operator granted in place of Azure's defaults: thousands of tokens per minute of a region.
quotas = Table(
    "quotas",
    metadata,
    Column("name", String(64), nullable=False),
    Column("region", String(32), nullable=False),
    Column("limit", Integer, nullable=False),
    PrimaryKeyConstraint("name", "region"),
)

# How often what requests are checked against was changed: triggers count, servers look.
account_changes = Table("account_changes", metadata, Column("count", Integer, nullable=False))

content_filters = Table(
    "content_filters",
    metadata,
    Column("resource", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("configuration", JSON, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    PrimaryKeyConstraint("resource", "name"),
    ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
)

blocklists = Table(
    "blocklists",
    metadata,
    Column("resource", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("terms", JSON, nullable=False),
    Column("patterns", JSON, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    PrimaryKeyConstraint("resource", "name"),
    ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
)

# An account whose blobs Foveal may read for resources that have a role on it. `secret` is its key: kept in
# plain text, since it must be used; the file of the database is its owner's alone.
storage_accounts = Table(
    "storage_accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("endpoint", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
)

role_assignments = Table(
    "role_assignments",
    metadata,
    Column("resource", String(64), nullable=False),
    Column("role", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    PrimaryKeyConstraint("resource", "role", "account"),
    ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
    ForeignKeyConstraint(["account"], ["storage_accounts.name"], ondelete="CASCADE"),
)

# Times of the retrieval tables are microseconds since 1970; what is JSON is as the API gives it.
video_indexes = Table(
    "video_indexes",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=True),
    Column("resource", String(64), nullable=False),
    Column("name", String(64), nullable=False),  # lower case
    Column("schema", JSON(none_as_null=True), nullable=True),
    Column("features", JSON, nullable=False),
    Column("user_data", JSON, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    UniqueConstraint("resource", "name"),
    ForeignKeyConstraint(["resource"], ["resources.name"], ondelete="CASCADE"),
    sqlite_autoincrement=True,  # a key is never used twice: vectors and blobs are found by it
)

documents = Table(
    "documents",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=True),
    Column("index_key", Integer, nullable=False),
    Column("document_id", Text, nullable=False),
    # The row is made when the work on the video begins: it takes the id and gives the key that vectors and
    # blobs are found by. Nobody sees it before it is published.
    Column("published", Boolean, nullable=False),
    Column("url", Text, nullable=False),  # without what signs it
    Column("metadata", JSON, nullable=False),  # field names in lower case
    Column("user_data", JSON, nullable=False),
    Column("duration", Float, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    UniqueConstraint("index_key", "document_id"),
    ForeignKeyConstraint(["index_key"], ["video_indexes.key"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)

ingestions = Table(
    "ingestions",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=True),
    Column("index_key", Integer, nullable=False),
    Column("name", String(64), nullable=False),  # lower case
    Column("batch", String(36), nullable=False),
    Column("options", JSON, nullable=False),
    Column("cancelled", Boolean, nullable=False, server_default="0"),
    # By what it was asked for: key1, key2, or on the command line.
    Column("principal", String(256), nullable=False, server_default="operator"),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    UniqueConstraint("index_key", "name"),
    ForeignKeyConstraint(["index_key"], ["video_indexes.key"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)

ingestion_videos = Table(
    "ingestion_videos",
    metadata,
    Column("ingestion", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("mode", String(8), nullable=False),
    Column("document_id", Text, nullable=False),
    Column("url", Text, nullable=True),  # as given, signature and all, until the work is over
    Column("metadata", JSON(none_as_null=True), nullable=True),
    Column("user_data", JSON(none_as_null=True), nullable=True),
    Column("state", String(16), nullable=False),  # waiting, running, succeeded, failed, cancelled
    Column("step", String(32), nullable=False, server_default=""),
    Column("progress", Float, nullable=False, server_default="0"),  # 0..1
    Column("error", JSON(none_as_null=True), nullable=True),  # {code, message}
    Column("document", Integer, nullable=True),  # key of the document that is being made
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("ingestion", "position"),
    ForeignKeyConstraint(["ingestion"], ["ingestions.key"], ondelete="CASCADE"),
    Index("ix_ingestion_videos_state", "state"),
)
